#pragma once
// The loss of one rendered training view and its gradient (method.md sections 2 and 3).

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/config.hpp"
#include "dsasrgs/model.hpp"
#include "resample/resample.hpp"
#include "ssim/ssim.hpp"
#include "teach/teach.hpp"

namespace dsasrgs {

/// Adam on the two numbers of one training view.
struct NuisanceMoments {
  double gain_first = 0, gain_second = 0, offset_first = 0, offset_second = 0;
  std::int64_t updates = 0;
};

/// α and β of the confidence and their moments.
struct ConfidenceState {
  Buffer<float> weights, gradient, first, second;  ///< [2] each
  static ConfidenceState initial(Context&, const SuperResolutionConfig&);
};

/// Where the pseudo-labels of a view come from: [sH,sW] each; an empty image: there is none.
struct LabelReader {
  std::function<std::vector<float>(int view)> image, confidence;
};

/// Holds the measurements of all training views in the context's memory, and their fine targets, unless
/// `super_resolution.keep_labels` is off: then those of one view.
///   rendered as measured:  L = L_gt = (1−λ)‖I − I_LR‖₁ + λ(1 − SSIM)
///   s times finer:         L = (1−w)·L_gt(I↓, I_LR) + w·L_sr, I↓ the s × s average of the render, L_sr between the
///                          render and the target of config.super_resolution (DSA-SRGS eqs. 6–8).
class ViewLoss {
 public:
  /// Throws BadInput when the target needs labels and a view has none.
  ViewLoss(Context&, const Acquisition&, const Config&, const std::vector<int>& views, LabelReader);

  /// The detector views are rendered on at a step (1 for the first), and the one they were measured on.
  const Detector& detector(int step) const {
    return step > config_.super_resolution.first_step ? high_detector_ : low_detector_;
  }
  const Detector& low_detector() const { return low_detector_; }
  /// Of the finest render.
  std::size_t max_pixels() const { return high_detector_.num_pixels(); }

  /// Training view `slot` as it is compared with its measurement, all [H,W]: what was measured, which pixels count
  /// (empty: all), and `rendered` [H,W] or [sH,sW] averaged to the detector, with the view's nuisance parameters
  /// applied.
  View<const float> measured(std::size_t slot) const { return measured_[slot].low; }
  View<const std::uint8_t> valid(std::size_t slot) const { return measured_[slot].low_valid; }
  void as_measured(Context&, std::size_t slot, View<const float> rendered, const ViewNuisance&, View<float> low) const;

  /// Loss of `rendered`, [H,W] or [sH,sW], for training view `slot`; grad_rendered, of its shape, is overwritten. The
  /// gradients of α and β are added to `confidence`. With nuisance parameters, both losses are those of
  /// gain · rendered + offset, the two numbers of the view are updated by L_gt, and the call waits. Throws IoError,
  /// BadInput when the view's label has to be read and cannot be.
  void run(Context&, std::size_t slot, View<const float> rendered, View<float> grad_rendered,
           ConfidenceState& confidence, ViewNuisance&, NuisanceMoments&, float nuisance_rate);

  /// The value of L_gt, or of L_sr when w = 1, at the last run().
  const ImageLossSaved& value() const { return has_low_value_ ? low_saved_ : high_saved_; }
  /// The value of L_sr; with the target `both`, of its half for the pseudo-label.
  const ImageLossSaved& high_value() const { return high_saved_; }

 private:
  struct Measured {
    Buffer<float> low;
    Buffer<std::uint8_t> low_valid;
    std::size_t num_low_valid = 0;
  };
  struct FineTarget {
    Buffer<float> upsampled, label, similarity, richness, given_confidence;
    Buffer<std::uint8_t> valid;
    std::size_t num_valid = 0;
  };
  FineTarget make_fine_target(Context&, std::size_t slot) const;
  /// Kept, or made for this call and valid until the next.
  const FineTarget& fine_target(Context&, std::size_t slot);
  void low_loss(Context&, std::size_t slot, View<const float> low, View<float> grad_low, float weight, ViewNuisance&,
                NuisanceMoments&, float nuisance_rate);
  /// Adds the gradient of w·L_sr.
  void fine_loss(Context&, std::size_t slot, View<const float> rendered, View<float> grad_rendered, ConfidenceState&);
  void high_loss(Context&, const FineTarget&, View<const float> rendered, View<const float> target, float weight,
                 View<float> grad_rendered);
  void teach_loss(Context&, const FineTarget&, View<const float> rendered, View<float> grad_rendered, ConfidenceState&);
  /// w, and 0 where there is no target.
  double fine_weight() const {
    const SuperResolutionConfig& sr = config_.super_resolution;
    return sr.target == HighResolutionTarget::none ? 0 : sr.weight;
  }
  bool uses_nuisance() const { return config_.nuisance.view_gain || config_.nuisance.view_offset; }

  Config config_;
  std::vector<int> views_;
  LabelReader labels_;
  std::string acquisition_name_;
  Detector low_detector_, high_detector_;
  ResampleShape resample_;
  ImageLossShape low_shape_, high_shape_;
  std::vector<Measured> measured_;
  std::vector<FineTarget> fine_;  // of all views, of none, or, when they are not kept, of the last one
  bool has_low_value_ = true;
  ImageLossSaved low_saved_, high_saved_, swapped_saved_;
  TeachScratch teach_scratch_;
  Buffer<float> low_, adjusted_, fine_adjusted_, grad_low_, teach_, grad_teach_;
};

}  // namespace dsasrgs
