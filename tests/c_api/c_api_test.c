// SPDX-License-Identifier: Apache-2.0
/* The C interface, from C. usage: dsasrgs_c_api_tests FOLDER NETWORK_X2.h5 */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "checks.h"

int failed_checks = 0;

enum { VIEWS = 8, WIDTH = 20, HEIGHT = 16, PIXELS = WIDTH * HEIGHT, ALL = VIEWS * PIXELS, VOXELS = 12 * 11 * 13 };
static const dsasrgs_detector kDetector = {WIDTH, HEIGHT, 4, 5};
static const dsasrgs_grid kVolume = {{12, 11, 13}, {4, 4.5, 4.25}, {-24, -25, -27}};
static const int32_t kTrain[] = {0, 2, 3, 5, 6}, kTest[] = {1, 4, 7};
static dsasrgs_pose poses[VIEWS];
static float projections[ALL], rendered[ALL], again[ALL];
static char folder[512];

static const char* at(const char* name) {
  static char paths[8][600];
  static int next = 0;
  next = (next + 1) % 8;
  snprintf(paths[next], sizeof paths[next], "%s/%s", folder, name);
  return paths[next];
}

/* A ball of 12 mm whose attenuation grows. */
static void measure(void) {
  for (int view = 0; view < VIEWS; ++view) {
    const dsasrgs_carm_view carm = {750, 1200, 3.49 * view / (VIEWS - 1), 0.1, 1, -2, 0.5 * view};
    CHECK_OK(dsasrgs_pose_of_carm(&carm, &poses[view]));
    for (int i = 0; i < PIXELS; ++i) {
      const double u = (i % WIDTH + 0.5 - WIDTH / 2) * 4 + 1, v = (i / WIDTH + 0.5 - HEIGHT / 2) * 5 - 2;
      const double beside = 750 * sqrt((u * u + v * v) / (u * u + v * v + 1200.0 * 1200.0));
      projections[view * PIXELS + i] =
          beside < 12 ? (float)(2 * sqrt(144 - beside * beside) * 0.04 * (0.2 + 0.2 * carm.time_s)) : 0;
    }
  }
}

/* Against the formulas of docs/conventions.md: a = 0, b = 0.1. */
static void test_pose(void) {
  const dsasrgs_pose* p = &poses[0];
  const double c = cos(0.1), s = sin(0.1), off[3] = {-2 * s, 1, 2 * c};
  for (int i = 0; i < 3; ++i) {
    const double source = 750 * (i == 0 ? c : i == 1 ? 0 : s);
    CHECK(fabs(p->source_mm[i] - source) < 1e-9);
    CHECK(fabs(p->detector_center_mm[i] - (-0.6 * source + off[i])) < 1e-9);
    CHECK(fabs(p->detector_u[i] - (i == 1)) < 1e-12);
    CHECK(fabs(p->detector_v[i] - (i == 0 ? s : i == 1 ? 0 : -c)) < 1e-12);
  }
  CHECK(p->time_s == 0 && poses[7].time_s == 3.5);
}

static dsasrgs_acquisition_arrays arrays_of_ball(void) {
  dsasrgs_acquisition_arrays arrays = DSASRGS_ACQUISITION_ARRAYS_INIT;
  arrays.name = "ball";
  arrays.detector = kDetector;
  arrays.volume = kVolume;
  arrays.poses = poses, arrays.num_views = VIEWS;
  arrays.projections = projections, arrays.num_pixels = ALL;
  arrays.train_views = kTrain, arrays.num_train_views = 5;
  arrays.test_views = kTest, arrays.num_test_views = 3;
  return arrays;
}

static dsasrgs_config* small_config(const char* preset) {
  static const char* const settings[] = {
      "training.steps=12",     "gaussians.initial=60", "gaussians.init_percentile=90", "field.grid3d.levels=2",
      "field.grid4d.levels=2", "field.width=16",       "density_control.every=4",      "density_control.first_step=4"};
  dsasrgs_config* config = NULL;
  CHECK_OK(dsasrgs_config_new(preset, &config));
  for (size_t i = 0; i < sizeof settings / sizeof settings[0]; ++i) CHECK_OK(dsasrgs_config_set(config, settings[i]));
  return config;
}

