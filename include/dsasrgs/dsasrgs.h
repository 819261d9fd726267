// SPDX-License-Identifier: Apache-2.0
#ifndef DSASRGS_DSASRGS_H
#define DSASRGS_DSASRGS_H
/**
 * @file
 * The library for hosts that are not C++20: C99, opaque handles, status codes.
 *
 * Errors. A function that can fail returns ::dsasrgs_status; dsasrgs_last_error() is the one line that says what was
 * expected, what was given and where. What it writes through a pointer is then not touched, but for a new handle, which
 * becomes NULL. No C++ exception leaves a function, nor does it print or exit. A callback may throw where the host is
 * C++: the call ends with ::DSASRGS_ERROR_CALLBACK. It must not longjmp.
 *
 * Handles. What a `_new`, `_read` or other function gives belongs to the caller, who gives it back to the `_free` of
 * its kind, in any order: a handle keeps alive what it was made from. Freeing NULL does nothing; NULL is
 * ::DSASRGS_ERROR_INVALID_ARGUMENT everywhere else, unless a function says otherwise.
 *
 * Threads. A context and all that was made with it are used by one thread at a time, not always the same one; other
 * contexts may be used meanwhile. dsasrgs_context_cancel() may be called from any thread at any time.
 *
 * Memory. Arrays are the caller's, with their sizes in elements beside them, and are copied. Layouts and units are
 * those of docs/conventions.md: images [V,H,W] of dimensionless line integrals, volumes [z,y,x] of 1/mm, lengths in mm,
 * times in s. Paths and texts are UTF-8 and end with a zero.
 *
 * ABI. Structs that begin with `struct_size` may grow at their end; the caller sets it to the struct's sizeof (the
 * `_INIT` macros do), and what a caller's older struct does not have is taken as zero. All other structs stay as they
 * are, and so do numbers of constants (docs/versions.md).
 */

#include <stddef.h>
#include <stdint.h>

#include "dsasrgs/version.hpp" /* macros only */

