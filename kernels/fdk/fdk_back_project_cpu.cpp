// SPDX-License-Identifier: Apache-2.0
// Voxel-driven back-projection: tiles of columns of voxels, vectors along z, homogeneous detector coordinates linear in
// z. A vector of voxels along the axis of the arc sees neighbouring rows of one or two detector columns, so that
// filtered views are kept column by column and most vectors need no gather.

#include <algorithm>
#include <cmath>
#include <cstddef>

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
  const float* image = nullptr;  ///< [W + 2, H + 2]
  bool upright = false;          ///< along z only rows change, or less than anybody sees
};

/// Columns of voxels [begin_x, end_x) × [begin_y, end_y).
struct BackProjectTile {
  const BackProjectView* views = nullptr;
  std::size_t num_views = 0;
  std::size_t begin_x = 0, end_x = 0, begin_y = 0, end_y = 0;
  std::size_t padded_z = 0;  ///< a multiple of any vector's length
  int width_px = 0, height_px = 0;
};

constexpr std::size_t kMostLanes = 16;

}  // namespace dsasrgs::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace dsasrgs::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// start + i·step.
struct Line {
  float start, step;
};

/// Detector coordinates of a vector of voxels.
template <class V>
struct Seen {
  V column, row;  ///< inside the padded image
  V weight;       ///< 0 for voxels beside the detector
};

/// The four samples around each voxel, from anywhere in the image.
template <class D, class V = hn::Vec<D>>
HWY_ATTR V interpolate_anywhere(D d, const float* image, int stride, const Seen<V>& at) {
  const hn::RebindToSigned<D> di;
  const auto ic = hn::ConvertTo(di, at.column), ir = hn::ConvertTo(di, at.row);
  const auto fc = hn::Sub(at.column, hn::ConvertTo(d, ic)), fr = hn::Sub(at.row, hn::ConvertTo(d, ir));
  const auto index = hn::Add(hn::Mul(ic, hn::Set(di, stride)), ir);
  const auto v00 = hn::GatherIndex(d, image, index), v01 = hn::GatherIndex(d, image + stride, index);
  const auto v10 = hn::GatherIndex(d, image + 1, index), v11 = hn::GatherIndex(d, image + stride + 1, index);
  const auto v0 = hn::MulAdd(fc, hn::Sub(v01, v00), v00), v1 = hn::MulAdd(fc, hn::Sub(v11, v10), v10);
  return hn::MulAdd(fr, hn::Sub(v1, v0), v0);
}

/// Neighbouring values, of which each lane takes one.
template <class D, int kVectors>
struct Table {
  hn::Vec<D> values[kVectors];

  HWY_ATTR Table(D d, const float* first) {
    for (int k = 0; k < kVectors; ++k) values[k] = hn::LoadU(d, first + static_cast<std::size_t>(k) * hn::Lanes(d));
  }
  template <class VI>
  HWY_ATTR hn::Vec<D> look_up(D d, VI place) const {
    const hn::RebindToSigned<D> di;
    const int lanes = static_cast<int>(hn::Lanes(d));
    const auto indices = hn::IndicesFromVec(d, hn::And(place, hn::Set(di, lanes - 1)));
    auto found = hn::TableLookupLanes(values[0], indices);
    for (int k = 1; k < kVectors; ++k)
      found = hn::IfThenElse(hn::RebindMask(d, hn::Gt(place, hn::Set(di, k * lanes - 1))),
                             hn::TableLookupLanes(values[k], indices), found);
    return found;
  }
};

/// The same as interpolate_anywhere for voxels that see rows from first_row on, no more than kVectors hold, of the
/// columns `column` and column + 1.
template <int kVectors, class D, class V = hn::Vec<D>>
HWY_ATTR V interpolate_in_columns(D d, const float* image, int stride, int column, int first_row, const Seen<V>& at) {
  const hn::RebindToSigned<D> di;
  const float* rows = image + static_cast<std::ptrdiff_t>(column) * stride + first_row;
  const Table<D, kVectors> left(d, rows), right(d, rows + stride);
  const auto ir = hn::ConvertTo(di, at.row);
  const auto fc = hn::Sub(at.column, hn::Set(d, static_cast<float>(column))),
             fr = hn::Sub(at.row, hn::ConvertTo(d, ir));
  const auto place = hn::Sub(ir, hn::Set(di, first_row)), next = hn::Add(place, hn::Set(di, 1));
  const auto v00 = left.look_up(d, place), v01 = right.look_up(d, place);
  const auto v10 = left.look_up(d, next), v11 = right.look_up(d, next);
  const auto v0 = hn::MulAdd(fc, hn::Sub(v01, v00), v00), v1 = hn::MulAdd(fc, hn::Sub(v11, v10), v10);
  return hn::MulAdd(fr, hn::Sub(v1, v0), v0);
}
/// The same, where all see the same place between the columns.
template <int kVectors, class D, class V = hn::Vec<D>>
HWY_ATTR V interpolate_in_one_column(D d, const float* image, int stride, int column, int first_row,
                                     const Seen<V>& at) {
  const hn::RebindToSigned<D> di;
  const float* rows = image + static_cast<std::ptrdiff_t>(column) * stride + first_row;
  Table<D, kVectors> between(d, rows);
  const Table<D, kVectors> right(d, rows + stride);
  const auto ir = hn::ConvertTo(di, at.row);
  const auto fc = hn::Sub(at.column, hn::Set(d, static_cast<float>(column))),
             fr = hn::Sub(at.row, hn::ConvertTo(d, ir));
  for (int k = 0; k < kVectors; ++k)
    between.values[k] = hn::MulAdd(fc, hn::Sub(right.values[k], between.values[k]), between.values[k]);
  const auto place = hn::Sub(ir, hn::Set(di, first_row)), next = hn::Add(place, hn::Set(di, 1));
  const auto v0 = between.look_up(d, place), v1 = between.look_up(d, next);
  return hn::MulAdd(fr, hn::Sub(v1, v0), v0);
}

