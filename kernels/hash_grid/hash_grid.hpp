// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// Multi-resolution hash encoding of position (3D) or position and time (4D), after Instant-NGP section 3.

#include <cstddef>
#include <cstdint>

#include "common/gradient.hpp"
#include "common/host_vector.hpp"

namespace dsasrgs {

inline constexpr int kHashFeatures = 2;  ///< features per level

struct HashGridShape {
  int dimensions = 3;  ///< 3: (x,y,z); 4: (x,y,z,t)
  int levels = 12;
  int log2_entries = 19;  ///< table entries per level at most
  double base_resolution = 8;
  double growth = 1.45;  ///< resolution factor between levels
};

/// One level: position p ∈ [0,1]^D is scaled to p·scale + 0.5; `resolution` = ceil(scale) + 1 vertices per side.
/// scale = base·growth^l − 1. A corner past the last vertex (p close to 1) takes the last vertex, so the interpolation
/// is constant there.
struct HashGridLevel {
  float scale;
  std::uint32_t resolution;
  std::uint32_t entries;  ///< min(resolution^D rounded up to a multiple of 8, 2^log2_entries)
  std::uint32_t offset;   ///< first entry of the level in the table
  bool dense;  ///< resolution^D ≤ entries: indexed by row, not hashed (primes 1, 2654435761, 805459861, 3674653429)
};
/// Levels of a shape. Throws InvalidArgument for dimensions other than 3 or 4, levels outside 1…128, log2_entries
/// outside 4…28, base_resolution < 1, growth < 1, a finest resolution above 2^23 or more than 2^32 − 1 entries in all.
HostVector<HashGridLevel> hash_grid_levels(const HashGridShape&);
/// Floats in the table: Σ entries × kHashFeatures; entry e of a level holds its two features side by side.
std::size_t hash_grid_num_parameters(const HashGridShape&);

struct HashGridInput {
  HashGridShape shape;
  View<const float> position;  ///< [N,3], clamped to [0,1]; the gradient of a clamped coordinate is zero
  float time = 0;              ///< clamped to [0,1]; used by the 4D grid, one time for all points
  View<const float> table;     ///< [hash_grid_num_parameters], 8-byte aligned, as every buffer is
};

/// features [levels·2, N] feature-major (row f holds feature f of all points), overwritten: the D-linear interpolation
/// of the entries at the 2^D corners. Deterministic. N = 0: nothing. Throws InvalidArgument when sizes disagree, the
/// table is not aligned, and what hash_grid_levels throws.
void hash_grid_forward(Context&, const HashGridInput&, View<float> features);

struct HashGridGradient {
  View<float> table;     ///< as the table, 8-byte aligned; always accumulated into (Adam zeroes it as it reads)
  View<float> position;  ///< [N,3]; an empty view is skipped
  GradientMode position_mode = GradientMode::overwrite;
};

/// Memory kept between backward calls, so that a repeated call allocates nothing; grown as needed. One may serve
/// several grids that run one after the other.
struct HashGridScratch {
  Buffer<long long> table_sums;       ///< CUDA: per float of the table, all zero between calls
  Buffer<unsigned> largest_gradient;  ///< CUDA: [levels] bits of max |grad_features|
  Buffer<float> position_shares;      ///< [levels,3,N]
};

/// VJP to the table and the positions (recomputed, nothing saved). grad_features [levels·2, N]. Throws as
/// hash_grid_forward does.
///
/// Deterministic for any thread count: the CPU adds an entry's shares in the order of the points, those of points in
/// one cell together; CUDA adds them in 64-bit fixed point, where the order makes no difference. Of a share smaller
/// than the level's largest |grad_features|, digits below 2^-60·N of the latter are lost there.
void hash_grid_backward(Context&, const HashGridInput&, View<const float> grad_features, const HashGridGradient&,
                        HashGridScratch&);

}  // namespace dsasrgs
