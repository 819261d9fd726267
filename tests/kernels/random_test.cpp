// SPDX-License-Identifier: Apache-2.0
#include "common/random.hpp"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <vector>

namespace dsasrgs {
namespace {

/// random_words with exactly this key and counter.
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  const RandomStream stream = RandomStream::split_children;
  const std::uint32_t high = key[1] ^ (static_cast<std::uint32_t>(stream) * 0x9E3779B9u);
  const auto pair = [](std::uint32_t low, std::uint32_t top) { return (static_cast<std::uint64_t>(top) << 32) | low; };
  const auto w = random_words(pair(key[0], high), stream, pair(counter[0], counter[1]), pair(counter[2], counter[3]));
  return {w[0], w[1], w[2], w[3]};
}

}  // namespace

TEST_CASE("random: the words are Philox4x32-10 (Random123's known answers)", "[random]") {
  using Words = std::array<std::uint32_t, 4>;
  CHECK(philox({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  const std::uint32_t ones = 0xffffffff;
  CHECK(philox({ones, ones, ones, ones}, {ones, ones}) == Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("random: a uniform is never 0 or 1, at either end of its range", "[random]") {
  CHECK(uniform_from(0) > 0.0f);
  CHECK(uniform_from(0) < 1e-6f);
  CHECK(uniform_from(0xffffffff) < 1.0f);
  CHECK(uniform_from(0xffffffff) > 1.0f - 1e-6f);
  CHECK(uniform_from(0x80000000) == Approx(0.5f).margin(1e-6));
  const Vec3f normal = random_normal3(1, RandomStream::detail, 2, 3);
  CHECK(std::isfinite(normal.x + normal.y + normal.z));
}

TEST_CASE("random: uniforms have the moments of the uniform distribution", "[random]") {
  constexpr std::size_t kDraws = 200000;
  std::array<double, 4> sum{}, square{};
  std::array<int, 16> bins{};
  for (std::size_t i = 0; i < kDraws; ++i) {
    const Uniform4 r = random_uniform4(7, RandomStream::initial_points, i, 0);
    for (std::size_t k = 0; k < 4; ++k) {
      sum[k] += r.u[k];
      square[k] += static_cast<double>(r.u[k]) * r.u[k];
      ++bins[static_cast<std::size_t>(r.u[k] * 16)];
    }
  }
  // Five standard errors of the mean (1/√12 per draw) and of the mean square (√(4/45) per draw).
  for (std::size_t k = 0; k < 4; ++k) {
    CHECK(std::abs(sum[k] / kDraws - 0.5) < 5 * std::sqrt(1 / 12.0 / kDraws));
    CHECK(std::abs(square[k] / kDraws - 1 / 3.0) < 5 * std::sqrt(4 / 45.0 / kDraws));
  }
  const double expected = 4.0 * kDraws / 16;
  for (const int b : bins) CHECK(std::abs(b - expected) < 5 * std::sqrt(expected));
}

TEST_CASE("random: normals have mean 0, covariance 1 and the normal's fourth moment", "[random]") {
  constexpr int kDraws = 200000;
  std::array<double, 3> mean{}, fourth{};
  std::array<double, 6> covariance{};
  for (int i = 0; i < kDraws; ++i) {
    const Vec3f n = random_normal3(3, RandomStream::split_children, 5, static_cast<std::uint64_t>(i));
    const std::array<double, 3> v{n.x, n.y, n.z};
    std::size_t c = 0;
    for (std::size_t a = 0; a < 3; ++a) {
      mean[a] += v[a] / kDraws;
      fourth[a] += v[a] * v[a] * v[a] * v[a] / kDraws;
      for (std::size_t b = a; b < 3; ++b) covariance[c++] += v[a] * v[b] / kDraws;
    }
  }
  // Five standard errors: variances of n, n², n·m and n⁴ are 1, 2, 1 and 96.
  const auto within = [](double found, double expected, double variance) {
    return std::abs(found - expected) < 5 * std::sqrt(variance / kDraws);
  };
  for (std::size_t a = 0; a < 3; ++a) {
    CHECK(within(mean[a], 0, 1));
    CHECK(within(fourth[a], 3, 96));
  }
  for (const std::size_t diagonal : {0u, 3u, 5u}) CHECK(within(covariance[diagonal], 1, 2));
  for (const std::size_t cross : {1u, 2u, 4u}) CHECK(within(covariance[cross], 0, 1));
}

TEST_CASE("random: seeds, streams and counters do not repeat one another's numbers", "[random]") {
  std::vector<std::array<std::uint32_t, 4>> all;
  const auto draw = [&](std::uint64_t seed, RandomStream stream, std::uint64_t a, std::uint64_t b) {
    const auto w = random_words(seed, stream, a, b);
    all.push_back({w[0], w[1], w[2], w[3]});
  };
  for (std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 32, std::uint64_t{3} << 40})
    for (std::uint32_t stream = 1; stream <= static_cast<std::uint32_t>(RandomStream::detail); ++stream)
      for (std::uint64_t a = 0; a < 20; ++a)
        for (std::uint64_t b = 0; b < 20; ++b) {
          draw(seed, static_cast<RandomStream>(stream), a, b);
          if (a > 0) draw(seed, static_cast<RandomStream>(stream), a << 32, b << 40 | 1);
        }
  std::sort(all.begin(), all.end());
  CHECK(std::adjacent_find(all.begin(), all.end()) == all.end());
  // And the same question has the same answer.
  CHECK(random_words(9, RandomStream::detail, 8, 7) == random_words(9, RandomStream::detail, 8, 7));
}

}  // namespace dsasrgs
