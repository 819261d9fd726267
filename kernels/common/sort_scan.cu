// SPDX-License-Identifier: Apache-2.0
// Scan and sort by CUB. Not compiled for the emulation, which has tests/emulation/sort_scan.cpp.
#include <thrust/iterator/counting_iterator.h>
#include <thrust/iterator/transform_iterator.h>

#include <cub/device/device_radix_sort.cuh>
#include <cub/device/device_scan.cuh>

#include "common/launch.cuh"
#include "common/sort_scan.hpp"

namespace dsasrgs::cuda {

namespace {

/// CUB's two calls: how much temporary memory, then the work.
template <class Call>
void with_temporary_memory(Context& ctx, SortScanScratch& scratch, const char* name, Call&& call) {
  const OnDevice current(ctx.device());
  std::size_t bytes = 0;
  check(call(nullptr, bytes), name);
  if (scratch.bytes.size() < bytes) scratch.bytes.resize(ctx, bytes);
  bytes = scratch.bytes.size();
  check(call(scratch.bytes.data(), bytes), name);
}

/// The counts and one more, so that a scan over them ends with their total.
struct CountsAndZero {
  const std::uint32_t* counts;
  std::size_t n;
  __host__ __device__ std::uint32_t operator()(std::size_t i) const { return i < n ? counts[i] : 0; }
};

}  // namespace

void exclusive_scan(Context& ctx, View<const std::uint32_t> counts, View<std::uint32_t> offsets,
                    SortScanScratch& scratch) {
  const auto values = thrust::make_transform_iterator(thrust::counting_iterator<std::size_t>(0),
                                                      CountsAndZero{counts.data(), counts.size()});
  with_temporary_memory(ctx, scratch, "exclusive_scan", [&](void* temporary, std::size_t& bytes) {
    return cub::DeviceScan::ExclusiveSum(temporary, bytes, values, offsets.data(), static_cast<int>(counts.size() + 1),
                                         stream_of(ctx));
  });
}

void sort_pairs(Context& ctx, int key_bits, View<const std::uint32_t> keys_in, View<std::uint32_t> keys_out,
                View<const std::uint32_t> values_in, View<std::uint32_t> values_out, SortScanScratch& scratch) {
  const std::size_t n = keys_in.size();
  if (n == 0) return;
  with_temporary_memory(ctx, scratch, "sort_pairs", [&](void* temporary, std::size_t& bytes) {
    return cub::DeviceRadixSort::SortPairs(temporary, bytes, keys_in.data(), keys_out.data(), values_in.data(),
                                           values_out.data(), static_cast<int>(n), 0, key_bits, stream_of(ctx));
  });
}

}  // namespace dsasrgs::cuda
