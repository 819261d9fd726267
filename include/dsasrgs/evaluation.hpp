// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// How good a model is, or images that came from elsewhere: views and volume against what is known of an acquisition
/// (method.md section 4). All sums are in double on the host.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/context.hpp"
#include "dsasrgs/export.hpp"
#include "dsasrgs/metrics.hpp"
#include "dsasrgs/model.hpp"
#include "dsasrgs/progress.hpp"
#include "dsasrgs/pseudo_labels.hpp"
#include "dsasrgs/splits.hpp"

namespace DSASRGS_API dsasrgs {

/// What images are held against.
enum class TruthKind {
  measured,  ///< the acquisition's own projections
  reference  ///< its reference projections, on the finer detector
};

/// The true images of an acquisition, with the pixels that count. The acquisition must outlive it and stay as it is.
class ProjectionTruth {
 public:
  /// Throws InvalidArgument when sizes of the acquisition disagree.
  static ProjectionTruth measured(const Acquisition&);
  /// Throws InvalidArgument also when there are no reference projections.
  static ProjectionTruth reference(const Acquisition&);
  static ProjectionTruth measured(const Acquisition&&) = delete;
  static ProjectionTruth reference(const Acquisition&&) = delete;

  /// What it was made of.
  const Acquisition& acquisition() const { return *acquisition_; }
  TruthKind kind() const { return kind_; }
  /// The acquisition's, scale() times refined.
  const Detector& detector() const { return detector_; }
  int scale() const { return scale_; }
  /// Line integrals of a view [H,W] on detector(). This and valid() throw InvalidArgument for a view that is not there.
  std::span<const float> image(int view) const;
  /// Its valid pixels [H,W]; empty when all count.
  std::span<const std::uint8_t> valid(int view) const;
  /// The fixed protocol's range: the largest valid value of all views of the sweep. Throws InvalidArgument when none is
  /// positive.
  double range() const;
  /// Blur that is taken off for the high-passed correlation: a twentieth of the detector's width, so the same at any
  /// scale.
  double highpass_sigma_px() const { return detector_.width_px / 20.0; }

 private:
  ProjectionTruth(const Acquisition&, TruthKind, int scale, std::span<const float> images);
  void require_view(int view) const;
  const Acquisition* acquisition_;
  TruthKind kind_;
  int scale_;
  Detector detector_;
  std::span<const float> images_;    // [V,H,W]
  std::vector<std::uint8_t> valid_;  // empty, [H,W] or [V,H,W]
};

/// Line integrals of a view [H,W], whoever makes them.
using ViewImage = std::function<std::vector<float>(int view)>;

/// Scores of one image, or means over images.
struct ProjectionScore {
  ImageScore fixed, normalized;  ///< protocols `fixed` and `4drgs`
  double highpass_correlation = std::numeric_limits<double>::quiet_NaN();
};

/// Scores of one view.
struct ViewScore : ProjectionScore {
  int view = 0;
  double time_s = 0;
  bool blank = false;  ///< the truth stays below 1 % of the fixed range, as before contrast arrives
};

/// Scores of views and what they were held against.
///
/// Mean, worst and best are over the views with contrast, unless there are no others: against a blank truth only the
/// fixed protocol means something, and a method that copies its input would be infinitely good.
struct ViewScores {
  TruthKind against = TruthKind::measured;
  Detector detector;
  int scale = 1;     ///< of `detector` to the acquisition's
  double range = 0;  ///< of the fixed protocol
  double highpass_sigma_px = 0;
  std::vector<ViewScore> views;  ///< in the order in which they were asked for

