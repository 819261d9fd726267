/* The C interface, from C. usage: dsasrgs_c_api_tests FOLDER NETWORK_X2.h5 */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "checks.h"

int failed_checks = 0;

enum { VIEWS = 8, WIDTH = 20, HEIGHT = 16, PIXELS = WIDTH * HEIGHT, ALL = VIEWS * PIXELS };
static const dsasrgs_detector kDetector = {WIDTH, HEIGHT, 4, 5};
static const dsasrgs_grid kVolume = {{12, 12, 12}, {4, 4, 4}, {-24, -24, -24}};
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
  CHECK(memcmp(&volume.size, &kVolume.size, sizeof volume.size) == 0 && volume.origin_mm[2] == -24);
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
  report.struct_size = 0;
  CHECK_REFUSED(DSASRGS_ERROR_INVALID_ARGUMENT, "struct_size", dsasrgs_reconstructor_step(reconstructor, &report));
  CHECK_OK(dsasrgs_reconstructor_save_checkpoint(reconstructor, at("checkpoint.h5")));
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
  CHECK(scores.psnr_fixed_db == psnr_in_cpp(at("größe.h5"), at("model.h5")));
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
  float voxels[12 * 12 * 12], mean[12 * 12 * 12];
  CHECK_OK(dsasrgs_model_times(model, &first, &last));
  CHECK_OK(dsasrgs_model_size(model, &gaussians));
  CHECK_OK(dsasrgs_model_volume(model, &volume));
  CHECK_OK(dsasrgs_model_detector(model, &detector));
  CHECK(first == 0 && last == 3.5 && gaussians > 0 && detector.width_px == WIDTH && volume.spacing_mm[1] == 4);
  CHECK_OK(dsasrgs_model_voxelize(model, &volume, last, voxels, 12 * 12 * 12));
  CHECK_OK(dsasrgs_model_voxelize_mean(model, &volume, 4, mean, 12 * 12 * 12));
  CHECK(memcmp(voxels, mean, sizeof mean) != 0);
  const int middle = (6 * 12 + 6) * 12 + 6;
  CHECK(voxels[middle] > 0 && mean[middle] > 0 && voxels[middle] < 1);
  CHECK_REFUSED(DSASRGS_ERROR_INVALID_ARGUMENT, "voxels", dsasrgs_model_voxelize(model, &volume, last, voxels, 1));
  CHECK_REFUSED(DSASRGS_ERROR_INVALID_ARGUMENT, "num_poses",
                dsasrgs_model_render(model, poses, 0, &kDetector, again, 0));
  CHECK_OK(dsasrgs_context_cancel(context));
  CHECK_STATUS(DSASRGS_ERROR_CANCELLED, dsasrgs_model_voxelize(model, &volume, last, voxels, 12 * 12 * 12));
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

#define REFUSES_NULL(argument, call) CHECK_REFUSED(DSASRGS_ERROR_INVALID_ARGUMENT, argument ": expected", call)

