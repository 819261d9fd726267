// SPDX-License-Identifier: Apache-2.0
// The sums over a staged tile in SIMD registers, compiled once per SIMD target. No include guard of the usual kind:
// foreach_target.h includes it again for every target.

#if defined(DSASRGS_CONVOLVE_PRODUCT_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef DSASRGS_CONVOLVE_PRODUCT_INL
#undef DSASRGS_CONVOLVE_PRODUCT_INL
#else
#define DSASRGS_CONVOLVE_PRODUCT_INL
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>

#include "convolve/convolve_tiles.hpp"

HWY_BEFORE_NAMESPACE();
namespace dsasrgs::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, kConvolveLanes>;
using Vector = hn::Vec<Floats>;

// 8 channels × 3 vectors of pixels are 24 of 32 vector registers, 4 × 3 are 12 of 16. A tap loads 3 vectors and 8 (or
// 4) weights for 24 (or 12) FMAs: at most as many loads as a processor does beside them.
inline constexpr int kTileVectors = 3;
#if HWY_ARCH_X86 && HWY_TARGET > HWY_AVX3
inline constexpr int kTileChannels = 4;
#else
inline constexpr int kTileChannels = 8;
#endif
static_assert(kPackedChannels % kTileChannels == 0);

/// Where results go: [channels, plane] from the tile's first pixel on.
struct Results {
  float* data;
  std::size_t plane, row;  ///< elements from channel to channel, from row to row
  std::size_t channels;
  bool relu, accumulate;
};

/// Keeps `count` pixels of a row from `to` on; the order of a pixel's arithmetic is that of every other.
inline void keep(const Results& results, Vector v, std::size_t count, float* to) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  float last[kConvolveLanes] = {};
  float* const at = count < lanes ? last : to;
  if (results.relu) v = hn::IfThenZeroElse(hn::Lt(v, hn::Zero(d)), v);  // unlike Max, keeps NaN on every target
  if (results.accumulate) {
    if (count < lanes) std::copy_n(to, count, last);
    v = hn::Add(hn::LoadU(d, at), v);
  }
  hn::StoreU(v, d, at);
  if (count < lanes) std::copy_n(last, count, to);
}

/// kTileChannels results from `channel` on of kVectors vectors of pixels in row `row` of the tile, from `column` on.
template <int kVectors>
void convolve_block(const float* staged, const float* packed, ConvolveChannels channels, const ConvolveTile& tile,
                    std::size_t channel, std::size_t row, std::size_t column, const Results& results) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  const float* HWY_RESTRICT w =
      packed + channel / kPackedChannels * convolve_packed_block(channels) + channel % kPackedChannels;
  Vector sum[kTileChannels][kVectors];
  for (int o = 0; o < kTileChannels; ++o)
    for (int v = 0; v < kVectors; ++v) sum[o][v] = hn::Set(d, w[o]);
  w += kPackedChannels;
  const float* HWY_RESTRICT plane = staged + row * kStagedRow + column;
  for (int c = 0; c < channels.summed; ++c, plane += kStagedPlane)
    for (std::size_t k = 0; k < 3; ++k)
      for (std::size_t l = 0; l < 3; ++l, w += kPackedChannels) {
        Vector line[kVectors];
        for (int v = 0; v < kVectors; ++v)
          line[v] = hn::LoadU(d, plane + k * kStagedRow + l + static_cast<std::size_t>(v) * lanes);
        for (int o = 0; o < kTileChannels; ++o) {
          const Vector factor = hn::Set(d, w[o]);
          for (int v = 0; v < kVectors; ++v) sum[o][v] = hn::MulAdd(factor, line[v], sum[o][v]);
        }
      }
  float* const first = results.data + channel * results.plane + row * results.row + column;
  for (int o = 0; o < kTileChannels; ++o) {
    if (channel + static_cast<std::size_t>(o) >= results.channels) break;
    for (int v = 0; v < kVectors; ++v) {
      const std::size_t at = static_cast<std::size_t>(v) * lanes;
      if (column + at < tile.columns)
        keep(results, sum[o][v], std::min(lanes, tile.columns - column - at),
             first + static_cast<std::size_t>(o) * results.plane + at);
    }
  }
}

