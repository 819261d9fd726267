// SPDX-License-Identifier: Apache-2.0
// Gaussians are first sorted by brick of the grid, for the caches' sake. Forward: they are binned by slab of z, a slab
// is a task that owns its voxels, and inside it Gaussians are added in sorted order, so there are no races and one
// order of summation. Backward: one Gaussian at a time over its own footprint. Both take their chords from the same
// code, so they agree on which voxels belong to a Gaussian.

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "common/host_vector.hpp"
#include "common/parallel.hpp"
#include "voxelize/voxelize_bodies.hpp"
#include "voxelize/voxelize_gaussians.hpp"
#include "voxelize/voxelize_math.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "voxelize/voxelize_cpu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#ifndef DSASRGS_VOXELIZE_CPU_ONCE
#define DSASRGS_VOXELIZE_CPU_ONCE
namespace dsasrgs::cpu {

/// 2^f = Σ kExp2[i]·f^i on |f| ≤ ½.
constexpr float kExp2[6] = {1.00000012f, 0.693146944f, 0.240221202f, 0.0555071309f, 0.00967554096f, 0.00132764725f};

/// What the vector code of a call needs.
struct VoxelJob {
  int size_x = 0, size_y = 0, size_z = 0;
  const VoxelGaussian* gaussians = nullptr;  ///< sorted by brick, those that miss the grid left out
  const float* density = nullptr;
  // Forward.
  float* volume = nullptr;
  const std::uint32_t* list = nullptr;  ///< Gaussians of slab s: list[slab_begin[s]] … list[slab_begin[s+1]]
  const std::size_t* slab_begin = nullptr;
  // Backward.
  const float* grad_volume = nullptr;
  VoxelMoments<float>* moments = nullptr;  ///< one per sorted Gaussian
};

}  // namespace dsasrgs::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace dsasrgs::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Chords of a Gaussian, one an entry: the voxels [first, last] of a row, relative to the anchor's column, and on them
/// h = u00·x + a, ‖z‖² = h² + q with q = b² + c². Filled a vector of rows at a time, so with room for one more vector.
struct ChordList {
  static constexpr std::size_t kCapacity = 256, kRoom = kCapacity + 16;
  std::size_t size = 0;
  std::int32_t row[kRoom];  ///< z·size_y + y
  std::int32_t first[kRoom], last[kRoom];
  float a[kRoom], b[kRoom], c[kRoom], q[kRoom];
};

/// Visits a Gaussian's chords in slices [z_begin, z_end): visitor.add(list), list after list.
template <class D, class Visitor>
HWY_ATTR void visit_chords(D d, const VoxelJob& job, const VoxelGaussian& k, int z_begin, int z_end, ChordList& list,
                           Visitor& visitor) {
  constexpr float kCutoff2 = kCutoff * kCutoff;
  const hn::RebindToSigned<D> di;
  const int lanes = static_cast<int>(hn::Lanes(d));
  const float first_row = static_cast<float>(-k.anchor_y), last_row = static_cast<float>(job.size_y - 1 - k.anchor_y);
  const auto first_column = hn::Set(d, static_cast<float>(-k.anchor_x));
  const auto last_column = hn::Set(d, static_cast<float>(job.size_x - 1 - k.anchor_x));
  const auto inv_u00 = hn::Set(d, k.inv_u00), offset_x = hn::Set(d, k.offset_x);
  list.size = 0;
  for (int z = z_begin; z < z_end; ++z) {
    const float dz = static_cast<float>(z - k.anchor_z) - k.offset_z;
    const float c = k.u22 * dz, left_c = std::max(kCutoff2 - c * c, 0.0f);
    const float half_b = std::sqrt(left_c), shift_b = k.u12 * dz, shift_h = k.u02 * dz, inv_u11 = 1 / k.u11;
    // Clamped before the conversion, so that Gaussians far larger than the grid do not overflow an integer.
    const int y_first = static_cast<int>(std::ceil(std::max(k.offset_y - (half_b + shift_b) * inv_u11, first_row)));
    const int y_last = static_cast<int>(std::floor(std::min(k.offset_y + (half_b - shift_b) * inv_u11, last_row)));
    for (int y = y_first; y <= y_last; y += lanes) {
      const auto vy = hn::Iota(d, static_cast<float>(y));
      const auto dy = hn::Sub(vy, hn::Set(d, k.offset_y));
      const auto b = hn::MulAdd(hn::Set(d, k.u11), dy, hn::Set(d, shift_b));
      const auto left = hn::NegMulAdd(b, b, hn::Set(d, left_c));
      const auto half_h = hn::Sqrt(hn::Max(left, hn::Zero(d)));
      const auto a = hn::MulAdd(hn::Set(d, k.u01), dy, hn::Set(d, shift_h));
      const auto lo = hn::Ceil(hn::Max(hn::NegMulAdd(hn::Add(half_h, a), inv_u00, offset_x), first_column));
      const auto hi = hn::Floor(hn::Min(hn::MulAdd(hn::Sub(half_h, a), inv_u00, offset_x), last_column));
      const auto seen = hn::And(hn::And(hn::Le(lo, hi), hn::Ge(left, hn::Zero(d))),
                                hn::Le(vy, hn::Set(d, static_cast<float>(y_last))));
      const std::size_t at = list.size;
      const auto row = hn::Iota(di, z * job.size_y + y + k.anchor_y);
      hn::StoreU(hn::Compress(row, hn::RebindMask(di, seen)), di, list.row + at);
      hn::StoreU(hn::ConvertTo(di, hn::Compress(lo, seen)), di, list.first + at);
      hn::StoreU(hn::ConvertTo(di, hn::Compress(hi, seen)), di, list.last + at);
      hn::StoreU(hn::Compress(hn::NegMulAdd(hn::Set(d, k.u00), offset_x, a), seen), d, list.a + at);
      hn::StoreU(hn::Compress(b, seen), d, list.b + at);
      hn::StoreU(hn::Set(d, c), d, list.c + at);
      hn::StoreU(hn::Compress(hn::MulAdd(b, b, hn::Set(d, c * c)), seen), d, list.q + at);
      list.size += hn::CountTrue(d, seen);
      if (list.size > ChordList::kCapacity - hn::Lanes(d)) {
        visitor.add(list);
        list.size = 0;
      }
    }
  }
  visitor.add(list);
}