static void test_null(dsasrgs_acquisition* a, dsasrgs_config* c) {
  dsasrgs_context* x = NULL;
  dsasrgs_acquisition* new_a;
  dsasrgs_config* new_c;
  dsasrgs_reconstructor *r = NULL, *new_r;
  dsasrgs_model *m = NULL, *new_m;
  dsasrgs_pose pose = poses[0];
  dsasrgs_detector detector = kDetector;
  dsasrgs_grid grid = kVolume;
  dsasrgs_scores scores = DSASRGS_SCORES_INIT;
  double number = 0;
  size_t size = 0;
  CHECK_OK(dsasrgs_context_new_cpu(1, &x));
  CHECK_OK(dsasrgs_reconstructor_new(x, a, c, NULL, &r));
  CHECK_OK(dsasrgs_reconstructor_model(r, &m));
  REFUSES_NULL("context", dsasrgs_context_new_cpu(1, NULL));
  REFUSES_NULL("context", dsasrgs_context_new_cuda(0, NULL, NULL));
  REFUSES_NULL("context", dsasrgs_context_set_log(NULL, NULL, NULL));
  REFUSES_NULL("context", dsasrgs_context_cancel(NULL));
  REFUSES_NULL("context", dsasrgs_context_resume(NULL));
  REFUSES_NULL("view", dsasrgs_pose_of_carm(NULL, &pose));
  dsasrgs_carm_view carm = {750, 1200, 0, 0, 0, 0, 0};
  REFUSES_NULL("pose", dsasrgs_pose_of_carm(&carm, NULL));
  REFUSES_NULL("arrays", dsasrgs_acquisition_new(NULL, &new_a));
  dsasrgs_acquisition_arrays arrays = arrays_of_ball();
  REFUSES_NULL("acquisition", dsasrgs_acquisition_new(&arrays, NULL));
  REFUSES_NULL("path", dsasrgs_acquisition_read(NULL, &new_a));
  REFUSES_NULL("path", dsasrgs_acquisition_read("", &new_a));
  REFUSES_NULL("acquisition", dsasrgs_acquisition_read("a.h5", NULL));
  REFUSES_NULL("acquisition", dsasrgs_acquisition_write(NULL, at("x.h5")));
  REFUSES_NULL("path", dsasrgs_acquisition_write(a, NULL));
  REFUSES_NULL("acquisition", dsasrgs_acquisition_split_evenly(NULL, 3));
  REFUSES_NULL("acquisition", dsasrgs_acquisition_num_views(NULL, &size));
  REFUSES_NULL("num_views", dsasrgs_acquisition_num_views(a, NULL));
  REFUSES_NULL("acquisition", dsasrgs_acquisition_detector(NULL, &detector));
  REFUSES_NULL("detector", dsasrgs_acquisition_detector(a, NULL));
  REFUSES_NULL("acquisition", dsasrgs_acquisition_volume(NULL, &grid));
  REFUSES_NULL("volume", dsasrgs_acquisition_volume(a, NULL));
  REFUSES_NULL("acquisition", dsasrgs_acquisition_pose(NULL, 0, &pose));
  REFUSES_NULL("pose", dsasrgs_acquisition_pose(a, 0, NULL));
  REFUSES_NULL("acquisition", dsasrgs_acquisition_projection(NULL, 0, again, PIXELS));
  REFUSES_NULL("pixels", dsasrgs_acquisition_projection(a, 0, NULL, PIXELS));
  REFUSES_NULL("acquisition", dsasrgs_acquisition_training_views(NULL, NULL, 0, &size));
  REFUSES_NULL("num_views", dsasrgs_acquisition_training_views(a, NULL, 0, NULL));
  REFUSES_NULL("preset", dsasrgs_config_new(NULL, &new_c));
  REFUSES_NULL("config", dsasrgs_config_new("4drgs", NULL));
  REFUSES_NULL("toml", dsasrgs_config_from_toml(NULL, &new_c));
  REFUSES_NULL("config", dsasrgs_config_set(NULL, "training.steps=1"));
  REFUSES_NULL("assignment", dsasrgs_config_set(c, NULL));
  REFUSES_NULL("config", dsasrgs_config_read(NULL, at("x.toml")));
  REFUSES_NULL("path", dsasrgs_config_read(c, NULL));
  REFUSES_NULL("config", dsasrgs_config_to_toml(NULL, NULL, 0, &size));
  REFUSES_NULL("length", dsasrgs_config_to_toml(c, NULL, 0, NULL));
  REFUSES_NULL("context", dsasrgs_labels_make(NULL, a, "n.h5", "l.h5", NULL, NULL));
  REFUSES_NULL("acquisition", dsasrgs_labels_make(x, NULL, "n.h5", "l.h5", NULL, NULL));
  REFUSES_NULL("network_path", dsasrgs_labels_make(x, a, NULL, "l.h5", NULL, NULL));
  REFUSES_NULL("labels_path", dsasrgs_labels_make(x, a, "n.h5", NULL, NULL, NULL));
  REFUSES_NULL("context", dsasrgs_reconstructor_new(NULL, a, c, NULL, &new_r));
  REFUSES_NULL("acquisition", dsasrgs_reconstructor_new(x, NULL, c, NULL, &new_r));
  REFUSES_NULL("config", dsasrgs_reconstructor_new(x, a, NULL, NULL, &new_r));
  REFUSES_NULL("reconstructor", dsasrgs_reconstructor_new(x, a, c, NULL, NULL));
  REFUSES_NULL("checkpoint_path", dsasrgs_reconstructor_resume(x, a, NULL, NULL, &new_r));
  REFUSES_NULL("context", dsasrgs_reconstructor_resume(NULL, a, "c.h5", NULL, &new_r));
  REFUSES_NULL("acquisition", dsasrgs_reconstructor_resume(x, NULL, "c.h5", NULL, &new_r));
  REFUSES_NULL("reconstructor", dsasrgs_reconstructor_resume(x, a, "c.h5", NULL, NULL));
  REFUSES_NULL("reconstructor", dsasrgs_reconstructor_step(NULL, NULL));
  REFUSES_NULL("reconstructor", dsasrgs_reconstructor_run(NULL, NULL, NULL));
  REFUSES_NULL("reconstructor", dsasrgs_reconstructor_train_to(NULL, 5));
  REFUSES_NULL("reconstructor", dsasrgs_reconstructor_steps(NULL, NULL, NULL));
  CHECK_OK(dsasrgs_reconstructor_steps(r, NULL, NULL));
  REFUSES_NULL("reconstructor", dsasrgs_reconstructor_save_checkpoint(NULL, "c.h5"));
  REFUSES_NULL("path", dsasrgs_reconstructor_save_checkpoint(r, NULL));
  REFUSES_NULL("reconstructor", dsasrgs_reconstructor_model(NULL, &new_m));
  REFUSES_NULL("model", dsasrgs_reconstructor_model(r, NULL));
  REFUSES_NULL("context", dsasrgs_model_read(NULL, "m.h5", &new_m));
  REFUSES_NULL("path", dsasrgs_model_read(x, NULL, &new_m));
  REFUSES_NULL("model", dsasrgs_model_read(x, "m.h5", NULL));
  REFUSES_NULL("model", dsasrgs_model_write(NULL, "m.h5"));
  REFUSES_NULL("path", dsasrgs_model_write(m, NULL));
  REFUSES_NULL("model", dsasrgs_model_times(NULL, &number, &number));
  REFUSES_NULL("first_s", dsasrgs_model_times(m, NULL, &number));
  REFUSES_NULL("last_s", dsasrgs_model_times(m, &number, NULL));
  REFUSES_NULL("model", dsasrgs_model_volume(NULL, &grid));
  REFUSES_NULL("volume", dsasrgs_model_volume(m, NULL));
  REFUSES_NULL("model", dsasrgs_model_detector(NULL, &detector));
  REFUSES_NULL("detector", dsasrgs_model_detector(m, NULL));
  REFUSES_NULL("model", dsasrgs_model_size(NULL, &size));
  REFUSES_NULL("gaussians", dsasrgs_model_size(m, NULL));
  REFUSES_NULL("model", dsasrgs_model_render(NULL, poses, 1, &detector, again, PIXELS));
  REFUSES_NULL("poses", dsasrgs_model_render(m, NULL, 1, &detector, again, PIXELS));
  REFUSES_NULL("detector", dsasrgs_model_render(m, poses, 1, NULL, again, PIXELS));
  REFUSES_NULL("pixels", dsasrgs_model_render(m, poses, 1, &detector, NULL, PIXELS));
  REFUSES_NULL("model", dsasrgs_model_voxelize(NULL, &grid, 0, again, 12 * 12 * 12));
  REFUSES_NULL("grid", dsasrgs_model_voxelize(m, NULL, 0, again, 12 * 12 * 12));
  REFUSES_NULL("voxels", dsasrgs_model_voxelize(m, &grid, 0, NULL, 12 * 12 * 12));
  REFUSES_NULL("model", dsasrgs_model_voxelize_mean(NULL, &grid, 2, again, 12 * 12 * 12));
  REFUSES_NULL("grid", dsasrgs_model_voxelize_mean(m, NULL, 2, again, 12 * 12 * 12));
  REFUSES_NULL("voxels", dsasrgs_model_voxelize_mean(m, &grid, 2, NULL, 12 * 12 * 12));
  REFUSES_NULL("model", dsasrgs_model_evaluate(NULL, a, NULL, NULL, &scores));
  REFUSES_NULL("acquisition", dsasrgs_model_evaluate(m, NULL, NULL, NULL, &scores));
  REFUSES_NULL("scores", dsasrgs_model_evaluate(m, a, NULL, NULL, NULL));
  REFUSES_NULL("command", dsasrgs_read_hdf5_through(NULL, 1));
  dsasrgs_model_free(m);
  dsasrgs_reconstructor_free(r);
  dsasrgs_context_free(x);
  dsasrgs_context_free(NULL);
  dsasrgs_acquisition_free(NULL);
  dsasrgs_config_free(NULL);
  dsasrgs_reconstructor_free(NULL);
  dsasrgs_model_free(NULL);
}

