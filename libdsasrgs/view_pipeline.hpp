// SPDX-License-Identifier: Apache-2.0
#pragma once
// One view, forward and backward: attenuation → projection → rasterisation, and the same way back.

#include <cstddef>
#include <functional>
#include <utility>

#include "common/stage_clock.hpp"
#include "field_pass.hpp"
#include "model_parameters.hpp"
#include "project/project.hpp"
#include "rasterize/rasterize.hpp"
#include "stages.hpp"

namespace dsasrgs {

/// Geometry of the view being rendered.
struct ViewRequest {
  Pose pose;
  Detector detector;
  float model_time = 0;
  bool pixel_footprint = true;
};

/// Scratch memory and steps of one view.
class ViewPipeline {
 public:
  /// For captured steps on CUDA: the boxes' lists, which need no attenuation, are made beside it, at the price of
  /// projecting twice. Changes no bit of the results.
  void bin_beside_field(bool on) { bins_beside_field_ = on; }
  /// image [H,W] ← line integrals of the cloud. What backward() needs is kept until the next forward().
  void forward(Context&, const GaussianCloud&, const AttenuationField&, const ViewRequest&, View<float> image);
  /// The gradient of the image's for every parameter array (ModelGradient says which are overwritten).
  /// `add_to_cloud` is called when the image's gradients of position, scale, rotation and density stand and before the
  /// density's goes on through the field: what another term of the loss adds to them then goes the same way.
  void backward(Context&, const GaussianCloud&, const AttenuationField&, const ViewRequest&,
                View<const float> grad_image, ModelGradient&,
                const std::function<void(ModelGradient&)>& add_to_cloud = {});

  View<const float> density() const { return density_; }
  View<const PixelBox> box() const { return box_; }
  View<const float> mean_px() const { return mean_px_; }
  View<const float> conic() const { return conic_; }
  View<const float> amplitude() const { return amplitude_; }
  /// dL/d mean2D of the last backward, [N,2] px⁻¹.
  View<const float> grad_mean_px() const { return grad_mean_px_; }
  View<const float> grad_conic() const { return grad_conic_; }
  View<const float> grad_amplitude() const { return grad_amplitude_; }

  RasterizeScratch& rasterize_scratch() { return scratch_; }

  /// Of what calls this too.
  StageClock& clock() { return clock_; }

 private:
  template <class Body>
  void timed(Context& ctx, Stage stage, Body&& body) {
    clock_.time(ctx, static_cast<std::size_t>(stage), std::forward<Body>(body));
  }

  FieldPass field_;
  Buffer<float> density_, mean_px_, conic_, amplitude_;
  Buffer<PixelBox> box_, early_box_;
  bool bins_beside_field_ = false;
  RasterizeScratch scratch_;
  Buffer<float> grad_mean_px_, grad_conic_, grad_amplitude_;
  StageClock clock_{kNumStages};
};

}  // namespace dsasrgs