/// exp(−q/2) for 0 ≤ q ≤ kCutoff², to about 1e-7: the nearest power of two times a polynomial (2^f's minimax on ±½).
template <class D, class V = hn::Vec<D>>
HWY_ATTR HWY_INLINE V exp_minus_half(D d, V q) {
  const hn::RebindToSigned<D> di;
  const V t = hn::Mul(q, hn::Set(d, -0.721347520444481704f));  // −½·log2 e
  const V n = hn::Round(t), f = hn::Sub(t, n);
  V p = hn::Set(d, kExp2[5]);
  for (int i = 4; i >= 0; --i) p = hn::MulAdd(p, f, hn::Set(d, kExp2[i]));
  return hn::BitCast(d, hn::Add(hn::BitCast(di, p), hn::ShiftLeft<23>(hn::ConvertTo(di, n))));
}

/// One vector of a chord: which element it starts at, which lanes are the chord's, and there h and G.
template <class D>
struct ChordVector {
  std::size_t element;
  hn::Mask<D> inside;
  hn::Vec<D> h, gaussian;
};
/// The vector from column `begin` on; it is moved back where it would reach past `end`, elements [.., end) being those
/// that may be touched.
template <class D>
HWY_ATTR HWY_INLINE ChordVector<D> chord_vector(D d, float u00, const ChordList& list, std::size_t i,
                                                std::size_t element, int begin, std::size_t end) {
  int first = begin;
  if (HWY_UNLIKELY(element + hn::Lanes(d) > end)) {
    first -= static_cast<int>(element + hn::Lanes(d) - end);
    element = end - hn::Lanes(d);
  }
  const auto x = hn::Iota(d, static_cast<float>(first));
  const auto inside = hn::And(hn::Ge(x, hn::Set(d, static_cast<float>(begin))),
                              hn::Le(x, hn::Set(d, static_cast<float>(list.last[i]))));
  const auto h = hn::MulAdd(hn::Set(d, u00), x, hn::Set(d, list.a[i]));
  const auto q = hn::MulAdd(h, h, hn::Set(d, list.q[i]));
  return {element, inside, h, exp_minus_half(d, q)};
}

/// Adds ρ·G to the volume.
template <class D>
struct AddVisitor {
  D d;
  float* volume;
  std::size_t size_x, anchor_x, end;
  float u00, density;

  HWY_ATTR HWY_INLINE void add(const ChordList& list) {
    const int lanes = static_cast<int>(hn::Lanes(d));
    for (std::size_t i = 0; i < list.size; ++i) {
      const std::size_t row = static_cast<std::size_t>(list.row[i]) * size_x + anchor_x;
      for (int x = list.first[i]; x <= list.last[i]; x += lanes) {
        const auto v =
            chord_vector(d, u00, list, i, row + static_cast<std::size_t>(static_cast<std::ptrdiff_t>(x)), x, end);
        float* p = volume + v.element;
        const auto inside = hn::IfThenElseZero(v.inside, v.gaussian);
        hn::StoreU(hn::MulAdd(hn::Set(d, density), inside, hn::LoadU(d, p)), d, p);
      }
    }
  }
};

