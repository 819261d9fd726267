// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// Adaptive density control: which Gaussians are cloned, split or removed, and the compaction that carries it out.

#include <cstddef>
#include <cstdint>
#include <span>

#include "dsasrgs/gaussians.hpp"
#include "dsasrgs/geometry.hpp"
#include "project/project.hpp"

namespace dsasrgs {

/// Running sums per Gaussian since the last density event, all [N]. A Gaussian is visible in a step when its box is not
/// empty. With pixel weights (Pixel-GS), a step counts as much as the Gaussian covers pixels in its view: w = area of
/// the ellipse dᵀQd ≤ kCutoff², at most that of the Gaussian's box, in pixels; else w = 1.
struct DensityStatistics {
  Buffer<float> gradient_norm;  ///< Σ w·‖dL/d mean2D‖ in normalised detector units ([−1,1] across the image)
  Buffer<float> density;        ///< Σ ρ over all steps
  Buffer<std::uint32_t> visible_steps;
  std::uint32_t steps = 0;
  Buffer<float> pixels{};  ///< Σ w; empty without pixel weights
  bool weighs_pixels() const { return pixels.size() > 0; }
  /// All sums zero for n Gaussians.
  static DensityStatistics zeros(Context&, std::size_t n, bool pixel_weights = false);
};

/// Adds one step: gradient_norm += w·‖(gx·W/2, gy·H/2)‖ of grad_mean_px [N,2] and pixels += w for visible Gaussians,
/// density += ρ, counts. conic [N,3] as project_forward makes it; read with pixel weights only, else it may be empty.
/// Throws InvalidArgument when sizes disagree.
void density_statistics_add(Context&, const Detector&, View<const float> grad_mean_px, View<const PixelBox> box,
                            View<const float> density, DensityStatistics&, View<const float> conic = {});

struct DensityControl {
  float gradient_threshold = 1e-4f;  ///< τ_grad on the mean over visible steps
  float split_scale_mm = 1;   ///< a selected Gaussian splits if its largest scale exceeds this, else it is cloned
  float split_shrink = 1.6f;  ///< children's scale = parent's / this (1/β of DSA-SRGS eq. 5)
  float split_spread = 1;     ///< α: children are at the parent's centre + N(0, α·Σ)
  int split_children = 2;
  bool clone = true;               ///< off: a selected Gaussian that would be cloned is kept as it is
  bool prune = true;               ///< off: a Gaussian that would be pruned is kept as it is
  float min_mean_density = 1e-6f;  ///< accumulated attenuation (DSA-SRGS eq. 2): mean ρ below this is pruned
  float random_prune = 0;          ///< probability of being pruned whatever its numbers say (TOGS), 0 to 1
  VolumeGrid box;                  ///< Gaussians whose centre is outside are pruned
  std::size_t max_gaussians = 0;   ///< no births beyond this count (those with the largest score first); 0: no cap
  std::uint64_t seed = 0;          ///< random numbers are keyed by (seed, step, parent, child): Philox
  std::uint64_t step = 0;
};

/// Shrink and spread of a split that keeps the Gaussian's mass Σ ρ·(2π)^(3/2)·s_x·s_y·s_z and, in expectation, its
/// second moments, its children having its density (method.md section 3): β = K^(−1/3), α = 1 − β². A child's scale
/// that ends up at the lower bound is larger than β·s, and its mass too. Residual-guided splitting (RSD) is this split
/// with clone and prune off and split_scale_mm = half a low-resolution voxel. Throws InvalidArgument unless children
/// ≥ 1.
struct SplitShape {
  float shrink, spread;
};
SplitShape rsd_split(int children);

/// What becomes of every Gaussian, in the context's memory. New Gaussian j is made from Gaussian source[j]; births come
/// after survivors, in the order of their parents.
enum class Birth : std::uint8_t { kept, clone, split_child };
struct DensityPlan {
  Buffer<std::uint32_t> source;                   ///< [N'] parent in the old cloud
  Buffer<Birth> birth;                            ///< [N']
  Buffer<std::uint8_t> child;                     ///< [N'] which child of its parent, for the random numbers
  std::size_t num_sources = 0;                    ///< N, Gaussians of the old cloud
  std::size_t cloned = 0, split = 0, pruned = 0;  ///< Gaussians that were cloned, split (parents), pruned
  /// N', Gaussians of the new cloud.
  std::size_t size() const { return source.size(); }
};

/// Decides (method.md section 2): prune first (outside the box, any parameter non-finite, density averaged over `steps`
/// below the floor or not a number; with no steps the floor is not applied; or drawn by random_prune, each Gaussian by
/// itself with a number that depends on seed, step and index only), then among the rest select those whose
/// score, the gradient norm averaged over visible steps (their weights), exceeds the threshold (0 for a Gaussian never
/// visible), and clone or split them. A split parent is removed. Under the cap, selected Gaussians are taken by
/// descending score, ties by ascending index, each if its births still fit. Deterministic. N = 0 or everything pruned:
/// an empty plan. Throws InvalidArgument when sizes disagree, the box has no volume, (N > 0) the bounds are not 0 < min
/// < max, finite, split_children is not in 1…255, split_shrink is not positive, split_spread is negative or not finite,
/// random_prune is not in 0…1 or there are too many Gaussians for 32 bits. On a GPU it waits once, for the counts.
DensityPlan plan_density_control(Context&, const DensityControl&, GaussianView, const DensityStatistics&);

/// One array for gather_rows: in [N,width], out [N',width]; they must not overlap.
struct RowGather {
  int width = 0;
  bool zero_births = false;  ///< rows of births are set to 0 instead (optimiser moments)
  View<const float> in;
  View<float> out;
};

/// Applies a plan to the rows of several arrays in one pass: out[j,:] = in[source[j],:]. Rows are copied bit for bit.
/// width 0 or N' = 0: nothing is written. Throws InvalidArgument when sizes disagree.
void gather_rows(Context&, const DensityPlan&, std::span<const RowGather>);

/// Statistics of the new cloud that are still running when another kind of density event changes the cloud: survivors
/// keep their sums; births start without gradient and visible steps, so their score is 0, but have their parent's
/// density sum, so that they are not pruned for being young. Throws InvalidArgument when sizes disagree.
DensityStatistics gather_statistics(Context&, const DensityPlan&, const DensityStatistics&);

/// Moves split children off their parents in the gathered cloud: position += R·N(0, α·s²), scale ← s / split_shrink
/// (through the bounds), with R and s the parent's, which the gathered row still holds. Everything else is left as
/// gathered. Deterministic: random numbers depend on (seed, step, parent, child) only.
/// Throws InvalidArgument as plan_density_control does.
void place_children(Context&, const DensityControl&, const DensityPlan&, ScaleBounds, View<float> position_mm,
                    View<float> raw_scale, View<const float> rotation);

/// Halves the density of every Gaussian that a clone or a split made (R²-Gaussian): split children, clones, and the
/// Gaussians that were cloned, in the gathered cloud. raw [N'] of the density softplus(raw) ←
/// softplus⁻¹(½·softplus(raw)), so that a clone and its original, or two children, together have the density there was.
/// Deterministic. Throws InvalidArgument when sizes disagree.
void halve_density(Context&, const DensityPlan&, View<float> raw);

}  // namespace dsasrgs
