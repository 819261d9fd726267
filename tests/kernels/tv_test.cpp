// SPDX-License-Identifier: Apache-2.0
#include "tv/tv.hpp"

#include <catch2/catch.hpp>

#include "dsasrgs/error.hpp"
#include "oracle/tv_oracle.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/random_values.hpp"
#include "tv/tv_math.hpp"

using namespace dsasrgs;

namespace {

VolumeGrid grid_of(int x, int y, int z) {
  VolumeGrid grid;
  grid.size_x = x;
  grid.size_y = y;
  grid.size_z = z;
  return grid;
}

struct Result {
  float value;
  std::vector<float> gradient;
};

Result run_on(Context ctx, const VolumeGrid& grid, const std::vector<float>& volume, float weight = 1,
              GradientMode mode = GradientMode::overwrite, float initial = 7) {
  const auto v = Buffer<float>::from_host(ctx, volume);
  auto gradient = Buffer<float>::from_host(ctx, std::vector<float>(volume.size(), initial));
  TotalVariationSaved saved;
  total_variation_forward(ctx, grid, v, saved);
  total_variation_backward(ctx, grid, v, weight, mode, gradient);
  return {total_variation_value(ctx, saved), gradient.to_host(ctx)};
}
Result run(const VolumeGrid& grid, const std::vector<float>& volume, float weight = 1,
           GradientMode mode = GradientMode::overwrite, float initial = 7) {
  return run_on(test::make_context(), grid, volume, weight, mode, initial);
}

std::vector<float> random_volume(const VolumeGrid& grid, std::uint32_t seed) {
  return test::random_values<float>(grid.num_voxels(), 0, 0.05f, seed);
}

}  // namespace

TEST_CASE("tv: a ramp, a step and a flat volume have closed forms", "[tv]") {
  const VolumeGrid grid = grid_of(4, 3, 2);
  std::vector<float> ramp, step;
  for (int i = 0; i < 24; ++i) {
    ramp.push_back(static_cast<float>(i % 4) + 10 * static_cast<float>(i / 4 % 3) - 100 * static_cast<float>(i / 12));
    step.push_back(i / 12 == 0 ? 0.0f : 3.0f);
  }
  // 18 differences of 1 along x, 16 of 10 along y, 12 of 100 along z.
  CHECK(run(grid, ramp).value == Approx((18 * 1 + 16 * 10 + 12 * 100) / 46.0).epsilon(1e-6));
  const Result r = run(grid, step);
  CHECK(r.value == Approx(12 * 3 / 46.0).epsilon(1e-6));
  for (int i = 0; i < 24; ++i) CHECK(r.gradient[i] == Approx((i < 12 ? -1 : 1) / 46.0).epsilon(1e-6));
  const Result flat = run(grid, std::vector<float>(24, 0.3f));
  CHECK(flat.value == 0);
  CHECK(flat.gradient == std::vector<float>(24, 0));
}

TEST_CASE("tv: a single voxel has no variation", "[tv]") {
  const Result r = run(grid_of(1, 1, 1), {5});
  CHECK(r.value == 0);
  CHECK(r.gradient == std::vector<float>{0});
}

TEST_CASE("tv: the derivative in double agrees with central differences", "[tv]") {
  const VolumeGrid grid = grid_of(4, 3, 5);
  const auto volume = test::random_values<double>(60, -1, 1, 3);
  const VolumeSize size = volume_size(grid);
  const auto numeric = test::numeric_gradient(
      [&](const std::vector<double>& v) {
        double sum = 0;
        for (std::size_t i = 0; i < v.size(); ++i) sum += forward_variation(v.data(), size, i);
        return sum;
      },
      volume, 1e-6);
  for (std::size_t i = 0; i < 60; ++i)
    CHECK(variation_derivative(volume.data(), size, i) == Approx(numeric[i]).epsilon(1e-6).margin(1e-6));
}

