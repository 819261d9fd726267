#pragma once
// Renders against measured or true projections, both protocols of method.md section 4.

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <vector>

#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/metrics.hpp"
#include "progress.hpp"

namespace dsasrgs::program {

/// The images a render is held against: the acquisition's own projections, or the finer reference. The acquisition must
/// outlive it.
class ProjectionTruth {
 public:
  /// At the detector the model is trained on.
  static ProjectionTruth measured(const Acquisition&);
  /// On the finer detector; the acquisition must have reference projections.
  static ProjectionTruth reference(const Acquisition&);

  const Acquisition& acquisition() const { return *acquisition_; }
  /// Where the images stand in an acquisition file.
  const char* field() const { return field_; }
  const Detector& detector() const { return detector_; }
  int scale() const { return scale_; }
  View<const float> image(int view) const;
  /// Empty when all pixels count.
  View<const std::uint8_t> valid(int view) const;
  /// The fixed protocol's range: the largest valid value of all views of the sweep.
  double range() const;
  /// The valid values of all views below which a fraction of them lies.
  float quantile(double fraction) const;
  /// Blur that is taken off for the high-passed correlation: a twentieth of the detector's width, so the same at any
  /// scale.
  double highpass_sigma_px() const { return detector_.width_px / 20.0; }

 private:
  ProjectionTruth(const Acquisition&, const char* field, int scale, View<const float> images);
  const Acquisition* acquisition_;
  const char* field_;
  int scale_;
  Detector detector_;
  View<const float> images_;         // [V,H,W]
  std::vector<std::uint8_t> valid_;  // empty, [H,W] or [V,H,W]
};

struct ViewScore {
  int view = 0;
  ImageScore fixed, normalized;  ///< protocols `fixed` and `4drgs`
  double highpass_correlation = 0;
  bool blank = false;  ///< the truth stays below 1 % of the fixed range, as before contrast arrives
};

/// Line integrals of a view [H,W] on the truth's detector.
using ViewImage = std::function<std::vector<float>(int view)>;

/// Scores of views, in their order.
std::vector<ViewScore> score_views(const ProjectionTruth&, const std::vector<int>& views, const ViewImage&, Progress&);

/// Mean over views; the view number is −1. Views with a blank truth are left out, unless there are no others: only the
/// fixed protocol means something there, and a method that copies its input would be infinitely good. Of the others,
/// scores that do not exist (NaN, or infinite because identical) are left out.
ViewScore mean_score(const std::vector<ViewScore>&);

/// Size and ranges, then mean, worst and best (by PSNR of the fixed protocol, among the views the mean is of) and each
/// view.
nlohmann::ordered_json scores_as_json(const ProjectionTruth&, const std::vector<ViewScore>&);

}  // namespace dsasrgs::program
