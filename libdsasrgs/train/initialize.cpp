// SPDX-License-Identifier: Apache-2.0
#include "train/initialize.hpp"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <numeric>
#include <utility>

#include "attenuation/attenuation.hpp"
#include "common/gaussian_math.hpp"
#include "common/host_vector.hpp"
#include "common/random.hpp"
#include "dsasrgs/error.hpp"
#include "fdk/fdk.hpp"
#include "fdk_views.hpp"
#include "morton/morton.hpp"
#include "point_tree.hpp"
#include "view_pipeline.hpp"

namespace dsasrgs {

namespace {

/// Gaussian centres and, when they come from FDK, the attenuation found there.
struct InitialPointSet {
  HostVector<float> position_mm;         // [N,3]
  HostVector<float> attenuation_per_mm;  // [N], empty for random points
};

std::vector<float> fdk_of_training_views(Context& ctx, const TrainingViews& views) {
  if (views.size() < 2)
    throw BadInput(views.name(), "training views", "2 or more where gaussians.init = fdk",
                   std::to_string(views.size()));
  require_fdk_views(views.name(), views.poses(), views.detector());
  HostVector<float> projections;
  projections.reserve(views.size() * views.detector().num_pixels());
  for (std::size_t slot = 0; slot < views.size(); ++slot) {
    const std::vector<float> image = views.measured(slot).to_host(ctx);
    projections.insert(projections.end(), image.begin(), image.end());
  }
  const Buffer<float> device_projections = Buffer<float>::from_host(ctx, projections);
  Buffer<float> volume(ctx, views.volume().num_voxels());
  fdk_reconstruct(ctx, {device_projections, views.poses(), views.detector(), views.volume()}, volume);
  return volume.to_host(ctx);
}

/// δ: the configured threshold, or the percentile of the volume, never below 0.
float candidate_threshold(const std::vector<float>& volume, const GaussianConfig& config) {
  if (config.init_threshold_per_mm > 0) return static_cast<float>(config.init_threshold_per_mm);
  HostVector<float> sorted(volume.begin(), volume.end());
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
InitialPointSet draw_fdk_points(Context& ctx, const TrainingViews& views, const Config& config) {
  const std::vector<float> volume = fdk_of_training_views(ctx, views);
  const float threshold = candidate_threshold(volume, config.gaussians);
  struct Candidate {
    std::uint32_t key;
    std::size_t voxel;
    bool operator<(const Candidate& o) const { return key != o.key ? key < o.key : voxel < o.voxel; }
  };
  HostVector<Candidate> candidates;
  const auto seed = static_cast<std::uint64_t>(config.training.seed);
  for (std::size_t i = 0; i < volume.size(); ++i)
    if (volume[i] > threshold) candidates.push_back({random_words(seed, RandomStream::initial_points, i, 0)[0], i});
  if (candidates.empty())
    throw BadInput(views.name(), "/projections",
                   "a vessel whose FDK attenuation exceeds " + std::to_string(threshold) + " /mm",
                   "none (see gaussians.init_threshold_per_mm and gaussians.init_percentile)");
  const std::size_t n = std::min(candidates.size(), static_cast<std::size_t>(config.gaussians.initial));
  std::nth_element(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(n - 1), candidates.end());
  candidates.resize(n);
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.voxel < b.voxel; });