TEST_CASE("tv: value and gradient agree with the double oracle", "[tv]") {
  const auto [x, y, z] =
      GENERATE(table<int, int, int>({{1, 1, 9}, {9, 1, 1}, {1, 7, 1}, {2, 2, 2}, {5, 1, 6}, {7, 9, 4}, {17, 5, 11}}));
  CAPTURE(x, y, z);
  const VolumeGrid grid = grid_of(x, y, z);
  const auto volume = random_volume(grid, 8);
  const Result r = run(grid, volume, 2.5f);
  const auto oracle = [x = x, y = y, z = z](const std::vector<double>& v) {
    return test::total_variation_oracle(v, x, y, z);
  };
  const std::vector<double> start(volume.begin(), volume.end());
  CHECK(r.value == Approx(oracle(start)).epsilon(1e-6));
  auto numeric = test::numeric_gradient(oracle, start, 1e-8);
  for (double& g : numeric) g *= 2.5;
  CHECK(test::max_difference(r.gradient, numeric) < 2e-6);
}

TEST_CASE("tv: the gradient scales with the weight, overwrites or accumulates", "[tv]") {
  const VolumeGrid grid = grid_of(9, 6, 5);
  const auto volume = random_volume(grid, 4);
  const auto once = run(grid, volume).gradient, scaled = run(grid, volume, -0.05f).gradient;
  const auto added = run(grid, volume, 1, GradientMode::accumulate, 0.25f).gradient;
  for (std::size_t i = 0; i < once.size(); ++i) {
    CHECK(scaled[i] == Approx(-0.05 * once[i]).epsilon(1e-5));
    CHECK(added[i] == 0.25f + once[i]);
  }
}

TEST_CASE("tv: same bits for 1 and 2 threads", "[tv]") {
  const VolumeGrid grid = grid_of(33, 31, 29);
  const auto volume = random_volume(grid, 6);
  const Result a = run_on(Context::cpu(1), grid, volume), b = run_on(Context::cpu(2), grid, volume);
  CHECK(a.value == b.value);
  CHECK(a.gradient == b.gradient);
}

TEST_CASE("tv: CUDA agrees with the CPU", "[tv][parity]") {
  // The last has more voxels than the sum has threads.
  const auto [x, y, z] = GENERATE(table<int, int, int>({{1, 1, 1}, {7, 1, 3}, {32, 32, 32}, {43, 41, 39}}));
  CAPTURE(x, y, z);
  const VolumeGrid grid = grid_of(x, y, z);
  const auto volume = random_volume(grid, 7);
  const Result cpu = run_on(Context::cpu(1), grid, volume, 0.05f, GradientMode::accumulate, 1e-3f);
  const Result cuda = run(grid, volume, 0.05f, GradientMode::accumulate, 1e-3f);
  CHECK(cuda.value == Approx(cpu.value).epsilon(1e-6));
  CHECK(cuda.gradient == cpu.gradient);
  CHECK(run(grid, volume).value == cuda.value);  // same bits from run to run
}

TEST_CASE("tv: arguments are checked", "[tv]") {
  Context ctx = test::make_context();
  auto volume = Buffer<float>::zeros(ctx, 24), small = Buffer<float>::zeros(ctx, 23);
  TotalVariationSaved saved;
  const VolumeGrid grid = grid_of(4, 3, 2);
  CHECK_THROWS_AS(total_variation_value(ctx, saved), InvalidArgument);
  CHECK_THROWS_AS(total_variation_forward(ctx, grid_of(4, 0, 2), volume, saved), InvalidArgument);
  CHECK_THROWS_AS(total_variation_forward(ctx, grid, small, saved), InvalidArgument);
  CHECK_THROWS_AS(total_variation_backward(ctx, grid_of(-4, 3, 2), volume, 1, GradientMode::overwrite, volume),
                  InvalidArgument);
  CHECK_THROWS_AS(total_variation_backward(ctx, grid, small, 1, GradientMode::overwrite, volume), InvalidArgument);
  CHECK_THROWS_AS(total_variation_backward(ctx, grid, volume, 1, GradientMode::overwrite, small), InvalidArgument);
}
