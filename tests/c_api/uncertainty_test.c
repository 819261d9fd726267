// SPDX-License-Identifier: Apache-2.0
/* Standard deviations and the support map, from C: the numbers of the C++ interface, and what is refused. */
#include <math.h>
#include <stdlib.h>

#include "checks.h"

enum { VIEWS = 8, PIXELS = 20 * 16, ALL = VIEWS * PIXELS, VOXELS = 12 * 11 * 13, TRAINED = 5, ROUNDS = 2 };
static const dsasrgs_grid kVolume = {{12, 11, 13}, {4, 4.5, 4.25}, {-24, -25, -27}};

/* Stops when it has been called so often. */
typedef struct {
  int calls, stop_at;
  size_t last_total;
} counter;

static int32_t count(size_t done, size_t total, void* user) {
  counter* c = user;
  CHECK(done <= total);
  c->last_total = total;
  return ++c->calls != c->stop_at;
}

static void test_going_on(const dsasrgs_acquisition* acquisition, const dsasrgs_config* config,
                          const dsasrgs_pose* poses, const dsasrgs_detector* detector) {
  static float before[PIXELS], after[PIXELS];
  dsasrgs_context* context = NULL;
  dsasrgs_reconstructor* reconstructor = NULL;
  dsasrgs_model* model = NULL;
  dsasrgs_uncertainty *old = NULL, *uncertainty = NULL;
  CHECK_OK(dsasrgs_context_new_cpu(2, &context));
  CHECK_OK(dsasrgs_reconstructor_new(context, acquisition, config, NULL, &reconstructor));
  for (int step = 0; step < 3; ++step) CHECK_OK(dsasrgs_reconstructor_step(reconstructor, NULL));
  CHECK_OK(dsasrgs_reconstructor_model(reconstructor, &model));
  CHECK_OK(dsasrgs_uncertainty_new(model, acquisition, NULL, NULL, &old));
  CHECK_OK(dsasrgs_uncertainty_render(old, poses, 1, detector, before, PIXELS));
  CHECK_OK(dsasrgs_reconstructor_run(reconstructor, NULL, NULL)); /* through a density event */
  const char* const gone_on = ": uncertainty: expected one of the model after 12 steps, found one made after 3";
  CHECK_REFUSED(DSASRGS_ERROR_INVALID_ARGUMENT, gone_on,
                dsasrgs_uncertainty_render(old, poses, 1, detector, after, PIXELS));
  CHECK_REFUSED(DSASRGS_ERROR_INVALID_ARGUMENT, gone_on, dsasrgs_uncertainty_voxelize(old, &kVolume, 1, after, 1));
  CHECK_REFUSED(DSASRGS_ERROR_INVALID_ARGUMENT, gone_on, dsasrgs_uncertainty_voxelize_mean(old, &kVolume, after, 1));
  CHECK_OK(dsasrgs_uncertainty_new(model, acquisition, NULL, NULL, &uncertainty));
  dsasrgs_uncertainty_free(old);
  dsasrgs_model_free(model); /* it keeps what it needs */
  dsasrgs_reconstructor_free(reconstructor);
  dsasrgs_context_free(context);
  CHECK_OK(dsasrgs_uncertainty_render(uncertainty, poses, 1, detector, after, PIXELS));
  CHECK(memcmp(before, after, sizeof before) != 0);
  dsasrgs_uncertainty_free(uncertainty);
}

