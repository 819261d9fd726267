// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "common/parallel.hpp"
#include "dsasrgs/error.hpp"
#include "rasterize/rasterize_bodies.hpp"
#include "rasterize/rasterize_math.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "rasterize/rasterize_cpu.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h.
#include <hwy/aligned_allocator.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace dsasrgs::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using F = hn::ScalableTag<float>;
using V = hn::Vec<F>;
using M = hn::Mask<F>;

/// 2^e for −126 ≤ e ≤ 127; any other e gives garbage. Relative error 2e-7, or 5e-9 before rounding with one more term.
template <bool kExact = false>
HWY_INLINE V exp2_fast(V e) {
  const F d;
  const hn::RebindToSigned<F> di;
  // Adding 1.5·2²³ leaves the nearest integer in the low bits of the mantissa.
  const V magic = hn::Set(d, 12582912.0f);
  const V shifted = hn::Add(e, magic);
  const V f = hn::Sub(e, hn::Sub(shifted, magic));
  // Minimax on [−½, ½].
  constexpr float kFast[] = {0.00132764725f, 0.00967554096f, 0.0555071309f, 0.240221202f, 0.693146944f, 1.00000012f};
  constexpr float kMore[] = {
      0.000154035304f, 0.00133335581f, 0.00961812911f, 0.0555041087f, 0.240226507f, 0.693147181f, 1.0f};
  V p;
  if constexpr (kExact) {
    p = hn::Set(d, kMore[0]);
    for (int i = 1; i < 7; ++i) p = hn::MulAdd(p, f, hn::Set(d, kMore[i]));
  } else {
    p = hn::Set(d, kFast[0]);
    for (int i = 1; i < 6; ++i) p = hn::MulAdd(p, f, hn::Set(d, kFast[i]));
  }
  return hn::BitCast(d, hn::Add(hn::BitCast(di, p), hn::ShiftLeft<23>(hn::BitCast(di, shifted))));
}

/// Gaussian at pixels x, x+1, … of a row, zero from `end` on and outside the cut-off.
HWY_INLINE V gaussian(const GaussianFootprint<float>& k, const FootprintRow<float>& row, std::int32_t x,
                      std::int32_t end) {
  const F d;
  const V center = hn::Iota(d, static_cast<float>(x) + 0.5f);
  const V t = hn::Sub(center, hn::Set(d, row.center_x));
  const V e = hn::MulAdd(hn::Mul(t, t), hn::Set(d, k.along_row), hn::Set(d, row.exponent));
  const M inside =
      hn::And(hn::Lt(center, hn::Set(d, static_cast<float>(end))), hn::Ge(e, hn::Set(d, kExponentFloor<float>)));
  return hn::IfThenElseZero(inside, exp2_fast(e));
}
HWY_INLINE FootprintRow<float> row_at(const GaussianFootprint<float>& k, std::int32_t y) {
  return footprint_row(k, static_cast<float>(y) + 0.5f);
}

/// Whether a box is no wider than a vector. Both passes then take every row of it whole, with gaussian(): finding where
/// its pixels begin, as Rows does, would cost more than it saves.
HWY_INLINE bool is_narrow(const PixelBox& box) {
  return box.x_end - box.x_begin <= static_cast<std::int32_t>(hn::Lanes(F()));
}

/// The pixels of a wider Gaussian, row by row. Both passes go through this, so they agree on every pixel.
///
/// A row's exponent is a parabola in x, so that 2^exponent of a vector of pixels follows from that of the vector to
/// its left by a factor, and that factor from the one before by another which is the same everywhere:
///   a·(t + L)² − a·t² = a·(2L·t + L²).
/// Only the first vector of a row, and every kRestart-th after it, is an exponential of its own.
class Rows {
 public:
  HWY_INLINE Rows(const GaussianFootprint<float>& k, const PixelBox& box)
      : k_(k), box_(box), inverse_(1 / k.along_row) {
    const F d;
    constexpr auto kStep = static_cast<float>(kLanes);
    const V slope = hn::Set(d, 2 * kStep * k.along_row);
    lanes_ratio_ = exp2_fast<true>(hn::Mul(slope, hn::Iota(d, 0.0f)));
    next_ratio_ = exp2_fast<true>(hn::Mul(slope, hn::Set(d, kStep)));
  }

