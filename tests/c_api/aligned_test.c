/* SPDX-License-Identifier: Apache-2.0 */
/* Acquisitions that are read with their masks moved onto their images. */
#include <math.h>
#include <string.h>

#include "checks.h"

enum { MASKED_VIEWS = 3, MASKED_PIXELS = 48 * 48 };

typedef struct {
  size_t calls, stop_at;
} hearer;

static int32_t hear(size_t done, size_t total, void* user) {
  hearer* h = user;
  CHECK(done <= total && total == MASKED_VIEWS);
  return ++h->calls != h->stop_at;
}

static void projections_of(const dsasrgs_acquisition* acquisition, float* pixels) {
  for (size_t view = 0; view < MASKED_VIEWS; ++view)
    CHECK_OK(dsasrgs_acquisition_projection(acquisition, view, pixels + view * MASKED_PIXELS, MASKED_PIXELS));
}

void test_aligned(const char* case_path, const char* masked_path) {
  static float plain[MASKED_VIEWS * MASKED_PIXELS], aligned[MASKED_VIEWS * MASKED_PIXELS],
      in_cpp[MASKED_VIEWS * MASKED_PIXELS];
  dsasrgs_context* context = NULL;
  dsasrgs_acquisition* acquisition = NULL;
  hearer listening = {0, 0}, stopping = {0, 2};
  CHECK_OK(dsasrgs_context_new_cpu(1, &context));
  masked_case_in_cpp(masked_path);
  CHECK_OK(dsasrgs_acquisition_read(masked_path, &acquisition));
  projections_of(acquisition, plain);
  dsasrgs_acquisition_free(acquisition);
  const double leave_out[] = {0, 0.02};
  for (int i = 0; i < 2; ++i) {
    CHECK_OK(dsasrgs_acquisition_read_aligned(context, masked_path, 0, leave_out[i], hear, &listening, &acquisition));
    projections_of(acquisition, aligned);
    dsasrgs_acquisition_free(acquisition);
    aligned_in_cpp(masked_path, i == 0 ? 0.1 : leave_out[i], in_cpp);
    CHECK(memcmp(aligned, in_cpp, sizeof aligned) == 0);
    CHECK(memcmp(aligned, plain, sizeof aligned) != 0);
  }
  CHECK(listening.calls == 2 * MASKED_VIEWS);

  CHECK_REFUSED(DSASRGS_ERROR_BAD_INPUT, "expected \"intensity\"",
                dsasrgs_acquisition_read_aligned(context, case_path, 0, 0, NULL, NULL, &acquisition));
  CHECK(acquisition == NULL);
  CHECK_REFUSED(DSASRGS_ERROR_BAD_INPUT, "move by at most 0.01 pixels",
                dsasrgs_acquisition_read_aligned(context, masked_path, 0.01, 0, NULL, NULL, &acquisition));
  CHECK_REFUSED(DSASRGS_ERROR_INVALID_ARGUMENT,
                "dsasrgs_acquisition_read_aligned: largest_px: expected a positive number",
                dsasrgs_acquisition_read_aligned(context, masked_path, -1, 0, NULL, NULL, &acquisition));
  CHECK_REFUSED(DSASRGS_ERROR_INVALID_ARGUMENT,
                "dsasrgs_acquisition_read_aligned: leave_out: expected a positive number",
                dsasrgs_acquisition_read_aligned(context, masked_path, 0, NAN, NULL, NULL, &acquisition));
  CHECK_REFUSED(DSASRGS_ERROR_CANCELLED, "aligning: stopped after 1 of 3 views",
                dsasrgs_acquisition_read_aligned(context, masked_path, 0, 0, hear, &stopping, &acquisition));
  CHECK_OK(dsasrgs_context_cancel(context));
  CHECK_STATUS(DSASRGS_ERROR_CANCELLED,
               dsasrgs_acquisition_read_aligned(context, masked_path, 0, 0, NULL, NULL, &acquisition));
  dsasrgs_context_free(context);
}
