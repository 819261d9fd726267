// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <utility>

#include "common/host_vector.hpp"
#include "common/parallel.hpp"
#include "morton/morton_bodies.hpp"
#include "morton/morton_math.hpp"

namespace dsasrgs::cpu {

void morton_order(const Context& ctx, View<const float> position, View<std::uint32_t> order) {
  // Radix sort from the lowest digit on, each pass stable.
  constexpr std::uint32_t kDigitBits = 10, kDigits = 1u << kDigitBits;
  static_assert(3 * kMortonBits % kDigitBits == 0);
  struct Point {
    std::uint32_t number, index;
  };
  const std::size_t n = order.size();
  HostVector<Point> points(n), sorted(n);
  parallel_blocks(ctx, n, 4096, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i)
      points[i] = {morton_number(position.data() + 3 * i), static_cast<std::uint32_t>(i)};
  });
  for (std::uint32_t shift = 0; shift < 3 * kMortonBits; shift += kDigitBits) {
    const auto digit = [shift](const Point& p) { return p.number >> shift & (kDigits - 1); };
    std::array<std::uint32_t, kDigits> place{};
    for (const Point& p : points) ++place[digit(p)];
    std::uint32_t sum = 0;
    for (std::uint32_t& each : place) sum += std::exchange(each, sum);
    for (const Point& p : points) sorted[place[digit(p)]++] = p;
    points.swap(sorted);
  }
  for (std::size_t i = 0; i < n; ++i) order[i] = points[i].index;
}

}  // namespace dsasrgs::cpu