  /// Calls visit(y, dy, row) for those rows in [y_begin, y_end) that hold pixels, from top to bottom.
  template <class Visit>
  HWY_INLINE void for_each_row(std::int32_t y_begin, std::int32_t y_end, Visit&& visit) {
    for (std::int32_t y = y_begin; y < y_end; y += kLanes) {
      find_spans(y);
      for (std::int32_t row = 0; row < std::min(kLanes, y_end - y); ++row)
        if (first_[row] < end_[row]) visit(y + row, dy_[row], row);
    }
  }

  /// Calls visit(x, dx, gaussian, count) for the vectors of such a row: of the pixels from x on, `count` are the
  /// Gaussian's. What the others' lanes hold is of no meaning.
  template <class Visit>
  HWY_INLINE void for_each_vector(std::int32_t row, Visit&& visit) const {
    constexpr std::int32_t kRestart = 8;
    const F d;
    const std::int32_t end = end_[row];
    std::int32_t x = first_[row];
    const V along = hn::Set(d, k_.along_row), exponent = hn::Set(d, exponent_[row]), shift = hn::Set(d, shift_[row]);
    V t = hn::Iota(d, t_[row]), ratio = hn::Zero(d);
    V g = exp2_fast(hn::MulAdd(hn::Mul(t, t), along, exponent)), dx = hn::Sub(t, shift);
    if (end - x > kLanes) ratio = hn::Mul(lanes_ratio_, hn::Set(d, ratio_[row]));
    for (std::int32_t n = 1;; ++n) {
      visit(x, dx, g, end - x);
      x += kLanes;
      if (x >= end) return;
      dx = hn::Add(dx, hn::Set(d, static_cast<float>(kLanes)));
      if (n % kRestart != 0) {
        g = hn::Mul(g, ratio);
        ratio = hn::Mul(ratio, next_ratio_);
      } else {
        t = hn::Add(dx, shift);
        g = exp2_fast(hn::MulAdd(hn::Mul(t, t), along, exponent));
        ratio = exp2_fast<true>(ratio_exponent(t));
      }
    }
  }

 private:
  static constexpr auto kLanes = static_cast<std::int32_t>(hn::MaxLanes(F()));

  HWY_INLINE V ratio_exponent(V t) const {
    const F d;
    constexpr auto kStep = static_cast<float>(kLanes);
    return hn::Mul(hn::Set(d, k_.along_row), hn::MulAdd(hn::Set(d, 2 * kStep), t, hn::Set(d, kStep * kStep)));
  }

