// SPDX-License-Identifier: Apache-2.0
// How many additions to memory the hash grid's backward pass asks of a device, and how many of them meet at one
// address: that is what its time is made of (neighbouring lanes in one cell add once).

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>
#include <vector>

#include "dsasrgs/buffer.hpp"
#include "execution.hpp"
#include "hash_grid/hash_grid.hpp"
#include "morton/morton.hpp"
#include "support/random_values.hpp"

using namespace dsasrgs;

namespace {

/// [n,3] in the unit box: thin tubes along a few winding curves, as vessels fill with Gaussians; in no order.
std::vector<float> vessel_points(std::size_t n) {
  constexpr std::size_t kCurves = 12;
  const auto random = test::random_values<float>(5 * n, -1, 1, 11);
  std::vector<float> points;
  for (std::size_t i = 0; i < n; ++i) {
    const float along = 3 * random[5 * i], curve = std::floor((random[5 * i + 1] + 1) * 0.5f * kCurves);
    const float center[3] = {0.5f + 0.3f * std::sin(along + curve), 0.5f + 0.3f * std::sin(1.7f * along + 2 * curve),
                             0.5f + 0.13f * along};
    for (std::size_t d = 0; d < 3; ++d) points.push_back(center[d] + 0.008f * random[5 * i + 2 + d]);
  }
  return points;
}

emulation::AtomicCounts additions(Context& ctx, const HashGridShape& shape, const std::vector<float>& points) {
  const std::size_t n = points.size() / 3;
  const auto position = Buffer<float>::from_host(ctx, points);
  const auto table = Buffer<float>::zeros(ctx, hash_grid_num_parameters(shape));
  const auto grad = Buffer<float>::from_host(
      ctx, test::random_values<float>(static_cast<std::size_t>(shape.levels) * kHashFeatures * n, -1, 1, 3));
  HashGridScratch scratch;
  emulation::start_counting_atomics();
  hash_grid_backward(ctx, {shape, position, 0.4f, table}, grad, {}, scratch);
  return emulation::counted_atomics();
}

}  // namespace

TEST_CASE("hash grid on a device: points along the Morton curve add seldom, and seldom to the same entry",
          "[emulation][hash_grid]") {
  Context ctx = Context::cuda();
  constexpr std::size_t kPoints = 4000;
  const std::vector<float> apart = vessel_points(kPoints);
  Buffer<std::uint32_t> order(ctx, kPoints);
  morton_order(ctx, Buffer<float>::from_host(ctx, apart), order);
  std::vector<float> sorted;
  for (const std::size_t i : order.to_host(ctx)) sorted.insert(sorted.end(), &apart[3 * i], &apart[3 * i + 3]);
  // A 4D level has 16 corners to a point, and coarse ones of a few entries.
  struct Bound {
    HashGridShape shape;
    double additions, most;  ///< of those of the unsorted points
  };
  for (const auto& [shape, fewer, seldom] :
       {Bound{{3, 8, 14, 8, 1.45}, 0.65, 0.35}, Bound{{4, 8, 14, 2, 1.4}, 0.3, 0.05}}) {
    const emulation::AtomicCounts before = additions(ctx, shape, apart), now = additions(ctx, shape, sorted);
    CAPTURE(shape.dimensions, before.additions, now.additions, before.most, now.most);
    CHECK(static_cast<double>(now.additions) < fewer * static_cast<double>(before.additions));
    CHECK(static_cast<double>(now.most) < seldom * static_cast<double>(before.most));
  }
}
