// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

#include "common/host_vector.hpp"
#include "common/parallel.hpp"
#include "hash_grid/hash_grid_bodies.hpp"
#include "hash_grid/hash_grid_math.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "hash_grid/hash_grid_cpu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace dsasrgs::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, 16>;
using Words = hn::RebindToUnsigned<Floats>;
using Signed = hn::RebindToSigned<Floats>;
using Vector = hn::Vec<Floats>;
inline constexpr std::size_t kMaxLanes = hn::MaxLanes(Floats());

/// A number of each of a vector of points.
struct Numbers {
  Vector v;

  explicit Numbers(Vector lanes) : v(lanes) {}
  explicit Numbers(float x) : v(hn::Set(Floats(), x)) {}
};
inline Numbers operator-(Numbers a, Numbers b) { return Numbers(hn::Sub(a.v, b.v)); }
struct Indices {
  hn::Vec<Words> v;

  Indices() = default;
  explicit Indices(hn::Vec<Words> lanes) : v(lanes) {}
  explicit Indices(std::uint32_t x) : v(hn::Set(Words(), x)) {}
};
inline Indices operator+(Indices a, Indices b) { return Indices(hn::Add(a.v, b.v)); }
inline Indices operator*(Indices a, Indices b) { return Indices(hn::Mul(a.v, b.v)); }
inline Indices operator^(Indices a, Indices b) { return Indices(hn::Xor(a.v, b.v)); }
inline Indices operator&(Indices a, Indices b) { return Indices(hn::And(a.v, b.v)); }
/// What HashGridFormulas needs to know of the numbers of a vector of points to say where they are; see OnePoint. What
/// is there is in hash_grid_corners-inl.hpp, point by point.
struct ManyPoints {
  using Number = Numbers;
  using Index = Indices;
  struct Factor {};
  using Pair = Factor;
  using Entries = Factor;

  /// Max(a, 0) in this order turns NaN into 0 on x86; elsewhere the bound on the vertex keeps the index inside.
  static Number clamp_to_unit(Number a) {
    const Floats d;
    return Number(hn::Min(hn::Max(a.v, hn::Zero(d)), hn::Set(d, 1.0f)));
  }
  static Number zero_unless_equal(Number a, Number b, Number value) {
    return Number(hn::IfThenElseZero(hn::Eq(a.v, b.v), value.v));
  }
  static Index truncate(Number a) { return Index(hn::BitCast(Words(), hn::ConvertTo(Signed(), a.v))); }
  static Number number(Index a) { return Number(hn::ConvertTo(Floats(), hn::BitCast(Signed(), a.v))); }
  static Index smaller(Index a, Index b) { return Index(hn::Min(a.v, b.v)); }
  static Number multiply_add(Number a, Number b, Number c) { return Number(hn::MulAdd(a.v, b.v, c.v)); }
};

#include "hash_grid/hash_grid_math-inl.hpp"

using Formulas = HashGridFormulas<ManyPoints>;
template <bool kDense>
using Dense = std::bool_constant<kDense>;

/// Reads `count` points (at most a vector; missing ones are taken at 0).
inline Formulas::Point locate_points(const HashLevelBlock& level, const UnitBox& box, const float* position,
                                     std::size_t count) {
  const Floats d;
  float padded[3 * kMaxLanes] = {};
  if (count < hn::Lanes(d)) {
    std::copy_n(position, 3 * count, padded);
    position = padded;
  }
  Vector x, y, z;
  hn::LoadInterleaved3(d, position, x, y, z);
  const auto in_box = [&](Vector v, std::size_t a) HWY_ATTR {  // to_unit()
    return Numbers(hn::Mul(hn::Sub(v, hn::Set(d, box.origin[a])), hn::Set(d, box.inverse_extent[a])));
  };
  return Formulas::locate(level, in_box(x, 0), in_box(y, 1), in_box(z, 2));
}

/// At most a vector of numbers of which `count` are there; missing ones are read as 0 and not written.
inline Vector load_lanes(const float* from, std::size_t count) {
  const Floats d;
  if (count >= hn::Lanes(d)) return hn::LoadU(d, from);
  float padded[kMaxLanes] = {};
  std::copy_n(from, count, padded);
  return hn::LoadU(d, padded);
}
inline void store_lanes(Vector v, std::size_t count, float* to) {
  const Floats d;
  if (count >= hn::Lanes(d)) return hn::StoreU(v, d, to);
  float padded[kMaxLanes];
  hn::StoreU(v, d, padded);
  std::copy_n(padded, count, to);
}