static void test_acquisition(dsasrgs_acquisition* acquisition) {
  size_t count = 0;
  dsasrgs_detector detector;
  dsasrgs_grid volume;
  dsasrgs_pose pose;
  int32_t views[VIEWS] = {-1, -1, -1, -1, -1, -1, -1, -1};
  CHECK_OK(dsasrgs_acquisition_num_views(acquisition, &count));
  CHECK(count == VIEWS);
  CHECK_OK(dsasrgs_acquisition_detector(acquisition, &detector));
  CHECK(detector.width_px == WIDTH && detector.height_px == HEIGHT && detector.pitch_v_mm == 5);
  CHECK_OK(dsasrgs_acquisition_volume(acquisition, &volume));
  CHECK(memcmp(&volume.size, &kVolume.size, sizeof volume.size) == 0 && volume.origin_mm[2] == -27 &&
        volume.spacing_mm[1] == 4.5);
  CHECK_OK(dsasrgs_acquisition_pose(acquisition, 3, &pose));
  CHECK(memcmp(&pose, &poses[3], sizeof pose) == 0);
  CHECK_OK(dsasrgs_acquisition_projection(acquisition, 3, again, PIXELS));
  CHECK(memcmp(again, projections + 3 * PIXELS, PIXELS * sizeof(float)) == 0);
  CHECK_OK(dsasrgs_acquisition_training_views(acquisition, NULL, 0, &count));
  CHECK(count == 5);
  CHECK_OK(dsasrgs_acquisition_training_views(acquisition, views, 4, &count));
  CHECK(count == 5 && memcmp(views, kTrain, 4 * sizeof views[0]) == 0 && views[4] == -1);
  CHECK_REFUSED(DSASRGS_ERROR_INVALID_ARGUMENT, "dsasrgs_acquisition_pose: view: expected less than 8, found 8",
                dsasrgs_acquisition_pose(acquisition, VIEWS, &pose));
  CHECK_REFUSED(DSASRGS_ERROR_INVALID_ARGUMENT, "pixels: expected 320 elements, found 319",
                dsasrgs_acquisition_projection(acquisition, 3, again, PIXELS - 1));
}

static void test_refused_arrays(void) {
  dsasrgs_acquisition* made = (dsasrgs_acquisition*)&failed_checks;
  dsasrgs_acquisition_arrays arrays = arrays_of_ball();
  arrays.num_pixels = SIZE_MAX;
  CHECK_REFUSED(DSASRGS_ERROR_INVALID_ARGUMENT, "arrays.projections: expected 2560 elements",
                dsasrgs_acquisition_new(&arrays, &made));
  CHECK(made == NULL);
  arrays = arrays_of_ball();
  arrays.projections = NULL;
  CHECK_REFUSED(DSASRGS_ERROR_INVALID_ARGUMENT, "arrays.projections", dsasrgs_acquisition_new(&arrays, &made));
  arrays = arrays_of_ball();
  arrays.poses = NULL;
  CHECK_REFUSED(DSASRGS_ERROR_INVALID_ARGUMENT, "arrays.poses", dsasrgs_acquisition_new(&arrays, &made));
  arrays = arrays_of_ball();
  arrays.num_views = SIZE_MAX;
  CHECK_REFUSED(DSASRGS_ERROR_INVALID_ARGUMENT, "arrays.num_views", dsasrgs_acquisition_new(&arrays, &made));
  arrays = arrays_of_ball();
  arrays.detector.width_px = -WIDTH;
  CHECK_REFUSED(DSASRGS_ERROR_INVALID_ARGUMENT, "arrays.projections", dsasrgs_acquisition_new(&arrays, &made));
  arrays = arrays_of_ball();
  arrays.num_valid = 3;
  CHECK_REFUSED(DSASRGS_ERROR_INVALID_ARGUMENT, "arrays.valid", dsasrgs_acquisition_new(&arrays, &made));
  arrays = arrays_of_ball();
  arrays.num_test_views = SIZE_MAX;
  CHECK_REFUSED(DSASRGS_ERROR_INVALID_ARGUMENT, "num_test_views", dsasrgs_acquisition_new(&arrays, &made));
  arrays = arrays_of_ball();
  arrays.struct_size = 0;
  CHECK_REFUSED(DSASRGS_ERROR_INVALID_ARGUMENT, "struct_size", dsasrgs_acquisition_new(&arrays, &made));
  arrays = arrays_of_ball();
  const float before = projections[5];
  projections[5] = (float)NAN;
  CHECK_REFUSED(DSASRGS_ERROR_BAD_INPUT, "ball: /projections", dsasrgs_acquisition_new(&arrays, &made));
  projections[5] = before;
  CHECK(made == NULL);
}

