// SPDX-License-Identifier: Apache-2.0
#include "voxelize/voxelize.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <numbers>
#include <vector>

#include "dsasrgs/error.hpp"
#include "oracle/voxelize_oracle.hpp"
#include "support/bad_bounds.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/random_values.hpp"
#include "support/voxelize_scene.hpp"
#include "voxelize/voxelize_math.hpp"

namespace dsasrgs {
namespace {

using Catch::Matchers::Contains;
using test::OracleGaussian;
using test::Scene, test::random_scene, test::DeviceScene, test::forward, test::backward;

/// Agreement with the oracle where no cut runs through the voxel.
void check_against_oracle(const Scene& s) {
  const std::vector<float> volume = forward(s);
  const test::OracleVolume expected = test::oracle_voxelize(s.oracle(), s.bounds.min_mm, s.bounds.max_mm, s.grid);
  std::size_t left_out = 0;
  double worst = 0;
  for (std::size_t v = 0; v < volume.size(); ++v) {
    if (expected.near_the_cut[v])
      ++left_out;
    else
      worst = std::max(worst, std::abs(volume[v] - expected.value[v]));
  }
  CHECK(worst < 1e-5);
  CHECK(left_out < volume.size() / 50 + 2);
}

template <class T>
VoxelShape<T> shape_of(const std::vector<T>& k) {
  return voxel_shape<T>({k[3], k[4], k[5]}, {k[6], k[7], k[8], k[9]}, T(0.2), T(4));
}
const std::vector<double> kGaussian{0.3, -0.2, 0.1, -1.5, 0.4, -0.3, 0.8, -0.4, 0.3, 0.6, 0.7};

}  // namespace

TEST_CASE("voxelize: the triangular factor gives the Mahalanobis distance and the exact box", "[voxelize]") {
  const VoxelShape<double> shape = shape_of(kGaussian);
  OracleGaussian k;
  std::copy(kGaussian.begin(), kGaussian.end(), k.begin());
  const VolumeGrid grid{5, 6, 7, {0.9, 0.7, 0.6}, {-2, -2.5, -2}};
  const std::vector<double> expected = test::oracle_distances(k, 0.2, 4, grid);
  std::size_t v = 0;
  for (int z = 0; z < 7; ++z)
    for (int y = 0; y < 6; ++y)
      for (int x = 0; x < 5; ++x, ++v) {
        const Vec3d p = grid.origin_mm + Vec3d{(x + 0.5) * 0.9, (y + 0.5) * 0.7, (z + 0.5) * 0.6};
        const Vec3d u = shape.whitening * (p - Vec3d{k[0], k[1], k[2]});
        REQUIRE(dot(u, u) == Approx(expected[v]).epsilon(1e-10));
      }
  // Σ = (UᵀU)⁻¹: its diagonal from the rotation and scale, and for zz also from the last entry of U.
  const Vec3d half = voxel_half_extent<double>(shape, 2.0);
  CHECK(half.z == Approx(2 / shape.whitening.r2.z).epsilon(1e-12));
  const Vec3d s = shape.scale;
  const Vec3d r = shape.rotation.r0;
  CHECK(half.x ==
        Approx(2 * std::sqrt(r.x * r.x * s.x * s.x + r.y * r.y * s.y * s.y + r.z * r.z * s.z * s.z)).epsilon(1e-12));
}

TEST_CASE("voxelize: the VJP agrees with central differences", "[voxelize]") {
  const std::vector<double> points = test::random_values<double>(3 * 40, -1.5, 1.5, 5);
  const std::vector<double> g = test::random_values<double>(40, -1, 1, 6);
  const auto sum = [&](const std::vector<double>& k, VoxelMoments<double>* m) {
    const VoxelShape<double> shape = shape_of(k);
    double loss = 0;
    for (std::size_t i = 0; i < 40; ++i) {
      const Vec3d z = shape.whitening * Vec3d{points[3 * i] - k[0], points[3 * i + 1] - k[1], points[3 * i + 2] - k[2]};
      const double w = g[i] * std::exp(-0.5 * dot(z, z));
      loss += k[10] * w;
      if (m)
        *m = {m->one + w,
              m->h + w * z.x,
              m->b + w * z.y,
              m->c + w * z.z,
              m->hh + w * z.x * z.x,
              m->hb + w * z.x * z.y,
              m->hc + w * z.x * z.z,
              m->bb + w * z.y * z.y,
              m->bc + w * z.y * z.z,
              m->cc + w * z.z * z.z};
    }
    return loss;
  };
  const std::vector<double> numeric = test::numeric_gradient([&](const auto& k) { return sum(k, nullptr); }, kGaussian);
  VoxelMoments<double> m;
  sum(kGaussian, &m);
  const VoxelGradient<double> v = voxel_gaussian_vjp<double>(
      shape_of(kGaussian), {kGaussian[6], kGaussian[7], kGaussian[8], kGaussian[9]}, 0.2, 4, kGaussian[10], m);
  const std::vector<double> grad{v.position_mm.x, v.position_mm.y, v.position_mm.z, v.raw_scale.x,
                                 v.raw_scale.y,   v.raw_scale.z,   v.rotation.w,    v.rotation.x,
                                 v.rotation.y,    v.rotation.z,    v.density};
  CHECK(test::relative_l2(grad, numeric) < 1e-8);
  for (std::size_t i = 0; i < grad.size(); ++i) CHECK(grad[i] == Approx(numeric[i]).epsilon(1e-6).margin(1e-9));
}

TEST_CASE("voxelize: an isotropic Gaussian has its mass less what lies beyond the cut", "[voxelize]") {
  Scene s;
  s.grid = {64, 64, 64, {0.25, 0.25, 0.25}, {-8, -8, -8}};
  s.add({0.13, -0.31, 0.07}, 1.5f, 0.8f);
  double sum = 0;
  for (const float v : forward(s)) sum += static_cast<double>(v);
  const double mass = sum * std::pow(0.25, 3);
  const double k = 3.5, pi = std::numbers::pi;
  // Of a 3D normal, this much lies within k standard deviations.
  const double within = std::erf(k / std::sqrt(2.0)) - std::sqrt(2 / pi) * k * std::exp(-0.5 * k * k);
  const double whole = 0.8 * std::pow(2 * pi, 1.5) * std::pow(1.5, 3);
  CHECK(mass == Approx(whole * within).epsilon(3e-4));
  CHECK(std::abs(mass - whole) > 4e-3 * whole);
}

TEST_CASE("voxelize: the volume agrees with brute force", "[voxelize]") {
  SECTION("many Gaussians, in and around the box") { check_against_oracle(random_scene(300, 11)); }
  SECTION("one Gaussian") { check_against_oracle(random_scene(1, 12)); }
  SECTION("rows longer than any vector") {
    Scene s = random_scene(40, 13);
    s.grid = {101, 9, 5, {0.3, 2.5, 4}, {-15, -11, -10}};
    check_against_oracle(s);
  }
  SECTION("a single voxel, a single row, a single column") {
    for (const auto& size : {std::vector<int>{1, 1, 1}, {5, 1, 1}, {1, 1, 19}, {1, 3, 2}}) {
      Scene s = random_scene(60, 14);
      s.grid = {size[0], size[1], size[2], {1.5, 2, 0.5}, {-4, -3, -5}};
      check_against_oracle(s);
    }
  }
  SECTION("thin Gaussians far from the grid's corner") {
    Scene s = random_scene(100, 15);
    s.bounds = {0.03f, 4.0f};
    s.raw_scale = test::random_values(300, -12.0f, 2.0f, 16);
    s.grid = {400, 30, 30, {0.5, 0.5, 0.5}, {-190, -7, -7}};
    check_against_oracle(s);
  }
  SECTION("Gaussians much larger than the grid") {
    Scene s = random_scene(20, 17);
    s.bounds = {100.0f, 1e6f};
    check_against_oracle(s);
  }
}

TEST_CASE("voxelize: the forward pass is linear in density and its adjoint is the gradient", "[voxelize]") {
  const Scene s = random_scene(513, 21);
  const std::vector<float> y = test::random_values(s.grid.num_voxels(), -1.0f, 1.0f, 22);
  const std::vector<float> grad = backward(s, y);
  std::vector<float> grad_density;
  for (std::size_t i = 0; i < s.size(); ++i) grad_density.push_back(grad[11 * i + 10]);
  const double left = test::inner_product(forward(s), y), right = test::inner_product(s.density, grad_density);
  CHECK(left == Approx(right).epsilon(1e-5));
}

TEST_CASE("voxelize: gradients agree with differences of the brute-force loss", "[voxelize]") {
  Scene s = random_scene(12, 31);
  s.density = test::random_values(12, 0.2f, 1.0f, 32);
  s.raw_scale = test::random_values(36, -2.5f, 1.0f, 33);
  const std::vector<float> g = test::random_values(s.grid.num_voxels(), -1.0f, 1.0f, 34);
  const std::vector<float> grad = backward(s, g);
  for (std::size_t i = 0; i < s.size(); ++i) {
    const OracleGaussian k = s.oracle(i);
    const double min_mm = s.bounds.min_mm, max_mm = s.bounds.max_mm;
    // Which voxels count is geometry, not differentiated.
    const std::vector<double> base = test::oracle_distances(k, min_mm, max_mm, s.grid);
    const auto loss = [&](const std::vector<double>& p) {
      OracleGaussian moved;
      std::copy(p.begin(), p.end(), moved.begin());
      const std::vector<double> q = test::oracle_distances(moved, min_mm, max_mm, s.grid);
      double sum = 0;
      for (std::size_t v = 0; v < q.size(); ++v)
        if (base[v] <= 3.5 * 3.5) sum += static_cast<double>(g[v]) * p[10] * std::exp(-0.5 * q[v]);
      return sum;
    };
    const std::vector<double> expected = test::numeric_gradient(loss, {k.begin(), k.end()});
    const auto part = [&](std::size_t from, std::size_t to) {
      return test::relative_l2(std::vector<float>(grad.begin() + 11 * i + from, grad.begin() + 11 * i + to),
                               std::vector<double>(expected.begin() + from, expected.begin() + to));
    };
    CAPTURE(i);
    CHECK(part(0, 3) < 1e-4);
    CHECK(part(3, 6) < 1e-4);
    CHECK(part(6, 10) < 1e-4);
    CHECK(part(10, 11) < 1e-4);
  }
}

TEST_CASE("voxelize: the gradient of a Gaussian ignores voxels outside its cut", "[voxelize]") {
  Scene s;
  s.add({0, 0, 0}, 0.6f, 1.0f);
  const std::vector<double> q = test::oracle_distances(s.oracle(0), s.bounds.min_mm, s.bounds.max_mm, s.grid);
  std::vector<float> clean(q.size()), dirty(q.size());
  for (std::size_t v = 0; v < q.size(); ++v) {
    const bool inside = q[v] <= 3.5 * 3.5;
    clean[v] = inside ? 0.5f : 0.0f;
    dirty[v] = inside ? 0.5f : std::numeric_limits<float>::quiet_NaN();
  }
  CHECK(backward(s, clean) == backward(s, dirty));
}

TEST_CASE("voxelize: results have the same bits for any number of threads", "[voxelize]") {
  const Scene s = random_scene(700, 41);
  const std::vector<float> g = test::random_values(s.grid.num_voxels(), -1.0f, 1.0f, 42);
  const auto same = [](const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
  };
  CHECK(same(forward(s, 1), forward(s, 2)));
  CHECK(same(forward(s, 1), forward(s, 5)));
  CHECK(same(backward(s, g, 1), backward(s, g, 2)));
}

TEST_CASE("voxelize: gradients are set or added to, as asked", "[voxelize]") {
  const Scene s = random_scene(20, 51);
  const std::vector<float> g = test::random_values(s.grid.num_voxels(), -1.0f, 1.0f, 52);
  const std::vector<float> set = backward(s, g, 2, GradientMode::overwrite, 9.0f);
  const std::vector<float> added = backward(s, g, 2, GradientMode::accumulate, 9.0f);
  for (std::size_t i = 0; i < set.size(); ++i) REQUIRE(added[i] == 9.0f + set[i]);
}

TEST_CASE("voxelize: Gaussians that miss the grid or are not finite add nothing and get no gradient", "[voxelize]") {
  Scene s;
  s.add({100, 0, 0}, 1.0f, 1.0f);
  s.add({1e30, -1e30, 1e30}, 1.0f, 1.0f);
  s.add({0, 0, 0}, 1.0f, 1.0f);
  s.position[7] = std::numeric_limits<float>::quiet_NaN();
  s.add({0, 0, 0}, 1.0f, 1.0f);
  s.rotation[12] = 0;  // no direction
  const std::vector<float> volume = forward(s);
  CHECK(volume == std::vector<float>(volume.size(), 0.0f));
  const std::vector<float> grad = backward(s, std::vector<float>(volume.size(), 1.0f));
  CHECK(grad == std::vector<float>(grad.size(), 0.0f));
}

TEST_CASE("voxelize: an empty cloud gives an empty volume", "[voxelize]") {
  const Scene s;
  CHECK(forward(s) == std::vector<float>(s.grid.num_voxels(), 0.0f));
  CHECK(backward(s, std::vector<float>(s.grid.num_voxels(), 1.0f)).empty());
}

TEST_CASE("voxelize: CUDA agrees with the CPU", "[voxelize][parity]") {
  Context cpu = Context::cpu(1), ctx = test::make_context();
  const auto compare = [&](const Scene& s) {
    const std::vector<float> expected = forward(cpu, s);
    std::vector<float> found = forward(ctx, s);
    // Rounding may put a voxel on either side of a Gaussian's cut, where G = 0.0022.
    std::size_t num_other_side = 0;
    for (std::size_t v = 0; v < found.size(); ++v) {
      const float difference = std::abs(found[v] - expected[v]);
      if (difference < 2e-5f) continue;
      CHECK(difference < 0.0044f);
      ++num_other_side;
      found[v] = expected[v];
    }
    CHECK(num_other_side <= 1 + s.size() * expected.size() / 1'000'000);
    CHECK(test::relative_l2(found, expected) < 1e-6);

    const std::vector<float> y = test::random_values(expected.size(), -1.0f, 1.0f, 72);
    for (const GradientMode mode : {GradientMode::overwrite, GradientMode::accumulate}) {
      const std::vector<float> a = backward(ctx, s, y, mode), b = backward(cpu, s, y, mode);
      for (const auto& [from, to] : {std::pair{0, 3}, {3, 6}, {6, 10}, {10, 11}}) {
        std::vector<float> part_a, part_b;
        for (std::size_t i = 0; i < s.size(); ++i) {
          part_a.insert(part_a.end(), a.begin() + 11 * i + from, a.begin() + 11 * i + to);
          part_b.insert(part_b.end(), b.begin() + 11 * i + from, b.begin() + 11 * i + to);
        }
        CAPTURE(from);
        CHECK(test::relative_l2(part_a, part_b) < 2e-5);
      }
    }
  };
  SECTION("Gaussians of all shapes") {
    Scene s = random_scene(test::kThreadSanitized ? 101 : 1001, 71);
    s.grid = {37, 29, 41, {0.8, 0.9, 0.7}, {-14, -13, -14}};
    for (std::size_t i = 0; i < s.size(); i += 7) s.density[i] = 0;
    compare(s);
  }
  SECTION("thin Gaussians") {
    const std::size_t n = test::kThreadSanitized ? 40 : 200;
    Scene s = random_scene(n, 73);
    s.bounds = {0.03f, 4.0f};
    s.raw_scale = test::random_values(3 * n, -12.0f, 2.0f, 74);
    compare(s);
  }
  SECTION("one Gaussian, no Gaussian, one voxel") {
    compare(random_scene(1, 75));
    compare(random_scene(0, 76));
    Scene s = random_scene(33, 77);
    s.grid = {1, 1, 1, {2, 2, 2}, {-1, -1, -1}};
    compare(s);
  }
  SECTION("more pairs of Gaussian and brick than are binned at once: several slabs, and several passes over one") {
    if (test::kThreadSanitized) return;
    Scene s = random_scene(48, 78);
    s.bounds = {1e4f, 1e5f};
    for (const VolumeGrid& grid :
         {VolumeGrid{1, 1, 13'000, {1, 1, 1}, {0, 0, -6500}}, VolumeGrid{1, 13'000, 1, {1, 1, 1}, {0, -6500, 0}}}) {
      s.grid = grid;
      compare(s);
    }
  }
}

TEST_CASE("voxelize: wrong arguments are refused", "[voxelize]") {
  Context ctx = test::make_context();
  const Scene s = random_scene(3, 61);
  DeviceScene device(ctx, s);
  Buffer<float> volume(ctx, s.grid.num_voxels()), small(ctx, 2), position(ctx, 9), scale(ctx, 9), rotation(ctx, 12),
      density(ctx, 3);
  const GaussianGradient grad{position, scale, rotation, density};
  const auto run = [&](const VoxelizeInput& in, View<float> v) { voxelize_forward(ctx, in, v); };
  CHECK_THROWS_WITH(run(device.input, small), Contains("voxelize_forward: volume: expected 8694 elements, found 2"));
  VoxelizeInput bad = device.input;
  bad.density = small;
  CHECK_THROWS_AS(run(bad, volume), InvalidArgument);
  CHECK_THROWS_WITH(run(bad, volume), Contains("density: expected 3 elements, found 2"));
  bad = device.input;
  bad.gaussians.position_mm = View<const float>(position.data(), 8);
  CHECK_THROWS_WITH(run(bad, volume), Contains("position_mm"));
  bad = device.input;
  bad.gaussians.raw_scale = small;
  CHECK_THROWS_WITH(run(bad, volume), Contains("raw_scale"));
  bad = device.input;
  bad.gaussians.rotation = small;
  CHECK_THROWS_WITH(run(bad, volume), Contains("rotation"));
  bad = device.input;
  bad.grid.size_y = 0;
  CHECK_THROWS_WITH(run(bad, volume), Contains("grid: expected at least 1 x 1 x 1 voxels, found 21 x 0 x 23"));
  bad = device.input;
  bad.grid.spacing_mm.z = -1;
  CHECK_THROWS_WITH(run(bad, volume), Contains("grid: expected a positive spacing"));
  bad = device.input;
  for (const ScaleBounds bounds : test::kBadBounds) {
    bad.gaussians.bounds = bounds;
    CHECK_THROWS_WITH(run(bad, volume), Contains("bounds: expected 0 < min_mm < max_mm"));
  }
  const auto back = [&](View<const float> g, const GaussianGradient& out) {
    voxelize_backward(ctx, device.input, g, GradientMode::overwrite, out);
  };
  CHECK_NOTHROW(back(volume, grad));
  CHECK_THROWS_WITH(back(small, grad), Contains("voxelize_backward: grad_volume"));
  CHECK_THROWS_WITH(back(volume, {small, scale, rotation, density}), Contains("gradient position_mm"));
  CHECK_THROWS_WITH(back(volume, {position, small, rotation, density}), Contains("gradient raw_scale"));
  CHECK_THROWS_WITH(back(volume, {position, scale, small, density}), Contains("gradient rotation"));
  CHECK_THROWS_WITH(back(volume, {position, scale, rotation, small}), Contains("gradient density"));
}

}  // namespace dsasrgs
