// SPDX-License-Identifier: Apache-2.0
#include "view_pipeline.hpp"

#include "common/submission.hpp"

namespace dsasrgs {

void ModelGradient::fit(Context& ctx, const GaussianCloud& cloud, const AttenuationField& field) {
  for (const ParameterInfo& p : kParameters) {
    if (p.is_table) continue;
    Buffer<float>& gradient = of[p.id];
    const std::size_t size = p.value(cloud, field).size();
    if (p.per_gaussian != nullptr)
      gradient.resize(ctx, size);
    else if (gradient.size() != size)
      gradient = Buffer<float>::zeros(ctx, size);
  }
  density.resize(ctx, cloud.size());
}

void ViewPipeline::forward(Context& ctx, const GaussianCloud& cloud, const AttenuationField& field,
                           const ViewRequest& view, View<float> image) {
  const std::size_t n = cloud.size();
  density_.resize(ctx, n);
  mean_px_.resize(ctx, 2 * n);
  conic_.resize(ctx, 3 * n);
  amplitude_.resize(ctx, n);
  box_.resize(ctx, n);
  const auto project = [&] {
    timed(ctx, Stage::field_forward, [&] { field_.forward(ctx, field, cloud, view.model_time, density_); });
    timed(ctx, Stage::project_forward, [&] {
      project_forward(ctx, {cloud.view(), density_, view.pose, view.detector, view.pixel_footprint},
                      {mean_px_, conic_, amplitude_, box_});
    });
  };
  if (bins_beside_field_ && ctx.asynchronous()) {
    early_box_.resize(ctx, n);
    side_by_side(ctx, project, [&] {
      timed(ctx, Stage::rasterize_forward, [&] {
        project_forward(ctx, {cloud.view(), {}, view.pose, view.detector, view.pixel_footprint},
                        {{}, {}, {}, early_box_});
        rasterize_prepare(ctx, view.detector.width_px, view.detector.height_px, early_box_, scratch_);
      });
    });
  } else {
    project();
  }
  timed(ctx, Stage::rasterize_forward, [&] {
    rasterize_forward(ctx, {view.detector.width_px, view.detector.height_px, mean_px_, conic_, amplitude_, box_},
                      scratch_, image);
  });
}

void ViewPipeline::backward(Context& ctx, const GaussianCloud& cloud, const AttenuationField& field,
                            const ViewRequest& view, View<const float> grad_image, ModelGradient& gradient,
                            const std::function<void(ModelGradient&)>& add_to_cloud) {
  const std::size_t n = cloud.size();
  gradient.fit(ctx, cloud, field);
  grad_mean_px_.resize(ctx, 2 * n);
  grad_conic_.resize(ctx, 3 * n);
  grad_amplitude_.resize(ctx, n);
  timed(ctx, Stage::rasterize_backward, [&] {
    rasterize_backward(ctx, {view.detector.width_px, view.detector.height_px, mean_px_, conic_, amplitude_, box_},
                       grad_image, GradientMode::overwrite, {grad_mean_px_, grad_conic_, grad_amplitude_});
  });
  timed(ctx, Stage::project_backward, [&] {
    project_backward(ctx, {cloud.view(), density_, view.pose, view.detector, view.pixel_footprint},
                     {grad_mean_px_, grad_conic_, grad_amplitude_}, GradientMode::overwrite,
                     {gradient[Parameter::position], gradient[Parameter::raw_scale], gradient[Parameter::rotation],
                      gradient.density});
  });
  if (add_to_cloud) add_to_cloud(gradient);
  // The density's gradient also reaches the position, through the field: this must come before the position's update.
  timed(ctx, Stage::field_backward, [&] {
    field_.backward(ctx, field, cloud, gradient.density,
                    {gradient.tables, gradient[Parameter::network], gradient[Parameter::position],
                     gradient[Parameter::attenuation]});
  });
}

}  // namespace dsasrgs
