// SPDX-License-Identifier: Apache-2.0
#pragma once
// The loss of one rendered training view and its gradient (method.md sections 2 and 3).

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "dsasrgs/config.hpp"
#include "dsasrgs/model.hpp"
#include "resample/resample.hpp"
#include "ssim/ssim.hpp"
#include "teach/teach.hpp"
#include "train/training_views.hpp"

namespace dsasrgs {

/// Of L_gt, times its weight, for the two numbers of one training view; 0 without nuisance parameters.
struct NuisanceGradient {
  double gain = 0, offset = 0;
};

/// Where the pseudo-labels of a view come from: [sH,sW] each; an empty image: there is none.
struct LabelReader {
  std::function<std::vector<float>(int view)> image, confidence;
};

/// Holds the fine targets of all training views in the context's memory, unless `super_resolution.keep_labels` is off:
/// then those of one view.
///   rendered as measured:  L = L_gt = (1−λ)‖I − I_LR‖₁ + λ(1 − SSIM)
///   s times finer:         L = (1−w)·L_gt(I↓, I_LR) + w·L_sr, I↓ the s × s average of the render, L_sr between the
///                          render and the target of config.super_resolution (DSA-SRGS eqs. 6–8).
class ViewLoss {
 public:
  /// Views and configuration must outlive it. Throws BadInput when the target needs labels and a view has none.
  ViewLoss(Context&, const TrainingViews&, const Config&, LabelReader);

  /// Other labels from here on. Throws as the constructor.
  void use_labels(Context&, LabelReader);

  /// The detector views are rendered on at a step (1 for the first).
  const Detector& detector(int step) const {
    return step > config_->super_resolution.first_step ? high_detector_ : views_->detector();
  }
  /// Of the finest render.
  std::size_t max_pixels() const { return high_detector_.num_pixels(); }

  /// `rendered` [H,W] or [sH,sW] of training view `slot` as it is compared with its measurement: averaged to the
  /// detector, with the view's nuisance parameters applied.
  void as_measured(Context&, std::size_t slot, View<const float> rendered, const ViewNuisance&, View<float> low) const;

  /// Where the gradient goes.
  struct Gradient {
    View<float> rendered;    ///< of the render's shape, overwritten
    View<float> confidence;  ///< [2], of α and β, added to; not used without the target `teach`
  };
  /// Loss of `rendered`, [H,W] or [sH,sW], for training view `slot`. `confidence` [2] holds α and β. With nuisance
  /// parameters, both losses are those of gain · rendered + offset, and the call waits for their gradient, which L_gt
  /// alone gives. Throws IoError, BadInput when the view's label has to be read and cannot be.
  NuisanceGradient run(Context&, std::size_t slot, View<const float> rendered, View<const float> confidence,
                       const ViewNuisance&, const Gradient&);

  /// L_gt at the last run(), and what it counts; null where it counts nothing (w = 1).
  const ImageLossSaved* image_loss() const { return image_weight_ > 0 ? &low_saved_ : nullptr; }
  float image_weight() const { return image_weight_; }
  /// What the last run() made of the render before it compared it with its measurement; 1 and 0 without nuisance
  /// parameters.
  float gain() const { return gain_; }
  float offset() const { return offset_; }
  /// The parts of L_sr at the last run(), which count w together: one, with the target `both` two halves, or none.
  std::span<const ImageLossSaved> fine_losses() const { return {fine_saved_.data(), num_fine_losses_}; }
  /// w, and 0 where there is no target.
  double fine_weight() const {
    const SuperResolutionConfig& sr = config_->super_resolution;
    return sr.target == HighResolutionTarget::none ? 0 : sr.weight;
  }

 private:
  struct FineTarget {
    Buffer<float> upsampled, label, similarity, richness;
    Buffer<float> confidence;  ///< given with the label, or, for `weighted`, how far the label is trusted
    Buffer<std::uint8_t> valid;
    std::size_t num_valid = 0;
  };
  bool has_fine_targets() const { return config_->super_resolution.scale > 1 && fine_weight() > 0; }
  void make_fine_targets(Context&);
  FineTarget make_fine_target(Context&, std::size_t slot) const;
  std::vector<float> trust(Context&, std::size_t slot, const std::vector<float>& label,
                           const std::vector<std::uint8_t>& valid, std::vector<float> given) const;
  /// Kept, or made for this call and valid until the next.
  const FineTarget& fine_target(Context&, std::size_t slot);
  NuisanceGradient low_loss(Context&, std::size_t slot, View<const float> low, const ViewNuisance&, float weight,
                            View<float> grad_low);
  /// Adds the gradient of w·L_sr.
  void fine_loss(Context&, std::size_t slot, View<const float> rendered, View<const float> confidence, const Gradient&);
  void high_loss(Context&, const FineTarget&, View<const float> rendered, View<const float> target, float weight,
                 View<float> grad_rendered, GradientMode = GradientMode::accumulate);
  void weighted_loss(Context&, const FineTarget&, View<const float> rendered, const Gradient&);
  void teach_loss(Context&, const FineTarget&, View<const float> rendered, View<const float> confidence,
                  const Gradient&);
  bool uses_nuisance() const { return config_->nuisance.view_gain || config_->nuisance.view_offset; }

  const TrainingViews* views_;
  const Config* config_;
  LabelReader labels_;
  Detector high_detector_;
  ResampleShape resample_;
  ImageLossShape low_shape_, high_shape_;
  std::vector<FineTarget> fine_;  // of all views, of none, or, when they are not kept, of the last one
  float image_weight_ = 0, gain_ = 1, offset_ = 0;
  std::size_t num_fine_losses_ = 0;
  ImageLossSaved low_saved_, swapped_saved_;
  std::array<ImageLossSaved, 2> fine_saved_;
  TeachScratch teach_scratch_;
  Buffer<float> low_, adjusted_, fine_adjusted_, grad_low_, teach_, grad_teach_;
};

}  // namespace dsasrgs