#ifdef __cplusplus
extern "C" {
#endif

/** Marks what a shared library shows. */
#define DSASRGS_C_API __attribute__((visibility("default")))

/** How a call ended: one of the constants below. */
typedef int32_t dsasrgs_status;
enum {
  DSASRGS_OK = 0,
  DSASRGS_ERROR_INVALID_ARGUMENT = 1,    /**< an argument breaks what its function asks for */
  DSASRGS_ERROR_BAD_INPUT = 2,           /**< a file, an acquisition or a configuration is not what it should be */
  DSASRGS_ERROR_IO = 3,                  /**< the system refused to read or write a file */
  DSASRGS_ERROR_OUT_OF_MEMORY = 4,       /**< the message says how much was wanted, or held */
  DSASRGS_ERROR_BACKEND_UNAVAILABLE = 5, /**< no CUDA in this library, or no such device */
  DSASRGS_ERROR_CUDA = 6,                /**< a CUDA call or kernel failed */
  DSASRGS_ERROR_NUMERICAL = 7,           /**< a number that is not finite, or a training that came to nothing */
  DSASRGS_ERROR_CANCELLED = 8,           /**< a callback returned 0, or dsasrgs_context_cancel() was called */
  DSASRGS_ERROR_CALLBACK = 9,            /**< a callback threw a C++ exception */
  DSASRGS_ERROR_INTERNAL = 10            /**< anything else: a fault of the library, to be reported */
};

/** Of the library that is linked, "0.1.0"; DSASRGS_VERSION_STRING is that of this header. */
DSASRGS_C_API const char* dsasrgs_version(void);
/** What the last call that failed on this thread said; empty before any did. Good until the next one fails. */
DSASRGS_C_API const char* dsasrgs_last_error(void);
/** A status in words, such as "bad input"; never NULL. */
DSASRGS_C_API const char* dsasrgs_status_name(dsasrgs_status status);

/**
 * Reads every HDF5, DICOM and TIFF file in a child process from now on: `command` is a program and its arguments
 * (`count` of them), which must do no more than return dsasrgs_serve_file_reading() from main. Damaged and crafted
 * files, on which the libraries that read them crash, are then ::DSASRGS_ERROR_BAD_INPUT. A program that does something
 * else is ::DSASRGS_ERROR_IO at the first file, one that sleeps after 20 s. `count` 0: in this process, as at first.
 * Linux only.
 */
DSASRGS_C_API dsasrgs_status dsasrgs_read_files_through(const char* const* command, size_t count);
/** The child's part: call it first thing in main and return what it returns. */
DSASRGS_C_API int dsasrgs_serve_file_reading(void);

/** Where the work is done; one per thread that works. */
typedef struct dsasrgs_context dsasrgs_context;

/** On the CPU with that many threads, 0 for all; results do not depend on it. */
DSASRGS_C_API dsasrgs_status dsasrgs_context_new_cpu(int32_t threads, dsasrgs_context** context);
/** On a CUDA device. `stream`: a cudaStream_t of it that outlives the context, or NULL for one of the context's own. */
DSASRGS_C_API dsasrgs_status dsasrgs_context_new_cuda(int32_t device, void* stream, dsasrgs_context** context);
/** Gives the handle back. */
DSASRGS_C_API void dsasrgs_context_free(dsasrgs_context* context);
/** One line without its end. What it throws is dropped. */
typedef void (*dsasrgs_log_callback)(const char* message, void* user);
/** Receives messages of long jobs; NULL: nobody does, as at first. */
DSASRGS_C_API dsasrgs_status dsasrgs_context_set_log(dsasrgs_context* context, dsasrgs_log_callback log, void* user);
/**
 * Ends what is being done with the context soon, and everything begun later at once, with ::DSASRGS_ERROR_CANCELLED;
 * until dsasrgs_context_resume(). From any thread, as long as the context's handle has not been freed.
 */
DSASRGS_C_API dsasrgs_status dsasrgs_context_cancel(dsasrgs_context* context);
/** Takes a dsasrgs_context_cancel() back. For the thread that uses the context. */
DSASRGS_C_API dsasrgs_status dsasrgs_context_resume(dsasrgs_context* context);

/** Where source and detector were for one view, and when (docs/conventions.md). */
typedef struct dsasrgs_pose {
  double source_mm[3];          /**< focal spot */
  double detector_center_mm[3]; /**< centre of the active area */
  double detector_u[3];         /**< unit vector of increasing column */
  double detector_v[3];         /**< unit vector of increasing row, orthogonal to detector_u */
  double time_s;                /**< seconds */
} dsasrgs_pose;

/** A flat detector. */
typedef struct dsasrgs_detector {
  int32_t width_px;  /**< columns */
  int32_t height_px; /**< rows */
  double pitch_u_mm; /**< width of a column */
  double pitch_v_mm; /**< height of a row */
} dsasrgs_detector;

/** A box of voxels, (x, y, z); their values are [z,y,x]. */
typedef struct dsasrgs_grid {
  int32_t size[3];      /**< voxels */
  double spacing_mm[3]; /**< of voxels */
  double origin_mm[3];  /**< outer corner of voxel (0,0,0) */
} dsasrgs_grid;

/** A view of a C-arm. */
typedef struct dsasrgs_carm_view {
  double sod_mm;        /**< source to isocentre, > 0 */
  double sdd_mm;        /**< source to detector, > sod_mm */
  double primary_rad;   /**< rotation about +z */
  double secondary_rad; /**< elevation out of the rotation plane */
  double offset_u_mm;   /**< shift of the detector along u */
  double offset_v_mm;   /**< shift of the detector along v */
  double time_s;        /**< seconds */
} dsasrgs_carm_view;

/** The pose of a C-arm view (docs/conventions.md, "Cone-beam geometry"). */
DSASRGS_C_API dsasrgs_status dsasrgs_pose_of_carm(const dsasrgs_carm_view* view, dsasrgs_pose* pose);

/** Called with what is done and what is to be done; 0 stops: ::DSASRGS_ERROR_CANCELLED. */
typedef int32_t (*dsasrgs_progress_callback)(size_t done, size_t total, void* user);

/** One contrast injection seen by a C-arm. */
typedef struct dsasrgs_acquisition dsasrgs_acquisition;

/** An acquisition in the caller's memory. */
typedef struct dsasrgs_acquisition_arrays {
  size_t struct_size;         /**< sizeof(dsasrgs_acquisition_arrays) */
  const char* name;           /**< for messages; NULL: "arrays" */
  dsasrgs_detector detector;  /**< of every view */
  dsasrgs_grid volume;        /**< the box to reconstruct */
  const dsasrgs_pose* poses;  /**< [V], times non-decreasing */
  size_t num_views;           /**< V */
  const float* projections;   /**< [V,H,W] line integrals ln(mask) - ln(fill) */
  size_t num_pixels;          /**< V*H*W */
  const uint8_t* valid;       /**< [V,H,W] or [H,W], 0 where a pixel does not count; NULL: all count */
  size_t num_valid;           /**< V*H*W, H*W, or 0 */
  const int32_t* train_views; /**< ascending; NULL: all that are not in test_views */
  size_t num_train_views;     /**< of train_views */
  const int32_t* test_views;  /**< ascending; NULL: all that are not in train_views */
  size_t num_test_views;      /**< of test_views */
} dsasrgs_acquisition_arrays;
/** Sets the size, and all else to zero. */
#define DSASRGS_ACQUISITION_ARRAYS_INIT                                                                                \
  {                                                                                                                    \
    sizeof(dsasrgs_acquisition_arrays), NULL, {0, 0, 0, 0}, {{0, 0, 0}, {0, 0, 0}, {0, 0, 0}}, NULL, 0, NULL, 0, NULL, \
        0, NULL, 0, NULL, 0                                                                                            \
  }

/** Copies the arrays, and checks them as a file is checked. */
DSASRGS_C_API dsasrgs_status dsasrgs_acquisition_new(const dsasrgs_acquisition_arrays* arrays,
                                                     dsasrgs_acquisition** acquisition);
/** Reads an acquisition file (docs/data-format.md). */
DSASRGS_C_API dsasrgs_status dsasrgs_acquisition_read(const char* path, dsasrgs_acquisition** acquisition);
/**
 * Reads one of intensities, and moves each view's mask onto its image before it is subtracted: a head that moved leaves
 * less bone (docs/method.md, section 9). `largest_px`, by which a corner of a mask may move, and `leave_out`, a line
 * integral: pixels that lose more no longer count, are 8 and 0.1 where they are 0. ::DSASRGS_ERROR_BAD_INPUT for line
 * integrals, and for a mask that fits best beyond `largest_px`. `progress`, of views, may be NULL.
 */
DSASRGS_C_API dsasrgs_status dsasrgs_acquisition_read_aligned(const dsasrgs_context* context, const char* path,
                                                              double largest_px, double leave_out,
                                                              dsasrgs_progress_callback progress, void* user,
                                                              dsasrgs_acquisition** acquisition);
/** Writes one. */
DSASRGS_C_API dsasrgs_status dsasrgs_acquisition_write(const dsasrgs_acquisition* acquisition, const char* path);
/** Gives the handle back. */
DSASRGS_C_API void dsasrgs_acquisition_free(dsasrgs_acquisition* acquisition);
/** Trains on `num_train` evenly spaced views and tests on the others. */
DSASRGS_C_API dsasrgs_status dsasrgs_acquisition_split_evenly(dsasrgs_acquisition* acquisition, int32_t num_train);
/** V. */
DSASRGS_C_API dsasrgs_status dsasrgs_acquisition_num_views(const dsasrgs_acquisition* acquisition, size_t* num_views);
/** The detector that all views share. */
DSASRGS_C_API dsasrgs_status dsasrgs_acquisition_detector(const dsasrgs_acquisition* acquisition,
                                                          dsasrgs_detector* detector);
/** The box to reconstruct. */
DSASRGS_C_API dsasrgs_status dsasrgs_acquisition_volume(const dsasrgs_acquisition* acquisition, dsasrgs_grid* volume);
/** The pose of one view. */
DSASRGS_C_API dsasrgs_status dsasrgs_acquisition_pose(const dsasrgs_acquisition* acquisition, size_t view,
                                                      dsasrgs_pose* pose);
/** The line integrals of one view, `num_pixels` = H*W of them. */
DSASRGS_C_API dsasrgs_status dsasrgs_acquisition_projection(const dsasrgs_acquisition* acquisition, size_t view,
                                                            float* pixels, size_t num_pixels);
/** The views that a reconstruction trains on: how many, and, unless `views` is NULL, as many as `capacity` holds. */
DSASRGS_C_API dsasrgs_status dsasrgs_acquisition_training_views(const dsasrgs_acquisition* acquisition, int32_t* views,
                                                                size_t capacity, size_t* num_views);

/** What a reconstruction is told. */
typedef struct dsasrgs_config dsasrgs_config;

/** Of a preset: "4drgs", "static", "togs", "r2-gaussian" or "dsa-srgs". */
DSASRGS_C_API dsasrgs_status dsasrgs_config_new(const char* preset, dsasrgs_config** config);
/** From what dsasrgs_config_to_toml() gave. */
DSASRGS_C_API dsasrgs_status dsasrgs_config_from_toml(const char* toml, dsasrgs_config** config);
/** Gives the handle back. */
DSASRGS_C_API void dsasrgs_config_free(dsasrgs_config* config);
/** "section.name=value", such as "training.steps=5000"; include/dsasrgs/config.hpp lists them. */
DSASRGS_C_API dsasrgs_status dsasrgs_config_set(dsasrgs_config* config, const char* assignment);
/** Reads a TOML file over the configuration. */
DSASRGS_C_API dsasrgs_status dsasrgs_config_read(dsasrgs_config* config, const char* path);
/**
 * All of it as TOML. `length` becomes the bytes of the text without the zero at its end; unless `text` is NULL, the
 * text and its zero are written there, for which `capacity` must be more than that.
 */
DSASRGS_C_API dsasrgs_status dsasrgs_config_to_toml(const dsasrgs_config* config, char* text, size_t capacity,
                                                    size_t* length);

/**
 * Writes pseudo-labels of the training views to `labels_path`, made with a super-resolution network: a file such as
 * share/dsasrgs/networks/dsasrgs-x4.h5, of the scale of the configuration's super_resolution.scale. `progress` may be
 * NULL.
 */
DSASRGS_C_API dsasrgs_status dsasrgs_labels_make(dsasrgs_context* context, const dsasrgs_acquisition* acquisition,
                                                 const char* network_path, const char* labels_path,
                                                 dsasrgs_progress_callback progress, void* user);

/** A training. */
typedef struct dsasrgs_reconstructor dsasrgs_reconstructor;
/** A 4D model: of a file, or of a training. */
typedef struct dsasrgs_model dsasrgs_model;

/** What a training step did. Losses are in units of the run, of step `loss_step` (0: none is known yet). */
typedef struct dsasrgs_step_report {
  size_t struct_size;      /**< sizeof(dsasrgs_step_report) */
  int32_t step;            /**< 1 for the first */
  int32_t steps;           /**< of the whole run */
  int32_t view;            /**< index in the acquisition */
  int32_t loss_step;       /**< on the CPU `step`; on CUDA losses are fetched every 32 steps */
  double loss;             /**< what is minimised, the sum of the weighted terms below */
  double l_gt;             /**< against the measured view */
  double l1;               /**< part of l_gt */
  double ssim;             /**< part of l_gt */
  double rendered;         /**< mean of the rendered view */
  double l_sr;             /**< against the high-resolution target */
  double total_variation;  /**< of a block of the volume, weighted */
  double table_variation;  /**< of tables over time, weighted */
  uint64_t gaussians;      /**< after the step */
  uint64_t cloned;         /**< by density control after this step */
  uint64_t split;          /**< likewise */
  uint64_t pruned;         /**< likewise */
  uint64_t residual_split; /**< Gaussians replaced by residual-guided splitting */
  uint64_t born;           /**< by residual-guided births */
} dsasrgs_step_report;
/** Sets the size, and all else to zero. */
#define DSASRGS_STEP_REPORT_INIT \
  { sizeof(dsasrgs_step_report), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }

/** Called after each step; 0 stops: ::DSASRGS_ERROR_CANCELLED. The report is the library's, for the call only. */
typedef int32_t (*dsasrgs_step_callback)(const dsasrgs_step_report* report, void* user);

/**
 * Begins a training. `labels_path` is a label file of this acquisition where the configuration needs labels ("dsa-srgs"
 * does), else NULL. Acquisition and configuration are not needed afterwards.
 */
DSASRGS_C_API dsasrgs_status dsasrgs_reconstructor_new(dsasrgs_context* context, const dsasrgs_acquisition* acquisition,
                                                       const dsasrgs_config* config, const char* labels_path,
                                                       dsasrgs_reconstructor** reconstructor);
/** Goes on from a checkpoint of the same acquisition and labels, with the same bits as if it had not been interrupted.
 */
DSASRGS_C_API dsasrgs_status dsasrgs_reconstructor_resume(dsasrgs_context* context,
                                                          const dsasrgs_acquisition* acquisition,
                                                          const char* checkpoint_path, const char* labels_path,
                                                          dsasrgs_reconstructor** reconstructor);
/** Gives the handle back. */
DSASRGS_C_API void dsasrgs_reconstructor_free(dsasrgs_reconstructor* reconstructor);
/** One step. `report` may be NULL. */
DSASRGS_C_API dsasrgs_status dsasrgs_reconstructor_step(dsasrgs_reconstructor* reconstructor,
                                                        dsasrgs_step_report* report);
/**
 * Steps until finished. `callback` may be NULL. After ::DSASRGS_ERROR_CANCELLED and ::DSASRGS_ERROR_CALLBACK what was
 * trained stays: run it again to go on, save a checkpoint, or use the model.
 */
DSASRGS_C_API dsasrgs_status dsasrgs_reconstructor_run(dsasrgs_reconstructor* reconstructor,
                                                       dsasrgs_step_callback callback, void* user);
/** Makes it a run of `steps` in all, more than are done. */
DSASRGS_C_API dsasrgs_status dsasrgs_reconstructor_train_to(dsasrgs_reconstructor* reconstructor, int32_t steps);
/** Steps done and steps in all, which are the same when it is finished. Either pointer may be NULL. */
DSASRGS_C_API dsasrgs_status dsasrgs_reconstructor_steps(const dsasrgs_reconstructor* reconstructor, int32_t* done,
                                                         int32_t* total);
/** Writes all that is needed to go on later. */
DSASRGS_C_API dsasrgs_status dsasrgs_reconstructor_save_checkpoint(dsasrgs_reconstructor* reconstructor,
                                                                   const char* path);
/** The model as it is at each moment: further steps change what the handle shows. */
DSASRGS_C_API dsasrgs_status dsasrgs_reconstructor_model(dsasrgs_reconstructor* reconstructor, dsasrgs_model** model);

/** Reads a model file. */
DSASRGS_C_API dsasrgs_status dsasrgs_model_read(dsasrgs_context* context, const char* path, dsasrgs_model** model);
/** Writes one. */
DSASRGS_C_API dsasrgs_status dsasrgs_model_write(const dsasrgs_model* model, const char* path);
/** Gives the handle back. */
DSASRGS_C_API void dsasrgs_model_free(dsasrgs_model* model);
/** Seconds of the first and the last view it was trained on; it shows the nearer end beyond them. */
DSASRGS_C_API dsasrgs_status dsasrgs_model_times(const dsasrgs_model* model, double* first_s, double* last_s);
/** The box that was reconstructed. */
DSASRGS_C_API dsasrgs_status dsasrgs_model_volume(const dsasrgs_model* model, dsasrgs_grid* volume);
/** The detector it was trained on. */
DSASRGS_C_API dsasrgs_status dsasrgs_model_detector(const dsasrgs_model* model, dsasrgs_detector* detector);
/** Number of Gaussians. */
DSASRGS_C_API dsasrgs_status dsasrgs_model_size(const dsasrgs_model* model, size_t* gaussians);
/**
 * Line integrals of `num_poses` views at their times on any detector: `pixels` [V,H,W], `num_pixels` = V*H*W of them.
 * dsasrgs_context_cancel() is heeded between views.
 */
DSASRGS_C_API dsasrgs_status dsasrgs_model_render(dsasrgs_model* model, const dsasrgs_pose* poses, size_t num_poses,
                                                  const dsasrgs_detector* detector, float* pixels, size_t num_pixels);
/** Attenuation in 1/mm at a time at the centres of a grid's voxels: `voxels` [z,y,x], all of them. */
DSASRGS_C_API dsasrgs_status dsasrgs_model_voxelize(dsasrgs_model* model, const dsasrgs_grid* grid, double time_s,
                                                    float* voxels, size_t num_voxels);
/** Its mean over `frames` evenly spaced moments of the sweep. */
DSASRGS_C_API dsasrgs_status dsasrgs_model_voxelize_mean(dsasrgs_model* model, const dsasrgs_grid* grid, int32_t frames,
                                                         float* voxels, size_t num_voxels);

/** Means over views with contrast (docs/method.md, section 4); NaN where there is no such score. */
typedef struct dsasrgs_scores {
  size_t struct_size;        /**< sizeof(dsasrgs_scores) */
  uint64_t num_views;        /**< views scored */
  int32_t held_out;          /**< 1: no training saw them; 0: the acquisition holds none out, so training views */
  int32_t reserved;          /**< 0 */
  double psnr_fixed_db;      /**< one data range for the sweep */
  double ssim_fixed;         /**< likewise */
  double psnr_normalized_db; /**< each image min-max normalised, the papers' protocol */
  double ssim_normalized;    /**< likewise */
} dsasrgs_scores;
/** Sets the size, and all else to zero. */
#define DSASRGS_SCORES_INIT \
  { sizeof(dsasrgs_scores), 0, 0, 0, 0, 0, 0, 0 }

/**
 * Scores renders of the views that no training saw against their measurement. The split is the model's where it was
 * made from this acquisition, which takes it over, else the acquisition's own. `progress` may be NULL.
 */
DSASRGS_C_API dsasrgs_status dsasrgs_model_evaluate(dsasrgs_model* model, dsasrgs_acquisition* acquisition,
                                                    dsasrgs_progress_callback progress, void* user,
                                                    dsasrgs_scores* scores);

/**
 * How far what a model shows may be wrong: standard deviations of renders and volumes, from what the views that it was
 * trained on leave unexplained (docs/method.md, section 8). They are known where the model shows something: of a vessel
 * that it misses they say nothing. They hold for the model as it was when they were made: once its training has taken
 * further steps they are ::DSASRGS_ERROR_INVALID_ARGUMENT, and new ones are to be made.
 */
typedef struct dsasrgs_uncertainty dsasrgs_uncertainty;

/**
 * Holds the training views against their renders; ::DSASRGS_ERROR_BAD_INPUT for an acquisition that the model was not
 * trained on, which is not needed afterwards. `progress`, which may be NULL, is told of two rounds over these views.
 */
DSASRGS_C_API dsasrgs_status dsasrgs_uncertainty_new(const dsasrgs_model* model, const dsasrgs_acquisition* acquisition,
                                                     dsasrgs_progress_callback progress, void* user,
                                                     dsasrgs_uncertainty** uncertainty);
/** Gives the handle back. */
DSASRGS_C_API void dsasrgs_uncertainty_free(dsasrgs_uncertainty* uncertainty);
/** Standard deviations of what dsasrgs_model_render() gives, with its arguments; dimensionless, as line integrals. */
DSASRGS_C_API dsasrgs_status dsasrgs_uncertainty_render(dsasrgs_uncertainty* uncertainty, const dsasrgs_pose* poses,
                                                        size_t num_poses, const dsasrgs_detector* detector,
                                                        float* pixels, size_t num_pixels);
/** Standard deviations of what dsasrgs_model_voxelize() gives, with its arguments, in 1/mm. */
DSASRGS_C_API dsasrgs_status dsasrgs_uncertainty_voxelize(dsasrgs_uncertainty* uncertainty, const dsasrgs_grid* grid,
                                                          double time_s, float* voxels, size_t num_voxels);
/** Standard deviations of the mean over the sweep, in 1/mm. */
DSASRGS_C_API dsasrgs_status dsasrgs_uncertainty_voxelize_mean(dsasrgs_uncertainty* uncertainty,
                                                               const dsasrgs_grid* grid, float* voxels,
                                                               size_t num_voxels);
/**
 * Which training views saw a voxel, with the poses as the model corrected them: `views` [z,y,x], how many have its
 * centre in a valid pixel, and `spread_rad` [z,y,x], 0 to pi, the arc about it over which they are spread (pi: all
 * lines of sight of a plane; 0: fewer than two lines). `num_voxels` of each. The split is as for
 * dsasrgs_model_evaluate(). `progress`, which may be NULL, is told of slices.
 */
DSASRGS_C_API dsasrgs_status dsasrgs_model_support(const dsasrgs_model* model, dsasrgs_acquisition* acquisition,
                                                   const dsasrgs_grid* grid, dsasrgs_progress_callback progress,
                                                   void* user, int32_t* views, float* spread_rad, size_t num_voxels);

#ifdef __cplusplus
}
#endif

#endif