/* A host that was compiled when the struct ended before `train_views`, and one from when it will be longer. */
static void test_other_struct_sizes(void) {
  struct {
    dsasrgs_acquisition_arrays known;
    double later[20];
  } longer;
  dsasrgs_acquisition* made = NULL;
  size_t count = 0;
  memset(&longer, 0xff, sizeof longer);
  longer.known = arrays_of_ball();
  longer.known.struct_size = sizeof longer;
  CHECK_OK(dsasrgs_acquisition_new(&longer.known, &made));
  dsasrgs_acquisition_free(made);
  longer.known.struct_size = offsetof(dsasrgs_acquisition_arrays, train_views);
  CHECK_OK(dsasrgs_acquisition_new(&longer.known, &made));
  CHECK_OK(dsasrgs_acquisition_training_views(made, NULL, 0, &count));
  CHECK(count == VIEWS);
  dsasrgs_acquisition_free(made);
}

static int32_t stop_at(const dsasrgs_step_report* report, void* step) {
  CHECK(report->struct_size == sizeof *report && report->steps >= report->step);
  return report->step != *(int*)step;
}

static void render_all(dsasrgs_model* model, float* images) {
  CHECK_OK(dsasrgs_model_render(model, poses, VIEWS, &kDetector, images, ALL));
}

