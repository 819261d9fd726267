// SPDX-License-Identifier: Apache-2.0
#include "dsasrgs/renderer.hpp"

#include <cmath>
#include <string>
#include <utility>

#include "common/checks.hpp"
#include "dsasrgs/buffer.hpp"
#include "elementwise/elementwise.hpp"
#include "held.hpp"
#include "view_pipeline.hpp"
#include "voxelize/voxelize.hpp"

namespace dsasrgs {

struct Renderer::Scratch {
  ViewPipeline pipeline;
  FieldPass field;
  Buffer<float> image, density, mean_density, volume;
};

namespace {

constexpr int kMostFrames = 1 << 20;  // as many as an acquisition may have views

/// The values on the host; `where` names an element and its moment in the error for one that is not finite.
template <class Where>
std::vector<float> finite_to_host(Context& ctx, const Buffer<float>& buffer, const char* function, const Where& where) {
  std::vector<float> host = buffer.to_host(ctx);
  for (std::size_t i = 0; i < host.size(); ++i)
    if (!std::isfinite(host[i]))
      throw NumericalError(std::string(function) + ": the model gives " + std::to_string(host[i]) + " at " + where(i));
  return host;
}

auto voxel_name(const VolumeGrid& grid, const std::string& moment) {
  const auto width = static_cast<std::size_t>(grid.size_x), height = static_cast<std::size_t>(grid.size_y);
  return [=](std::size_t i) {
    return "voxel (" + std::to_string(i % width) + ", " + std::to_string(i / width % height) + ", " +
           std::to_string(i / (width * height)) + "), " + moment;
  };
}

}  // namespace

Renderer::Renderer(Context& ctx, const Model& model) try
    : ctx_(&ctx), model_(&model), scratch_(std::make_unique<Scratch>()) {
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}
Renderer::Renderer(Context& ctx, std::shared_ptr<const Model> model) try
    : ctx_(&ctx), shared_(std::move(model)), model_(shared_.get()), scratch_(std::make_unique<Scratch>()) {
  require(model_ != nullptr, "Renderer", "model: expected a model, found none");
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}
Renderer::Renderer(Renderer&&) noexcept = default;
Renderer& Renderer::operator=(Renderer&&) noexcept = default;
Renderer::~Renderer() = default;

Renderer::Scratch& Renderer::scratch() const { return held(scratch_, "Renderer"); }

void Renderer::render_into(const Pose& pose, const Detector& detector, View<float> image) try {
  require_image("Renderer::render_into", "detector", detector.width_px, detector.height_px);
  require(image.data() != nullptr, "Renderer::render_into", "image: expected memory, found a null view");
  scratch().pipeline.forward(*ctx_, model_->cloud, model_->field,
                             {pose, detector, model_->time.model_time(pose.time_s), model_->pixel_footprint}, image);
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

Image Renderer::render(const Pose& pose, const Detector& detector) try {
  require_image("Renderer::render", "detector", detector.width_px, detector.height_px);
  scratch().image.resize(*ctx_, detector.num_pixels());
  render_into(pose, detector, scratch().image);
  const auto pixel_name = [&](std::size_t i) {
    const auto width = static_cast<std::size_t>(detector.width_px);
    return "row " + std::to_string(i / width) + ", column " + std::to_string(i % width) + ", time " +
           std::to_string(pose.time_s) + " s";
  };
  return {detector.width_px, detector.height_px,
          finite_to_host(*ctx_, scratch().image, "Renderer::render", pixel_name)};
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

Volume Renderer::voxelize(const VolumeGrid& grid, double time_s) try {
  constexpr const char* kName = "Renderer::voxelize";
  require_grid(kName, grid);
  scratch().density.resize(*ctx_, model_->cloud.size());
  scratch().volume.resize(*ctx_, grid.num_voxels());
  scratch().field.forward(*ctx_, model_->field, model_->cloud, model_->time.model_time(time_s), scratch().density);
  voxelize_forward(*ctx_, {model_->cloud.view(), scratch().density, grid}, scratch().volume);
  const auto where = voxel_name(grid, "time " + std::to_string(time_s) + " s");
  return {grid, finite_to_host(*ctx_, scratch().volume, kName, where), 1};
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

Volume Renderer::voxelize_mean(const VolumeGrid& grid, int frames) try {
  constexpr const char* kName = "Renderer::voxelize_mean";
  require_grid(kName, grid);
  require(frames >= 1 && frames <= kMostFrames, kName,
          "frames: expected 1 to " + std::to_string(kMostFrames) + ", found " + std::to_string(frames));
  const std::size_t n = model_->cloud.size();
  scratch().density.resize(*ctx_, n);
  scratch().volume.resize(*ctx_, grid.num_voxels());
  scratch().mean_density = Buffer<float>::zeros(*ctx_, n);
  for (int f = 0; f < frames; ++f) {
    ctx_->throw_if_stopped(kName);
    const float t = frames == 1 ? 0.5f : static_cast<float>(f) / static_cast<float>(frames - 1);
    scratch().field.forward(*ctx_, model_->field, model_->cloud, t, scratch().density);
    add_scaled(*ctx_, 1 / static_cast<float>(frames), scratch().density, scratch().mean_density);
  }
  voxelize_forward(*ctx_, {model_->cloud.view(), scratch().mean_density, grid}, scratch().volume);
  const auto where = voxel_name(grid, "the mean of " + std::to_string(frames) + " moments");
  return {grid, finite_to_host(*ctx_, scratch().volume, kName, where), 1};
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
