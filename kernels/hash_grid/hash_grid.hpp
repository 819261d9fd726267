// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// Multi-resolution hash encoding of position (3D) or position and time (4D), after Instant-NGP section 3.

#include <cstddef>
#include <cstdint>
#include <span>

#include "common/gradient.hpp"
#include "common/host_vector.hpp"
#include "common/unit_box.hpp"
#include "common/waiting_gradient.hpp"

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
  View<const float> position;  ///< [N,3]; its coordinates in `box` are clamped to [0,1], and then have no gradient
  float time = 0;              ///< clamped to [0,1]; used by the 4D grid, one time for all points
  View<const float> table;     ///< [hash_grid_num_parameters], 8-byte aligned, as every buffer is
  UnitBox box{};               ///< what the grid covers, in the unit of the positions
};

/// features [levels·2, N] feature-major (row f holds feature f of all points), overwritten: the D-linear interpolation
/// of the entries at the 2^D corners. Several grids over the same positions in the same box: rows of all their levels,
/// one grid after the other. Deterministic. No grid or N = 0: nothing. Throws InvalidArgument when sizes, positions or
/// boxes disagree, a table is not aligned, and what hash_grid_levels throws.
void hash_grid_forward(Context&, std::span<const HashGridInput>, View<float> features);
inline void hash_grid_forward(Context& ctx, const HashGridInput& in, View<float> features) {
  hash_grid_forward(ctx, std::span(&in, 1), features);
}

struct HashGridGradient {
  View<float> position;  ///< [N,3]; an empty view is skipped
  GradientMode position_mode = GradientMode::overwrite;
};

/// Where backward passes leave the gradients of the tables, which all lie behind one another, and memory that a
/// repeated call finds again: it then allocates nothing. What a pass leaves must be taken, by adam_update or
/// hash_grid_take_gradient, before the next. One may serve other grids once its gradient has been taken.
struct HashGridScratch {
  HostVector<std::size_t> level_begin;  ///< [levels + 1] the first float of each level
  Buffer<float> table;                  ///< CPU: the gradients; zero where they have been taken
  Buffer<long long> table_sums;         ///< CUDA: the same in fixed point
  Buffer<float> unit;                   ///< CUDA: [levels] of a level's sums
  Buffer<unsigned> largest_gradient;    ///< CUDA: [2, levels], all zero between calls
  Buffer<float> position_shares;        ///< [levels,3,N]

  /// The gradient of one level's entries; levels of all grids are numbered through.
  WaitingGradient level(std::size_t);
};

/// VJP to the tables and the positions (recomputed, nothing saved). grad_features [levels·2, N]. Throws as
/// hash_grid_forward does.
///
/// Deterministic for any thread count: the CPU adds an entry's shares in the order of the points, those of points in
/// one cell together; CUDA adds them in 64-bit fixed point, where the order makes no difference. Of a share smaller
/// than the level's largest |grad_features|, digits below 2^-59·N of the latter are lost there.
void hash_grid_backward(Context&, std::span<const HashGridInput>, View<const float> grad_features,
                        const HashGridGradient&, HashGridScratch&);
inline void hash_grid_backward(Context& ctx, const HashGridInput& in, View<const float> grad_features,
                               const HashGridGradient& gradient, HashGridScratch& scratch) {
  hash_grid_backward(ctx, std::span(&in, 1), grad_features, gradient, scratch);
}

/// gradient += that of the last backward pass from float `first` of its tables on, which is taken. Whole levels. Throws
/// InvalidArgument when they are not, or are not there.
void hash_grid_take_gradient(Context&, HashGridScratch&, std::size_t first, View<float> gradient);

}  // namespace dsasrgs