/* Arrays in C against a file in C++; stopped, and gone on with from a checkpoint; the model of a file. */
static void test_reconstruction(dsasrgs_acquisition* acquisition, dsasrgs_config* config, const char* toml) {
  dsasrgs_context* context = NULL;
  dsasrgs_reconstructor* reconstructor = NULL;
  dsasrgs_model* model = NULL;
  dsasrgs_acquisition* file = NULL;
  CHECK_OK(dsasrgs_acquisition_write(acquisition, at("größe.h5")));
  CHECK(reconstruct_in_cpp(at("größe.h5"), toml, NULL, again, ALL) == 12);

  CHECK_OK(dsasrgs_context_new_cpu(2, &context));
  CHECK_OK(dsasrgs_reconstructor_new(context, acquisition, config, NULL, &reconstructor));
  int stop = 5;
  CHECK_REFUSED(DSASRGS_ERROR_CANCELLED, "after 5 of 12 steps",
                dsasrgs_reconstructor_run(reconstructor, stop_at, &stop));
  dsasrgs_step_report report = DSASRGS_STEP_REPORT_INIT;
  CHECK_OK(dsasrgs_reconstructor_step(reconstructor, &report));
  CHECK(report.step == 6 && report.steps == 12 && report.loss > 0 && report.gaussians > 0);
  dsasrgs_step_report eighth = DSASRGS_STEP_REPORT_INIT;
  CHECK_OK(dsasrgs_reconstructor_save_checkpoint(reconstructor, at("checkpoint.h5")));
  CHECK_OK(dsasrgs_reconstructor_step(reconstructor, NULL));
  CHECK_OK(dsasrgs_reconstructor_step(reconstructor, &report));
  eighth_step_in_cpp(at("größe.h5"), toml, &eighth);
  CHECK(memcmp(&report, &eighth, sizeof report) == 0);
  CHECK(report.cloned + report.split > 0);
  report.struct_size = 0;
  CHECK_REFUSED(DSASRGS_ERROR_INVALID_ARGUMENT, "struct_size", dsasrgs_reconstructor_step(reconstructor, &report));
  CHECK_OK(dsasrgs_reconstructor_run(reconstructor, NULL, NULL));
  CHECK_STATUS(DSASRGS_ERROR_INVALID_ARGUMENT, dsasrgs_reconstructor_step(reconstructor, NULL));
  CHECK_OK(dsasrgs_reconstructor_model(reconstructor, &model));
  dsasrgs_reconstructor_free(reconstructor); /* the model keeps what it needs */
  dsasrgs_context_free(context);
  render_all(model, rendered);
  CHECK(memcmp(rendered, again, sizeof again) == 0);
  float most = 0;
  for (int i = 0; i < ALL; ++i) most = rendered[i] > most ? rendered[i] : most;
  CHECK(most > 0.01f);
  CHECK_OK(dsasrgs_model_write(model, at("model.h5")));

  dsasrgs_scores scores = DSASRGS_SCORES_INIT;
  CHECK_OK(dsasrgs_model_evaluate(model, acquisition, NULL, NULL, &scores));
  CHECK(scores.num_views == 3 && scores.held_out == 1 && scores.ssim_fixed <= 1);
  double expected[4];
  scores_in_cpp(at("größe.h5"), at("model.h5"), expected);
  CHECK(scores.psnr_fixed_db == expected[0] && scores.ssim_fixed == expected[1]);
  CHECK(scores.psnr_normalized_db == expected[2] && scores.ssim_normalized == expected[3]);
  dsasrgs_model_free(model);

  CHECK_OK(dsasrgs_context_new_cpu(1, &context));
  CHECK_OK(dsasrgs_acquisition_read(at("größe.h5"), &file));
  CHECK_OK(dsasrgs_reconstructor_resume(context, file, at("checkpoint.h5"), NULL, &reconstructor));
  int32_t done = 0, total = 0;
  CHECK_OK(dsasrgs_reconstructor_steps(reconstructor, &done, &total));
  CHECK(done == 6 && total == 12);
  CHECK_OK(dsasrgs_reconstructor_run(reconstructor, NULL, NULL));
  CHECK_OK(dsasrgs_reconstructor_model(reconstructor, &model));
  render_all(model, again);
  CHECK(memcmp(rendered, again, sizeof again) == 0);
  dsasrgs_model_free(model);
  dsasrgs_reconstructor_free(reconstructor);
  dsasrgs_acquisition_free(file);

  CHECK_OK(dsasrgs_model_read(context, at("model.h5"), &model));
  render_all(model, again);
  CHECK(memcmp(rendered, again, sizeof again) == 0);
  double first = -1, last = -1;
  size_t gaussians = 0;
  dsasrgs_grid volume;
  dsasrgs_detector detector;
  float voxels[VOXELS], mean[VOXELS];
  CHECK_OK(dsasrgs_model_times(model, &first, &last));
  CHECK_OK(dsasrgs_model_size(model, &gaussians));
  CHECK_OK(dsasrgs_model_volume(model, &volume));
  CHECK_OK(dsasrgs_model_detector(model, &detector));
  CHECK(first == 0 && last == 3.5 && gaussians > 0 && detector.width_px == WIDTH && volume.spacing_mm[1] == 4.5);
  CHECK_OK(dsasrgs_model_voxelize(model, &volume, last, voxels, VOXELS));
  CHECK_OK(dsasrgs_model_voxelize_mean(model, &volume, 4, mean, VOXELS));
  for (int frame = 0; frame < 4; ++frame) { /* the mean is that of four moments */
    CHECK_OK(dsasrgs_model_voxelize(model, &volume, first + (last - first) * frame / 3, voxels, VOXELS));
    for (int i = 0; i < VOXELS; ++i) mean[i] -= voxels[i] / 4;
  }
  for (int i = 0; i < VOXELS; ++i) CHECK(fabsf(mean[i]) < 1e-6f);
  const int middle = (6 * 11 + 5) * 12 + 6;
  CHECK(voxels[middle] > 1e-4f && voxels[middle] < 1);
  CHECK_REFUSED(DSASRGS_ERROR_INVALID_ARGUMENT, "voxels", dsasrgs_model_voxelize(model, &volume, last, voxels, 1));
  CHECK_REFUSED(DSASRGS_ERROR_INVALID_ARGUMENT, "num_poses",
                dsasrgs_model_render(model, poses, 0, &kDetector, again, 0));
  dsasrgs_grid flat = volume;
  flat.spacing_mm[2] = 0; /* which the library refuses under the name of its own function */
  CHECK_REFUSED(DSASRGS_ERROR_INVALID_ARGUMENT, "dsasrgs_model_voxelize: grid: expected ",
                dsasrgs_model_voxelize(model, &flat, last, voxels, VOXELS));
  CHECK_OK(dsasrgs_context_cancel(context));
  CHECK_STATUS(DSASRGS_ERROR_CANCELLED, dsasrgs_model_voxelize(model, &volume, last, voxels, VOXELS));
  CHECK_STATUS(DSASRGS_ERROR_CANCELLED, dsasrgs_model_render(model, poses, VIEWS, &kDetector, again, ALL));
  dsasrgs_context_free(context);
  dsasrgs_model_free(model);
}