/// The ten moments, a partial sum per lane.
template <class D>
struct LaneMoments {
  using V = hn::Vec<D>;
  V one = hn::Zero(D()), h = hn::Zero(D()), b = hn::Zero(D()), c = hn::Zero(D()), hh = hn::Zero(D());
  V hb = hn::Zero(D()), hc = hn::Zero(D()), bb = hn::Zero(D()), bc = hn::Zero(D()), cc = hn::Zero(D());

  HWY_ATTR static float sum(V v) { return hn::GetLane(hn::SumOfLanes(D(), v)); }
  HWY_ATTR VoxelMoments<float> total() const {
    return {sum(one), sum(h), sum(b), sum(c), sum(hh), sum(hb), sum(hc), sum(bb), sum(bc), sum(cc)};
  }
};

/// Sums the moments of g·G.
template <class D>
struct MomentVisitor {
  D d;
  const float* grad;
  std::size_t size_x, anchor_x, end;
  float u00;
  LaneMoments<D> moments{};

  HWY_ATTR HWY_INLINE void add(const ChordList& list) {
    const int lanes = static_cast<int>(hn::Lanes(d));
    LaneMoments<D> m = moments;  // a local copy stays in registers
    for (std::size_t i = 0; i < list.size; ++i) {
      const std::size_t row = static_cast<std::size_t>(list.row[i]) * size_x + anchor_x;
      const auto b = hn::Set(d, list.b[i]), c = hn::Set(d, list.c[i]);
      for (int x = list.first[i]; x <= list.last[i]; x += lanes) {
        const auto v =
            chord_vector(d, u00, list, i, row + static_cast<std::size_t>(static_cast<std::ptrdiff_t>(x)), x, end);
        // Selected again after the product: the gradient outside the chord may be anything, also NaN.
        const auto g = hn::IfThenElseZero(v.inside, hn::Mul(v.gaussian, hn::LoadU(d, grad + v.element)));
        const auto gh = hn::Mul(g, v.h), gb = hn::Mul(g, b), gc = hn::Mul(g, c);
        m.one = hn::Add(m.one, g);
        m.h = hn::Add(m.h, gh);
        m.b = hn::Add(m.b, gb);
        m.c = hn::Add(m.c, gc);
        m.hh = hn::MulAdd(gh, v.h, m.hh);
        m.hb = hn::MulAdd(gh, b, m.hb);
        m.hc = hn::MulAdd(gh, c, m.hc);
        m.bb = hn::MulAdd(gb, b, m.bb);
        m.bc = hn::MulAdd(gb, c, m.bc);
        m.cc = hn::MulAdd(gc, c, m.cc);
      }
    }
    moments = m;
  }
};

template <class D>
HWY_ATTR void add_slab(D d, const VoxelJob& job, std::size_t slab, std::size_t end) {
  const int z_begin = static_cast<int>(slab) * kSlab, z_end = std::min(job.size_z, z_begin + kSlab);
  const std::size_t size_x = static_cast<std::size_t>(job.size_x);
  ChordList list;
  for (std::size_t i = job.slab_begin[slab]; i < job.slab_begin[slab + 1]; ++i) {
    const VoxelGaussian& k = job.gaussians[job.list[i]];
    AddVisitor<D> visitor{d,     job.volume,          size_x, static_cast<std::size_t>(k.anchor_x), end,
                          k.u00, job.density[k.index]};
    visit_chords(d, job, k, std::max(z_begin, k.z_begin), std::min(z_end, k.z_end), list, visitor);
  }
}

/// One slab of the forward pass: clears its voxels, then adds its Gaussians.
HWY_ATTR void voxelize_slab(const VoxelJob& job, std::size_t slab) {
  const std::size_t slice = static_cast<std::size_t>(job.size_x) * static_cast<std::size_t>(job.size_y);
  const std::size_t begin = slab * kSlab * slice;
  const std::size_t end = std::min(begin + kSlab * slice, slice * static_cast<std::size_t>(job.size_z));
  std::fill(job.volume + begin, job.volume + end, 0.0f);
  const hn::CappedTag<float, 16> d;
  if (end - begin >= hn::Lanes(d))
    add_slab(d, job, slab, end);
  else
    add_slab(hn::CappedTag<float, 1>(), job, slab, end);
}