/// Adds one view to a column of voxels. Upright: column, depth and distance do not change along it.
template <bool kUpright, class D>
HWY_ATTR void add_to_column(D d, const BackProjectTile& tile, const float* image, Line column, Line row, Line depth,
                            Line distance, float* out) {
  const std::size_t lanes = hn::Lanes(d);
  const int stride = tile.height_px + 2;
  const auto half = hn::Set(d, 0.5f), zero = hn::Zero(d);
  const auto last_column = hn::Set(d, static_cast<float>(tile.width_px) + 0.5f);
  const auto last_row = hn::Set(d, static_cast<float>(tile.height_px) + 0.5f);
  const auto at_index = [&](Line line, hn::Vec<D> i)
                            HWY_ATTR { return hn::MulAdd(i, hn::Set(d, line.step), hn::Set(d, line.start)); };
  HWY_ALIGN float rows[kMostLanes], columns[kMostLanes];
  auto w = at_index(depth, zero), t = at_index(distance, zero);
  auto inverse = hn::Div(hn::Set(d, 1.0f), hn::Mul(w, t));  // one division for both reciprocals
  for (std::size_t z = 0; z < tile.padded_z; z += lanes) {
    const auto i = hn::Add(hn::Iota(d, 0.0f), hn::Set(d, static_cast<float>(z)));
    if constexpr (!kUpright) {
      w = at_index(depth, i);
      t = at_index(distance, i);
      inverse = hn::Div(hn::Set(d, 1.0f), hn::Mul(w, t));
    }
    const auto inverse_w = hn::Mul(inverse, t), inverse_t = hn::Mul(inverse, w);
    const auto c = hn::Mul(kUpright ? hn::Set(d, column.start) : at_index(column, i), inverse_w);
    const auto r = hn::Mul(at_index(row, i), inverse_w);
    const auto ahead = hn::And(hn::Gt(w, zero), hn::Gt(t, zero));
    const auto on_column = hn::And(hn::And(hn::Ge(c, half), hn::Le(c, last_column)), ahead);
    const auto seen = hn::And(hn::And(hn::Ge(r, half), hn::Le(r, last_row)), on_column);
    if (kUpright && hn::AllFalse(d, on_column)) return;
    if (hn::AllFalse(d, seen)) continue;
    // Unseen voxels read samples at the border, so that no index leaves the image.
    const Seen<hn::Vec<D>> at{hn::Min(hn::Max(hn::IfThenElse(ahead, c, half), half), last_column),
                              hn::Min(hn::Max(hn::IfThenElse(ahead, r, half), half), last_row),
                              hn::IfThenElseZero(seen, hn::Mul(inverse_t, inverse_t))};
    // Coordinates rise or fall along a line in front of the source; a row to spare for their rounding.
    hn::Store(at.row, d, rows);
    const int low = std::max(0, static_cast<int>(std::min(rows[0], rows[lanes - 1])) - 1);
    const int high = static_cast<int>(std::max(rows[0], rows[lanes - 1])) + 2;
    const int vectors = (high - low) / static_cast<int>(lanes) + 1;
    hn::Vec<D> value;
    if constexpr (kUpright) {
      const int first_column = static_cast<int>(hn::GetLane(at.column));
      value = vectors <= 2   ? interpolate_in_one_column<2>(d, image, stride, first_column, low, at)
              : vectors <= 3 ? interpolate_in_one_column<3>(d, image, stride, first_column, low, at)
              : vectors <= 4 ? interpolate_in_one_column<4>(d, image, stride, first_column, low, at)
                             : interpolate_anywhere(d, image, stride, at);
    } else {
      hn::Store(at.column, d, columns);
      const int first_column = static_cast<int>(columns[0]);
      const bool near = first_column == static_cast<int>(columns[lanes - 1]) && hn::AllTrue(d, ahead);
      value = near && vectors <= 2   ? interpolate_in_columns<2>(d, image, stride, first_column, low, at)
              : near && vectors <= 4 ? interpolate_in_columns<4>(d, image, stride, first_column, low, at)
                                     : interpolate_anywhere(d, image, stride, at);
    }
    hn::StoreU(hn::MulAdd(at.weight, value, hn::LoadU(d, out + z)), d, out + z);
  }
}

