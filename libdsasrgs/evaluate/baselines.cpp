// SPDX-License-Identifier: Apache-2.0
#include "dsasrgs/baselines.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <string>

#include "common/checks.hpp"
#include "common/host_vector.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "fdk/fdk.hpp"
#include "raycast/raycast.hpp"
#include "require_finite.hpp"

namespace dsasrgs {
namespace {

void check_view(const char* op, const Acquisition& acquisition, int view) {
  if (view < 0 || view >= acquisition.num_views())
    throw InvalidArgument(std::string(op) + ": view: expected 0 to " + std::to_string(acquisition.num_views() - 1) +
                          ", found " + std::to_string(view));
}

double angle_between(Vec3d a, Vec3d b) { return std::atan2(length(cross(a, b)), dot(a, b)); }

/// Image of a view whose valid pixels are finite.
std::span<const float> finite_projection(const char* op, const Acquisition& acquisition, int view) {
  const std::span<const float> image = acquisition.projection(view);
  require_finite_pixels(op, "projection", view, image, acquisition.detector.width_px, acquisition.valid_pixels(view));
  return image;
}

// Part of the way from view `before` to view `after` at which `view` lies.
double position_between(const std::vector<Pose>& poses, int before, int view, int after) {
  const auto pose = [&](int v) -> const Pose& { return poses[static_cast<std::size_t>(v)]; };
  const double angle_before = angle_between(pose(before).source_mm, pose(view).source_mm);
  const double angle_after = angle_between(pose(view).source_mm, pose(after).source_mm);
  constexpr double kStill_rad = 1e-9;
  if (angle_before + angle_after > kStill_rad) return angle_before / (angle_before + angle_after);
  const double duration_s = pose(after).time_s - pose(before).time_s;
  return duration_s > 0 ? (pose(view).time_s - pose(before).time_s) / duration_s : 0.5;
}

}  // namespace

std::vector<float> interpolate_views(const Acquisition& acquisition, int view) try {
  constexpr const char* kOp = "interpolate_views";
  check_view(kOp, acquisition, view);
  // Without any split each view would be its own answer.
  const std::vector<int> train = with_host_memory(acquisition.poses.size() * sizeof(int), [&] {
    const bool split = !acquisition.test_views.empty() || !acquisition.train_views.empty();
    return split ? acquisition.training_views() : std::vector<int>{};
  });
  if (train.empty()) throw InvalidArgument("interpolate_views: train_views: expected at least one view, found none");
  for (const int v : train) check_view(kOp, acquisition, v);

  const auto next = std::lower_bound(train.begin(), train.end(), view);
  const int after = next == train.end() ? train.back() : *next;
  const int before = after == view || next == train.begin() ? after : *(next - 1);
  const std::span<const float> first = finite_projection(kOp, acquisition, before);
  const std::span<const float> second = finite_projection(kOp, acquisition, after);
  std::vector<float> image = host_vector<float>(second.size());
  std::copy(second.begin(), second.end(), image.begin());
  if (before == after) return image;

  const float weight = static_cast<float>(position_between(acquisition.poses, before, view, after));
  const std::span<const std::uint8_t> valid_first = acquisition.valid_pixels(before);
  const std::span<const std::uint8_t> valid_second = acquisition.valid_pixels(after);
  for (std::size_t i = 0; i < image.size(); ++i) {
    const bool has_first = valid_first.empty() || valid_first[i], has_second = valid_second.empty() || valid_second[i];
    image[i] = has_first == has_second ? first[i] + weight * (second[i] - first[i]) : has_second ? second[i] : first[i];
  }
  return image;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

std::vector<float> fdk_volume(Context& ctx, const Acquisition& acquisition, const std::vector<int>& views,
                              const VolumeGrid& grid) try {
  HostVector<float> projections;
  HostVector<Pose> poses;
  for (const int view : views) {
    check_view("fdk_volume", acquisition, view);
    const std::span<const float> image = finite_projection("fdk_volume", acquisition, view);
    const std::span<const std::uint8_t> valid = acquisition.valid_pixels(view);
    projections.reserve(views.size() * image.size());
    for (std::size_t i = 0; i < image.size(); ++i) projections.push_back(valid.empty() || valid[i] ? image[i] : 0.0f);
    poses.push_back(acquisition.poses[static_cast<std::size_t>(view)]);
  }
  const Buffer<float> device = Buffer<float>::from_host(ctx, projections);
  Buffer<float> volume(ctx, grid.num_voxels());
  fdk_reconstruct(ctx, {device, poses, acquisition.detector, grid}, volume);
  std::vector<float> values = volume.to_host(ctx);
  for (float& v : values) v = std::max(v, 0.0f);
  return values;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

std::vector<float> reproject_volume(Context& ctx, std::span<const float> volume, const VolumeGrid& grid,
                                    const std::vector<Pose>& poses, const Detector& detector) try {
  require_grid("reproject_volume", grid);
  require_size("reproject_volume", "volume", grid.num_voxels(), volume.size());
  require_finite_voxels("reproject_volume", "volume", volume, grid);
  const Buffer<float> device = Buffer<float>::from_host(ctx, volume);
  Buffer<float> image(ctx, detector.num_pixels());
  std::vector<float> images = host_vector<float>(poses.size() * image.size());
  auto next = images.begin();
  for (const Pose& pose : poses) {
    ctx.throw_if_stopped("reproject_volume");
    raycast(ctx, {device, grid, pose, detector}, image);
    const std::vector<float> host = image.to_host(ctx);
    next = std::copy(host.begin(), host.end(), next);
  }
  return images;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