template <class D>
HWY_ATTR void sum_moments(D d, const VoxelJob& job, std::size_t begin, std::size_t end, std::size_t num_voxels) {
  const std::size_t size_x = static_cast<std::size_t>(job.size_x);
  ChordList list;
  for (std::size_t i = begin; i < end; ++i) {
    const VoxelGaussian& k = job.gaussians[i];
    MomentVisitor<D> visitor{d, job.grad_volume, size_x, static_cast<std::size_t>(k.anchor_x), num_voxels, k.u00};
    visit_chords(d, job, k, k.z_begin, k.z_end, list, visitor);
    job.moments[i] = visitor.moments.total();
  }
}

/// Moments of Gaussians [begin, end).
HWY_ATTR void voxelize_moments(const VoxelJob& job, std::size_t begin, std::size_t end) {
  const std::size_t num_voxels = static_cast<std::size_t>(job.size_x) * static_cast<std::size_t>(job.size_y) *
                                 static_cast<std::size_t>(job.size_z);
  const hn::CappedTag<float, 16> d;
  if (num_voxels >= hn::Lanes(d))
    sum_moments(d, job, begin, end, num_voxels);
  else
    sum_moments(hn::CappedTag<float, 1>(), job, begin, end, num_voxels);
}

}  // namespace dsasrgs::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dsasrgs::cpu {

HWY_EXPORT(voxelize_slab);
HWY_EXPORT(voxelize_moments);

namespace {

/// Gaussians per task of the backward pass.
constexpr std::size_t kBlock = 256;

VoxelJob job_of(const VoxelizeInput& in, const HostVector<VoxelGaussian>& gaussians) {
  VoxelJob job;
  job.size_x = in.grid.size_x;
  job.size_y = in.grid.size_y;
  job.size_z = in.grid.size_z;
  job.gaussians = gaussians.data();
  job.density = in.density.data();
  return job;
}

void add_gradient(const GaussianGradient& out, std::size_t i, const VoxelGradient<double>& g) {
  const auto add3 = [i](View<float> to, Vec3d v) {
    to[3 * i] += static_cast<float>(v.x);
    to[3 * i + 1] += static_cast<float>(v.y);
    to[3 * i + 2] += static_cast<float>(v.z);
  };
  add3(out.position_mm, g.position_mm);
  add3(out.raw_scale, g.raw_scale);
  out.rotation[4 * i] += static_cast<float>(g.rotation.w);
  out.rotation[4 * i + 1] += static_cast<float>(g.rotation.x);
  out.rotation[4 * i + 2] += static_cast<float>(g.rotation.y);
  out.rotation[4 * i + 3] += static_cast<float>(g.rotation.z);
  out.density[i] += static_cast<float>(g.density);
}

}  // namespace

void voxelize_forward(const Context& ctx, const VoxelizeInput& in, View<float> volume) {
  const HostVector<VoxelGaussian> gaussians = sorted_gaussians(ctx, in);
  const SlabLists bins = bin_by_slab(gaussians, in.density, in.grid.size_z);
  VoxelJob job = job_of(in, gaussians);
  job.volume = volume.data();
  job.list = bins.list.data();
  job.slab_begin = bins.begin.data();
  parallel_for(ctx, bins.begin.size() - 1, [&](std::size_t slab) { HWY_DYNAMIC_DISPATCH(voxelize_slab)(job, slab); });
}

void voxelize_backward(const Context& ctx, const VoxelizeInput& in, View<const float> grad_volume, GradientMode mode,
                       const GaussianGradient& grad) {
  const GaussianView& g = in.gaussians;
  if (mode == GradientMode::overwrite)
    for (const View<float> out : {grad.position_mm, grad.raw_scale, grad.rotation, grad.density})
      std::fill(out.begin(), out.end(), 0.0f);
  const HostVector<VoxelGaussian> gaussians = sorted_gaussians(ctx, in);
  HostVector<VoxelMoments<float>> moments(gaussians.size());
  VoxelJob job = job_of(in, gaussians);
  job.grad_volume = grad_volume.data();
  job.moments = moments.data();
  parallel_blocks(ctx, gaussians.size(), kBlock, [&](std::size_t begin, std::size_t end) {
    HWY_DYNAMIC_DISPATCH(voxelize_moments)(job, begin, end);
    for (std::size_t j = begin; j < end; ++j) {
      const std::size_t i = gaussians[j].index;
      const RawGaussian raw = raw_gaussian(g, i);
      const VoxelMoments<float>& m = moments[j];
      add_gradient(
          grad, i,
          voxel_gaussian_vjp<double>(shape_of(g.bounds, raw), raw.rotation, g.bounds.min_mm, g.bounds.max_mm,
                                     in.density[i], {m.one, m.h, m.b, m.c, m.hh, m.hb, m.hc, m.bb, m.bc, m.cc}));
    }
  });
}

}  // namespace dsasrgs::cpu
#endif  // HWY_ONCE
