// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// X-ray rasterizer: adds projected Gaussians into a detector image.

#include "project/project.hpp"
#include "tile/tile.hpp"

namespace dsasrgs {

struct RasterizeInput {
  int width_px = 0, height_px = 0;
  View<const float> mean_px;    ///< [N,2]
  View<const float> conic;      ///< [N,3] xx, xy, yy
  View<const float> amplitude;  ///< [N]
  View<const PixelBox> box;     ///< [N] from project_forward
};

/// Reusable scratch memory; holds nothing the backward pass needs.
struct RasterizeScratch {
  TileLists tiles;
  /// On CUDA the lists get room for half as many entries more than the first forward pass needs; passes with the same N
  /// and image size then neither wait nor allocate, and are slow, not wrong, when the room is used up. That is so when
  /// num_pairs() exceeds capacity(), which only the device knows: who reads num_pairs() in its own time may set `refit`
  /// to have the next pass size the lists anew (it waits and allocates), and `least_pairs` to what they must have room
  /// for, beside the pairs of that pass and again with half as many more.
  bool refit = false;
  std::size_t least_pairs = 0;
  /// [1] entries that the last forward pass asked for, in the context's memory; empty on the CPU, where lists grow.
  View<const unsigned long long> num_pairs() const { return tiles.num_pairs; }
  std::size_t capacity() const { return tiles.gaussian.size(); }

  // Of the CUDA backend: whether the lists wait for a forward pass, what they were fitted to, and partial sums of tiles
  // with long lists.
  bool binned = false;
  std::size_t fitted_gaussians = 0;
  int fitted_width_px = 0, fitted_height_px = 0;
  Buffer<float> partial;
};

struct RasterizeGradient {
  View<float> mean_px;    ///< [N,2]
  View<float> conic;      ///< [N,3]
  View<float> amplitude;  ///< [N]
};

///   image(u) = Σ_i a_i · exp(−½ dᵀ Q_i d),  d = u − m_i     (R²-Gaussian, eq. 7)
/// A pixel counts iff it is in the Gaussian's box and its centre has dᵀQd ≤ kCutoff² (geometry only, so the result is
/// linear in a). Additive: no order, no blending. Conics must be positive definite; others may add nothing. image [H,W]
/// row-major, overwritten. Deterministic for any thread count and, on the CPU, tile size. N = 0: image = 0. Throws
/// InvalidArgument when sizes disagree or the image is empty, and what tile_bin throws.
void rasterize_forward(Context&, const RasterizeInput&, RasterizeScratch&, View<float> image);

/// The part of the next forward pass that needs the boxes [N] only; that must then have the same boxes and image size.
/// CUDA: bins them. CPU: nothing. Throws as rasterize_forward does.
void rasterize_prepare(Context&, int width_px, int height_px, View<const PixelBox> box, RasterizeScratch&);

/// VJP, gathered per Gaussian over its own footprint from six moments of g·G (no saved state, no atomics):
///   ∂/∂a = S0, ∂/∂m = a·Q·(Sx,Sy) for d = u − m, ∂/∂(xx,xy,yy) = −½ a (Sxx, 2Sxy, Syy).
/// grad_image [H,W]. Deterministic.
void rasterize_backward(Context&, const RasterizeInput&, View<const float> grad_image, GradientMode,
                        const RasterizeGradient&);

}  // namespace dsasrgs
