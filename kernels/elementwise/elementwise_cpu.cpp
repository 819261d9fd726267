// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>

#include "common/host_vector.hpp"
#include "common/parallel.hpp"
#include "elementwise/elementwise_bodies.hpp"
#include "elementwise/elementwise_math.hpp"

namespace dsasrgs::cpu {

namespace {
constexpr std::size_t kBlock = 16384;
}

void affine_values(Context& ctx, float gain, float offset, View<const float> in, View<float> out) {
  parallel_blocks(ctx, in.size(), kBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) out[i] = affine(gain, offset, in[i]);
  });
}

void add_scaled(Context& ctx, float factor, View<const float> in, View<float> out) {
  parallel_blocks(ctx, in.size(), kBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) out[i] = affine(factor, out[i], in[i]);
  });
}

void add_product(Context& ctx, View<const float> a, View<const float> b, View<float> out) {
  parallel_blocks(ctx, a.size(), kBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) out[i] = affine(a[i], out[i], b[i]);
  });
}

Sums sum_and_product(Context& ctx, View<const float> a, View<const float> b) {
  HostVector<Sums> partial((a.size() + kBlock - 1) / kBlock);
  parallel_blocks(ctx, a.size(), kBlock, [&](std::size_t begin, std::size_t end) {
    Sums s;
    for (std::size_t i = begin; i < end; ++i) add_terms(a[i], b[i], s.sum, s.product);
    partial[begin / kBlock] = s;
  });
  Sums total;
  for (const Sums& s : partial) {
    total.sum += s.sum;
    total.product += s.product;
  }
  return total;
}

std::size_t count_valid(View<const std::uint8_t> valid) {
  return static_cast<std::size_t>(std::count_if(valid.begin(), valid.end(), [](std::uint8_t v) { return v != 0; }));
}

void find_non_finite(Context& ctx, const WatchedArrays& arrays, View<std::uint32_t> found) {
  std::atomic<std::uint32_t> bits{0};
  for (std::size_t array = 0; array < arrays.size(); ++array)
    parallel_blocks(ctx, arrays[array].size(), kBlock, [&](std::size_t begin, std::size_t end) {
      std::uint32_t any = 0;
      for (std::size_t i = begin; i < end; ++i) any |= is_non_finite(arrays[array][i]);
      if (any != 0) bits |= std::uint32_t{1} << array;
    });
  found[0] = bits;
}

}  // namespace dsasrgs::cpu
