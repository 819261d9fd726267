// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <type_traits>

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
/// Two features of a vector of points, side by side as in the table. Of every four points `low` holds the first two and
/// `high` the others, which is how a vector interleaves with another within its 128-bit blocks. The scalar target has
/// one point at a time and keeps its features in `low` and `high`.
struct Pairs {
  Vector low, high;

  Pairs() = default;
  Pairs(Vector l, Vector h) : low(l), high(h) {}
  explicit Pairs(float x) : low(hn::Set(Floats(), x)), high(low) {}
};
inline Pairs operator-(Pairs a, Pairs b) { return {hn::Sub(a.low, b.low), hn::Sub(a.high, b.high)}; }
inline Pairs operator*(Pairs a, Pairs b) { return {hn::Mul(a.low, b.low), hn::Mul(a.high, b.high)}; }
inline Pairs interleave(Vector first, Vector second) {
#if HWY_TARGET == HWY_SCALAR
  return {first, second};
#else
  const Floats d;
  return {hn::InterleaveLower(d, first, second), hn::InterleaveUpper(d, first, second)};
#endif
}
inline Pairs deinterleave(Pairs v) {
#if HWY_TARGET == HWY_SCALAR
  return v;
#else
  const Pairs crossed = interleave(v.low, v.high);
  return interleave(crossed.low, crossed.high);
#endif
}

/// What HashGridFormulas needs to know of the numbers of a vector of points; see OnePoint.
struct ManyPoints {
  using Number = Numbers;
  using Index = Indices;
  using Factor = Pairs;
  using Pair = Pairs;
  using Entries = const float*;

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
  static Pair multiply_add(Factor f, Pair a, Pair b) {
    return {hn::MulAdd(f.low, a.low, b.low), hn::MulAdd(f.high, a.high, b.high)};
  }
  static Number dot(Pair a, Pair b) {
    const Pair features = deinterleave(a * b);
    return Number(hn::Add(features.low, features.high));
  }
  static Factor factor(Number a) { return interleave(a.v, a.v); }
  static Pair load(Entries entries, Index index) {
    const Floats d;
#if HWY_TARGET > HWY_AVX2 || !HWY_ARCH_X86
    HWY_ALIGN std::uint32_t at[kMaxLanes];
    HWY_ALIGN float values[2][kMaxLanes];
    hn::Store(index.v, Words(), at);
    for (std::size_t i = 0; i < hn::Lanes(d); ++i) {
      values[0][i] = entries[2 * std::size_t{at[i]}];
      values[1][i] = entries[2 * std::size_t{at[i]} + 1];
    }
    return interleave(hn::Load(d, values[0]), hn::Load(d, values[1]));
#else
    // One 64-bit gather fetches both features; zeros interleaved make 64-bit indices in the order of Pairs.
    const hn::Repartition<double, Floats> doubles;
    const hn::Repartition<std::int64_t, Floats> longs;
    const Words w;
    const double* base = reinterpret_cast<const double*>(entries);
    const auto zero = hn::Zero(w);
    return {hn::BitCast(d, hn::GatherIndex(doubles, base, hn::BitCast(longs, hn::InterleaveLower(w, index.v, zero)))),
            hn::BitCast(d, hn::GatherIndex(doubles, base, hn::BitCast(longs, hn::InterleaveUpper(w, index.v, zero))))};
#endif
  }
};

#include "hash_grid/hash_grid_math-inl.hpp"

using Formulas = HashGridFormulas<ManyPoints>;
template <bool kDense>
using Dense = std::bool_constant<kDense>;

/// Reads `count` points (at most a vector; missing ones are taken at 0).
inline Formulas::Point locate_points(const HashLevelBlock& level, const float* position, std::size_t count) {
  const Floats d;
  float padded[3 * kMaxLanes] = {};
  if (count < hn::Lanes(d)) {
    std::copy_n(position, 3 * count, padded);
    position = padded;
  }
  Vector x, y, z;
  hn::LoadInterleaved3(d, position, x, y, z);
  return Formulas::locate(level, Numbers(x), Numbers(y), Numbers(z));
}

