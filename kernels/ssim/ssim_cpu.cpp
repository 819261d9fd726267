// SPDX-License-Identifier: Apache-2.0
// The window is separable: per output row a vertical pass of 11 rows into row buffers, then a horizontal pass along
// them, both in vectors along x; then the per-pixel formulas in plain loops that the compiler vectorises.

#include <hwy/aligned_allocator.h>

#include <algorithm>
#include <numeric>

#include "common/host_vector.hpp"
#include "common/parallel.hpp"
#include "ssim/ssim_bodies.hpp"
#include "ssim/ssim_math.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ssim/ssim_cpu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#ifndef DSASRGS_SSIM_CPU_ONCE
#define DSASRGS_SSIM_CPU_ONCE
namespace dsasrgs::cpu {

/// Zeros either side of a row buffer: at least kSsimRadius, and one whole vector so that rows stay aligned.
constexpr std::size_t kPad = 16;
/// Rows per task.
constexpr std::size_t kRowBlock = 16;

/// What the rows of a block need; plain pointers so that vector code is not reached through lambdas.
struct SsimRows {
  std::size_t width = 0, height = 0;
  SsimWindow window{};
  float c1 = 0, c2 = 0;
  const float* x = nullptr;
  const float* y = nullptr;
  const std::uint8_t* valid = nullptr;  ///< null: all valid
  // Forward.
  float* derivative = nullptr;  ///< [3,H,W], null: not wanted
  float* map = nullptr;         ///< [H,W], null: not wanted
  double* row_sums = nullptr;   ///< [H,kImageLossSums], null: not wanted
  // Backward.
  const float* saved = nullptr;  ///< [3,H,W]
  float* grad = nullptr;
  float weight_l1 = 0, weight_ssim = 0;
  bool accumulate = false;
};

}  // namespace dsasrgs::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace dsasrgs::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Row buffers of one task, each padded with zeros on both sides.
class RowBuffers {
 public:
  RowBuffers(std::size_t count, std::size_t width)
      : stride_((width + kPad - 1) / kPad * kPad + 2 * kPad), data_(hwy::AllocateAligned<float>(count * stride_)) {
    if (!data_) throw_out_of_host_memory(count * stride_, sizeof(float));
    std::fill_n(data_.get(), count * stride_, 0.0f);
  }
  /// First pixel of a row.
  float* row(std::size_t i) { return data_.get() + i * stride_ + kPad; }

 private:
  std::size_t stride_;
  hwy::AlignedFreeUniquePtr<float[]> data_;
};

/// Vertical pass of the moments: rows [first, last) of the images, weights from taps on.
template <class D>
HWY_ATTR void vertical_moments(D d, const SsimRows& a, std::size_t first, std::size_t last, const float* taps,
                               std::size_t begin, std::size_t end, float* const* out) {
  for (std::size_t c = begin; c < end; c += hn::Lanes(d)) {
    auto mean_x = hn::Zero(d), mean_y = hn::Zero(d), square = hn::Zero(d), cross = hn::Zero(d);
    for (std::size_t r = first; r < last; ++r) {
      const auto w = hn::Set(d, taps[r - first]);
      const auto x = hn::LoadU(d, a.x + r * a.width + c), y = hn::LoadU(d, a.y + r * a.width + c);
      const auto wx = hn::Mul(w, x), wy = hn::Mul(w, y);
      mean_x = hn::Add(mean_x, wx);
      mean_y = hn::Add(mean_y, wy);
      square = hn::MulAdd(wx, x, hn::MulAdd(wy, y, square));
      cross = hn::MulAdd(wx, y, cross);
    }
    hn::StoreU(mean_x, d, out[0] + c);
    hn::StoreU(mean_y, d, out[1] + c);
    hn::StoreU(square, d, out[2] + c);
    hn::StoreU(cross, d, out[3] + c);
  }
}

/// Vertical pass of the three derivative maps.
template <class D>
HWY_ATTR void vertical_derivatives(D d, const SsimRows& a, std::size_t first, std::size_t last, const float* taps,
                                   std::size_t begin, std::size_t end, float* const* out) {
  const std::size_t plane = a.width * a.height;
  for (std::size_t c = begin; c < end; c += hn::Lanes(d)) {
    auto s0 = hn::Zero(d), s1 = hn::Zero(d), s2 = hn::Zero(d);
    for (std::size_t r = first; r < last; ++r) {
      const auto w = hn::Set(d, taps[r - first]);
      const float* p = a.saved + r * a.width + c;
      s0 = hn::MulAdd(w, hn::LoadU(d, p), s0);
      s1 = hn::MulAdd(w, hn::LoadU(d, p + plane), s1);
      s2 = hn::MulAdd(w, hn::LoadU(d, p + 2 * plane), s2);
    }
    hn::StoreU(s0, d, out[0] + c);
    hn::StoreU(s1, d, out[1] + c);
    hn::StoreU(s2, d, out[2] + c);
  }
}