  /// Pixels [first, end) of the rows from y on: from the ellipse's ends, a little too wide, and then by the exponents
  /// of the pixels at the ends themselves.
  HWY_INLINE void find_spans(std::int32_t y) {
    const F d;
    const hn::RebindToSigned<F> di;
    constexpr float kFloor = kExponentFloor<float>, kRounding = 4e-6f, kMargin_px = 0.01f;
    const V half = hn::Set(d, 0.5f), one = hn::Set(d, 1.0f), floor = hn::Set(d, kFloor);
    const V dy = hn::Sub(hn::Iota(d, static_cast<float>(y) + 0.5f), hn::Set(d, k_.mean_y)),
            shift = hn::Mul(hn::Set(d, k_.shear), dy);
    const V center = hn::Sub(hn::Set(d, k_.mean_x), shift);
    const V exponent = hn::Mul(hn::Mul(hn::Set(d, k_.across_rows), dy), dy);
    const V square = hn::Mul(hn::Sub(hn::Set(d, kFloor - kRounding), exponent), hn::Set(d, inverse_));
    const V reach = hn::Add(hn::Sqrt(hn::Max(square, hn::Zero(d))), hn::Set(d, kMargin_px));
    const V left = hn::Set(d, static_cast<float>(box_.x_begin)), right = hn::Set(d, static_cast<float>(box_.x_end));
    const V pixel = hn::Sub(center, half);  // in pixels' numbers
    V first = hn::Min(hn::Max(hn::Ceil(hn::Sub(pixel, reach)), left), right);
    V last = hn::Min(hn::Max(hn::Floor(hn::Add(pixel, reach)), hn::Sub(left, one)), hn::Sub(right, one));
    const auto one_unless_counted = [&](V x) HWY_ATTR {
      const V t = hn::Sub(hn::Add(x, half), center);
      const V e = hn::MulAdd(hn::Mul(t, t), hn::Set(d, k_.along_row), exponent);
      return hn::IfThenZeroElse(hn::Ge(e, floor), one);
    };
    first = hn::Add(first, one_unless_counted(first));
    last = hn::Sub(last, one_unless_counted(last));
    const V t = hn::Sub(hn::Add(first, half), center);
    hn::Store(dy, d, dy_);
    hn::Store(shift, d, shift_);
    hn::Store(exponent, d, exponent_);
    hn::Store(t, d, t_);
    hn::Store(hn::ConvertTo(di, first), di, first_);
    hn::Store(hn::ConvertTo(di, hn::Add(last, one)), di, end_);
    hn::Store(exp2_fast<true>(ratio_exponent(t)), d, ratio_);
  }

  GaussianFootprint<float> k_;
  PixelBox box_;
  float inverse_;
  V lanes_ratio_ = hn::Zero(F()), next_ratio_ = lanes_ratio_;
  // Of the rows found last: distance from the mean, of its row's center from the mean, exponent there, first pixel from
  // there and factor to the next vector.
  HWY_ALIGN float dy_[kLanes], shift_[kLanes], exponent_[kLanes], t_[kLanes], ratio_[kLanes];
  HWY_ALIGN std::int32_t first_[kLanes], end_[kLanes];
};

/// Adds the listed Gaussians into rows [y_begin, y_end) of the image, in the list's order. The rows are built in a copy
/// with room behind each row for a whole vector.
void render_band(const RasterizeInput& in, View<const std::uint32_t> gaussians, std::int32_t y_begin,
                 std::int32_t y_end, float* image) {
  const F d;
  const auto width = static_cast<std::size_t>(in.width_px);
  const std::size_t stride = hwy::RoundUpTo(width + hn::Lanes(d), 16);
  const std::size_t count = stride * static_cast<std::size_t>(y_end - y_begin);
  const hwy::AlignedFreeUniquePtr<float[]> pixels = hwy::AllocateAligned<float>(count);
  if (!pixels)
    throw OutOfMemory("rasterize_forward: a band of rows: " + std::to_string(count * sizeof(float)) + " bytes");
  std::memset(pixels.get(), 0, count * sizeof(float));

  for (const std::uint32_t i : gaussians) {
    const float* conic = in.conic.data() + std::size_t{3} * i;
    const float a = in.amplitude[i];
    if (a == 0 || !(conic[0] > 0 && conic[2] > 0)) continue;
    const float mean_x = in.mean_px[std::size_t{2} * i], mean_y = in.mean_px[std::size_t{2} * i + 1];
    const PixelBox box = clipped_box(in.box[i], in.width_px, in.height_px);
    const V amplitude = hn::Set(d, a);
    const GaussianFootprint<float> k = gaussian_footprint(mean_x, mean_y, conic[0], conic[1], conic[2]);
    const std::int32_t first = std::max(box.y_begin, y_begin), end = std::min(box.y_end, y_end);
    if (is_narrow(box)) {
      float* HWY_RESTRICT line = pixels.get() + stride * static_cast<std::size_t>(first - y_begin) + box.x_begin;
      for (std::int32_t y = first; y < end; ++y, line += stride)
        hn::StoreU(hn::MulAdd(amplitude, gaussian(k, row_at(k, y), box.x_begin, box.x_end), hn::LoadU(d, line)), d,
                   line);
      continue;
    }
    Rows rows(k, box);
    rows.for_each_row(
        first, end, [&](std::int32_t y, float, std::int32_t row) HWY_ATTR __attribute__((always_inline)) {
          float* HWY_RESTRICT const line = pixels.get() + stride * static_cast<std::size_t>(y - y_begin);
          rows.for_each_vector(
              row, [&](std::int32_t x, V, V gaussian, std::int32_t here) HWY_ATTR __attribute__((always_inline)) {
                const V mine = hn::IfThenElseZero(hn::FirstN(d, static_cast<std::size_t>(here)), gaussian);
                hn::StoreU(hn::MulAdd(amplitude, mine, hn::LoadU(d, line + x)), d, line + x);
              });
        });
  }
  for (std::int32_t y = y_begin; y < y_end; ++y)
    std::memcpy(image + static_cast<std::size_t>(y) * width,
                pixels.get() + static_cast<std::size_t>(y - y_begin) * stride, width * sizeof(float));
}

