// SPDX-License-Identifier: Apache-2.0
#pragma once
// One view, forward and backward: attenuation → projection → rasterisation, and the same way back.

#include <array>
#include <chrono>
#include <functional>

#include "field_pass.hpp"
#include "model_parameters.hpp"
#include "project/project.hpp"
#include "rasterize/rasterize.hpp"

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

  /// Wall seconds spent in each stage since construction.
  enum Stage {
    field_forward,
    project_forward_stage,
    rasterize_forward_stage,
    rasterize_backward_stage,
    project_backward_stage,
    field_backward,
    num_stages
  };
  const std::array<double, num_stages>& seconds() const { return seconds_; }

 private:
  template <class Body>
  void timed(Stage stage, Body&& body) {
    const auto start = std::chrono::steady_clock::now();
    body();
    seconds_[stage] += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }

  FieldPass field_;
  Buffer<float> density_, mean_px_, conic_, amplitude_;
  Buffer<PixelBox> box_;
  RasterizeScratch scratch_;
  Buffer<float> grad_mean_px_, grad_conic_, grad_amplitude_;
  std::array<double, num_stages> seconds_{};
};

}  // namespace dsasrgs