/// out[c] = Σ taps[k] in[c − kSsimRadius + k]; both are padded rows, so whole vectors may run past `width`.
HWY_ATTR void horizontal_pass(const float* taps, const float* in, std::size_t width, float* out) {
  const hn::CappedTag<float, kPad> d;
  for (std::size_t c = 0; c < width; c += hn::Lanes(d)) {
    // Two chains, so that the multiply-adds do not wait for one another.
    auto even = hn::Mul(hn::Set(d, taps[0]), hn::LoadU(d, in + c - kSsimRadius));
    auto odd = hn::Mul(hn::Set(d, taps[1]), hn::LoadU(d, in + c - kSsimRadius + 1));
    for (int k = 2; k < kSsimTaps; k += 2)
      even = hn::MulAdd(hn::Set(d, taps[k]), hn::LoadU(d, in + c - kSsimRadius + k), even);
    for (int k = 3; k < kSsimTaps; k += 2)
      odd = hn::MulAdd(hn::Set(d, taps[k]), hn::LoadU(d, in + c - kSsimRadius + k), odd);
    hn::StoreU(hn::Add(even, odd), d, out + c);
  }
}

/// Σ row[c]; what lies past `width` in the padded row must be zero.
HWY_ATTR double row_sum(const float* row, std::size_t width) {
  const hn::CappedTag<float, kPad> d;
  auto sum = hn::Zero(d);
  for (std::size_t c = 0; c < width; c += hn::Lanes(d)) sum = hn::Add(sum, hn::LoadU(d, row + c));
  return static_cast<double>(hn::GetLane(hn::SumOfLanes(d, sum)));
}

/// Rows [begin, end) of the forward pass.
HWY_ATTR void forward_rows(const SsimRows& a, std::size_t begin, std::size_t end) {
  const hn::CappedTag<float, kPad> d;
  const hn::CappedTag<float, 1> one;
  RowBuffers buffers(10, a.width);
  float* vertical[4] = {buffers.row(0), buffers.row(1), buffers.row(2), buffers.row(3)};
  float *mean_x = buffers.row(4), *mean_y = buffers.row(5), *square = buffers.row(6), *cross = buffers.row(7);
  float *ssim = buffers.row(8), *l1 = buffers.row(9);
  const std::size_t whole = a.width / hn::Lanes(d) * hn::Lanes(d), plane = a.width * a.height;
  for (std::size_t r = begin; r < end; ++r) {
    const std::size_t first = r < kSsimRadius ? 0 : r - kSsimRadius, last = std::min(a.height, r + kSsimRadius + 1);
    const float* taps = a.window.tap + (first + kSsimRadius - r);
    vertical_moments(d, a, first, last, taps, 0, whole, vertical);
    vertical_moments(one, a, first, last, taps, whole, a.width, vertical);
    for (std::size_t q = 0; q < 4; ++q) horizontal_pass(a.window.tap, vertical[q], a.width, buffers.row(4 + q));

    const std::size_t row = r * a.width;
    const std::uint8_t* valid = a.valid ? a.valid + row : nullptr;
    if (a.derivative) {
      float *d0 = a.derivative + row, *d1 = d0 + plane, *d2 = d1 + plane;
#pragma omp simd
      for (std::size_t c = 0; c < a.width; ++c) {
        const SsimMoments<float> m{mean_x[c], mean_y[c], square[c], cross[c]};
        const SsimTerms<float> t = ssim_terms(m, a.c1, a.c2);
        const SsimDerivative<float> g = ssim_derivative(m, t);
        ssim[c] = t.value;
        d0[c] = g.mean_x;
        d1[c] = g.square;
        d2[c] = g.cross;
      }
      if (valid)
        for (std::size_t c = 0; c < a.width; ++c)
          if (!valid[c]) ssim[c] = d0[c] = d1[c] = d2[c] = 0;
    } else {
#pragma omp simd
      for (std::size_t c = 0; c < a.width; ++c)
        ssim[c] = ssim_terms(SsimMoments<float>{mean_x[c], mean_y[c], square[c], cross[c]}, a.c1, a.c2).value;
    }
    if (a.map) std::copy_n(ssim, a.width, a.map + row);
    if (a.row_sums) {
      // Invalid pixels were zeroed in both images before this pass.
#pragma omp simd
      for (std::size_t c = 0; c < a.width; ++c) l1[c] = std::abs(a.x[row + c] - a.y[row + c]);
      double* sums = a.row_sums + kImageLossSums * r;
      sums[0] = row_sum(l1, a.width);
      sums[1] = row_sum(ssim, a.width);
      std::copy_n(a.x + row, a.width, l1);  // padded with zeros, which row_sum reads
      sums[2] = row_sum(l1, a.width);
    }
  }
}

