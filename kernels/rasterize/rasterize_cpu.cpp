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

/// 2^e for −126 ≤ e ≤ 1, relative error 2e-7; any other e gives garbage.
HWY_INLINE V exp2_fast(V e) {
  const F d;
  const hn::RebindToSigned<F> di;
  // Adding 1.5·2²³ leaves the nearest integer in the low bits of the mantissa.
  const V magic = hn::Set(d, 12582912.0f);
  const V shifted = hn::Add(e, magic);
  const V f = hn::Sub(e, hn::Sub(shifted, magic));
  V p = hn::Set(d, 0.00132764725f);  // minimax on [−½, ½]
  p = hn::MulAdd(p, f, hn::Set(d, 0.00967554096f));
  p = hn::MulAdd(p, f, hn::Set(d, 0.0555071309f));
  p = hn::MulAdd(p, f, hn::Set(d, 0.240221202f));
  p = hn::MulAdd(p, f, hn::Set(d, 0.693146944f));
  p = hn::MulAdd(p, f, hn::Set(d, 1.00000012f));
  return hn::BitCast(d, hn::Add(hn::BitCast(di, p), hn::ShiftLeft<23>(hn::BitCast(di, shifted))));
}

/// Gaussian at pixels x, x+1, … of a row, zero from `end` on and outside the cut-off. Both passes use this, so they
/// agree on every pixel.
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

/// Cuts a Gaussian's box into strips as wide as a vector, and says which rows of a strip can hold pixels.
class Strips {
 public:
  HWY_INLINE Strips(const GaussianFootprint<float>& k, const float* conic, const PixelBox& box)
      : box_(box),
        mean_x_(k.mean_x),
        mean_y_(k.mean_y),
        lanes_(static_cast<std::int32_t>(hn::Lanes(F()))),
        single_(box.x_end - box.x_begin <= lanes_) {
    if (!single_) outline_ = footprint_outline(conic[0], conic[1], conic[2]);
  }
  struct Rows {
    std::int32_t begin, end;
  };
  /// Rows of the strip at x within [y_begin, y_end). A single strip has them all: finding the ellipse's ends would cost
  /// more than the pixels it saves.
  HWY_INLINE Rows rows(std::int32_t x, std::int32_t y_begin, std::int32_t y_end) const {
    if (single_) return {y_begin, y_end};
    const FootprintRows<float> dy =
        footprint_rows(outline_, static_cast<float>(x) + 0.5f - mean_x_,
                       static_cast<float>(std::min(x + lanes_, box_.x_end)) - 0.5f - mean_x_);
    // Truncation rounds down, as these are not negative: at most one row too many. NaN gives none.
    const auto low = static_cast<float>(y_begin), high = static_cast<float>(y_end);
    return {static_cast<std::int32_t>(std::min(high, std::max(low, dy.first + mean_y_ - 0.5f))),
            static_cast<std::int32_t>(std::min(high, std::max(low, dy.last + mean_y_ + 0.5f)))};
  }

 private:
  PixelBox box_;
  float mean_x_, mean_y_;
  std::int32_t lanes_;
  bool single_;
  FootprintOutline<float> outline_{};
};

