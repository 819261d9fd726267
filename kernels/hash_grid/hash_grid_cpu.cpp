#include <algorithm>

#include "common/parallel.hpp"
#include "hash_grid/hash_grid_block.hpp"
#include "hash_grid/hash_grid_bodies.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "hash_grid/hash_grid_cpu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace dsasrgs::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, 16>;
using Words = hn::RebindToUnsigned<Floats>;
using Vector = hn::Vec<Floats>;
using Index = hn::Vec<Words>;
inline constexpr std::size_t kMaxLanes = hn::MaxLanes(Floats());

/// Two features of a vector of points, side by side as in the table. Of every four points `low` holds the first two and
/// `high` the others, which is how a vector interleaves with another within its 128-bit blocks. The scalar target has
/// one point at a time and keeps its features in `low` and `high`.
struct Pairs {
  Vector low, high;
};
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
inline Pairs operator-(Pairs a, Pairs b) { return {hn::Sub(a.low, b.low), hn::Sub(a.high, b.high)}; }
inline Pairs operator*(Pairs a, Pairs b) { return {hn::Mul(a.low, b.low), hn::Mul(a.high, b.high)}; }
inline Pairs multiply_add(Pairs a, Pairs b, Pairs c) {
  return {hn::MulAdd(a.low, b.low, c.low), hn::MulAdd(a.high, b.high, c.high)};
}
/// Sum of each point's two numbers.
inline Vector sum_of_features(Pairs v) {
  const Pairs features = deinterleave(v);
  return hn::Add(features.low, features.high);
}

/// The entries with the given indices.
inline Pairs gather(const float* entries, Index index) {
  const Floats d;
#if HWY_TARGET > HWY_AVX2 || !HWY_ARCH_X86
  HWY_ALIGN std::uint32_t at[kMaxLanes];
  HWY_ALIGN float values[2][kMaxLanes];
  hn::Store(index, Words(), at);
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
  const Index zero = hn::Zero(w);
  return {hn::BitCast(d, hn::GatherIndex(doubles, base, hn::BitCast(longs, hn::InterleaveLower(w, index, zero)))),
          hn::BitCast(d, hn::GatherIndex(doubles, base, hn::BitCast(longs, hn::InterleaveUpper(w, index, zero))))};
#endif
}

/// A coordinate of a vector of points in a level; see HashCell.
struct Cell {
  Index term[2];  ///< vertex × stride
  Vector fraction;
  hn::Mask<Floats> inside;
};
inline Cell locate(const HashLevelBlock& level, Vector coordinate, std::uint32_t stride) {
  const Floats d;
  const Words w;
  const hn::RebindToSigned<Floats> ints;
  // Max(x, 0) in this order turns NaN into 0 on x86; elsewhere the bound on the vertex keeps the index inside.
  const Vector inside = hn::Min(hn::Max(coordinate, hn::Zero(d)), hn::Set(d, 1.0f));
  const Vector scaled = hn::MulAdd(inside, hn::Set(d, level.scale), hn::Set(d, 0.5f));
  const auto below = hn::ConvertTo(ints, scaled);
  const Index vertex = hn::BitCast(w, below), last = hn::Set(w, level.last_vertex), factor = hn::Set(w, stride);
  return {{hn::Mul(hn::Min(vertex, last), factor), hn::Mul(hn::Min(hn::Add(vertex, hn::Set(w, 1u)), last), factor)},
          hn::Sub(scaled, hn::ConvertTo(d, below)),
          hn::Eq(inside, coordinate)};
}

/// A vector of points in a level.
struct Location {
  Cell x, y, z;
};
/// Reads `count` points (at most a vector; missing ones are taken at 0).
inline Location locate_points(const HashLevelBlock& level, const float* position, std::size_t count) {
  const Floats d;
  float padded[3 * kMaxLanes] = {};
  if (count < hn::Lanes(d)) {
    std::copy_n(position, 3 * count, padded);
    position = padded;
  }
  Vector x, y, z;
  hn::LoadInterleaved3(d, position, x, y, z);
  return {locate(level, x, 1u), locate(level, y, level.stride_y), locate(level, z, level.stride_z)};
}

