// SPDX-License-Identifier: Apache-2.0
// Weighting and ramp filtering of the views: two rows per complex transform, and as many pairs of rows side by side as
// a vector has lanes, so that the transform is plain arithmetic on vectors.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "common/host_vector.hpp"
#include "common/parallel.hpp"
#include "fdk/fdk_bodies.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fdk/fdk_filter_cpu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#ifndef DSASRGS_FDK_FILTER_ONCE
#define DSASRGS_FDK_FILTER_ONCE
namespace dsasrgs::cpu {

constexpr std::size_t kMostPairs = 16;             // of rows in a vector
constexpr std::size_t kRowBlock = 2 * kMostPairs;  // rows per task

/// What transforms of one length share. Butterflies run from natural to reversed order and back, so that nothing is
/// moved.
struct FilterTables {
  std::size_t length = 0;
  HostVector<float> cosine, sine;  ///< exp(−2πi k/length), k < length/2
  HostVector<float> reversed;      ///< the filter's spectrum, by reversed bits of the frequency
};

/// Up to kRowBlock weighted rows [rows, W] and where they go: columns[c·stride + row].
struct RowsToFilter {
  const float* weighted = nullptr;
  std::size_t num_rows = 0, width = 0;
  float* columns = nullptr;
  std::size_t stride = 0;
};

}  // namespace dsasrgs::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace dsasrgs::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Complex numbers, a vector of one sample of each pair of rows.
struct Samples {
  float *real, *imaginary;
};

template <class D, class V = hn::Vec<D>>
HWY_ATTR void forward_butterfly(D d, float* real_a, float* real_b, float* imaginary_a, float* imaginary_b, V c, V s) {
  const auto ar = hn::Load(d, real_a), br = hn::Load(d, real_b);
  const auto ai = hn::Load(d, imaginary_a), bi = hn::Load(d, imaginary_b);
  const auto r = hn::Sub(ar, br), i = hn::Sub(ai, bi);
  hn::Store(hn::Add(ar, br), d, real_a);
  hn::Store(hn::Add(ai, bi), d, imaginary_a);
  hn::Store(hn::MulAdd(r, c, hn::Neg(hn::Mul(i, s))), d, real_b);
  hn::Store(hn::MulAdd(r, s, hn::Mul(i, c)), d, imaginary_b);
}
template <class D, class V = hn::Vec<D>>
HWY_ATTR void inverse_butterfly(D d, float* real_a, float* real_b, float* imaginary_a, float* imaginary_b, V c, V s) {
  const auto ar = hn::Load(d, real_a), br = hn::Load(d, real_b);
  const auto ai = hn::Load(d, imaginary_a), bi = hn::Load(d, imaginary_b);
  const auto r = hn::MulAdd(br, c, hn::Mul(bi, s)), i = hn::MulAdd(bi, c, hn::Neg(hn::Mul(br, s)));
  hn::Store(hn::Add(ar, r), d, real_a);
  hn::Store(hn::Add(ai, i), d, imaginary_a);
  hn::Store(hn::Sub(ar, r), d, real_b);
  hn::Store(hn::Sub(ai, i), d, imaginary_b);
}

/// Radix-2 transform forth (decimation in frequency), product with the filter, and back (decimation in time) (Cooley
/// and Tukey 1965).
template <class D>
HWY_ATTR void filter_samples(D d, const FilterTables& tables, const Samples& samples) {
  const std::size_t n = tables.length, lanes = hn::Lanes(d);
  float *real = samples.real, *imaginary = samples.imaginary;
  const auto stage = [&](std::size_t half, auto butterfly) HWY_ATTR {
    for (std::size_t start = 0; start < n; start += 2 * half)
      for (std::size_t k = 0; k < half; ++k) {
        const std::size_t a = (start + k) * lanes, b = a + half * lanes, angle = k * (n / 2 / half);
        butterfly(d, real + a, real + b, imaginary + a, imaginary + b, hn::Set(d, tables.cosine[angle]),
                  hn::Set(d, tables.sine[angle]));
      }
  };
  for (std::size_t half = n / 2; half > 0; half /= 2) stage(half, forward_butterfly<D>);
  for (std::size_t k = 0; k < n; ++k) {
    const auto factor = hn::Set(d, tables.reversed[k]);
    hn::Store(hn::Mul(factor, hn::Load(d, real + k * lanes)), d, real + k * lanes);
    hn::Store(hn::Mul(factor, hn::Load(d, imaginary + k * lanes)), d, imaginary + k * lanes);
  }
  for (std::size_t half = 1; half < n; half *= 2) stage(half, inverse_butterfly<D>);
}