  /// Views that are ViewScore::blank.
  std::vector<int> blank_views() const;
  /// Scores that do not exist (NaN, or infinite because identical) are left out; NaN when none is left.
  ProjectionScore mean() const;
  /// By PSNR of the fixed protocol. Both throw InvalidArgument when there is no view.
  ViewScore worst() const;
  ViewScore best() const;
};

/// Scores the images of these views against the truth, one after the other. Throws InvalidArgument for a view that is
/// not there, and as score_fixed, score_4drgs and highpass_correlation do; Cancelled.
ViewScores score_views(const ProjectionTruth&, const std::vector<int>& views, const ViewImage&,
                       const ProgressCallback& = {});

/// Scores of a simple method by its name.
struct BaselineScores {
  std::string name;
  ViewScores scores;
};

/// What a model has to beat: "interpolation" (linear, between the two training views beside a view; left out when the
/// acquisition names no split) and "fdk" (all training views back-projected on the acquisition's grid, then ray-cast).
/// Throws as score_views, interpolate_views and fdk_volume do.
std::vector<BaselineScores> score_baselines(Context&, const ProjectionTruth&, const std::vector<int>& views,
                                            const ProgressCallback& = {});

/// Of images averaged to the measuring detector − measured.
struct ConsistencyScore {
  double psnr_db = 0;  ///< protocol `fixed`, mean over views with contrast; NaN when all are identical
  double rms = 0;      ///< over all valid pixels of all views, line integrals
  double mean = 0;     ///< likewise
};

/// Do images [sH,sW] on the detector refined `scale` times, averaged back to it, agree with the measurement? Throws
/// InvalidArgument without views, as bin_image does, and as score_views; Cancelled.
ConsistencyScore score_consistency(const Acquisition&, const std::vector<int>& views, int scale, const ViewImage& image,
                                   const ProgressCallback& = {});

/// How much of what a label with planted errors says falsely is in the images: Σ (image − truth) / Σ (label − truth)
/// over the pixels of its mask; 1: all is believed, 0: none. Over-sharpened labels mix the two.
struct FalseVesselKept {
  std::optional<double> added;    ///< where the label is above the truth (false branches); empty: nowhere
  std::optional<double> removed;  ///< where it is below (missing branches)
};

/// The label of a view, with its mask.
using ViewLabel = std::function<MadeLabel(int view)>;

/// Over the valid pixels of all `views`; images, labels and masks are on the truth's detector. Throws InvalidArgument
/// when sizes disagree, and naming view and pixel where a value under the mask is not finite; Cancelled.
FalseVesselKept false_vessel_kept(const ProjectionTruth&, const std::vector<int>& views, const ViewLabel& planted,
                                  const ViewImage& image, const ProgressCallback& = {});

/// What evaluate() does beside scoring the views.
struct EvaluationOptions {
  bool baselines = false;  ///< also score the baselines on the same views
  /// Attenuation that makes a voxel a vessel; empty: a fifth of the reference's maximum.
  std::optional<double> surface_threshold_per_mm;
  /// The model's mean over the sweep on Acquisition::volume (Renderer::voxelize_mean with a frame per view), where the
  /// caller has it; null: it is made when needed.
  std::shared_ptr<const std::vector<float>> mean_volume{};
};

/// The volume against the reference volume.
struct VolumeEvaluation {
  std::optional<double> time_s;  ///< the moment compared; empty: the mean over the sweep
  double surface_threshold_per_mm = 0;
  double reference_maximum_per_mm = 0;
  std::optional<VolumeScore> score;  ///< empty: the reference is nowhere positive and has neither surface nor range
};

/// Everything that is measured on a model.
struct Evaluation {
  ViewSet views;                                    ///< those scored
  std::vector<int> without_valid_pixels;            ///< those of the set that were left out
  ViewScores measured;                              ///< at the resolution of the measurement
  std::optional<ViewScores> reference;              ///< where the acquisition has reference projections
  std::optional<VolumeEvaluation> volume;           ///< where it has a reference volume
  std::vector<BaselineScores> baselines;            ///< against the measurement, when asked for
  std::vector<BaselineScores> reference_baselines;  ///< likewise, where the reference has the measured resolution
};

/// Throws BadInput unless scores can be had of these views, so that a long job does not fail at its end: images must be
/// at least 7 × 7 pixels (the window of SSIM), a view must have a valid pixel, and the measurement and the reference
/// projections a positive value, since scores are relative to the largest. With `baselines` FDK must be possible.
void require_scorable(const Acquisition&, const ViewSet&, bool baselines = false);

/// Renders the views (those without a valid pixel are left out) and scores them, the volume and the baselines. Throws
/// as require_scorable, Renderer and the functions above; Cancelled.
Evaluation evaluate(Context&, const Model&, const Acquisition&, const ViewSet&, const EvaluationOptions& = {},
                    const ProgressCallback& = {});

}  // namespace dsasrgs
