#include "dsasrgs/renderer.hpp"

#include <cmath>

#include "common/require.hpp"
#include "elementwise/elementwise.hpp"
#include "view_pipeline.hpp"
#include "voxelize/voxelize.hpp"

namespace dsasrgs {

struct Renderer::Scratch {
  ViewPipeline pipeline;
  AttenuationField::Saved field;
  Buffer<float> image, density, mean_density, volume;
};

namespace {
std::vector<float> finite_to_host(Context& ctx, const Buffer<float>& buffer, const char* what) {
  std::vector<float> host = buffer.to_host(ctx);
  for (const float v : host)
    if (!std::isfinite(v)) throw NumericalError(std::string(what) + ": the model gives a non-finite value");
  return host;
}
}  // namespace

Renderer::Renderer(Context& ctx, const Model& model)
    : ctx_(&ctx), model_(&model), scratch_(std::make_unique<Scratch>()) {}
Renderer::Renderer(Renderer&&) noexcept = default;
Renderer::~Renderer() = default;

std::vector<float> Renderer::render(const Pose& pose, const Detector& detector) {
  resize(*ctx_, scratch_->image, detector.num_pixels());
  scratch_->pipeline.forward(*ctx_, model_->cloud, model_->field,
                             {pose, detector, model_->time.model_time(pose.time_s), model_->pixel_footprint},
                             scratch_->image);
  return finite_to_host(*ctx_, scratch_->image, "Renderer::render");
}

std::vector<float> Renderer::voxelize(const VolumeGrid& grid, double time_s) {
  resize(*ctx_, scratch_->density, model_->cloud.size());
  resize(*ctx_, scratch_->volume, grid.num_voxels());
  model_->field.evaluate(*ctx_, model_->cloud, model_->time.model_time(time_s), scratch_->field, scratch_->density);
  voxelize_forward(*ctx_, {model_->cloud.view(), scratch_->density, grid}, scratch_->volume);
  return finite_to_host(*ctx_, scratch_->volume, "Renderer::voxelize");
}

std::vector<float> Renderer::voxelize_mean(const VolumeGrid& grid, int frames) {
  require(frames >= 1, "Renderer::voxelize_mean", "frames: expected 1 or more, found " + std::to_string(frames));
  const std::size_t n = model_->cloud.size();
  resize(*ctx_, scratch_->density, n);
  resize(*ctx_, scratch_->volume, grid.num_voxels());
  scratch_->mean_density = Buffer<float>::zeros(*ctx_, n);
  for (int f = 0; f < frames; ++f) {
    const float t = frames == 1 ? 0.5f : static_cast<float>(f) / static_cast<float>(frames - 1);
    model_->field.evaluate(*ctx_, model_->cloud, t, scratch_->field, scratch_->density);
    add_scaled(*ctx_, 1 / static_cast<float>(frames), scratch_->density, scratch_->mean_density);
  }
  voxelize_forward(*ctx_, {model_->cloud.view(), scratch_->mean_density, grid}, scratch_->volume);
  return finite_to_host(*ctx_, scratch_->volume, "Renderer::voxelize_mean");
}

}  // namespace dsasrgs