static int32_t count_done(size_t done, size_t total, void* count) {
  CHECK(done <= total && total > 0);
  return ++*(int*)count != 3;
}

/* Labels made with a network that comes with the program, and a training at twice the resolution. */
static void test_labels(dsasrgs_acquisition* acquisition, const char* network) {
  dsasrgs_context* context = NULL;
  dsasrgs_reconstructor* reconstructor = NULL;
  dsasrgs_model* model = NULL;
  dsasrgs_config* config = small_config("dsa-srgs");
  char toml[16384];
  size_t length = 0;
  CHECK_OK(dsasrgs_config_set(config, "super_resolution.scale=2"));
  CHECK_OK(dsasrgs_config_set(config, "super_resolution.first_step=3"));
  CHECK_OK(dsasrgs_config_to_toml(config, toml, sizeof toml, &length));
  CHECK_OK(dsasrgs_context_new_cpu(2, &context));
  int calls = 0;
  remove(at("labels.h5"));
  CHECK_REFUSED(DSASRGS_ERROR_CANCELLED, "after 3 views",
                dsasrgs_labels_make(context, acquisition, network, at("labels.h5"), count_done, &calls));
  FILE* half = fopen(at("labels.h5"), "rb");
  CHECK(half == NULL);
  if (half != NULL) fclose(half);
  CHECK_OK(dsasrgs_labels_make(context, acquisition, network, at("labels.h5"), NULL, NULL));
  CHECK(labels_in_cpp(at("größe.h5"), network, at("labels.h5")) < 1e-3); /* rounded to three digits in the file */
  CHECK_STATUS(DSASRGS_ERROR_BAD_INPUT, dsasrgs_reconstructor_new(context, acquisition, config, NULL, &reconstructor));
  CHECK_OK(dsasrgs_reconstructor_new(context, acquisition, config, at("labels.h5"), &reconstructor));
  CHECK_OK(dsasrgs_reconstructor_run(reconstructor, NULL, NULL));
  CHECK_OK(dsasrgs_reconstructor_model(reconstructor, &model));
  render_all(model, rendered);
  CHECK(reconstruct_in_cpp(at("größe.h5"), toml, at("labels.h5"), again, ALL) == 12);
  CHECK(memcmp(rendered, again, sizeof again) == 0);
  dsasrgs_model_free(model);
  dsasrgs_reconstructor_free(reconstructor);
  dsasrgs_context_free(context);
  dsasrgs_config_free(config);
}