/* Files read by a child, which is this program. */
static void test_reading_child(const char* program) {
  const char* const command[] = {program, "--serve"};
  const char* const missing[] = {"/nowhere/reader"};
  dsasrgs_acquisition* acquisition = NULL;
  CHECK_OK(dsasrgs_read_hdf5_through(command, 2));
  CHECK_OK(dsasrgs_acquisition_read(at("größe.h5"), &acquisition));
  CHECK_OK(dsasrgs_acquisition_projection(acquisition, 7, again, PIXELS));
  CHECK(memcmp(again, projections + 7 * PIXELS, PIXELS * sizeof(float)) == 0);
  dsasrgs_acquisition_free(acquisition);
  CHECK_REFUSED(DSASRGS_ERROR_BAD_INPUT, "settings.toml", dsasrgs_acquisition_read(at("settings.toml"), &acquisition));
  CHECK_OK(dsasrgs_read_hdf5_through(missing, 1));
  CHECK_STATUS(DSASRGS_ERROR_IO, dsasrgs_acquisition_read(at("größe.h5"), &acquisition));
  CHECK_OK(dsasrgs_read_hdf5_through(NULL, 0));
}

int main(int argc, char** argv) {
  if (argc == 2 && strcmp(argv[1], "--serve") == 0) return dsasrgs_serve_hdf5_reading();
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
    test_acquisition(acquisition);
    test_refused_arrays();
    test_other_struct_sizes();
    test_config(config);
    test_null(acquisition, config);
    test_reconstruction(acquisition, config, toml);
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