template <bool kDense>
void encode(const HashLevelBlock& level, const float* entries, const float* position, std::size_t count, float* row0,
            float* row1) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t i = 0; i < count; i += lanes) {
    const std::size_t left = std::min(lanes, count - i);
    const Formulas::Point p = locate_points(level, position + 3 * i, left);
    const Formulas::Fractions f = Formulas::fractions(p);
    const Pairs value = Formulas::interpolate(level, entries, p, f, level.num_slices, Dense<kDense>()).value;
    const Pairs features = deinterleave(value);
    if (left == lanes) {
      hn::StoreU(features.low, d, row0 + i);
      hn::StoreU(features.high, d, row1 + i);
    } else {
      float tail[2][kMaxLanes];
      hn::StoreU(features.low, d, tail[0]);
      hn::StoreU(features.high, d, tail[1]);
      std::copy_n(tail[0], left, row0 + i);
      std::copy_n(tail[1], left, row1 + i);
    }
  }
}

/// The gradients of `count` points' features (at most a vector; missing ones are 0).
inline Pairs load_gradient(const float* row0, const float* row1, std::size_t count) {
  const Floats d;
  if (count == hn::Lanes(d)) return interleave(hn::LoadU(d, row0), hn::LoadU(d, row1));
  float padded[2][kMaxLanes] = {};
  std::copy_n(row0, count, padded[0]);
  std::copy_n(row1, count, padded[1]);
  return interleave(hn::LoadU(d, padded[0]), hn::LoadU(d, padded[1]));
}

template <bool kDense>
void position_gradient(const HashLevelBlock& level, const float* entries, const float* position, std::size_t count,
                       const float* row0, const float* row1, bool overwrite, float* grad_position) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t i = 0; i < count; i += lanes) {
    const std::size_t left = std::min(lanes, count - i);
    const Formulas::Point p = locate_points(level, position + 3 * i, left);
    const Formulas::Fractions f = Formulas::fractions(p);
    const Formulas::Interpolated r = Formulas::interpolate(level, entries, p, f, level.num_slices, Dense<kDense>());
    float tail[3 * kMaxLanes] = {};
    float* to = left == lanes ? grad_position + 3 * i : tail;
    if (left < lanes) std::copy_n(grad_position + 3 * i, 3 * left, tail);
    Vector x = hn::Zero(d), y = x, z = x;
    if (!overwrite) hn::LoadInterleaved3(d, to, x, y, z);
    Numbers sum[3] = {Numbers(x), Numbers(y), Numbers(z)};
    Formulas::add_position_gradient(p, r, load_gradient(row0 + i, row1 + i, left), sum);
    hn::StoreInterleaved3(sum[0].v, sum[1].v, sum[2].v, d, to);
    if (left < lanes) std::copy_n(tail, 3 * left, grad_position + 3 * i);
  }
}

/// to[0…1] += share[0…1]
inline void add_pair(const float* share, float* to) {
#if HWY_TARGET == HWY_SCALAR
  to[0] += share[0];
  to[1] += share[1];
#else
  const hn::CappedTag<float, 2> pair;
  hn::StoreU(hn::Add(hn::LoadU(pair, to), hn::LoadU(pair, share)), pair, to);
#endif
}

/// Adds to the gradients of the entries; the caller owns the whole level.
template <bool kDense>
void scatter(const HashLevelBlock& level, const float* position, std::size_t count, const float* row0,
             const float* row1, float* grad_entries) {
  const Floats d;
  const Words w;
  const std::size_t lanes = hn::Lanes(d);
  HWY_ALIGN std::uint32_t index[8][kMaxLanes];
  HWY_ALIGN float share[8][2][kMaxLanes];
  for (std::size_t i = 0; i < count; i += lanes) {
    const std::size_t left = std::min(lanes, count - i);
    const Formulas::Point at = locate_points(level, position + 3 * i, left);
    const Formulas::Fractions f = Formulas::fractions(at);
    const Pairs grad = load_gradient(row0 + i, row1 + i, left);
    for (int slice = 0; slice < level.num_slices; ++slice) {
      Indices entry[8];
      Pairs of_entry[8];
      Formulas::corners(level, at, slice, Dense<kDense>(), entry);
      Formulas::spread(f, Pairs(level.slice_weight[slice]) * grad, of_entry);
      for (int c = 0; c < 8; ++c) {
        hn::Store(entry[c].v, w, index[c]);
        hn::Store(of_entry[c].low, d, share[c][0]);
        hn::Store(of_entry[c].high, d, share[c][1]);
      }
      for (std::size_t p = 0; p < left; ++p) {
        const std::size_t half = p >> 1 & 1, slot = (p >> 2) * 4 + (p & 1) * 2;  // where Pairs keeps point p
        for (int c = 0; c < 8; ++c)
          add_pair(&share[c][0][0] + half * lanes + slot, grad_entries + kHashFeatures * std::size_t{index[c][p]});
      }
    }
  }
}