#include "hash_grid/hash_grid_corners-inl.hpp"

/// Where `count` points (at most a chunk) are in a level. What belongs to points past them is of no meaning.
template <bool kDense>
void locate_chunk(const HashLevelBlock& level, const UnitBox& box, const float* position, std::size_t count,
                  Chunk& chunk) {
  const Floats d;
  const Words w;
  const std::size_t lanes = hn::Lanes(d);
  for (auto& vertex : chunk.vertex) vertex[kMaxLanes - 1] = ~0u;  // before the first point there is no cell
  for (std::size_t i = 0; i < count; i += lanes) {
    const Formulas::Point p = locate_points(level, box, position + 3 * i, std::min(lanes, count - i));
    const Formulas::Cell* const axes[3] = {&p.x, &p.y, &p.z};
    auto neighbours = hn::Eq(hn::Zero(w), hn::Zero(w));
    for (int a = 0; a < 3; ++a) {
      const auto below = axes[a]->vertex[0].v;
      hn::Store(axes[a]->fraction.v, d, chunk.fraction[a] + i);
      hn::Store(axes[a]->slope.v, d, chunk.slope[a] + i);
      hn::Store(hn::Sub(hn::Set(d, 1.0f), axes[a]->fraction.v), d, chunk.rest[a] + i);
      hn::Store(below, w, chunk.vertex[a] + kMaxLanes + i);
      neighbours = hn::AndNot(hn::Eq(below, axes[a]->vertex[1].v), neighbours);
    }
    const bool rows = kDense && hn::AllTrue(w, neighbours);
    hn::Store(hn::IfThenElse(neighbours, hn::Set(w, kInRows), hn::Set(w, kApart)), w, chunk.kind + i);
    for (int slice = 0; slice < level.num_slices; ++slice) {
      Indices entry[8];
      Formulas::corners(level, p, slice, Dense<kDense>(), entry);
      hn::Store(entry[0].v, w, chunk.entry[slice][0] + i);
      if (rows) continue;
      for (int c = 1; c < 8; ++c) hn::Store(entry[c].v, w, chunk.entry[slice][c] + i);
    }
  }
  // Only now: what was stored just before could not be read one lane shifted without waiting.
  for (std::size_t i = 0; i < count; i += lanes) {
    auto same = hn::Eq(hn::Zero(w), hn::Zero(w));
    for (const auto& vertices : chunk.vertex) {
      const std::uint32_t* const vertex = vertices + kMaxLanes + i;
      same = hn::And(same, hn::Eq(hn::Load(w, vertex), hn::LoadU(w, vertex - 1)));
    }
    hn::Store(hn::IfThenZeroElse(same, hn::Load(w, chunk.kind + i)), w, chunk.kind + i);
  }
  chunk.num_runs = 0;
  for (std::size_t p = 0; p < count; ++p) {
    chunk.run[chunk.num_runs] = static_cast<std::uint32_t>(p);
    chunk.num_runs += chunk.kind[p] != kSameCell;
  }
  chunk.run[chunk.num_runs] = static_cast<std::uint32_t>(count);
}

/// Pairs [points,2] → two rows, and back.
inline void split_pairs(const float* pairs, std::size_t points, float* row0, float* row1) {
  const Floats d;
  for (std::size_t i = 0; i < points; i += hn::Lanes(d)) {
    Vector first, second;
    hn::LoadInterleaved2(d, pairs + kHashFeatures * i, first, second);
    store_lanes(first, points - i, row0 + i);
    store_lanes(second, points - i, row1 + i);
  }
}
inline void join_pairs(const float* row0, const float* row1, std::size_t points, float* pairs) {
  const Floats d;
  for (std::size_t i = 0; i < points; i += hn::Lanes(d))
    hn::StoreInterleaved2(load_lanes(row0 + i, points - i), load_lanes(row1 + i, points - i), d,
                          pairs + kHashFeatures * i);
}

template <bool kDense, bool kInTime>
void encode(const HashLevelBlock& level, const float* entries, const UnitBox& box, const float* position,
            std::size_t count, float* row0, float* row1) {
  Chunk chunk;
  const Corners<kDense, kInTime> corners{level, chunk};
  HWY_ALIGN float value[kHashFeatures * kChunk];
  for (std::size_t begin = 0; begin < count; begin += kChunk) {
    const std::size_t points = std::min(kChunk, count - begin);
    locate_chunk<kDense>(level, box, position + 3 * begin, points, chunk);
    corners.for_each_run(
        [&](std::size_t run) HWY_ATTR
        __attribute__((always_inline)) { corners.template prefetch<false>(entries, run); },
        [&](std::size_t first, std::size_t end) HWY_ATTR __attribute__((always_inline)) {
          const Cell cell = corners.read(entries, first);
          for (std::size_t p = first; p < end; ++p) store_low(value_in_cell(cell, chunk, p), value + kHashFeatures * p);
        });
    split_pairs(value, points, row0 + begin, row1 + begin);
  }
}