static void test_config(dsasrgs_config* config) {
  dsasrgs_config* other = NULL;
  char toml[16384], second[16384];
  size_t length = 0, asked = 0;
  CHECK_OK(dsasrgs_config_to_toml(config, NULL, 0, &asked));
  CHECK_OK(dsasrgs_config_to_toml(config, toml, asked + 1, &length));
  CHECK(length == asked && strlen(toml) == length && strstr(toml, "steps = 12") != NULL);
  CHECK_REFUSED(DSASRGS_ERROR_INVALID_ARGUMENT, "capacity", dsasrgs_config_to_toml(config, toml, asked, &length));
  CHECK_OK(dsasrgs_config_from_toml(toml, &other));
  CHECK_OK(dsasrgs_config_to_toml(other, second, sizeof second, &length));
  CHECK(strcmp(toml, second) == 0);
  dsasrgs_config_free(other);
  CHECK_REFUSED(DSASRGS_ERROR_BAD_INPUT, "training.step", dsasrgs_config_set(config, "training.step=12"));
  CHECK_REFUSED(DSASRGS_ERROR_BAD_INPUT, "found 5drgs", dsasrgs_config_new("5drgs", &other));
  CHECK(other == NULL);
  CHECK_STATUS(DSASRGS_ERROR_IO, dsasrgs_config_read(config, at("none.toml")));
  FILE* file = fopen(at("settings.toml"), "w");
  CHECK(file != NULL && fputs("[training]\nsteps = 7\n", file) >= 0 && fclose(file) == 0);
  CHECK_OK(dsasrgs_config_from_toml(toml, &other));
  CHECK_OK(dsasrgs_config_read(other, at("settings.toml")));
  CHECK_OK(dsasrgs_config_to_toml(other, second, sizeof second, &length));
  CHECK(strstr(second, "steps = 7\n") != NULL);
  dsasrgs_config_free(other);
}

/* Files read by a child, which is this program. */
static void test_reading_child(const char* program) {
  const char* const command[] = {program, "--serve"};
  const char* const missing[] = {"/nowhere/reader"};
  dsasrgs_acquisition* acquisition = NULL;
  CHECK_OK(dsasrgs_read_files_through(command, 2));
  CHECK_OK(dsasrgs_acquisition_read(at("größe.h5"), &acquisition));
  CHECK_OK(dsasrgs_acquisition_projection(acquisition, 7, again, PIXELS));
  CHECK(memcmp(again, projections + 7 * PIXELS, PIXELS * sizeof(float)) == 0);
  dsasrgs_acquisition_free(acquisition);
  CHECK_REFUSED(DSASRGS_ERROR_BAD_INPUT, "settings.toml", dsasrgs_acquisition_read(at("settings.toml"), &acquisition));
  CHECK_OK(dsasrgs_read_files_through(missing, 1));
  CHECK_STATUS(DSASRGS_ERROR_IO, dsasrgs_acquisition_read(at("größe.h5"), &acquisition));
  CHECK_OK(dsasrgs_read_files_through(NULL, 0));
}

int main(int argc, char** argv) {
  if (argc == 2 && strcmp(argv[1], "--serve") == 0) return dsasrgs_serve_file_reading();
  if (argc != 3) return 2;
  snprintf(folder, sizeof folder, "%s", argv[1]);
  CHECK(strcmp(dsasrgs_version(), DSASRGS_VERSION_STRING) == 0);
  CHECK(*dsasrgs_last_error() == '\0');
  measure();
  dsasrgs_acquisition* acquisition = NULL;
  dsasrgs_acquisition_arrays arrays = arrays_of_ball();
  CHECK_OK(dsasrgs_acquisition_new(&arrays, &acquisition));
  dsasrgs_config* config = small_config("4drgs");
  char toml[16384];
  size_t length = 0;
  CHECK_OK(dsasrgs_config_to_toml(config, toml, sizeof toml, &length));
  if (failed_checks == 0) {
    test_pose();
    test_acquisition(acquisition);
    test_refused_arrays();
    test_other_struct_sizes();
    test_config(config);
    test_null(acquisition, config, &arrays);
    test_reconstruction(acquisition, config, toml);
    test_uncertainty(config, poses, at("größe.h5"), at("model.h5"), at("corrected.h5"));
    test_aligned(at("größe.h5"), at("masked.h5"));
    test_labels(acquisition, argv[2]);
    test_reading_child(argv[0]);
    test_cpp_host(acquisition, config);
    CHECK_OK(dsasrgs_acquisition_split_evenly(acquisition, 3));
    size_t count = 0;
    CHECK_OK(dsasrgs_acquisition_training_views(acquisition, NULL, 0, &count));
    CHECK(count == 3);
  }
  dsasrgs_acquisition_free(acquisition);
  dsasrgs_config_free(config);
  printf("%d checks failed\n", failed_checks);
  return failed_checks == 0 ? 0 : 1;
}