/* Of a model that moved the poses of its views: seen from where it has them. */
static void test_corrected_poses(dsasrgs_context* context, const dsasrgs_config* config, const char* case_path,
                                 const char* corrected_path) {
  static int32_t views[VOXELS], views_in_cpp[VOXELS], views_of_case[VOXELS];
  static float spread[VOXELS], spread_in_cpp[VOXELS], spread_of_case[VOXELS];
  static char toml[16384];
  size_t length = 0;
  dsasrgs_acquisition* acquisition = NULL;
  dsasrgs_config* refining = NULL;
  dsasrgs_reconstructor* reconstructor = NULL;
  dsasrgs_model* model = NULL;
  CHECK_OK(dsasrgs_config_to_toml(config, toml, sizeof toml, &length));
  CHECK_OK(dsasrgs_config_from_toml(toml, &refining));
  CHECK_OK(dsasrgs_config_set(refining, "geometry.refine=true"));
  CHECK_OK(dsasrgs_config_set(refining, "geometry.first_step=0"));
  CHECK_OK(dsasrgs_config_set(refining, "training.steps=16"));
  CHECK_OK(dsasrgs_acquisition_read(case_path, &acquisition));
  CHECK_OK(dsasrgs_acquisition_split_evenly(acquisition, VIEWS)); /* fewer do not tell of their poses */
  CHECK_OK(dsasrgs_reconstructor_new(context, acquisition, refining, NULL, &reconstructor));
  CHECK_OK(dsasrgs_reconstructor_model(reconstructor, &model));
  CHECK_OK(dsasrgs_model_support(model, acquisition, &kVolume, NULL, NULL, views_of_case, spread_of_case, VOXELS));
  CHECK_OK(dsasrgs_reconstructor_run(reconstructor, NULL, NULL));
  CHECK_OK(dsasrgs_model_write(model, corrected_path));
  CHECK_OK(dsasrgs_model_support(model, acquisition, &kVolume, NULL, NULL, views, spread, VOXELS));
  support_in_cpp(case_path, corrected_path, views_in_cpp, spread_in_cpp);
  CHECK(memcmp(views, views_in_cpp, sizeof views) == 0 && memcmp(spread, spread_in_cpp, sizeof spread) == 0);
  CHECK(memcmp(spread, spread_of_case, sizeof spread) != 0);
  dsasrgs_model_free(model);
  dsasrgs_reconstructor_free(reconstructor);
  dsasrgs_acquisition_free(acquisition);
  dsasrgs_config_free(refining);
}

static void test_support(dsasrgs_context* context, dsasrgs_model* model, dsasrgs_acquisition* acquisition,
                         const dsasrgs_config* config, const char* case_path, const char* model_path,
                         const char* corrected_path) {
  static int32_t views[VOXELS], views_in_cpp[VOXELS];
  static float spread[VOXELS], spread_in_cpp[VOXELS];
  const int middle = (6 * 11 + 5) * 12 + 6;
  counter slices = {0, 0, 0}, stops = {0, 4, 0};
  CHECK_OK(dsasrgs_model_support(model, acquisition, &kVolume, count, &slices, views, spread, VOXELS));
  CHECK(slices.calls == 13 + 1 && slices.last_total == 13);
  support_in_cpp(case_path, model_path, views_in_cpp, spread_in_cpp);
  CHECK(memcmp(views, views_in_cpp, sizeof views) == 0 && memcmp(spread, spread_in_cpp, sizeof spread) == 0);
  /* Views 0 to 6 of 7 steps over 200 degrees. */
  CHECK(views[middle] == TRAINED && spread[middle] > 2 && spread[middle] <= 3.15f);
  CHECK_REFUSED(DSASRGS_ERROR_CANCELLED, "supporting: stopped after 3 of 13 slices",
                dsasrgs_model_support(model, acquisition, &kVolume, count, &stops, views, spread, VOXELS));
  CHECK_REFUSED(DSASRGS_ERROR_INVALID_ARGUMENT, "dsasrgs_model_support: views: expected 1716 elements, found 1715",
                dsasrgs_model_support(model, acquisition, &kVolume, NULL, NULL, views, spread, VOXELS - 1));
  test_corrected_poses(context, config, case_path, corrected_path);
}