/// Rows [begin, end) of the backward pass.
HWY_ATTR void backward_rows(const SsimRows& a, std::size_t begin, std::size_t end) {
  const hn::CappedTag<float, kPad> d;
  const hn::CappedTag<float, 1> one;
  RowBuffers buffers(7, a.width);
  float* vertical[3] = {buffers.row(0), buffers.row(1), buffers.row(2)};
  float *w0 = buffers.row(3), *w1 = buffers.row(4), *w2 = buffers.row(5), *gradient = buffers.row(6);
  const std::size_t whole = a.width / hn::Lanes(d) * hn::Lanes(d);
  for (std::size_t r = begin; r < end; ++r) {
    const std::size_t first = r < kSsimRadius ? 0 : r - kSsimRadius, last = std::min(a.height, r + kSsimRadius + 1);
    const float* taps = a.window.tap + (first + kSsimRadius - r);
    vertical_derivatives(d, a, first, last, taps, 0, whole, vertical);
    vertical_derivatives(one, a, first, last, taps, whole, a.width, vertical);
    for (std::size_t q = 0; q < 3; ++q) horizontal_pass(a.window.tap, vertical[q], a.width, buffers.row(3 + q));

    const std::size_t row = r * a.width;
    const float *x = a.x + row, *y = a.y + row;
#pragma omp simd
    for (std::size_t c = 0; c < a.width; ++c)
      gradient[c] =
          image_loss_gradient(x[c], y[c], SsimDerivative<float>{w0[c], w1[c], w2[c]}, a.weight_l1, a.weight_ssim);
    if (a.valid)
      for (std::size_t c = 0; c < a.width; ++c)
        if (!a.valid[row + c]) gradient[c] = 0;
    float* out = a.grad + row;
    if (a.accumulate)
      for (std::size_t c = 0; c < a.width; ++c) out[c] += gradient[c];
    else
      std::copy_n(gradient, a.width, out);
  }
}

}  // namespace dsasrgs::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dsasrgs::cpu {

HWY_EXPORT(forward_rows);
HWY_EXPORT(backward_rows);

namespace {

SsimRows rows_of(const ImageLossShape& shape, const float* x, const float* y) {
  SsimRows rows;
  rows.width = static_cast<std::size_t>(shape.width_px);
  rows.height = static_cast<std::size_t>(shape.height_px);
  rows.window = ssim_window();
  const SsimConstants constants = ssim_constants(shape);
  rows.c1 = constants.c1;
  rows.c2 = constants.c2;
  rows.x = x;
  rows.y = y;
  return rows;
}

}  // namespace

void image_loss_forward(const Context& ctx, const ImageLossShape& shape, const ImageLossInput& input, double num_valid,
                        ImageLossSaved& saved) {
  SsimRows rows = rows_of(shape, input.rendered.data(), input.target.data());
  HostVector<float> masked;  // x then y, zero at invalid pixels whatever they held (also NaN)
  if (!input.valid.empty()) {
    const std::size_t pixels = input.valid.size();
    masked.resize(2 * pixels);
    parallel_blocks(ctx, pixels, kRowBlock * rows.width, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        masked[i] = input.valid[i] ? input.rendered[i] : 0.0f;
        masked[pixels + i] = input.valid[i] ? input.target[i] : 0.0f;
      }
    });
    rows.x = masked.data();
    rows.y = masked.data() + pixels;
    rows.valid = input.valid.data();
  }
  HostVector<double> row_sums(kImageLossSums * rows.height);
  rows.derivative = saved.derivative.data();
  rows.row_sums = row_sums.data();
  parallel_blocks(ctx, rows.height, kRowBlock, [&](std::size_t begin, std::size_t end) {
    HWY_DYNAMIC_DISPATCH(forward_rows)(rows, begin, end);
  });
  double sum[kImageLossSums] = {};
  for (std::size_t i = 0; i < row_sums.size(); ++i) sum[i % kImageLossSums] += row_sums[i];
  saved.value.data()[0] =
      image_loss_from_sums(sum, num_valid, num_valid * static_cast<double>(shape.unit), shape.ssim_weight);
}

void image_loss_backward(const Context& ctx, const ImageLossShape& shape, const ImageLossInput& input,
                         View<const float> derivative, const ImageLossWeights& weights, GradientMode mode,
                         View<float> grad_rendered) {
  SsimRows rows = rows_of(shape, input.rendered.data(), input.target.data());
  rows.valid = input.valid.empty() ? nullptr : input.valid.data();
  rows.saved = derivative.data();
  rows.grad = grad_rendered.data();
  rows.accumulate = mode == GradientMode::accumulate;
  rows.weight_l1 = weights.l1;
  rows.weight_ssim = weights.ssim;
  parallel_blocks(ctx, rows.height, kRowBlock, [&](std::size_t begin, std::size_t end) {
    HWY_DYNAMIC_DISPATCH(backward_rows)(rows, begin, end);
  });
}

void ssim_map(const Context& ctx, const ImageLossShape& shape, View<const float> a, View<const float> b,
              View<float> map) {
  SsimRows rows = rows_of(shape, a.data(), b.data());
  rows.map = map.data();
  parallel_blocks(ctx, rows.height, kRowBlock, [&](std::size_t begin, std::size_t end) {
    HWY_DYNAMIC_DISPATCH(forward_rows)(rows, begin, end);
  });
}

}  // namespace dsasrgs::cpu
#endif  // HWY_ONCE
