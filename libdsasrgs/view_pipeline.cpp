#include "view_pipeline.hpp"

namespace dsasrgs {

void CloudGradient::resize_to(Context& ctx, const GaussianCloud& cloud) {
  const std::size_t n = cloud.size();
  resize(ctx, position_mm, 3 * n);
  resize(ctx, raw_scale, 3 * n);
  resize(ctx, rotation, 4 * n);
  resize(ctx, density, n);
  resize(ctx, attenuation, cloud.attenuation.size());
}

void ViewPipeline::forward(Context& ctx, const GaussianCloud& cloud, const AttenuationField& field,
                           const ViewRequest& view, View<float> image) {
  const std::size_t n = cloud.size();
  resize(ctx, density_, n);
  resize(ctx, mean_px_, 2 * n);
  resize(ctx, conic_, 3 * n);
  resize(ctx, amplitude_, n);
  resize(ctx, box_, n);
  timed(field_forward, [&] { field.evaluate(ctx, cloud, view.model_time, field_, density_); });
  timed(project_forward_stage, [&] {
    project_forward(ctx, {cloud.view(), density_, view.pose, view.detector, view.pixel_footprint},
                    {mean_px_, conic_, amplitude_, box_});
  });
  timed(rasterize_forward_stage, [&] {
    rasterize_forward(ctx, {view.detector.width_px, view.detector.height_px, mean_px_, conic_, amplitude_, box_},
                      scratch_, image);
  });
}

void ViewPipeline::backward(Context& ctx, const GaussianCloud& cloud, const AttenuationField& field,
                            const ViewRequest& view, View<const float> grad_image, CloudGradient& gradient,
                            View<float> grad_table3d, View<float> grad_table4d, View<float> grad_network,
                            const std::function<void(CloudGradient&)>& add_to_cloud) {
  const std::size_t n = cloud.size();
  gradient.resize_to(ctx, cloud);
  resize(ctx, grad_mean_px_, 2 * n);
  resize(ctx, grad_conic_, 3 * n);
  resize(ctx, grad_amplitude_, n);
  timed(rasterize_backward_stage, [&] {
    rasterize_backward(ctx, {view.detector.width_px, view.detector.height_px, mean_px_, conic_, amplitude_, box_},
                       grad_image, GradientMode::overwrite, {grad_mean_px_, grad_conic_, grad_amplitude_});
  });
  timed(project_backward_stage, [&] {
    project_backward(ctx, {cloud.view(), density_, view.pose, view.detector, view.pixel_footprint},
                     {grad_mean_px_, grad_conic_, grad_amplitude_}, GradientMode::overwrite,
                     {gradient.position_mm, gradient.raw_scale, gradient.rotation, gradient.density});
  });
  if (add_to_cloud) add_to_cloud(gradient);
  // The density's gradient also reaches the position, through the field: this must come before the position's update.
  timed(field_backward, [&] {
    field.backward(ctx, cloud, field_, gradient.density,
                   {grad_table3d, grad_table4d, grad_network, gradient.position_mm, gradient.attenuation});
  });
}

}  // namespace dsasrgs