void test_uncertainty(const dsasrgs_config* config, const dsasrgs_pose* poses, const char* case_path,
                      const char* model_path, const char* corrected_path) {
  static float deviations[ALL], in_cpp[ALL], voxels[2 * VOXELS], voxels_in_cpp[2 * VOXELS];
  dsasrgs_context* context = NULL;
  dsasrgs_acquisition *acquisition = NULL, *other = NULL;
  dsasrgs_model* model = NULL;
  dsasrgs_uncertainty* uncertainty = NULL;
  dsasrgs_detector detector;
  CHECK_OK(dsasrgs_context_new_cpu(2, &context));
  CHECK_OK(dsasrgs_acquisition_read(case_path, &acquisition));
  CHECK_OK(dsasrgs_acquisition_detector(acquisition, &detector));
  CHECK_OK(dsasrgs_model_read(context, model_path, &model));
  counter rounds = {0, 0, 0}, stops = {0, 3, 0};
  CHECK_OK(dsasrgs_uncertainty_new(model, acquisition, count, &rounds, &uncertainty));
  CHECK(rounds.calls == ROUNDS * (TRAINED + 1) && rounds.last_total == TRAINED);
  CHECK_OK(dsasrgs_uncertainty_render(uncertainty, poses, VIEWS, &detector, deviations, ALL));
  CHECK_OK(dsasrgs_uncertainty_voxelize(uncertainty, &kVolume, 2, voxels, VOXELS));
  CHECK_OK(dsasrgs_uncertainty_voxelize_mean(uncertainty, &kVolume, voxels + VOXELS, VOXELS));
  uncertainty_in_cpp(case_path, model_path, in_cpp, voxels_in_cpp);
  CHECK(memcmp(deviations, in_cpp, sizeof deviations) == 0);
  CHECK(memcmp(voxels, voxels_in_cpp, sizeof voxels) == 0);
  int some = 0;
  for (int i = 0; i < ALL; ++i) {
    CHECK(isfinite(deviations[i]) && deviations[i] >= 0);
    some += deviations[i] > 1e-3f;
  }
  CHECK(some > VIEWS);

  CHECK_REFUSED(DSASRGS_ERROR_INVALID_ARGUMENT, "dsasrgs_uncertainty_render: pixels: expected 2560 elements, found 1",
                dsasrgs_uncertainty_render(uncertainty, poses, VIEWS, &detector, deviations, 1));
  CHECK_REFUSED(DSASRGS_ERROR_INVALID_ARGUMENT, "num_poses",
                dsasrgs_uncertainty_render(uncertainty, poses, 0, &detector, deviations, 0));
  CHECK_REFUSED(DSASRGS_ERROR_INVALID_ARGUMENT, "dsasrgs_uncertainty_voxelize: voxels: expected 1716 elements",
                dsasrgs_uncertainty_voxelize(uncertainty, &kVolume, 2, voxels, 3));
  CHECK_REFUSED(DSASRGS_ERROR_INVALID_ARGUMENT, "dsasrgs_uncertainty_voxelize: expected a time",
                dsasrgs_uncertainty_voxelize(uncertainty, &kVolume, NAN, voxels, VOXELS));
  dsasrgs_grid flat = kVolume;
  flat.spacing_mm[2] = 0; /* which the library refuses under the name of its own function */
  CHECK_REFUSED(DSASRGS_ERROR_INVALID_ARGUMENT, "dsasrgs_uncertainty_voxelize_mean: grid: expected ",
                dsasrgs_uncertainty_voxelize_mean(uncertainty, &flat, voxels, VOXELS));
  test_support(context, model, acquisition, config, case_path, model_path, corrected_path);

  dsasrgs_uncertainty* refused = uncertainty;
  CHECK_REFUSED(DSASRGS_ERROR_CANCELLED, "weighing: stopped after 2 of 5 views",
                dsasrgs_uncertainty_new(model, acquisition, count, &stops, &refused));
  CHECK(refused == NULL);
  dsasrgs_acquisition_arrays arrays = DSASRGS_ACQUISITION_ARRAYS_INIT;
  arrays.name = "blank";
  arrays.detector = detector, arrays.volume = kVolume;
  arrays.poses = poses, arrays.num_views = VIEWS;
  memset(in_cpp, 0, sizeof in_cpp);
  arrays.projections = in_cpp, arrays.num_pixels = ALL;
  CHECK_OK(dsasrgs_acquisition_new(&arrays, &other));
  CHECK_REFUSED(DSASRGS_ERROR_BAD_INPUT,
                "blank: /projections: expected the views that the model was trained on, found other values",
                dsasrgs_uncertainty_new(model, other, NULL, NULL, &refused));
  test_going_on(acquisition, config, poses, &detector);

  CHECK_OK(dsasrgs_context_cancel(context));
  CHECK_STATUS(DSASRGS_ERROR_CANCELLED, dsasrgs_uncertainty_new(model, acquisition, NULL, NULL, &refused));
  CHECK_STATUS(DSASRGS_ERROR_CANCELLED,
               dsasrgs_uncertainty_render(uncertainty, poses, VIEWS, &detector, deviations, ALL));
  CHECK_STATUS(DSASRGS_ERROR_CANCELLED, dsasrgs_uncertainty_voxelize(uncertainty, &kVolume, 2, voxels, VOXELS));
  CHECK_STATUS(DSASRGS_ERROR_CANCELLED, dsasrgs_uncertainty_voxelize_mean(uncertainty, &kVolume, voxels, VOXELS));
  static int32_t views[VOXELS];
  CHECK_STATUS(DSASRGS_ERROR_CANCELLED,
               dsasrgs_model_support(model, acquisition, &kVolume, NULL, NULL, views, voxels, VOXELS));
  dsasrgs_acquisition_free(other);
  dsasrgs_acquisition_free(acquisition);
  dsasrgs_uncertainty_free(uncertainty);
  dsasrgs_model_free(model);
  dsasrgs_context_free(context);
}
