// SPDX-License-Identifier: Apache-2.0
/* Reconstructs from arrays in memory with the C interface and renders. usage: reconstruct [training.steps=100] */
#include <dsasrgs/dsasrgs.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
enum { VIEWS = 20, WIDTH = 48, HEIGHT = 48, PIXELS = WIDTH * HEIGHT };
static float projections[VIEWS * PIXELS], image[PIXELS];
static dsasrgs_pose poses[VIEWS];
static void check(dsasrgs_status status) {
  if (status == DSASRGS_OK) return;
  fprintf(stderr, "%s: %s\n", dsasrgs_status_name(status), dsasrgs_last_error());
  exit(1);
}

/* What an application has in memory. Here: a ball of 12 mm in the isocentre that fills while the C-arm turns. */
static void measure(double pitch_mm) {
  for (int view = 0; view < VIEWS; ++view) {
    const dsasrgs_carm_view carm = {750, 1200, 3.49 * view / (VIEWS - 1), 0, 0, 0, 5.0 * view / (VIEWS - 1)};
    check(dsasrgs_pose_of_carm(&carm, &poses[view]));
    for (int i = 0; i < PIXELS; ++i) {
      const double u = (i % WIDTH + 0.5 - WIDTH / 2) * pitch_mm, v = (i / WIDTH + 0.5 - HEIGHT / 2) * pitch_mm;
      const double beside = 750 * sqrt((u * u + v * v) / (u * u + v * v + 1200.0 * 1200.0)); /* of the ray */
      const double chord_mm = beside < 12 ? 2 * sqrt(144 - beside * beside) : 0;
      projections[view * PIXELS + i] = (float)(chord_mm * 0.04 * (0.2 + 0.16 * carm.time_s));
    }
  }
}

static int32_t report_progress(const dsasrgs_step_report* report, void* user) {
  (void)user; /* what was given to dsasrgs_reconstructor_run */
  if (report->step % 10 == 0) printf("step %d of %d, loss %g\n", (int)report->step, (int)report->steps, report->loss);
  return 1; /* 0 stops; so does dsasrgs_context_cancel() from another thread */
}

int main(int argc, char** argv) {
  dsasrgs_acquisition_arrays arrays = DSASRGS_ACQUISITION_ARRAYS_INIT;
  arrays.detector = (dsasrgs_detector){WIDTH, HEIGHT, 1.6, 1.6};
  arrays.volume = (dsasrgs_grid){{32, 32, 32}, {1.25, 1.25, 1.25}, {-20, -20, -20}};
  arrays.poses = poses, arrays.projections = projections, arrays.num_views = VIEWS, arrays.num_pixels = VIEWS * PIXELS;
  measure(1.6);
  dsasrgs_context* context;
  dsasrgs_acquisition* acquisition;
  dsasrgs_config* config;
  dsasrgs_reconstructor* reconstructor;
  dsasrgs_model* model;
  check(dsasrgs_context_new_cpu(0, &context));
  check(dsasrgs_acquisition_new(&arrays, &acquisition));
  check(dsasrgs_config_new("4drgs", &config));
  check(dsasrgs_config_set(config, argc > 1 ? argv[1] : "training.steps=100"));
  check(dsasrgs_reconstructor_new(context, acquisition, config, NULL, &reconstructor));
  check(dsasrgs_reconstructor_run(reconstructor, report_progress, NULL));
  check(dsasrgs_reconstructor_model(reconstructor, &model));
  check(dsasrgs_model_write(model, "c_model.h5"));
  check(dsasrgs_model_render(model, &poses[VIEWS - 1], 1, &arrays.detector, image, PIXELS));
  const int middle = PIXELS / 2 + WIDTH / 2;
  printf("%g in the middle, measured %g\n", image[middle], projections[(VIEWS - 1) * PIXELS + middle]);
  dsasrgs_model_free(model), dsasrgs_reconstructor_free(reconstructor); /* in any order */
  dsasrgs_config_free(config), dsasrgs_acquisition_free(acquisition), dsasrgs_context_free(context);
  return 0;
}
