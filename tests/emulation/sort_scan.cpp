// SPDX-License-Identifier: Apache-2.0
// The emulation's scan and sort: as kernels of one thread, so that they see device memory as any kernel does.
#include "common/sort_scan.hpp"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "common/launch.cuh"

namespace dsasrgs::cuda {

namespace {

void scan_kernel(View<const std::uint32_t> counts, View<std::uint32_t> offsets) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    offsets[i] = sum;
    sum += counts[i];
  }
  offsets[counts.size()] = sum;
}

void sort_kernel(std::uint32_t mask, View<const std::uint32_t> keys_in, View<std::uint32_t> keys_out,
                 View<const std::uint32_t> values_in, View<std::uint32_t> values_out) {
  std::vector<std::uint32_t> order(keys_in.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return (keys_in[a] & mask) < (keys_in[b] & mask); });
  for (std::size_t i = 0; i < order.size(); ++i) {
    keys_out[i] = keys_in[order[i]];
    values_out[i] = values_in[order[i]];
  }
}

}  // namespace

void exclusive_scan(Context& ctx, View<const std::uint32_t> counts, View<std::uint32_t> offsets, SortScanScratch&) {
  launch(ctx, "exclusive_scan", {dim3(1), dim3(1)}, scan_kernel, counts, offsets);
}

void sort_pairs(Context& ctx, int key_bits, View<const std::uint32_t> keys_in, View<std::uint32_t> keys_out,
                View<const std::uint32_t> values_in, View<std::uint32_t> values_out, SortScanScratch&) {
  const std::uint32_t mask = key_bits >= 32 ? ~0u : (1u << key_bits) - 1;
  launch(ctx, "sort_pairs", {dim3(1), dim3(1)}, sort_kernel, mask, keys_in, keys_out, values_in, values_out);
}

}  // namespace dsasrgs::cuda
