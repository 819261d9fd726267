// SPDX-License-Identifier: Apache-2.0
// The formulas that both backends compile, in double.

#include "hash_grid/hash_grid_math.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <set>
#include <vector>

#include "support/gradient.hpp"
#include "support/random_values.hpp"

using namespace dsasrgs;

namespace {

using Formulas = HashGridFormulas<OnePoint<double>>;
using Pair = FeaturePair<double>;

}  // namespace

TEST_CASE("hash_grid: a dense level takes its entries by row, a hashed one by the xor of primes", "[hash_grid]") {
  /// Entry of a corner (7: above in all coordinates) of a point in the cell below `vertex`.
  const auto entry = [](const HashGridLevel& level, const std::vector<std::uint32_t>& vertex, int corner = 7) {
    const double scale = double(level.scale);
    const auto coordinate = [&](std::size_t d) { return (vertex[d] - 0.75) / scale; };
    const bool in_time = vertex.size() == 4;
    const HashLevelBlock block(level, in_time ? 4 : 3, in_time ? float(coordinate(3)) : 0);
    std::uint32_t entries[8];
    Formulas::corners(block, Formulas::locate(block, coordinate(0), coordinate(1), coordinate(2)), in_time ? 1 : 0,
                      block.dense, entries);
    return entries[corner];
  };
  const HashGridLevel dense{7, 8, 512, 0, true}, hashed{99, 100, 1u << 19, 0, false};
  CHECK(entry(dense, {3, 5, 7}) == 3 + 8 * (5 + 8 * 7));
  CHECK(entry(HashGridLevel{2, 3, 88, 0, true}, {1, 2, 1, 2}) == 1 + 6 + 9 + 54);
  CHECK(entry(hashed, {42, 17, 99}) == ((42u ^ (17u * 2654435761u) ^ (99u * 805459861u)) & ((1u << 19) - 1)));
  CHECK(entry(hashed, {1, 2, 3, 4}) ==
        ((1u ^ (2u * 2654435761u) ^ (3u * 805459861u) ^ (4u * 3674653429u)) & ((1u << 19) - 1)));
  for (std::uint32_t c = 0; c < 8; ++c)
    CHECK(entry(dense, {3, 5, 7}, int(c)) == 2 + (c & 1) + 8 * (4 + (c >> 1 & 1) + 8 * (6 + (c >> 2))));
  std::set<std::uint32_t> seen;
  for (std::uint32_t i = 0; i < 343; ++i) seen.insert(entry(dense, {1 + i % 7, 1 + i / 7 % 7, 1 + i / 49}));
  CHECK(seen.size() == 343);
}

TEST_CASE("hash_grid: a coordinate's cell is scaled and shifted by half, clamped at both ends", "[hash_grid]") {
  const auto cell = [](double coordinate) { return Formulas::cell(coordinate, 10.0, 10); };
  const auto inside = cell(0.43);
  CHECK((inside.vertex[0] == 4 && inside.vertex[1] == 5));
  CHECK(inside.fraction == Approx(0.8));
  CHECK(inside.slope == 10);
  const auto last = cell(1.0);
  CHECK((last.vertex[0] == 10 && last.vertex[1] == 10 && last.slope == 10));
  const auto beyond = cell(7.0), before = cell(-7.0);
  CHECK((beyond.vertex[0] == 10 && beyond.vertex[1] == 10 && beyond.slope == 0));
  CHECK((before.vertex[0] == 0 && before.vertex[1] == 1 && before.slope == 0 && before.fraction == 0.5));
  const auto nan = cell(std::numeric_limits<double>::quiet_NaN());
  CHECK((nan.vertex[0] == 0 && nan.slope == 0));
}

TEST_CASE("hash_grid: gradients of positions and entries agree with central differences", "[hash_grid]") {
  const Pair grad{0.7, -1.3};
  // Dense and hashed, in space and in time.
  for (const HashGridShape& shape : {HashGridShape{3, 1, 12, 5, 1}, HashGridShape{3, 1, 4, 9, 1},
                                     HashGridShape{4, 1, 12, 4, 1}, HashGridShape{4, 1, 5, 9, 1}})
    for (std::uint32_t seed = 0; seed < 5; ++seed) {
      INFO(shape.dimensions << "D, resolution " << shape.base_resolution << ", seed " << seed);
      const HashGridLevel level = hash_grid_levels(shape)[0];
      const HashLevelBlock block(level, shape.dimensions, 0.37f);
      const std::size_t num_entries = level.entries;
      // Position, then the entries' two features. Off the faces of the cells, where the derivative jumps.
      std::vector<double> x = test::random_values<double>(3 + 2 * num_entries, -1, 1, 40 + seed);
      for (std::size_t d = 0; d < 3; ++d)
        x[d] = (std::floor((level.scale - 1) * std::abs(x[d])) + 0.6 + 0.3 * std::abs(x[d])) / double(level.scale);
      const auto point = [&](const std::vector<double>& v) { return Formulas::locate(block, v[0], v[1], v[2]); };
      const auto interpolated = [&](const std::vector<double>& v) {
        std::vector<Pair> entries;
        for (std::size_t e = 0; e < num_entries; ++e) entries.push_back({v[3 + 2 * e], v[4 + 2 * e]});
        const auto p = point(v);
        return Formulas::interpolate(block, entries.data(), p, Formulas::fractions(p), block.num_slices, block.dense);
      };
      const auto f = [&](const std::vector<double>& v) {
        const Pair value = interpolated(v).value;
        return grad.first * value.first + grad.second * value.second;
      };

      std::vector<double> found(x.size());
      double grad_position[3] = {0, 0, 0};
      Formulas::add_position_gradient(point(x), interpolated(x), grad, grad_position);
      std::copy_n(grad_position, 3, found.begin());
      for (int slice = 0; slice < block.num_slices; ++slice) {
        std::uint32_t entry[8];
        Pair share[8];
        Formulas::corners(block, point(x), slice, block.dense, entry);
        Formulas::spread(Formulas::fractions(point(x)), double(block.slice_weight[slice]) * grad, share);
        for (int c = 0; c < 8; ++c) {
          found[3 + 2 * entry[c]] += share[c].first;
          found[4 + 2 * entry[c]] += share[c].second;
        }
      }
      CHECK(test::relative_l2(found, test::numeric_gradient(f, x)) < 1e-8);
    }
}
