#include "train/initialize.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "common/gaussian_math.hpp"
#include "common/random.hpp"
#include "dsasrgs/error.hpp"
#include "fdk/fdk.hpp"
#include "point_tree.hpp"
#include "view_pipeline.hpp"

namespace dsasrgs {

namespace {

/// Gaussian centres and, when they come from FDK, the attenuation found there.
struct InitialPointSet {
  std::vector<float> position_mm;         // [N,3]
  std::vector<float> attenuation_per_mm;  // [N], empty for random points
};

std::vector<float> fdk_of_training_views(Context& ctx, const Acquisition& acquisition, const std::vector<int>& views,
                                         const Config& config) {
  std::vector<float> projections;
  std::vector<Pose> poses;
  for (const int v : views) {
    const std::vector<float> image = training_image(acquisition, v, config);
    projections.insert(projections.end(), image.begin(), image.end());
    poses.push_back(acquisition.poses[static_cast<std::size_t>(v)]);
  }
  const Buffer<float> device_projections = Buffer<float>::from_host(ctx, projections);
  Buffer<float> volume(ctx, acquisition.volume.num_voxels());
  fdk_reconstruct(ctx, {device_projections, poses, acquisition.detector, acquisition.volume}, volume);
  return volume.to_host(ctx);
}

/// δ: the configured threshold, or the percentile of the volume, never below 0.
float candidate_threshold(const std::vector<float>& volume, const GaussianConfig& config) {
  if (config.init_threshold_per_mm > 0) return static_cast<float>(config.init_threshold_per_mm);
  std::vector<float> sorted = volume;
  const auto rank = static_cast<std::ptrdiff_t>(config.init_percentile / 100 * static_cast<double>(sorted.size() - 1));
  std::nth_element(sorted.begin(), sorted.begin() + rank, sorted.end());
  return std::max(0.0f, sorted[static_cast<std::size_t>(rank)]);
}

Vec3d voxel_center(const VolumeGrid& grid, std::size_t index) {
  const auto nx = static_cast<std::size_t>(grid.size_x), ny = static_cast<std::size_t>(grid.size_y);
  return grid.center_mm(static_cast<int>(index % nx), static_cast<int>(index / nx % ny),
                        static_cast<int>(index / (nx * ny)));
}

/// Draws without replacement: every candidate gets a random key, the smallest keys win.
InitialPointSet draw_fdk_points(Context& ctx, const Acquisition& acquisition, const std::vector<int>& views,
                                const Config& config) {
  const std::vector<float> volume = fdk_of_training_views(ctx, acquisition, views, config);
  const float threshold = candidate_threshold(volume, config.gaussians);
  struct Candidate {
    std::uint32_t key;
    std::size_t voxel;
    bool operator<(const Candidate& o) const { return key != o.key ? key < o.key : voxel < o.voxel; }
  };
  std::vector<Candidate> candidates;
  const auto seed = static_cast<std::uint64_t>(config.training.seed);
  for (std::size_t i = 0; i < volume.size(); ++i)
    if (volume[i] > threshold) candidates.push_back({random_words(seed, RandomStream::initial_points, i, 0)[0], i});
  if (candidates.empty())
    throw BadInput(acquisition.name, "/projections",
                   "a vessel whose FDK attenuation exceeds " + std::to_string(threshold) + " /mm",
                   "none (see gaussians.init_threshold_per_mm)");
  const std::size_t n = std::min(candidates.size(), static_cast<std::size_t>(config.gaussians.initial));
  std::nth_element(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(n - 1), candidates.end());
  candidates.resize(n);
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.voxel < b.voxel; });

  InitialPointSet points;
  for (const Candidate& c : candidates) {
    const Vec3d p = voxel_center(acquisition.volume, c.voxel);
    for (const double x : {p.x, p.y, p.z}) points.position_mm.push_back(static_cast<float>(x));
    points.attenuation_per_mm.push_back(volume[c.voxel]);
  }
  return points;
}

InitialPointSet draw_random_points(const VolumeGrid& grid, const Config& config) {
  InitialPointSet points;
  const Vec3d extent = grid.extent_mm();
  for (int i = 0; i < config.gaussians.initial; ++i) {
    const auto r = random_uniform4(static_cast<std::uint64_t>(config.training.seed), RandomStream::initial_points,
                                   static_cast<std::uint64_t>(i), 1);
    const Vec3d p = grid.origin_mm + Vec3d{r.u[0] * extent.x, r.u[1] * extent.y, r.u[2] * extent.z};
    for (const double x : {p.x, p.y, p.z}) points.position_mm.push_back(static_cast<float>(x));
  }
  return points;
}

