// SPDX-License-Identifier: Apache-2.0
// project and rasterize together: against the exact ray integral, and the gradient of the whole chain.

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <numbers>
#include <vector>

#include "oracle/rasterize_oracle.hpp"
#include "oracle/ray_integral_oracle.hpp"
#include "project/project_math.hpp"
#include "rasterize/rasterize.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/projected_cloud.hpp"

namespace dsasrgs::test {

namespace {

std::vector<float> render(Context& ctx, const TestCloud& cloud, const Pose& pose, const Detector& detector,
                          bool footprint) {
  ProjectedCloud p(ctx, cloud, pose, detector, footprint);
  RasterizeScratch scratch;
  Buffer<float> image(ctx, detector.num_pixels());
  rasterize_forward(ctx, {detector.width_px, detector.height_px, p.mean_px, p.conic, p.amplitude, p.box}, scratch,
                    image);
  return image.to_host(ctx);
}

GaussianOracle oracle_gaussian(const TestCloud& cloud, std::size_t i) {
  const auto x = cloud.parameters(i);
  return {{x[0], x[1], x[2]},
          bounded_scale(Vec3d{x[3], x[4], x[5]}, double(cloud.bounds.min_mm), double(cloud.bounds.max_mm)),
          {x[6], x[7], x[8], x[9]},
          x[10]};
}

TestCloud single(const TestCloud& c, std::size_t i) {
  const auto part = [&](const std::vector<float>& v, std::size_t width) {
    return std::vector<float>(v.begin() + static_cast<std::ptrdiff_t>(width * i),
                              v.begin() + static_cast<std::ptrdiff_t>(width * (i + 1)));
  };
  return {part(c.position_mm, 3), part(c.raw_scale, 3), part(c.rotation, 4), part(c.density, 1), c.bounds};
}

/// Largest |rendered − exact| / peak over the pixels of Gaussians up to 80 mm off axis that the cut-off leaves in.
double worst_error_of_peak(Context& ctx, float max_mm, std::size_t n) {
  const Pose pose = carm_pose({}, 0);
  const Detector detector{1100, 1100, 0.308, 0.308};
  const TestCloud cloud = random_cloud(n, {0.03f, max_mm}, 55, 31);  // the cube's corners are 78 mm off axis
  double worst = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const auto image = render(ctx, single(cloud, i), pose, detector, false);
    const GaussianOracle k = oracle_gaussian(cloud, i);
    const double peak = k.ray_integral(pose.source_mm, k.mean_mm);
    std::size_t inside = 0;
    for (int y = 0; y < detector.height_px; ++y)
      for (int x = 0; x < detector.width_px; ++x) {
        const double v = image[static_cast<std::size_t>(y) * 1100 + static_cast<std::size_t>(x)];
        if (v == 0) continue;
        ++inside;
        const double exact = k.ray_integral(pose.source_mm, detector_point(pose, detector, {x + 0.5, y + 0.5}));
        worst = std::max(worst, std::abs(v - exact) / peak);
      }
    REQUIRE(inside > 0);
  }
  return worst;
}

}  // namespace

TEST_CASE("xray_projection: within the cut-off the image is the exact ray integral to the first order",
          "[project][rasterize]") {
  Context ctx = make_context();
  const std::size_t n = ctx.backend() == Backend::cpu ? 40 : 5;  // an emulated image takes its time
  // The bounds of method.md section 1.
  const double small = worst_error_of_peak(ctx, 0.3f, n), medium = worst_error_of_peak(ctx, 1.0f, n),
               large = worst_error_of_peak(ctx, 3.0f, n);
  INFO("errors relative to the peak: " << small << ", " << medium << ", " << large);
  CHECK(small < 3e-4);
  CHECK(medium < 9e-4);
  CHECK(large < 2.8e-3);
}