/// Adds the listed Gaussians into rows [y_begin, y_end) of the image, in the list's order. The rows are built in a copy
/// with room behind each row for a whole vector.
void render_band(const RasterizeInput& in, View<const std::uint32_t> gaussians, std::int32_t y_begin,
                 std::int32_t y_end, float* image) {
  const F d;
  const auto lanes = static_cast<std::int32_t>(hn::Lanes(d));
  const auto width = static_cast<std::size_t>(in.width_px);
  const std::size_t stride = hwy::RoundUpTo(width + hn::Lanes(d), 16);
  const std::size_t count = stride * static_cast<std::size_t>(y_end - y_begin);
  const hwy::AlignedFreeUniquePtr<float[]> rows = hwy::AllocateAligned<float>(count);
  if (!rows)
    throw OutOfMemory("rasterize_forward: a band of rows: " + std::to_string(count * sizeof(float)) + " bytes");
  std::memset(rows.get(), 0, count * sizeof(float));

  for (const std::uint32_t i : gaussians) {
    const float* conic = in.conic.data() + std::size_t{3} * i;
    const float a = in.amplitude[i];
    if (a == 0 || !(conic[0] > 0 && conic[2] > 0)) continue;
    const float mean_x = in.mean_px[std::size_t{2} * i], mean_y = in.mean_px[std::size_t{2} * i + 1];
    const GaussianFootprint<float> k = gaussian_footprint(mean_x, mean_y, conic[0], conic[1], conic[2]);
    const PixelBox box = clipped_box(in.box[i], in.width_px, in.height_px);
    const V amplitude = hn::Set(d, a);
    const Strips strips(k, conic, box);
    for (std::int32_t x = box.x_begin; x < box.x_end; x += lanes) {
      const Strips::Rows strip = strips.rows(x, std::max(box.y_begin, y_begin), std::min(box.y_end, y_end));
      float* HWY_RESTRICT pixels = rows.get() + stride * static_cast<std::size_t>(strip.begin - y_begin) + x;
      for (std::int32_t y = strip.begin; y < strip.end; ++y, pixels += stride)
        hn::StoreU(hn::MulAdd(amplitude, gaussian(k, row_at(k, y), x, box.x_end), hn::LoadU(d, pixels)), d, pixels);
    }
  }
  for (std::int32_t y = y_begin; y < y_end; ++y)
    std::memcpy(image + static_cast<std::size_t>(y) * width,
                rows.get() + static_cast<std::size_t>(y - y_begin) * stride, width * sizeof(float));
}

/// Pixels from element `at` on. Those of the next row may be read, but nothing behind the image.
HWY_INLINE V load_pixels(View<const float> image, std::size_t at) {
  const F d;
  if (at + hn::Lanes(d) <= image.size()) return hn::LoadU(d, image.data() + at);
  HWY_ALIGN float tail[hn::MaxLanes(F())] = {};
  std::memcpy(tail, image.data() + at, (image.size() - at) * sizeof(float));
  return hn::Load(d, tail);
}

/// gaussian · upstream, where pixels outside count as zero whatever their upstream gradient holds.
HWY_INLINE V weighted(V g, V upstream) { return hn::IfThenElseZero(hn::Gt(g, hn::Zero(F())), hn::Mul(g, upstream)); }

HWY_INLINE float sum(V v) { return hn::GetLane(hn::SumOfLanes(F(), v)); }

/// Moments of one Gaussian. The order of additions depends only on the Gaussian's footprint.
HWY_INLINE FootprintMoments<float> gather_moments(const RasterizeInput& in, const GaussianFootprint<float>& k,
                                                  const float* conic, const PixelBox& box,
                                                  View<const float> grad_image) {
  const F d;
  const auto lanes = static_cast<std::int32_t>(hn::Lanes(d));
  const auto width = static_cast<std::size_t>(in.width_px);
  V w = hn::Zero(d), wx = hn::Zero(d), wy = hn::Zero(d), wxx = hn::Zero(d), wxy = hn::Zero(d), wyy = hn::Zero(d);
  const Strips strips(k, conic, box);
  for (std::int32_t x = box.x_begin; x < box.x_end; x += lanes) {
    const Strips::Rows strip = strips.rows(x, box.y_begin, box.y_end);
    V strip_w = hn::Zero(d), strip_wy = hn::Zero(d);
    std::size_t at = width * static_cast<std::size_t>(strip.begin) + static_cast<std::size_t>(x);
    for (std::int32_t y = strip.begin; y < strip.end; ++y, at += width) {
      const FootprintRow<float> row = row_at(k, y);
      const V dy = hn::Set(d, row.dy);
      const V term = weighted(gaussian(k, row, x, box.x_end), load_pixels(grad_image, at));
      const V term_y = hn::Mul(term, dy);
      strip_w = hn::Add(strip_w, term);
      strip_wy = hn::Add(strip_wy, term_y);
      wyy = hn::MulAdd(term_y, dy, wyy);
    }
    // dx is the same in every row.
    const V dx = hn::Iota(d, static_cast<float>(x) + 0.5f - k.mean_x), strip_wx = hn::Mul(strip_w, dx);
    w = hn::Add(w, strip_w);
    wx = hn::Add(wx, strip_wx);
    wy = hn::Add(wy, strip_wy);
    wxx = hn::MulAdd(strip_wx, dx, wxx);
    wxy = hn::MulAdd(strip_wy, dx, wxy);
  }
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
      g = footprint_vjp(gather_moments(in, k, conic, box, grad_image), conic[0], conic[1], conic[2], in.amplitude[i]);
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