/// `scratch` has room for 2·length·lanes, and begins where a vector may.
HWY_ATTR void filter_rows(const FilterTables& tables, const RowsToFilter& rows, float* scratch) {
  const hn::CappedTag<float, kMostPairs> d;
  const std::size_t lanes = hn::Lanes(d), n = tables.length, width = rows.width;
  const Samples samples{scratch, scratch + n * lanes};
  HWY_ALIGN float last[2 * kMostPairs];
  for (std::size_t first = 0; first < rows.num_rows; first += 2 * lanes) {
    std::fill(scratch, scratch + 2 * n * lanes, 0.0f);
    const std::size_t count = std::min(2 * lanes, rows.num_rows - first);
    for (std::size_t r = 0; r < count; ++r) {
      float* const to = (r % 2 == 0 ? samples.real : samples.imaginary) + r / 2;
      const float* const from = rows.weighted + (first + r) * width;
      for (std::size_t c = 0; c < width; ++c) to[c * lanes] = from[c];
    }
    filter_samples(d, tables, samples);
    for (std::size_t c = 0; c < width; ++c) {
      const auto even = hn::Load(d, samples.real + c * lanes), odd = hn::Load(d, samples.imaginary + c * lanes);
      float* const to = rows.columns + c * rows.stride + first;
      if (count == 2 * lanes) {
        hn::StoreInterleaved2(even, odd, d, to);
      } else {
        hn::StoreInterleaved2(even, odd, d, last);
        std::copy_n(last, count, to);
      }
    }
  }
}

}  // namespace dsasrgs::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dsasrgs::cpu {

HWY_EXPORT(filter_rows);

namespace {

FilterTables make_tables(std::size_t n) {
  FilterTables tables;
  tables.length = n;
  for (std::size_t k = 0; k < n / 2; ++k) {
    const double angle = -2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(n);
    tables.cosine.push_back(static_cast<float>(std::cos(angle)));
    tables.sine.push_back(static_cast<float>(std::sin(angle)));
  }
  const HostVector<double> spectrum = filter_spectrum(n);
  tables.reversed.resize(n);
  for (std::size_t k = 0, reversed = 0; k < n; ++k) {
    tables.reversed[reversed] = static_cast<float>(spectrum[k]);
    std::size_t bit = n / 2;  // reversed + 1, counted from the other end
    for (; reversed & bit; bit /= 2) reversed ^= bit;
    reversed |= bit;
  }
  return tables;
}

/// Redundancy weights of a row; those of the row before hold where the fan is the same.
class RedundancyWeights {
 public:
  explicit RedundancyWeights(std::size_t width) : weights_(width) {}
  const HostVector<float>& of(const FilterRow& row) {
    if (!known_ || !same_fan(row, row_)) {
      for (std::size_t c = 0; c < weights_.size(); ++c)
        weights_[c] = redundancy_weight(row, static_cast<float>(c) + 0.5f);
      row_ = row;
      known_ = true;
    }
    return weights_;
  }

 private:
  HostVector<float> weights_;
  FilterRow row_{};
  bool known_ = false;
};

}  // namespace

void fdk_filter(const Context& ctx, const FdkJob& job, std::size_t first, std::size_t count,
                HostVector<float>& filtered) {
  const FdkInput& input = job.input;
  const auto width = static_cast<std::size_t>(input.detector.width_px);
  const auto height = static_cast<std::size_t>(input.detector.height_px);
  const std::size_t stride = height + 2, plane = stride * (width + 2);
  const FilterTables tables = make_tables(filter_length(width));
  constexpr std::size_t kReadBeyond = 64;  // no vectors of a column are longer
  filtered.resize(count * plane + kReadBeyond);

  const std::size_t blocks = (height + kRowBlock - 1) / kRowBlock;
  parallel_for(ctx, count * blocks, [&](std::size_t task) {
    ctx.throw_if_stopped("FDK");
    const std::size_t v = task / blocks, begin = task % blocks * kRowBlock, end = std::min(height, begin + kRowBlock);
    const FilterView view = filter_view(job, first + v);
    const float* in = input.projections.data() + (first + v) * width * height;
    float* out = filtered.data() + v * plane;
    HostVector<float> weighted(kRowBlock * width), scratch(2 * tables.length * kMostPairs + kMostPairs);
    const std::size_t misplaced = reinterpret_cast<std::uintptr_t>(scratch.data()) / sizeof(float) % kMostPairs;
    float* const samples = scratch.data() + (kMostPairs - misplaced);
    RedundancyWeights redundancy(width);
    for (std::size_t r = begin; r < end; ++r) {
      const FilterRow row = filter_row(view, static_cast<int>(r));
      const HostVector<float>& weight = redundancy.of(row);
      for (std::size_t c = 0; c < width; ++c)
        weighted[(r - begin) * width + c] =
            cosine_weight(row, static_cast<float>(c) + 0.5f) * weight[c] * in[r * width + c];
    }
    HWY_DYNAMIC_DISPATCH(filter_rows)
    (tables, {weighted.data(), end - begin, width, out + stride + 1 + begin, stride}, samples);
    // The border.
    for (std::size_t c = 1; c <= width; ++c) {
      float* column = out + c * stride;
      if (begin == 0) column[0] = column[1];
      if (end == height) column[height + 1] = column[height];
    }
    const std::size_t from = begin == 0 ? 0 : begin + 1, to = end == height ? height + 2 : end + 1;
    std::copy(out + stride + from, out + stride + to, out + from);
    std::copy(out + width * stride + from, out + width * stride + to, out + (width + 1) * stride + from);
  });
}

}  // namespace dsasrgs::cpu
#endif  // HWY_ONCE