/// d(grad·value)/d position of a chunk's points, one row per coordinate, `stride` apart.
inline void finish_slopes(const Chunk& chunk, const Slopes& slopes, std::size_t points, std::size_t stride,
                          float* shares) {
  const Floats d;
  for (std::size_t i = 0; i < points; i += hn::Lanes(d)) {
    Vector x[2], y[2], z[2];
    hn::LoadInterleaved4(d, slopes.xy + 4 * i, x[0], x[1], y[0], y[1]);
    hn::LoadInterleaved2(d, slopes.z + 2 * i, z[0], z[1]);
    const Vector sums[3] = {hn::Add(x[0], x[1]), hn::Add(y[0], y[1]), hn::Add(z[0], z[1])};
    for (std::size_t a = 0; a < 3; ++a)
      store_lanes(hn::Mul(hn::Load(d, chunk.slope[a] + i), sums[a]), points - i, shares + a * stride + i);
  }
}

/// Adds to the gradients of a level's entries, which the caller owns. shares: null, or [3,count] for d(grad·value)/d
/// position in the box.
template <bool kDense, bool kInTime, bool kToPosition>
void spread(const HashLevelBlock& level, const float* entries, const UnitBox& box, const float* position,
            std::size_t count, const float* row0, const float* row1, float* grad_entries, float* shares) {
  Chunk chunk;
  Slopes slopes;
  const Corners<kDense, kInTime> corners{level, chunk};
  HWY_ALIGN float grad[kHashFeatures * kChunk];
  for (std::size_t begin = 0; begin < count; begin += kChunk) {
    const std::size_t points = std::min(kChunk, count - begin);
    locate_chunk<kDense>(level, box, position + 3 * begin, points, chunk);
    join_pairs(row0 + begin, row1 + begin, points, grad);
    corners.for_each_run(
        [&](std::size_t run) HWY_ATTR __attribute__((always_inline)) {
          if constexpr (kToPosition) corners.template prefetch<false>(entries, run);
          corners.template prefetch<true>(grad_entries, run);
        },
        [&](std::size_t first, std::size_t end) HWY_ATTR __attribute__((always_inline)) {
          Cell cell, sums = zero_cell();
          if constexpr (kToPosition) cell = corners.read(entries, first);
          for (std::size_t p = first; p < end; ++p) {
            const Quad g = pair_twice(grad + kHashFeatures * p);
            if constexpr (kToPosition) slopes_in_cell(cell, chunk, p, g, slopes);
            add_shares(chunk, p, g, sums);
          }
          corners.add(sums, first, grad_entries);
        });
    if constexpr (kToPosition) finish_slopes(chunk, slopes, points, count, shares + begin);
  }
}

/// Calls body(dense, in time) with both as types.
template <class Body>
void with_kind(const HashLevelBlock& level, Body&& body) {
  if (level.num_slices == 1)
    level.dense ? body(std::true_type(), std::false_type()) : body(std::false_type(), std::false_type());
  else
    level.dense ? body(std::true_type(), std::true_type()) : body(std::false_type(), std::true_type());
}

void encode_block(const HashLevelBlock& level, const float* entries, const UnitBox& box, const float* position,
                  std::size_t count, float* row0, float* row1) {
  with_kind(level, [&](auto dense, auto in_time)
                       HWY_ATTR { encode<dense, in_time>(level, entries, box, position, count, row0, row1); });
}
void spread_level(const HashLevelBlock& level, const float* entries, const UnitBox& box, const float* position,
                  std::size_t count, const float* row0, const float* row1, float* grad_entries, float* shares) {
  with_kind(level, [&](auto dense, auto in_time) HWY_ATTR {
    if (shares == nullptr)
      spread<dense, in_time, false>(level, entries, box, position, count, row0, row1, grad_entries, shares);
    else
      spread<dense, in_time, true>(level, entries, box, position, count, row0, row1, grad_entries, shares);
  });
}

