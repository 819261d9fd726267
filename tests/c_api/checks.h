// SPDX-License-Identifier: Apache-2.0
#ifndef DSASRGS_TESTS_C_API_CHECKS_H
#define DSASRGS_TESTS_C_API_CHECKS_H
/* Checks for a test in C, and what its C++ side does for it. */

#include <dsasrgs/dsasrgs.h>
#include <stdio.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

extern int failed_checks;

#define CHECK(condition)                                                       \
  do {                                                                         \
    if (!(condition)) {                                                        \
      ++failed_checks;                                                         \
      fprintf(stderr, "%s:%d: %s is false\n", __FILE__, __LINE__, #condition); \
    }                                                                          \
  } while (0)

/* The call ends so; where it fails, what it says has all of these words in it. */
#define CHECK_STATUS(expected, call) check_status(expected, call, #call, __FILE__, __LINE__)
#define CHECK_OK(call) CHECK_STATUS(DSASRGS_OK, call)
#define CHECK_REFUSED(expected, words, call) check_refused(expected, words, call, #call, __FILE__, __LINE__)

static inline void check_status(dsasrgs_status expected, dsasrgs_status found, const char* call, const char* file,
                                int line) {
  if (found == expected) return;
  ++failed_checks;
  fprintf(stderr, "%s:%d: %s: %s (%s)\n", file, line, call, dsasrgs_status_name(found), dsasrgs_last_error());
}

static inline void check_refused(dsasrgs_status expected, const char* words, dsasrgs_status found, const char* call,
                                 const char* file, int line) {
  check_status(expected, found, call, file, line);
  if (strstr(dsasrgs_last_error(), words) != NULL && strchr(dsasrgs_last_error(), '\n') == NULL) return;
  ++failed_checks;
  fprintf(stderr, "%s:%d: %s: no \"%s\" in \"%s\"\n", file, line, call, words, dsasrgs_last_error());
}

/* null_test.c: every function is given NULL for each of its arguments. */
void test_null(dsasrgs_acquisition* acquisition, dsasrgs_config* config, const dsasrgs_acquisition_arrays* arrays);

/* aligned_test.c, of a case in a file, and of another that is written. */
void test_aligned(const char* case_path, const char* masked_path);

/* uncertainty_test.c, of a case and a model of it that are in files; another model is written. */
void test_uncertainty(const dsasrgs_config* config, const dsasrgs_pose* poses, const char* case_path,
                      const char* model_path, const char* corrected_path);

/* host.cpp: the same with the C++ interface. Images [num_views,H,W] of a model that was trained for the views of a
 * case. */
int reconstruct_in_cpp(const char* case_path, const char* config_toml, const char* labels_path, float* images,
                       size_t num_pixels);
/* What the eighth step says. */
void eighth_step_in_cpp(const char* case_path, const char* config_toml, dsasrgs_step_report* report);
/* PSNR and SSIM of the fixed protocol, then of the other, of a model on the views it was not trained on. */
void scores_in_cpp(const char* case_path, const char* model_path, double scores[4]);
/* The largest difference between labels (and their confidence) and what the network makes of the case's views. */
double labels_in_cpp(const char* case_path, const char* network_path, const char* labels_path);
/* Standard deviations: of the renders of all views, of the volume after 2 s, and, behind it, of the mean. */
void uncertainty_in_cpp(const char* case_path, const char* model_path, float* images, float* volumes);
/* Which training views saw the voxels of the case's volume. */
void support_in_cpp(const char* case_path, const char* model_path, int32_t* views, float* spread_rad);
/* Writes a case of intensities of 3 views of 48 x 48 pixels, in which the head moved. */
void masked_case_in_cpp(const char* case_path);
/* Its projections [3,48,48] with the masks moved; pixels that lose more than `leave_out` do not count. */
void aligned_in_cpp(const char* case_path, double leave_out, float* images);
/* A C++ host: callbacks that throw, and a thread that cancels. */
void test_cpp_host(const dsasrgs_acquisition* acquisition, dsasrgs_config* config);

#ifdef __cplusplus
}
#endif

#endif