/// All results of a tile.
inline void convolve_tile(const float* staged, const float* packed, ConvolveChannels channels, const ConvolveTile& tile,
                          const Results& results) {
  const std::size_t lanes = hn::Lanes(Floats());
  for (std::size_t o = 0; o < results.channels; o += kTileChannels)
    for (std::size_t row = 0; row < tile.rows; ++row)
      for (std::size_t column = 0; column < tile.columns;) {
        const std::size_t left = (tile.columns - column + lanes - 1) / lanes;
        const std::size_t vectors = left == 4 ? 2 : std::min<std::size_t>(left, kTileVectors);  // 2 + 2, not 3 + 1
        if (vectors == 3)
          convolve_block<3>(staged, packed, channels, tile, o, row, column, results);
        else if (vectors == 2)
          convolve_block<2>(staged, packed, channels, tile, o, row, column, results);
        else
          convolve_block<1>(staged, packed, channels, tile, o, row, column, results);
        column += vectors * lanes;
      }
}

/// sums [9, stride], kVectors vectors of them, += Σ over the tile's pixels of an image channel's taps times the
/// gradient's channels side by side: 18 sums, for which a pixel loads 9 numbers and 2 vectors.
template <int kVectors>
void weight_sums(const float* plane, const float* pixels, std::size_t stride, const ConvolveTile& tile, float* sums) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  Vector sum[kConvolveTaps][kVectors];
  for (int t = 0; t < kConvolveTaps; ++t)
    for (int v = 0; v < kVectors; ++v)
      sum[t][v] = hn::LoadU(d, sums + static_cast<std::size_t>(t) * stride + static_cast<std::size_t>(v) * lanes);
  for (std::size_t r = 0; r < tile.rows; ++r) {
    const float* HWY_RESTRICT at = plane + r * kStagedRow;
    for (std::size_t x = 0; x < tile.columns; ++x, ++at, pixels += stride) {
      Vector gradient[kVectors];
      for (int v = 0; v < kVectors; ++v) gradient[v] = hn::LoadU(d, pixels + static_cast<std::size_t>(v) * lanes);
      for (std::size_t t = 0; t < kConvolveTaps; ++t) {
        const Vector factor = hn::Set(d, at[t / 3 * kStagedRow + t % 3]);
        for (int v = 0; v < kVectors; ++v) sum[t][v] = hn::MulAdd(factor, gradient[v], sum[t][v]);
      }
    }
  }
  for (int t = 0; t < kConvolveTaps; ++t)
    for (int v = 0; v < kVectors; ++v)
      hn::StoreU(sum[t][v], d, sums + static_cast<std::size_t>(t) * stride + static_cast<std::size_t>(v) * lanes);
}

// 9 × 2 sums where there are registers for them, else 9 × 1.
inline constexpr std::size_t kWeightVectors = kTileChannels == 8 ? 2 : 1;

/// weights [inputs, 9, stride] and bias [stride] += what a tile gives, from the staged image and the gradient's pixels.
inline void add_parameter_sums(const float* staged, const float* pixels, std::size_t inputs, std::size_t stride,
                               const ConvolveTile& tile, float* weights, float* bias) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t o = 0; o < stride;) {
    const bool wide = o + kWeightVectors * lanes <= stride;
    for (std::size_t c = 0; c < inputs; ++c) {
      float* const sums = weights + c * kConvolveTaps * stride + o;
      if (wide)
        weight_sums<kWeightVectors>(staged + c * kStagedPlane, pixels + o, stride, tile, sums);
      else
        weight_sums<1>(staged + c * kStagedPlane, pixels + o, stride, tile, sums);
    }
    o += wide ? kWeightVectors * lanes : lanes;
  }
  for (std::size_t o = 0; o < stride; o += lanes) {
    Vector sum = hn::LoadU(d, bias + o);
    for (std::size_t p = 0; p < tile.rows * tile.columns; ++p)
      sum = hn::Add(sum, hn::LoadU(d, pixels + p * stride + o));
    hn::StoreU(sum, d, bias + o);
  }
}

}  // namespace dsasrgs::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // DSASRGS_CONVOLVE_PRODUCT_INL