template <bool kDense>
Index combine(Index a, Index b) {
  if constexpr (kDense)
    return hn::Add(a, b);
  else
    return hn::Xor(a, b);
}
/// Entry indices of the four corners with z-vertex `z` in a time slice, x fastest.
template <bool kDense>
void corner_indices(const HashLevelBlock& level, const Location& at, int z, int slice, Index (&index)[4]) {
  const Words w;
  const Index plane = combine<kDense>(at.z.term[z], hn::Set(w, level.slice[slice]));
  for (int y = 0; y < 2; ++y) {
    const Index row = combine<kDense>(plane, at.y.term[y]);
    for (int x = 0; x < 2; ++x) {
      const Index entry = combine<kDense>(row, at.x.term[x]);
      index[2 * y + x] = kDense ? entry : hn::And(entry, hn::Set(w, level.mask));
    }
  }
}

struct Fractions {
  explicit Fractions(const Location& at)
      : x(interleave(at.x.fraction, at.x.fraction)),
        y(interleave(at.y.fraction, at.y.fraction)),
        z(interleave(at.z.fraction, at.z.fraction)) {}
  Pairs x, y, z;
};
inline Pairs lerp(Pairs a, Pairs b, Pairs fraction) { return multiply_add(fraction, b - a, a); }

/// Trilinear interpolation of a time slice and, for kGradient, its derivatives with respect to the three fractions.
struct Interpolated {
  Pairs value, dx, dy, dz;
};
template <bool kDense, bool kGradient>
Interpolated trilinear(const HashLevelBlock& level, const float* entries, const Location& at, const Fractions& f,
                       int slice) {
  Pairs plane[2], dx[2], dy[2];
  for (int z = 0; z < 2; ++z) {
    Index index[4];
    corner_indices<kDense>(level, at, z, slice, index);
    const Pairs a = gather(entries, index[0]), b = gather(entries, index[1]);
    const Pairs c = gather(entries, index[2]), e = gather(entries, index[3]);
    const Pairs low_row = b - a, high_row = e - c;
    const Pairs low = multiply_add(f.x, low_row, a), high = multiply_add(f.x, high_row, c);
    dy[z] = high - low;
    plane[z] = multiply_add(f.y, dy[z], low);
    if constexpr (kGradient) dx[z] = lerp(low_row, high_row, f.y);
  }
  const Pairs dz = plane[1] - plane[0];
  Interpolated r{multiply_add(f.z, dz, plane[0]), {}, {}, dz};
  if constexpr (kGradient) {
    r.dx = lerp(dx[0], dx[1], f.z);
    r.dy = lerp(dy[0], dy[1], f.z);
  }
  return r;
}
inline Pairs weighted(const HashLevelBlock& level, Pairs first, Pairs second) {
  const Floats d;
  const Vector w0 = hn::Set(d, level.slice_weight[0]), w1 = hn::Set(d, level.slice_weight[1]);
  return multiply_add({w1, w1}, second, Pairs{w0, w0} * first);
}

