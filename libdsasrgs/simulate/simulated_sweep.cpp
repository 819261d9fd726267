// SPDX-License-Identifier: Apache-2.0
// The detector of simulated sweeps.
#include "simulate/simulated_sweep.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "common/checks.hpp"
#include "common/parallel.hpp"
#include "dsasrgs/buffer.hpp"
#include "simulate/head_phantom.hpp"
#include "simulate/photon_noise.hpp"

namespace dsasrgs {

namespace {

constexpr double kFewestPhotons = 0.5;  // stands for a count of zero, whose logarithm there is not
constexpr double kMostPhotons = 1e15;   // far below what a count in double precision holds
constexpr std::uint32_t kMaskRun = 0, kFillRun = 1;

/// What one pixel collects over its rays, in fractions of the intensity in air.
struct PixelSums {
  double mask = 0, fill = 0, fill_without_vessels = 0;
};

}  // namespace

void check_simulation_options(const SimulationOptions& o) {
  const auto check = [](bool ok, const char* field, const char* expected, double found) {
    require_field(ok && std::isfinite(found), field, expected, found);
  };
  check(o.sweep.num_views >= 1 && o.sweep.num_views <= 1 << 20, "sweep.num_views", "1 to 1048576", o.sweep.num_views);
  check(o.sweep.duration_s >= 0, "sweep.duration_s", "0 or more", o.sweep.duration_s);
  check(o.detector.width_px >= 1, "detector.width_px", "1 or more", o.detector.width_px);
  check(o.detector.height_px >= 1, "detector.height_px", "1 or more", o.detector.height_px);
  check(is_length(o.detector.pitch_u_mm), "detector.pitch_u_mm", "1e-6 to 1e9 mm", o.detector.pitch_u_mm);
  check(is_length(o.detector.pitch_v_mm), "detector.pitch_v_mm", "1e-6 to 1e9 mm", o.detector.pitch_v_mm);
  check(o.scale >= 1 && o.scale <= 64, "scale", "1 to 64", o.scale);
  check(o.samples_per_pixel >= 1 && o.samples_per_pixel <= 64, "samples_per_pixel", "1 to 64", o.samples_per_pixel);
  check(o.volume.size_x >= 1, "volume.size_x", "1 or more", o.volume.size_x);
  check(o.volume.size_y >= 1, "volume.size_y", "1 or more", o.volume.size_y);
  check(o.volume.size_z >= 1, "volume.size_z", "1 or more", o.volume.size_z);
  check(is_length(o.volume.spacing_mm.x), "volume.spacing_mm.x", "1e-6 to 1e9 mm", o.volume.spacing_mm.x);
  check(is_length(o.volume.spacing_mm.y), "volume.spacing_mm.y", "1e-6 to 1e9 mm", o.volume.spacing_mm.y);
  check(is_length(o.volume.spacing_mm.z), "volume.spacing_mm.z", "1e-6 to 1e9 mm", o.volume.spacing_mm.z);
  check(is_position({o.volume.origin_mm.x, 0, 0}), "volume.origin_mm.x", "within 1e9 mm", o.volume.origin_mm.x);
  check(is_position({o.volume.origin_mm.y, 0, 0}), "volume.origin_mm.y", "within 1e9 mm", o.volume.origin_mm.y);
  check(is_position({o.volume.origin_mm.z, 0, 0}), "volume.origin_mm.z", "within 1e9 mm", o.volume.origin_mm.z);
  check(o.photons >= 0 && o.photons <= kMostPhotons, "photons", "0 to 1e15", o.photons);
  check(true, "motion_mm.x", "a finite length", o.motion_mm.x);
  check(true, "motion_mm.y", "a finite length", o.motion_mm.y);
  check(true, "motion_mm.z", "a finite length", o.motion_mm.z);
  check(o.num_train_views >= 1 && o.num_train_views <= o.sweep.num_views, "num_train_views", "1 to sweep.num_views",
        o.num_train_views);
}

std::vector<double> frame_times_s(const std::vector<Pose>& poses) {
  std::vector<double> times;
  times.reserve(poses.size());
  for (const Pose& pose : poses) times.push_back(pose.time_s);
  return times;
}

Simulation acquire_sweep(Context& ctx, const SimulationOptions& options, const ViewIntegrals& integrals,
                         const std::string& name) {
  check_simulation_options(options);
  Simulation simulation;
  Acquisition& acquisition = simulation.acquisition;
  acquisition.detector = options.detector;
  acquisition.volume = options.volume;
  acquisition.poses = circular_poses(options.sweep);
  acquisition.name = name;

  const int fine_side = options.scale;             // fine (truth) pixels along a pixel's side
  const int ray_side = options.samples_per_pixel;  // rays along a fine pixel's side
  const Detector& detector = options.detector;
  const Detector fine = detector.refined(fine_side), rays = fine.refined(ray_side);
  const std::size_t num_views = acquisition.poses.size(), num_pixels = detector.num_pixels();
  acquisition.projections = host_vector<float>(size_product(num_views, num_pixels));
  simulation.raw.mask = host_vector<float>(size_product(num_views, num_pixels));
  simulation.raw.fill = host_vector<float>(size_product(num_views, num_pixels));
  ReferenceProjections truth{fine_side, host_vector<float>(size_product(num_views, fine.num_pixels()))};

  const std::vector<BackgroundEllipsoid> head =
      options.head_background ? head_ellipsoids() : std::vector<BackgroundEllipsoid>{};
  const bool moved = !(options.motion_mm == Vec3d{}) && options.head_background;
  const double rays_per_fine = static_cast<double>(ray_side) * ray_side;
  const double rays_per_pixel = rays_per_fine * fine_side * fine_side;
  const double air = options.photons > 0 ? options.photons : 1;

  for (std::size_t view = 0; view < num_views; ++view) {
    const Pose& pose = acquisition.poses[view];
    const std::vector<float> vessels = integrals(pose, rays);
    const BackgroundView mask_head(head, pose.source_mm, {}), fill_head(head, pose.source_mm, options.motion_mm);

    const auto collect = [&](int fine_x, int fine_y) {
      PixelSums sums;
      for (int ry = fine_y * ray_side; ry < (fine_y + 1) * ray_side; ++ry)
        for (int rx = fine_x * ray_side; rx < (fine_x + 1) * ray_side; ++rx) {
          const Vec3d direction = normalized(detector_point(pose, rays, {rx + 0.5, ry + 0.5}) - pose.source_mm);
          const double vessel = vessels[static_cast<std::size_t>(ry) * rays.width_px + rx];
          const double background = fill_head.line_integral(direction), without = std::exp(-background);
          sums.fill_without_vessels += without;
          sums.fill += vessel > 0 ? std::exp(-background - vessel) : without;
          sums.mask += moved ? std::exp(-mask_head.line_integral(direction)) : without;
        }
      return sums;
    };
    const auto read_out = [&](double fraction_of_air, std::size_t pixel, std::uint32_t run) {
      const double intensity = fraction_of_air * air;
      if (options.photons == 0) return std::max(static_cast<float>(intensity), std::numeric_limits<float>::min());
      const double count = poisson_sample(intensity, options.seed, view * num_pixels + pixel, run);
      return static_cast<float>(count > 0 ? count : kFewestPhotons);
    };

    parallel_for(ctx, static_cast<std::size_t>(detector.height_px), [&](std::size_t row) {
      ctx.throw_if_stopped("simulation");
      for (int column = 0; column < detector.width_px; ++column) {
        PixelSums pixel;
        for (int fy = 0; fy < fine_side; ++fy)
          for (int fx = 0; fx < fine_side; ++fx) {
            const int fine_x = column * fine_side + fx, fine_y = static_cast<int>(row) * fine_side + fy;
            const PixelSums sums = collect(fine_x, fine_y);
            truth.values[view * fine.num_pixels() + static_cast<std::size_t>(fine_y) * fine.width_px + fine_x] =
                static_cast<float>(std::log(sums.fill_without_vessels) - std::log(sums.fill));
            pixel.mask += sums.mask;
            pixel.fill += sums.fill;
          }
        const std::size_t in_view = row * detector.width_px + column, at = view * num_pixels + in_view;
        const float mask = read_out(pixel.mask / rays_per_pixel, in_view, kMaskRun);
        const float fill = read_out(pixel.fill / rays_per_pixel, in_view, kFillRun);
        simulation.raw.mask[at] = mask;
        simulation.raw.fill[at] = fill;
        acquisition.projections[at] =
            static_cast<float>(std::log(static_cast<double>(mask)) - std::log(static_cast<double>(fill)));
      }
    });
  }
  acquisition.reference_projections = std::move(truth);

  acquisition.train_views = evenly_spaced_views(acquisition.num_views(), options.num_train_views);
  for (int view = 0, next = 0; view < acquisition.num_views(); ++view) {
    if (next < options.num_train_views && acquisition.train_views[next] == view)
      ++next;
    else
      acquisition.test_views.push_back(view);
  }
  return simulation;
}

}  // namespace dsasrgs