void encode_block(const HashLevelBlock& level, const float* entries, const float* position, std::size_t count,
                  float* row0, float* row1) {
  if (level.dense)
    encode<true>(level, entries, position, count, row0, row1);
  else
    encode<false>(level, entries, position, count, row0, row1);
}
void position_gradient_block(const HashLevelBlock& level, const float* entries, const float* position,
                             std::size_t count, const float* row0, const float* row1, bool overwrite,
                             float* grad_position) {
  if (level.dense)
    position_gradient<true>(level, entries, position, count, row0, row1, overwrite, grad_position);
  else
    position_gradient<false>(level, entries, position, count, row0, row1, overwrite, grad_position);
}
void scatter_block(const HashLevelBlock& level, const float* position, std::size_t count, const float* row0,
                   const float* row1, float* grad_entries) {
  if (level.dense)
    scatter<true>(level, position, count, row0, row1, grad_entries);
  else
    scatter<false>(level, position, count, row0, row1, grad_entries);
}

}  // namespace dsasrgs::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dsasrgs::cpu {

HWY_EXPORT(encode_block);
HWY_EXPORT(position_gradient_block);
HWY_EXPORT(scatter_block);

namespace {
constexpr std::size_t kBlock = 2048;
}

void hash_grid_forward(const Context& ctx, const HashGridInput& in, View<float> features) {
  const HostVector<HashGridLevel> levels = hash_grid_levels(in.shape);
  const std::size_t n = in.position.size() / 3, num_blocks = (n + kBlock - 1) / kBlock;
  // Level by level, so that one level's entries are in the caches at a time.
  parallel_for(ctx, levels.size() * num_blocks, [&](std::size_t task) {
    const std::size_t l = task / num_blocks, begin = task % num_blocks * kBlock;
    float* row = features.data() + kHashFeatures * l * n + begin;
    HWY_DYNAMIC_DISPATCH(encode_block)
    (HashLevelBlock(levels[l], in.shape.dimensions, in.time),
     in.table.data() + std::size_t{kHashFeatures} * levels[l].offset, in.position.data() + 3 * begin,
     std::min(kBlock, n - begin), row, row + n);
  });
}

void hash_grid_backward(const Context& ctx, const HashGridInput& in, View<const float> grad_features,
                        const HashGridGradient& gradient) {
  const HostVector<HashGridLevel> levels = hash_grid_levels(in.shape);
  const std::size_t n = in.position.size() / 3, num_levels = levels.size();
  const std::size_t num_blocks = gradient.position.empty() ? 0 : (n + kBlock - 1) / kBlock;
  HostVector<HashLevelBlock> blocks;
  for (const HashGridLevel& level : levels) blocks.emplace_back(level, in.shape.dimensions, in.time);
  const auto gradient_row = [&](std::size_t l) { return grad_features.data() + kHashFeatures * l * n; };

  // To the table a task owns a level: entries are added to by one thread and in the order of the points. To the
  // positions a task owns a block of points and adds the levels in order. One loop over both kinds, longest tasks
  // first.
  parallel_for(ctx, num_levels + num_blocks, [&](std::size_t task) {
    if (task < num_levels) {
      const std::size_t l = num_levels - 1 - task;
      HWY_DYNAMIC_DISPATCH(scatter_block)
      (blocks[l], in.position.data(), n, gradient_row(l), gradient_row(l) + n,
       gradient.table.data() + std::size_t{kHashFeatures} * levels[l].offset);
      return;
    }
    const std::size_t begin = (task - num_levels) * kBlock, count = std::min(kBlock, n - begin);
    for (std::size_t l = 0; l < num_levels; ++l) {
      const float* row = gradient_row(l) + begin;
      HWY_DYNAMIC_DISPATCH(position_gradient_block)
      (blocks[l], in.table.data() + std::size_t{kHashFeatures} * levels[l].offset, in.position.data() + 3 * begin,
       count, row, row + n, l == 0 && gradient.position_mode == GradientMode::overwrite,
       gradient.position.data() + 3 * begin);
    }
  });
}

}  // namespace dsasrgs::cpu
#endif