HWY_INLINE float sum(V v) { return hn::GetLane(hn::SumOfLanes(F(), v)); }

/// Moments of a Gaussian in a narrow box.
HWY_INLINE FootprintMoments<float> gather_narrow_moments(const RasterizeInput& in, const GaussianFootprint<float>& k,
                                                         const PixelBox& box, View<const float> grad_image) {
  const F d;
  const auto width = static_cast<std::size_t>(in.width_px);
  const M in_box = hn::FirstN(d, static_cast<std::size_t>(box.x_end - box.x_begin));
  V w = hn::Zero(d), wy = hn::Zero(d), wyy = hn::Zero(d);
  const float* line = grad_image.data() + width * static_cast<std::size_t>(box.y_begin) + box.x_begin;
  for (std::int32_t y = box.y_begin; y < box.y_end; ++y, line += width) {
    const FootprintRow<float> row = row_at(k, y);
    const V g = gaussian(k, row, box.x_begin, box.x_end), dy = hn::Set(d, row.dy);
    // Pixels outside count as zero whatever their upstream gradient holds.
    const V term = hn::IfThenElseZero(hn::Gt(g, hn::Zero(d)), hn::Mul(g, hn::MaskedLoad(in_box, d, line)));
    const V term_y = hn::Mul(term, dy);
    w = hn::Add(w, term);
    wy = hn::Add(wy, term_y);
    wyy = hn::MulAdd(term_y, dy, wyy);
  }
  // dx is the same in every row.
  const V dx = hn::Iota(d, static_cast<float>(box.x_begin) + 0.5f - k.mean_x), wx = hn::Mul(w, dx);
  return {sum(w), sum(wx), sum(wy), sum(hn::Mul(wx, dx)), sum(hn::Mul(wy, dx)), sum(wyy)};
}

/// Moments of one Gaussian. The order of additions depends only on the Gaussian's footprint.
HWY_INLINE FootprintMoments<float> gather_moments(const RasterizeInput& in, const GaussianFootprint<float>& k,
                                                  const PixelBox& box, View<const float> grad_image) {
  if (is_narrow(box)) return gather_narrow_moments(in, k, box, grad_image);
  const F d;
  const auto width = static_cast<std::size_t>(in.width_px);
  V w = hn::Zero(d), wx = hn::Zero(d), wy = hn::Zero(d), wxx = hn::Zero(d), wxy = hn::Zero(d), wyy = hn::Zero(d);
  Rows rows(k, box);
  rows.for_each_row(
      box.y_begin,
      box.y_end, [&](std::int32_t y, float row_dy, std::int32_t row) HWY_ATTR __attribute__((always_inline)) {
        const float* HWY_RESTRICT const line = grad_image.data() + width * static_cast<std::size_t>(y);
        V row_w = hn::Zero(d), row_wx = hn::Zero(d);
        rows.for_each_vector(
            row, [&](std::int32_t x, V dx, V gaussian, std::int32_t here) HWY_ATTR __attribute__((always_inline)) {
              const M mine = hn::FirstN(d, static_cast<std::size_t>(here));
              const V term = hn::IfThenElseZero(mine, hn::Mul(gaussian, hn::MaskedLoad(mine, d, line + x)));
              const V term_x = hn::Mul(term, dx);
              row_w = hn::Add(row_w, term);
              row_wx = hn::Add(row_wx, term_x);
              wxx = hn::MulAdd(term_x, dx, wxx);
            });
        // dy is the same in the whole row.
        const V dy = hn::Set(d, row_dy), row_wy = hn::Mul(row_w, dy);
        w = hn::Add(w, row_w);
        wx = hn::Add(wx, row_wx);
        wy = hn::Add(wy, row_wy);
        wxy = hn::MulAdd(row_wx, dy, wxy);
        wyy = hn::MulAdd(row_wy, dy, wyy);
      });
  return {sum(w), sum(wx), sum(wy), sum(wxx), sum(wxy), sum(wyy)};
}