template <bool kDense>
void encode(const HashLevelBlock& level, const float* entries, const float* position, std::size_t count, float* row0,
            float* row1) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t i = 0; i < count; i += lanes) {
    const std::size_t left = std::min(lanes, count - i);
    const Location at = locate_points(level, position + 3 * i, left);
    const Fractions f(at);
    Pairs value = trilinear<kDense, false>(level, entries, at, f, 0).value;
    if (level.num_slices == 2) value = weighted(level, value, trilinear<kDense, false>(level, entries, at, f, 1).value);
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
  const Vector scale = hn::Set(d, level.scale);
  for (std::size_t i = 0; i < count; i += lanes) {
    const std::size_t left = std::min(lanes, count - i);
    const Location at = locate_points(level, position + 3 * i, left);
    const Fractions f(at);
    const Pairs g = load_gradient(row0 + i, row1 + i, left);
    Interpolated r = trilinear<kDense, true>(level, entries, at, f, 0);
    if (level.num_slices == 2) {
      const Interpolated other = trilinear<kDense, true>(level, entries, at, f, 1);
      r.dx = weighted(level, r.dx, other.dx);
      r.dy = weighted(level, r.dy, other.dy);
      r.dz = weighted(level, r.dz, other.dz);
    }
    const auto slope = [&](const Cell& cell) HWY_ATTR { return hn::IfThenElseZero(cell.inside, scale); };
    float tail[3 * kMaxLanes] = {};
    float* to = left == lanes ? grad_position + 3 * i : tail;
    if (left < lanes) std::copy_n(grad_position + 3 * i, 3 * left, tail);
    Vector x = hn::Zero(d), y = x, z = x;
    if (!overwrite) hn::LoadInterleaved3(d, to, x, y, z);
    x = hn::MulAdd(slope(at.x), sum_of_features(g * r.dx), x);
    y = hn::MulAdd(slope(at.y), sum_of_features(g * r.dy), y);
    z = hn::MulAdd(slope(at.z), sum_of_features(g * r.dz), z);
    hn::StoreInterleaved3(x, y, z, d, to);
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
  const Vector one = hn::Set(d, 1.0f);
  HWY_ALIGN std::uint32_t index[8][kMaxLanes];
  HWY_ALIGN float share[8][2][kMaxLanes];
  const auto split = [&](Pairs g, Pairs fraction, Pairs& low, Pairs& high) HWY_ATTR {
    high = g * fraction;
    low = g * (Pairs{one, one} - fraction);
  };
  for (std::size_t i = 0; i < count; i += lanes) {
    const std::size_t left = std::min(lanes, count - i);
    const Location at = locate_points(level, position + 3 * i, left);
    const Fractions f(at);
    const Pairs g = load_gradient(row0 + i, row1 + i, left);
    for (int slice = 0; slice < level.num_slices; ++slice) {
      const Vector weight = hn::Set(d, level.slice_weight[slice]);
      Pairs plane[2];
      split(g * Pairs{weight, weight}, f.z, plane[0], plane[1]);
      for (int z = 0; z < 2; ++z) {
        Index corner[4];
        corner_indices<kDense>(level, at, z, slice, corner);
        Pairs row[2], entry[4];
        split(plane[z], f.y, row[0], row[1]);
        for (int y = 0; y < 2; ++y) split(row[y], f.x, entry[2 * y], entry[2 * y + 1]);
        for (int c = 0; c < 4; ++c) {
          hn::Store(corner[c], w, index[4 * z + c]);
          hn::Store(entry[c].low, d, share[4 * z + c][0]);
          hn::Store(entry[c].high, d, share[4 * z + c][1]);
        }
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

void hash_grid_forward(const Context& ctx, int dimensions, const std::vector<HashGridLevel>& levels,
                       const HashGridInput& input, View<float> features) {
  const std::size_t n = input.position.size() / 3, num_blocks = (n + kBlock - 1) / kBlock;
  // Level by level, so that one level's entries are in the caches at a time.
  parallel_for(ctx, levels.size() * num_blocks, [&](std::size_t task) {
    const std::size_t l = task / num_blocks, begin = task % num_blocks * kBlock;
    float* row = features.data() + kHashFeatures * l * n + begin;
    HWY_DYNAMIC_DISPATCH(encode_block)
    (HashLevelBlock(levels[l], dimensions, input.time), input.table.data() + kHashFeatures * levels[l].offset,
     input.position.data() + 3 * begin, std::min(kBlock, n - begin), row, row + n);
  });
}

void hash_grid_backward(const Context& ctx, int dimensions, const std::vector<HashGridLevel>& levels,
                        const HashGridInput& input, View<const float> grad_features, View<float> grad_table,
                        GradientMode mode, View<float> grad_position) {
  const std::size_t n = input.position.size() / 3, num_levels = levels.size();
  const std::size_t num_blocks = grad_position.empty() ? 0 : (n + kBlock - 1) / kBlock;
  std::vector<HashLevelBlock> blocks;
  for (const HashGridLevel& level : levels) blocks.emplace_back(level, dimensions, input.time);
  const auto gradient_row = [&](std::size_t l) { return grad_features.data() + kHashFeatures * l * n; };

  // To the table a task owns a level: entries are added to by one thread and in the order of the points. To the
  // positions a task owns a block of points and adds the levels in order. One loop over both kinds, longest tasks
  // first.
  parallel_for(ctx, num_levels + num_blocks, [&](std::size_t task) {
    if (task < num_levels) {
      const std::size_t l = num_levels - 1 - task;
      HWY_DYNAMIC_DISPATCH(scatter_block)
      (blocks[l], input.position.data(), n, gradient_row(l), gradient_row(l) + n,
       grad_table.data() + kHashFeatures * levels[l].offset);
      return;
    }
    const std::size_t begin = (task - num_levels) * kBlock, count = std::min(kBlock, n - begin);
    for (std::size_t l = 0; l < num_levels; ++l) {
      const float* row = gradient_row(l) + begin;
      HWY_DYNAMIC_DISPATCH(position_gradient_block)
      (blocks[l], input.table.data() + kHashFeatures * levels[l].offset, input.position.data() + 3 * begin, count, row,
       row + n, l == 0 && mode == GradientMode::overwrite, grad_position.data() + 3 * begin);
    }
  });
}

}  // namespace dsasrgs::cpu
#endif
