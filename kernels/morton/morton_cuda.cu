// SPDX-License-Identifier: Apache-2.0
#include "common/launch.cuh"
#include "common/sort_scan.hpp"
#include "morton/morton_bodies.hpp"
#include "morton/morton_math.hpp"

namespace dsasrgs::cuda {

namespace {

constexpr unsigned kThreads = 256;

__global__ void __launch_bounds__(kThreads)
    number_points(const float* position, std::uint32_t* number, std::uint32_t* index, std::size_t n) {
  const std::size_t i = thread_index();
  if (i >= n) return;
  number[i] = morton_number(position + 3 * i);
  index[i] = static_cast<std::uint32_t>(i);
}

}  // namespace

void morton_order(Context& ctx, View<const float> position, View<std::uint32_t> order) {
  const std::size_t n = order.size();
  Buffer<std::uint32_t> number(ctx, n), index(ctx, n), sorted(ctx, n);
  SortScanScratch scratch;
  launch(ctx, "morton_number_points", one_thread_each(n, kThreads), number_points, position.data(), number.data(),
         index.data(), n);
  sort_pairs(ctx, 3 * kMortonBits, number, sorted, index, order, scratch);
}

}  // namespace dsasrgs::cuda