/// The tile's columns [y, x, padded z] ← Σ of the views.
HWY_ATTR void back_project_tile(const BackProjectTile& tile, float* out) {
  const hn::CappedTag<float, kMostLanes> d;
  for (std::size_t v = 0; v < tile.num_views; ++v) {
    const BackProjectView& view = tile.views[v];
    float* voxels = out;
    for (std::size_t y = tile.begin_y; y < tile.end_y; ++y)
      for (std::size_t x = tile.begin_x; x < tile.end_x; ++x, voxels += tile.padded_z) {
        const auto line = [&](const IndexPlane& p) {
          return Line{
              static_cast<float>(p.constant + static_cast<double>(x) * p.per_x + static_cast<double>(y) * p.per_y),
              static_cast<float>(p.per_z)};
        };
        const auto add = view.upright ? add_to_column<true, decltype(d)> : add_to_column<false, decltype(d)>;
        add(d, tile, view.image, line(view.planes.column), line(view.planes.row), line(view.planes.depth),
            line(view.planes.distance), voxels);
      }
  }
}

}  // namespace dsasrgs::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dsasrgs::cpu {

HWY_EXPORT(back_project_tile);

namespace {

constexpr std::size_t kTile = 8;  // columns either way: what they see of a view, and they themselves, fit into a cache

bool is_upright(const BackProjectPlanes& planes, int size_z) {
  constexpr double kNobodySees = 1e-9;  // of a unit of distance and depth; 1e-6 of a pixel
  const auto change = [&](const IndexPlane& p) { return std::abs(p.per_z) * size_z; };
  return change(planes.depth) < kNobodySees && change(planes.distance) < kNobodySees &&
         change(planes.column) < 1e3 * kNobodySees;
}

/// volume [z,y,x] += the tile's columns.
void add_tile(const BackProjectTile& tile, const VolumeGrid& grid, const float* columns, View<float> volume) {
  const auto size_x = static_cast<std::size_t>(grid.size_x), size_y = static_cast<std::size_t>(grid.size_y);
  for (std::size_t z = 0; z < static_cast<std::size_t>(grid.size_z); ++z) {
    const float* from = columns + z;
    for (std::size_t y = tile.begin_y; y < tile.end_y; ++y)
      for (std::size_t x = tile.begin_x; x < tile.end_x; ++x, from += tile.padded_z)
        volume[(z * size_y + y) * size_x + x] += *from;
  }
}

}  // namespace

void fdk_back_project(const Context& ctx, const FdkJob& job, std::size_t first, std::size_t count,
                      const HostVector<float>& filtered, View<float> volume) {
  const FdkInput& input = job.input;
  const VolumeGrid& grid = input.grid;
  const std::size_t plane = (static_cast<std::size_t>(input.detector.width_px) + 2) *
                            (static_cast<std::size_t>(input.detector.height_px) + 2);
  HostVector<BackProjectView> views;
  for (std::size_t v = 0; v < count; ++v) {
    const BackProjectPlanes planes = back_project_planes(input, job.arc, first + v);
    views.push_back({planes, filtered.data() + v * plane, is_upright(planes, grid.size_z)});
  }
  const auto size_x = static_cast<std::size_t>(grid.size_x), size_y = static_cast<std::size_t>(grid.size_y);
  const std::size_t tiles_x = (size_x + kTile - 1) / kTile, tiles_y = (size_y + kTile - 1) / kTile;
  const std::size_t padded_z = (static_cast<std::size_t>(grid.size_z) + kMostLanes - 1) / kMostLanes * kMostLanes;
  parallel_for(ctx, tiles_x * tiles_y, [&](std::size_t task) {
    ctx.throw_if_stopped("FDK");
    const std::size_t x = task % tiles_x * kTile, y = task / tiles_x * kTile;
    const BackProjectTile tile{views.data(),
                               count,
                               x,
                               std::min(size_x, x + kTile),
                               y,
                               std::min(size_y, y + kTile),
                               padded_z,
                               input.detector.width_px,
                               input.detector.height_px};
    HostVector<float> columns(kTile * kTile * padded_z);
    HWY_DYNAMIC_DISPATCH(back_project_tile)(tile, columns.data());
    add_tile(tile, grid, columns.data(), volume);
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
