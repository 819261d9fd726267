// SPDX-License-Identifier: Apache-2.0
// Voxel-driven back-projection: slice by slice, vectors along x, homogeneous detector coordinates linear in x.

#include <algorithm>

#include "common/host_vector.hpp"
#include "common/parallel.hpp"
#include "fdk/fdk_bodies.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fdk/fdk_back_project_cpu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#ifndef DSASRGS_FDK_BACK_PROJECT_ONCE
#define DSASRGS_FDK_BACK_PROJECT_ONCE
namespace dsasrgs::cpu {

struct BackProjectView {
  BackProjectPlanes planes;
  const float* image = nullptr;
};

struct BackProjectSlice {
  const BackProjectView* views = nullptr;
  std::size_t num_views = 0;
  std::size_t size_x = 0, size_y = 0;
  int width_px = 0, height_px = 0;
};

}  // namespace dsasrgs::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace dsasrgs::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// start + i·step.
struct Line {
  float start, step;
};

/// Adds one view to voxels [begin, end) of a row.
template <class D>
HWY_ATTR void add_to_row(D d, const BackProjectSlice& slice, const float* image, Line column, Line row, Line depth,
                         Line distance, std::size_t begin, std::size_t end, float* out) {
  const hn::RebindToSigned<D> di;
  const int stride = slice.width_px + 2;
  const auto half = hn::Set(d, 0.5f), zero = hn::Zero(d);
  const auto last_column = hn::Set(d, static_cast<float>(slice.width_px) + 0.5f);
  const auto last_row = hn::Set(d, static_cast<float>(slice.height_px) + 0.5f);
  for (std::size_t x = begin; x < end; x += hn::Lanes(d)) {
    const auto i = hn::Add(hn::Iota(d, 0.0f), hn::Set(d, static_cast<float>(x)));
    const auto w = hn::MulAdd(i, hn::Set(d, depth.step), hn::Set(d, depth.start));
    const auto t = hn::MulAdd(i, hn::Set(d, distance.step), hn::Set(d, distance.start));
    const auto inverse = hn::Div(hn::Set(d, 1.0f), hn::Mul(w, t));  // one division for both reciprocals
    const auto inverse_w = hn::Mul(inverse, t), inverse_t = hn::Mul(inverse, w);
    const auto c = hn::Mul(hn::MulAdd(i, hn::Set(d, column.step), hn::Set(d, column.start)), inverse_w);
    const auto r = hn::Mul(hn::MulAdd(i, hn::Set(d, row.step), hn::Set(d, row.start)), inverse_w);
    const auto seen = hn::And(
        hn::And(hn::And(hn::Ge(c, half), hn::Le(c, last_column)), hn::And(hn::Ge(r, half), hn::Le(r, last_row))),
        hn::And(hn::Gt(w, zero), hn::Gt(t, zero)));
    if (hn::AllFalse(d, seen)) continue;
    // Unseen voxels read sample 0, so that no index leaves the image.
    const auto sc = hn::IfThenElseZero(seen, c), sr = hn::IfThenElseZero(seen, r);
    const auto ic = hn::ConvertTo(di, sc), ir = hn::ConvertTo(di, sr);
    const auto fc = hn::Sub(sc, hn::ConvertTo(d, ic)), fr = hn::Sub(sr, hn::ConvertTo(d, ir));
    const auto index = hn::Add(hn::Mul(ir, hn::Set(di, stride)), ic);
    const auto v00 = hn::GatherIndex(d, image, index), v01 = hn::GatherIndex(d, image + 1, index);
    const auto v10 = hn::GatherIndex(d, image + stride, index), v11 = hn::GatherIndex(d, image + stride + 1, index);
    const auto v0 = hn::MulAdd(fc, hn::Sub(v01, v00), v00), v1 = hn::MulAdd(fc, hn::Sub(v11, v10), v10);
    const auto value = hn::MulAdd(fr, hn::Sub(v1, v0), v0);
    const auto weight = hn::IfThenElseZero(seen, hn::Mul(inverse_t, inverse_t));
    hn::StoreU(hn::MulAdd(weight, value, hn::LoadU(d, out + x)), d, out + x);
  }
}

HWY_ATTR void back_project_slice(const BackProjectSlice& slice, std::size_t z, float* out) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  const std::size_t whole = slice.size_x / hn::Lanes(d) * hn::Lanes(d);
  const auto line = [z](const IndexPlane& p, std::size_t y) {
    return Line{static_cast<float>(p.constant + static_cast<double>(y) * p.per_y + static_cast<double>(z) * p.per_z),
                static_cast<float>(p.per_x)};
  };
  for (std::size_t v = 0; v < slice.num_views; ++v) {
    const BackProjectView& view = slice.views[v];
    for (std::size_t y = 0; y < slice.size_y; ++y) {
      const Line column = line(view.planes.column, y), row = line(view.planes.row, y);
      const Line depth = line(view.planes.depth, y), distance = line(view.planes.distance, y);
      float* voxels = out + y * slice.size_x;
      add_to_row(d, slice, view.image, column, row, depth, distance, 0, whole, voxels);
      add_to_row(one, slice, view.image, column, row, depth, distance, whole, slice.size_x, voxels);
    }
  }
}

}  // namespace dsasrgs::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dsasrgs::cpu {

HWY_EXPORT(back_project_slice);

void fdk_back_project(const Context& ctx, const FdkJob& job, std::size_t first, std::size_t count,
                      const HostVector<float>& filtered, View<float> volume) {
  const FdkInput& input = job.input;
  const std::size_t plane = filtered.size() / count;
  HostVector<BackProjectView> views;
  for (std::size_t v = 0; v < count; ++v)
    views.push_back({back_project_planes(input, job.arc, first + v), filtered.data() + v * plane});
  BackProjectSlice slice;
  slice.views = views.data();
  slice.num_views = count;
  slice.size_x = static_cast<std::size_t>(input.grid.size_x);
  slice.size_y = static_cast<std::size_t>(input.grid.size_y);
  slice.width_px = input.detector.width_px;
  slice.height_px = input.detector.height_px;
  parallel_for(ctx, static_cast<std::size_t>(input.grid.size_z), [&](std::size_t z) {
    ctx.throw_if_stopped("FDK");
    HWY_DYNAMIC_DISPATCH(back_project_slice)(slice, z, volume.data() + z * slice.size_x * slice.size_y);
  });
}

void fdk_reconstruct(const Context& ctx, const FdkJob& job, View<float> volume) {
  std::fill(volume.begin(), volume.end(), 0.0f);
  HostVector<float> filtered;
  const std::size_t num_views = job.input.poses.size();
  for (std::size_t first = 0; first < num_views; first += kViewBatch) {
    const std::size_t count = std::min(kViewBatch, num_views - first);
    fdk_filter(ctx, job, first, count, filtered);
    fdk_back_project(ctx, job, first, count, filtered, volume);
  }
}

}  // namespace dsasrgs::cpu
#endif  // HWY_ONCE
