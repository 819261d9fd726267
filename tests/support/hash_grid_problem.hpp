// SPDX-License-Identifier: Apache-2.0
#pragma once
// A hash grid with random points, entries and gradients, what the operators make of it and what the oracle does.

#include <cstddef>
#include <vector>

#include "dsasrgs/buffer.hpp"
#include "hash_grid/hash_grid.hpp"
#include "oracle/hash_grid_oracle.hpp"
#include "support/random_values.hpp"

namespace dsasrgs::test {

/// A shape with n points of random data; some points lie outside [0,1]³ and on its faces.
struct HashGridProblem {
  HashGridProblem(const HashGridShape& s, std::size_t num_points, float t = 0.37f)
      : shape(s),
        n(num_points),
        time(t),
        position(random_values<float>(3 * n, 0, 1, 21)),
        table(random_values<float>(hash_grid_num_parameters(s), -1, 1, 22)),
        grad_features(random_values<float>(num_features() * n, -1, 1, 23)) {
    constexpr float kSpecial[] = {-0.25f, 0.0f, 1.0f, 1.75f};
    for (std::size_t i = 0; i + 7 < position.size(); i += 7) position[i] = kSpecial[i / 7 % 4];
  }
  std::size_t num_features() const { return static_cast<std::size_t>(shape.levels) * kHashFeatures; }

  std::vector<float> forward(Context& ctx) const {
    auto features = Buffer<float>::from_host(ctx, std::vector<float>(num_features() * n, 99));
    const auto p = Buffer<float>::from_host(ctx, position), t = Buffer<float>::from_host(ctx, table);
    hash_grid_forward(ctx, {shape, p, time, t}, features);
    return features.to_host(ctx);
  }
  struct Gradients {
    std::vector<float> table, position;
  };
  /// Gradients added to (or, for the positions, written over) arrays full of `before`; taken from the scratch.
  Gradients backward(Context& ctx, GradientMode mode, float before = 0, bool want_position = true) const {
    HashGridScratch scratch;
    return backward(ctx, mode, before, want_position, scratch);
  }
  Gradients backward(Context& ctx, GradientMode mode, float before, bool want_position,
                     HashGridScratch& scratch) const {
    const auto p = Buffer<float>::from_host(ctx, position), t = Buffer<float>::from_host(ctx, table);
    auto gt = Buffer<float>::from_host(ctx, std::vector<float>(table.size(), before));
    auto gp = Buffer<float>::from_host(ctx, std::vector<float>(want_position ? position.size() : 0, before));
    hash_grid_backward(ctx, {shape, p, time, t}, Buffer<float>::from_host(ctx, grad_features), {gp, mode}, scratch);
    hash_grid_take_gradient(ctx, scratch, 0, gt);
    return {gt.to_host(ctx), gp.to_host(ctx)};
  }
  oracle::HashGrid oracle_of() const {
    return {shape.dimensions,
            shape.levels,
            shape.log2_entries,
            shape.base_resolution,
            shape.growth,
            {table.begin(), table.end()},
            {},
            {},
            {}};
  }
  oracle::HashGrid expected() const {
    oracle::HashGrid o = oracle_of();
    o.run({position.begin(), position.end()}, double(time), {grad_features.begin(), grad_features.end()});
    return o;
  }

  HashGridShape shape;
  std::size_t n;
  float time;
  std::vector<float> position, table, grad_features;
};

}  // namespace dsasrgs::test