/// Gradients of Gaussians [begin, end).
void gather_gradients(const RasterizeInput& in, View<const float> grad_image, GradientMode mode,
                      const RasterizeGradient& out, std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < end; ++i) {
    const float* conic = in.conic.data() + 3 * i;
    const PixelBox box = clipped_box(in.box[i], in.width_px, in.height_px);
    FootprintGradient<float> g{};
    if (!box.empty() && conic[0] > 0 && conic[2] > 0) {
      const GaussianFootprint<float> k =
          gaussian_footprint(in.mean_px[2 * i], in.mean_px[2 * i + 1], conic[0], conic[1], conic[2]);
      g = footprint_vjp(gather_moments(in, k, box, grad_image), conic[0], conic[1], conic[2], in.amplitude[i]);
    }
    float* const mean = out.mean_px.data() + 2 * i;
    float* const grad_conic = out.conic.data() + 3 * i;
    float& amplitude = out.amplitude[i];
    if (mode == GradientMode::accumulate) {
      g = {g.mean_x + mean[0],         g.mean_y + mean[1],         g.conic_xx + grad_conic[0],
           g.conic_xy + grad_conic[1], g.conic_yy + grad_conic[2], g.amplitude + amplitude};
    }
    mean[0] = g.mean_x;
    mean[1] = g.mean_y;
    grad_conic[0] = g.conic_xx;
    grad_conic[1] = g.conic_xy;
    grad_conic[2] = g.conic_yy;
    amplitude = g.amplitude;
  }
}

}  // namespace dsasrgs::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dsasrgs::cpu {

HWY_EXPORT(render_band);
HWY_EXPORT(gather_gradients);

void rasterize_forward(Context& ctx, const RasterizeInput& in, RasterizeScratch& scratch, View<float> image) {
  constexpr int kBandRows = 32;
  const TileGrid bands{in.width_px, in.height_px, in.width_px, kBandRows};
  tile_bin(ctx, in.box, bands, scratch.tiles);
  const std::uint32_t* const begin = scratch.tiles.begin.data();
  const View<const std::uint32_t> gaussians = scratch.tiles.gaussian;
  parallel_for(ctx, static_cast<std::size_t>(bands.rows()), [&](std::size_t b) {
    const int y_begin = static_cast<int>(b) * kBandRows;
    HWY_DYNAMIC_DISPATCH(render_band)
    (in, gaussians.subview(begin[b], begin[b + 1] - begin[b]), y_begin, std::min(y_begin + kBandRows, in.height_px),
     image.data());
  });
}

void rasterize_backward(Context& ctx, const RasterizeInput& in, View<const float> grad_image, GradientMode mode,
                        const RasterizeGradient& gradient) {
  constexpr std::size_t kBlock = 256;  // Gaussians per task
  parallel_blocks(ctx, in.amplitude.size(), kBlock, [&](std::size_t begin, std::size_t end) {
    HWY_DYNAMIC_DISPATCH(gather_gradients)(in, grad_image, mode, gradient, begin, end);
  });
}

}  // namespace dsasrgs::cpu
#endif  // HWY_ONCE
