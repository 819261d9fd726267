// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// How good a render or a volume is (method.md section 4). All metrics are computed in double on the host, on one
/// thread. A number that is not finite in an image or a volume is an error, never a score.

#include <cstdint>
#include <limits>
#include <span>

#include "dsasrgs/export.hpp"
#include "dsasrgs/geometry.hpp"
#include "dsasrgs/progress.hpp"

namespace DSASRGS_API dsasrgs {

/// An image pair in host memory. Both are clipped at 0 first (line integrals cannot be negative); what stands at a
/// pixel that is not valid is never read into a score.
struct ImagePair {
  std::span<const float> rendered;      ///< [H,W]
  std::span<const float> reference;     ///< [H,W]
  std::span<const std::uint8_t> valid;  ///< [H,W] or empty (all); zero pixels are left out of every mean
  int width_px = 0, height_px = 0;
};

/// Scores of one image. The score of a sequence is the mean of its images' scores.
struct ImageScore {
  double psnr_db = 0;  ///< 10·log10(range² / mean squared error over valid pixels); +infinity for identical images
  double ssim = 0;     ///< NaN when no window holds only valid pixels
};

/// Protocol `4drgs`: render and reference each min–max normalised over their valid pixels, PSNR with data range 1,
/// SSIM with a 7 × 7 uniform window, sample covariance (n − 1), K1 = 0.01, K2 = 0.03, mean over windows that lie inside
/// the image and hold only valid pixels (the definition of scikit-image's structural_similarity). A constant image
/// normalises to 0. Throws InvalidArgument when sizes disagree, an image is smaller than the window, nothing is valid
/// or a valid pixel is not finite (the message names it).
ImageScore score_4drgs(const ImagePair&);

/// Protocol `fixed`: no normalisation; data range = `range` (one number for the whole sequence, see fixed_range), the
/// same PSNR and SSIM otherwise. Throws InvalidArgument as score_4drgs does, and unless range is positive and
/// within the range of float.
ImageScore score_fixed(const ImagePair&, double range);

/// Range for the fixed protocol: the largest valid reference value of a sequence (negative values count as 0).
/// `references` holds whole images [V,H,W]; `valid` is empty (all), [H,W] (the same for all) or [V,H,W]. Throws
/// InvalidArgument when sizes disagree, a valid value is not finite, or no valid value is positive.
double fixed_range(std::span<const float> references, std::span<const std::uint8_t> valid);

/// Pearson correlation of the two images over valid pixels after each has had its Gaussian blur of `sigma_px`
/// subtracted (vessels against smooth background). The blur is a normalised convolution over valid pixels, cut at
/// 4 sigma: weights of pixels that are invalid or outside the image are shared out among the others. So it does not
/// change with a gain of either image, nor with a smooth background where clipping at 0 leaves that alone. NaN when
/// either image is constant. Throws InvalidArgument when sizes disagree, nothing is valid, a valid pixel is not finite
/// (the message names it) or sigma_px is not finite and positive.
double highpass_correlation(const ImagePair&, double sigma_px);

/// Scores of a volume.
struct VolumeScore {
  double psnr_db = 0;  ///< data range = maximum of the reference; +infinity for identical volumes
  double ssim = 0;     ///< 7³ uniform window, sample covariance, data range as above; NaN if a side is under 7 voxels
  double dice = 0;     ///< of the voxels above the threshold; NaN when neither volume has any
  double chamfer_mm = std::numeric_limits<double>::quiet_NaN();  ///< sum of the two mean surface distances
  double hd95_mm = std::numeric_limits<double>::quiet_NaN();     ///< larger of the two 95th percentiles
};

/// Compares volumes [z,y,x] in host memory on one grid; `threshold` (1/mm) defines the vessel surface. The surface is
/// given by the vertices of marching cubes: one by linear interpolation on each grid edge with one end above the
/// threshold; it is left open where a vessel leaves the grid. Distances go from the vertices of one surface to the
/// nearest vertices of the other, so two samplings of one smooth surface are up to about half a voxel apart.
/// Percentiles interpolate linearly between order statistics. Surface distances are NaN when either surface is empty.
/// Throws InvalidArgument when sizes disagree, a value is not finite (the message names the voxel), a spacing or the
/// maximum of the reference is not positive, or the threshold is not finite; Cancelled. Progress is counted in slices,
/// each of which is gone through seven times.
VolumeScore score_volume(std::span<const float> volume, std::span<const float> reference, const VolumeGrid&,
                         double threshold, const ProgressCallback& progress = {});

}  // namespace dsasrgs