  InitialPointSet points;
  for (const Candidate& c : candidates) {
    const Vec3d p = voxel_center(views.volume(), c.voxel);
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

/// The same points in the order of morton_order_of.
InitialPointSet sorted(Context& ctx, const VolumeGrid& volume, const InitialPointSet& points) {
  const std::vector<std::uint32_t> order =
      morton_order_of(ctx, volume, Buffer<float>::from_host(ctx, points.position_mm)).to_host(ctx);
  InitialPointSet result;
  for (const std::size_t i : order) {
    for (std::size_t d = 0; d < 3; ++d) result.position_mm.push_back(points.position_mm[3 * i + d]);
    if (!points.attenuation_per_mm.empty()) result.attenuation_per_mm.push_back(points.attenuation_per_mm[i]);
  }
  return result;
}

GaussianCloud cloud_from_points(Context& ctx, const InitialPointSet& points, ScaleBounds bounds,
                                const AttenuationField& field) {
  const std::size_t n = points.position_mm.size() / 3;
  const std::vector<float> distance2 = neighbour_distances_mm2(ctx, points.position_mm);
  const HostVector<float>& known = points.attenuation_per_mm;
  // The attenuation is relative to its mean, so the field's common scale stays of order 1.
  const double mean = known.empty() ? 1 : std::accumulate(known.begin(), known.end(), 0.0) / static_cast<double>(n);
  GaussianRows rows;
  for (std::size_t i = 0; i < n; ++i)
    rows.add({points.position_mm[3 * i], points.position_mm[3 * i + 1], points.position_mm[3 * i + 2]},
             raw_scale_from(std::sqrt(distance2[i]), bounds.min_mm, bounds.max_mm), known.empty() ? 1 : known[i] / mean,
             field.coefficients_per_gaussian());
  GaussianCloud cloud;
  cloud.bounds = bounds;
  for (const ParameterInfo& p : kParameters)
    if (p.per_gaussian != nullptr) cloud.*p.per_gaussian = Buffer<float>::from_host(ctx, rows.of[p.id]);
  return cloud;
}

/// Least-squares factor between renders at density scale 1 and the measurements, over all training views.
float calibrated_density_scale(Context& ctx, const TrainingViews& views, const Model& model) {
  ViewPipeline pipeline;
  Buffer<float> image(ctx, views.detector().num_pixels());
  double measured_times_render = 0, render_squared = 0;
  for (std::size_t slot = 0; slot < views.size(); ++slot) {
    ctx.throw_if_stopped("the beginning of a training");
    pipeline.forward(ctx, model.cloud, model.field,
                     {views.pose(slot), views.detector(), views.model_time(slot), model.pixel_footprint}, image);
    const std::vector<float> measured = views.measured(slot).to_host(ctx), rendered = image.to_host(ctx);
    const std::vector<std::uint8_t> valid = views.valid(slot).to_host(ctx);
    for (std::size_t i = 0; i < measured.size(); ++i) {
      if (!valid.empty() && valid[i] == 0) continue;
      measured_times_render += static_cast<double>(measured[i]) * rendered[i];
      render_squared += static_cast<double>(rendered[i]) * rendered[i];
    }
  }
  const double scale = measured_times_render / render_squared;
  if (!(scale > 0) || !std::isfinite(scale))
    throw BadInput(
        views.name(), "/projections", "training views that show something inside /volume",
        "no correlation between the initial model and the measurements (scale " + std::to_string(scale) + ")");
  return static_cast<float>(scale);
}

}  // namespace

void GaussianRows::add(Vec3f position_mm, float raw_scale, double relative_density, int coefficients) {
  const auto append = [&](Parameter p, std::initializer_list<float> row) {
    of[p].insert(of[p].end(), row.begin(), row.end());
  };
  append(Parameter::position, {position_mm.x, position_mm.y, position_mm.z});
  append(Parameter::raw_scale, {raw_scale, raw_scale, raw_scale});
  append(Parameter::rotation, {1, 0, 0, 0});
  if (coefficients == 0) return;
  append(Parameter::attenuation, {static_cast<float>(std::log(std::expm1(std::max(relative_density, 1e-3))))});
  of[Parameter::attenuation].resize(of[Parameter::attenuation].size() + static_cast<std::size_t>(coefficients - 1));
}

Buffer<std::uint32_t> morton_order_of(Context& ctx, const VolumeGrid& volume, View<const float> position_mm) {
  Buffer<float> unit(ctx, position_mm.size());
  to_unit_box(ctx, volume, position_mm, unit);
  Buffer<std::uint32_t> order(ctx, position_mm.size() / 3);
  morton_order(ctx, unit, order);
  return order;
}

Model initial_model(Context& ctx, const TrainingViews& views, const Config& config) {
  const VolumeGrid& volume = views.volume();
  const double voxel = volume.mean_spacing_mm();
  const ScaleBounds bounds{static_cast<float>(config.gaussians.min_scale_voxels * voxel),
                           static_cast<float>(config.gaussians.max_scale_voxels * voxel)};
  AttenuationField field(ctx, config.field, volume, config.training.seed);
  const InitialPointSet points = config.gaussians.init == InitialPoints::fdk ? draw_fdk_points(ctx, views, config)
                                                                             : draw_random_points(volume, config);
  GaussianCloud cloud = cloud_from_points(ctx, sorted(ctx, volume, points), bounds, field);
  // Not in braces within the model's: GCC 12 destroys what inner ones made twice where a later member throws.
  ViewNuisance nuisance{views.indices(), std::vector<float>(views.size(), 1), std::vector<float>(views.size(), 0)};
  Model model{std::move(cloud),    std::move(field), volume,
              views.time(),        views.detector(), config.gaussians.pixel_footprint,
              std::move(nuisance), to_toml(config),  views.test_views(),
              views.fingerprint()};
  model.field.set_density_scale_per_mm(calibrated_density_scale(ctx, views, model));
  return model;
}

}  // namespace dsasrgs
