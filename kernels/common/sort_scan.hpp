// SPDX-License-Identifier: Apache-2.0
#pragma once
// Device-wide scan and sort, asynchronous on the context's stream. CUB on a GPU (sort_scan.cu); the emulation has a
// plain version of its own (tests/emulation/sort_scan.cpp).

#include <cstdint>

#include "dsasrgs/buffer.hpp"

namespace dsasrgs::cuda {

/// Temporary memory of these functions; grown when needed, so a repeated call of the same size allocates nothing.
struct SortScanScratch {
  Buffer<unsigned char> bytes;
};

/// offsets [n + 1] ← exclusive prefix sum of counts [n]; offsets[n] is the total. May not overlap.
void exclusive_scan(Context&, View<const std::uint32_t> counts, View<std::uint32_t> offsets, SortScanScratch&);

/// Stable ascending sort of pairs by the low `key_bits` bits of the key. In and out may not overlap.
void sort_pairs(Context&, int key_bits, View<const std::uint32_t> keys_in, View<std::uint32_t> keys_out,
                View<const std::uint32_t> values_in, View<std::uint32_t> values_out, SortScanScratch&);

}  // namespace dsasrgs::cuda
