// SPDX-License-Identifier: Apache-2.0
// The hash encoding on random points, the worst case for the caches, and on a vessel cloud sorted along a curve, which
// is what training keeps. Nobody takes the gradient that a backward pass leaves. Arguments: threads, points.

#include "attenuation/attenuation.hpp"
#include "hash_grid/hash_grid.hpp"
#include "measure.hpp"
#include "morton/morton.hpp"
#include "vessel_cloud.hpp"

namespace dsasrgs::bench {
namespace {

const HashGridShape k16Levels{3, 16, 19, 8, 1.45}, kSpace{3, 12, 19, 8, 1.45}, kSpaceTime{4, 12, 19, 2, 1.4};

/// Gathered entries (8 bytes) of n points, each read or, on the way back, read and added to, and the features.
double gathered_bytes(const HashGridShape& s, std::size_t n, double touches) {
  const double corners = s.dimensions == 3 ? 8 : 16;
  return static_cast<double>(n) * s.levels * (8 * corners * touches + 8);
}

enum class Points { random, sorted };

/// In the unit box.
Buffer<float> points(Context& ctx, std::size_t n, Points kind) {
  if (kind == Points::random) return uniform(ctx, 3 * n, 0, 1);
  const VolumeGrid box{256, 256, 256, {0.625, 0.625, 0.625}, {-80, -80, -80}};
  const auto position_mm = Buffer<float>::from_host(ctx, vessel_cloud(n).position_mm);
  Buffer<float> position(ctx, 3 * n);
  to_unit_box(ctx, box, position_mm, position);
  Buffer<std::uint32_t> order(ctx, n);
  morton_order(ctx, position, order);
  const std::vector<float> unsorted = position.to_host(ctx);
  std::vector<float> sorted;
  for (const std::size_t i : order.to_host(ctx)) sorted.insert(sorted.end(), &unsorted[3 * i], &unsorted[3 * i] + 3);
  return Buffer<float>::from_host(ctx, sorted);
}

void hash_grid_forward_pass(benchmark::State& state, const HashGridShape& shape, Points kind) {
  Context ctx = context_on(state.range(0));
  const std::size_t n = static_cast<std::size_t>(state.range(1));
  const auto position = points(ctx, n, kind), table = uniform(ctx, hash_grid_num_parameters(shape), -1, 1);
  Buffer<float> features(ctx, static_cast<std::size_t>(shape.levels) * kHashFeatures * n);
  measure(state, ctx, {gathered_bytes(shape, n, 1), 0}, [&] {
    hash_grid_forward(ctx, {shape, position, 0.4f, table}, features);
  });
}

void hash_grid_backward_pass(benchmark::State& state, const HashGridShape& shape, bool to_position, Points kind) {
  Context ctx = context_on(state.range(0));
  const std::size_t n = static_cast<std::size_t>(state.range(1));
  const auto position = points(ctx, n, kind), table = uniform(ctx, hash_grid_num_parameters(shape), -1, 1),
             grad_features = uniform(ctx, static_cast<std::size_t>(shape.levels) * kHashFeatures * n, -1, 1);
  Buffer<float> grad_position(ctx, to_position ? 3 * n : 0);
  HashGridScratch scratch;
  measure(state, ctx, {gathered_bytes(shape, n, to_position ? 3 : 2), 0}, [&] {
    hash_grid_backward(ctx, {shape, position, 0.4f, table}, grad_features, {grad_position}, scratch);
  });
}

void sizes(benchmark::internal::Benchmark* b) {
  timed(b)->ArgNames({"threads", "points"})->ArgsProduct({machines(), {20000, 50000, 100000}});
}

const AtStart registered([] {
  sizes(RegisterBenchmark("hash_grid_forward_pass/3d_16_levels", hash_grid_forward_pass, k16Levels, Points::random));
  sizes(RegisterBenchmark("hash_grid_forward_pass/3d", hash_grid_forward_pass, kSpace, Points::random));
  sizes(RegisterBenchmark("hash_grid_forward_pass/4d", hash_grid_forward_pass, kSpaceTime, Points::random));
  sizes(RegisterBenchmark("hash_grid_forward_pass/3d_sorted", hash_grid_forward_pass, kSpace, Points::sorted));
  sizes(RegisterBenchmark("hash_grid_forward_pass/4d_sorted", hash_grid_forward_pass, kSpaceTime, Points::sorted));
  sizes(RegisterBenchmark("hash_grid_backward_pass/3d_16_levels_table_only", hash_grid_backward_pass, k16Levels, false,
                          Points::random));
  sizes(RegisterBenchmark("hash_grid_backward_pass/3d_16_levels", hash_grid_backward_pass, k16Levels, true,
                          Points::random));
  sizes(RegisterBenchmark("hash_grid_backward_pass/3d", hash_grid_backward_pass, kSpace, true, Points::random));
  sizes(RegisterBenchmark("hash_grid_backward_pass/4d", hash_grid_backward_pass, kSpaceTime, true, Points::random));
  sizes(RegisterBenchmark("hash_grid_backward_pass/3d_sorted", hash_grid_backward_pass, kSpace, true, Points::sorted));
  sizes(RegisterBenchmark("hash_grid_backward_pass/4d_sorted", hash_grid_backward_pass, kSpaceTime, true,
                          Points::sorted));
});

}  // namespace
}  // namespace dsasrgs::bench