/// grad_position [count,3] ← (or +=) the sum of the levels' shares in the box, [levels,3,stride], in order.
void add_levels(const float* shares, std::size_t levels, std::size_t stride, std::size_t count, const UnitBox& box,
                bool overwrite, float* grad_position) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t i = 0; i < count; i += lanes) {
    const std::size_t left = std::min(lanes, count - i);
    float tail[3 * kMaxLanes] = {};
    float* to = left == lanes ? grad_position + 3 * i : tail;
    if (left < lanes) std::copy_n(grad_position + 3 * i, 3 * left, tail);
    Vector x = hn::Zero(d), y = x, z = x;
    for (std::size_t l = 0; l < levels; ++l) {
      const float* const share = shares + 3 * l * stride + i;
      x = hn::Add(x, load_lanes(share, left));
      y = hn::Add(y, load_lanes(share + stride, left));
      z = hn::Add(z, load_lanes(share + 2 * stride, left));
    }
    x = hn::Mul(x, hn::Set(d, box.inverse_extent[0]));  // to_unit_vjp()
    y = hn::Mul(y, hn::Set(d, box.inverse_extent[1]));
    z = hn::Mul(z, hn::Set(d, box.inverse_extent[2]));
    if (!overwrite) {
      Vector x0, y0, z0;
      hn::LoadInterleaved3(d, to, x0, y0, z0);
      x = hn::Add(x0, x);
      y = hn::Add(y0, y);
      z = hn::Add(z0, z);
    }
    hn::StoreInterleaved3(x, y, z, d, to);
    if (left < lanes) std::copy_n(tail, 3 * left, grad_position + 3 * i);
  }
}

}  // namespace dsasrgs::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dsasrgs::cpu {

HWY_EXPORT(encode_block);
HWY_EXPORT(spread_level);
HWY_EXPORT(add_levels);

namespace {
constexpr std::size_t kBlock = 2048;
}

void hash_grid_forward(const Context& ctx, std::span<const HashGridInput> grids, View<float> features) {
  const HostVector<HashGridRow> levels = hash_grid_rows(grids);
  const View<const float> position = grids[0].position;
  const std::size_t n = position.size() / 3, num_blocks = (n + kBlock - 1) / kBlock;
  // Level by level, so that one level's entries are in the caches at a time.
  parallel_for(ctx, levels.size() * num_blocks, [&](std::size_t task) {
    const std::size_t l = task / num_blocks, begin = task % num_blocks * kBlock;
    float* row = features.data() + kHashFeatures * l * n + begin;
    HWY_DYNAMIC_DISPATCH(encode_block)
    (levels[l].block, levels[l].entries, grids[0].box, position.data() + 3 * begin, std::min(kBlock, n - begin), row,
     row + n);
  });
}

void hash_grid_backward(Context& ctx, std::span<const HashGridInput> grids, View<const float> grad_features,
                        const HashGridGradient& gradient, HashGridScratch& scratch) {
  const HostVector<HashGridRow> levels = hash_grid_rows(grids);
  const View<const float> position = grids[0].position;
  const std::size_t n = position.size() / 3, num_levels = levels.size();
  const bool to_position = !gradient.position.empty();
  if (to_position && scratch.position_shares.size() < num_levels * 3 * n)
    scratch.position_shares.resize(ctx, num_levels * 3 * n);

  // A task owns a level: entries are added to by one thread and in the order of the points. Longest tasks first.
  parallel_for(ctx, num_levels, [&](std::size_t task) {
    const std::size_t l = num_levels - 1 - task;
    const float* row = grad_features.data() + kHashFeatures * l * n;
    HWY_DYNAMIC_DISPATCH(spread_level)
    (levels[l].block, levels[l].entries, grids[0].box, position.data(), n, row, row + n,
     scratch.table.data() + scratch.level_begin[l], to_position ? scratch.position_shares.data() + 3 * n * l : nullptr);
  });
  if (!to_position) return;
  parallel_blocks(ctx, n, kBlock, [&](std::size_t begin, std::size_t end) {
    HWY_DYNAMIC_DISPATCH(add_levels)
    (scratch.position_shares.data() + begin, num_levels, n, end - begin, grids[0].box,
     gradient.position_mode == GradientMode::overwrite, gradient.position.data() + 3 * begin);
  });
}

void hash_grid_take_gradient(const Context& ctx, HashGridScratch& scratch, std::size_t first_level, std::size_t,
                             View<float> gradient) {
  float* const from = scratch.table.data() + scratch.level_begin[first_level];
  parallel_blocks(ctx, gradient.size(), kBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) gradient[i] += std::exchange(from[i], 0.0f);
  });
}

}  // namespace dsasrgs::cpu
#endif