GaussianCloud cloud_from_points(Context& ctx, const InitialPointSet& points, ScaleBounds bounds, int coefficients) {
  const std::size_t n = points.position_mm.size() / 3;
  GaussianCloud cloud;
  cloud.bounds = bounds;
  cloud.position_mm = Buffer<float>::from_host(ctx, points.position_mm);
  std::vector<float> raw_scale, rotation, attenuation;
  for (const float d2 : neighbour_distances_mm2(ctx, points.position_mm)) {
    raw_scale.insert(raw_scale.end(), 3, raw_scale_from(std::sqrt(d2), bounds.min_mm, bounds.max_mm));
    rotation.insert(rotation.end(), {1.0f, 0.0f, 0.0f, 0.0f});
  }
  if (coefficients > 0) {
    // softplus⁻¹ of the attenuation relative to its mean, so the field's common scale stays of order 1. Tables start at
    // 0: no change over time.
    const double mean = points.attenuation_per_mm.empty()
                            ? 1
                            : std::accumulate(points.attenuation_per_mm.begin(), points.attenuation_per_mm.end(), 0.0) /
                                  static_cast<double>(n);
    for (std::size_t i = 0; i < n; ++i) {
      const double relative = points.attenuation_per_mm.empty() ? 1 : points.attenuation_per_mm[i] / mean;
      attenuation.push_back(static_attenuation(relative));
      attenuation.insert(attenuation.end(), static_cast<std::size_t>(coefficients - 1), 0.0f);
    }
  }
  cloud.raw_scale = Buffer<float>::from_host(ctx, raw_scale);
  cloud.rotation = Buffer<float>::from_host(ctx, rotation);
  cloud.attenuation = Buffer<float>::from_host(ctx, attenuation);
  return cloud;
}

/// Least-squares factor between renders at density scale 1 and the measurements, over all training views.
float calibrated_density_scale(Context& ctx, const Acquisition& acquisition, const std::vector<int>& views,
                               const Config& config, const Model& model) {
  ViewPipeline pipeline;
  Buffer<float> image(ctx, acquisition.detector.num_pixels());
  double measured_times_render = 0, render_squared = 0;
  for (const int v : views) {
    const Pose& pose = acquisition.poses[static_cast<std::size_t>(v)];
    pipeline.forward(ctx, model.cloud, model.field,
                     {pose, acquisition.detector, model.time.model_time(pose.time_s), model.pixel_footprint}, image);
    const std::vector<float> measured = training_image(acquisition, v, config), rendered = image.to_host(ctx);
    const std::span<const std::uint8_t> valid = acquisition.valid_pixels(v);
    for (std::size_t i = 0; i < measured.size(); ++i) {
      if (!valid.empty() && valid[i] == 0) continue;
      measured_times_render += static_cast<double>(measured[i]) * rendered[i];
      render_squared += static_cast<double>(rendered[i]) * rendered[i];
    }
  }
  const double scale = measured_times_render / render_squared;
  if (!(scale > 0) || !std::isfinite(scale))
    throw BadInput(
        acquisition.name, "/projections", "training views that show something inside /volume",
        "no correlation between the initial model and the measurements (scale " + std::to_string(scale) + ")");
  return static_cast<float>(scale);
}

}  // namespace

float static_attenuation(double relative_density) {
  return static_cast<float>(std::log(std::expm1(std::max(relative_density, 1e-3))));
}

std::vector<float> training_image(const Acquisition& acquisition, int view, const Config& config) {
  const std::span<const float> measured = acquisition.projection(view);
  const std::span<const std::uint8_t> valid = acquisition.valid_pixels(view);
  std::vector<float> image(measured.begin(), measured.end());
  for (std::size_t i = 0; i < image.size(); ++i) {
    if (config.training.clip_negative) image[i] = std::max(image[i], 0.0f);
    if (!valid.empty() && valid[i] == 0) image[i] = 0;
  }
  return image;
}

Model initial_model(Context& ctx, const Acquisition& acquisition, const std::vector<int>& views, const Config& config) {
  const double voxel = acquisition.volume.mean_spacing_mm();
  const ScaleBounds bounds{static_cast<float>(config.gaussians.min_scale_voxels * voxel),
                           static_cast<float>(config.gaussians.max_scale_voxels * voxel)};
  AttenuationField field(ctx, config.field, acquisition.volume, config.training.seed);
  const InitialPointSet points = config.gaussians.init == InitialPoints::fdk
                                     ? draw_fdk_points(ctx, acquisition, views, config)
                                     : draw_random_points(acquisition.volume, config);
  GaussianCloud cloud = cloud_from_points(ctx, points, bounds, field.coefficients_per_gaussian());
  Model model{std::move(cloud),
              std::move(field),
              acquisition.volume,
              {acquisition.first_time_s(), acquisition.last_time_s()},
              acquisition.detector,
              config.gaussians.pixel_footprint,
              {},
              to_toml(config)};
  model.field.set_density_scale_per_mm(calibrated_density_scale(ctx, acquisition, views, config, model));
  return model;
}

}  // namespace dsasrgs