TEST_CASE("xray_projection: the gradient of <w, image> equals central differences", "[project][rasterize]") {
  CArmView c_arm;
  c_arm.primary_rad = 0.6;
  c_arm.secondary_rad = 0.3;
  c_arm.offset_u_mm = 5;
  const Pose pose = carm_pose(c_arm, 0);
  const Detector detector{70, 66, 3.1, 2.9};
  const std::size_t n = 60;
  for (const bool footprint : {false, true}) {
    Context ctx = make_context();
    const TestCloud cloud = random_cloud(n, {0.8f, 6.0f}, 60, 17);
    const auto w = random_values(detector.num_pixels(), -1.0f, 1.0f, 18);

    ProjectedCloud p(ctx, cloud, pose, detector, footprint);
    const CloudOnDevice device(ctx, cloud);
    const RasterizeInput in{detector.width_px, detector.height_px, p.mean_px, p.conic, p.amplitude, p.box};
    Buffer<float> grad_mean(ctx, 2 * n), grad_conic(ctx, 3 * n), grad_amplitude(ctx, n);
    rasterize_backward(ctx, in, Buffer<float>::from_host(ctx, w).view(), GradientMode::overwrite,
                       {grad_mean, grad_conic, grad_amplitude});
    CloudGradient g(ctx, n, 0.0f);
    project_backward(ctx, {device.view(cloud.bounds), device.density, pose, detector, footprint},
                     {grad_mean, grad_conic, grad_amplitude}, GradientMode::overwrite, g.view());

    // In double: a Gaussian's pixels are those within the cut-off at the start, so that the cut itself has no gradient.
    const auto view = projection_constants(pose, detector, cloud.bounds, footprint);
    const auto box = p.box.to_host(ctx);
    std::vector<double> position, raw_scale, rotation, density;
    for (std::size_t i = 0; i < n; ++i) {
      const auto raster_gaussian = [&](const std::vector<double>& x) {
        const auto q =
            project_gaussian<double>(view, {x[0], x[1], x[2]}, {x[3], x[4], x[5]}, {x[6], x[7], x[8], x[9]}, x[10]);
        return RasterGaussian{q.mean_u, q.mean_v, q.conic_xx, q.conic_xy, q.conic_yy, q.amplitude, box[i]};
      };
      const std::vector<double> start = cloud.parameters(i);
      std::vector<Vec2<int>> pixels;
      for_each_pair({raster_gaussian(start)}, detector.width_px, detector.height_px, 0,
                    [&](std::size_t, int x, int y, double, bool, bool inside) {
                      if (inside) pixels.push_back({x, y});
                    });
      const auto numeric = numeric_gradient(
          [&](const std::vector<double>& x) {
            const RasterGaussian k = raster_gaussian(x);
            double sum = 0;
            for (const Vec2<int>& at : pixels)
              sum += k.amplitude * std::exp(-0.5 * k.mahalanobis2(at.x, at.y)) *
                     static_cast<double>(w[static_cast<std::size_t>(at.y * detector.width_px + at.x)]);
            return sum;
          },
          start);
      position.insert(position.end(), numeric.begin(), numeric.begin() + 3);
      raw_scale.insert(raw_scale.end(), numeric.begin() + 3, numeric.begin() + 6);
      rotation.insert(rotation.end(), numeric.begin() + 6, numeric.begin() + 10);
      density.push_back(numeric[10]);
    }
    CHECK(relative_l2(g.position.to_host(ctx), position) < 1e-4);
    CHECK(relative_l2(g.raw_scale.to_host(ctx), raw_scale) < 1e-4);
    CHECK(relative_l2(g.rotation.to_host(ctx), rotation) < 1e-4);
    CHECK(relative_l2(g.density.to_host(ctx), density) < 1e-4);
  }
}

TEST_CASE("xray_projection: the footprint keeps the mass of Gaussians smaller than a pixel", "[project][rasterize]") {
  Context ctx = make_context();
  const Pose pose = carm_pose({}, 0);
  const Detector detector{64, 64, 1.232, 1.232};
  // σ = 0.05 mm is 0.065 px: without the footprint most Gaussians fall between pixel centres.
  const double scale = 0.05, pixel_mm = 1.232 * 750 / 1200;
  constexpr int kSteps = 12;
  TestCloud cloud = random_cloud(1, {0.04f, 1.0f}, 0, 1);
  for (float& s : cloud.raw_scale) s = raw_scale_from(0.05f, 0.04f, 1.0f);
  cloud.density = {0.04f};
  double with = 0, without = 0, faintest = 1;
  int invisible = 0;
  for (int i = 0; i < kSteps; ++i)
    for (int j = 0; j < kSteps; ++j) {  // the Gaussian's centre anywhere in a pixel
      cloud.place(0, {0, pixel_mm * (i + 0.5) / kSteps, pixel_mm * (j + 0.5) / kSteps});
      const auto sum = [&](bool footprint) {
        double total = 0;
        for (const float v : render(ctx, cloud, pose, detector, footprint)) total += static_cast<double>(v);
        return total * pixel_mm * pixel_mm;  // at the isocentre, mm²
      };
      const double mass = std::pow(2 * std::numbers::pi, 1.5) * scale * scale * scale * 0.04;
      const double narrow = sum(false) / mass, wide = sum(true) / mass;
      invisible += narrow == 0;
      without += narrow / (kSteps * kSteps);
      with += wide / (kSteps * kSteps);
      faintest = std::min(faintest, wide);
    }
  INFO("mean mass " << with << " with, " << without << " without; faintest " << faintest);
  CHECK(with == Approx(1).epsilon(0.01));
  CHECK(faintest > 0.3);
  CHECK(invisible > kSteps * kSteps / 2);
}

TEST_CASE("xray_projection: a large Gaussian's image sums to its mass, with and without the footprint",
          "[project][rasterize]") {
  Context ctx = make_context();
  const Pose pose = carm_pose({}, 0);
  const Detector detector{256, 256, 0.616, 0.616};
  TestCloud cloud = random_cloud(1, {0.5f, 3.0f}, 0, 6);
  const GaussianOracle k = oracle_gaussian(cloud, 0);
  const double mass =
      std::pow(2 * std::numbers::pi, 1.5) * k.scale_mm.x * k.scale_mm.y * k.scale_mm.z * k.density_per_mm;
  const double pixel_mm = 0.616 * 750 / 1200;
  for (const bool footprint : {false, true}) {
    double total = 0;
    for (const float v : render(ctx, cloud, pose, detector, footprint)) total += static_cast<double>(v);
    // The cut-off leaves out exp(−3.5²/2) = 0.22 %.
    CHECK(total * pixel_mm * pixel_mm == Approx(mass * (1 - std::exp(-6.125))).epsilon(5e-4));
  }
}

TEST_CASE("xray_projection: Gaussians behind the source and off the image leave it black", "[project][rasterize]") {
  Context ctx = make_context();
  const Pose pose = carm_pose({}, 0);
  const Detector detector{50, 40, 1, 1};
  TestCloud cloud = random_cloud(4, {0.5f, 3.0f}, 0, 6);
  cloud.place(0, {800, 0, 0});
  cloud.place(1, {750, 0, 0});
  cloud.place(2, {0, 400, 0});
  cloud.place(3, {0, 0, -300});
  for (const float v : render(ctx, cloud, pose, detector, true)) REQUIRE(v == 0);
}

}  // namespace dsasrgs::test
