// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// A head that moved between the mask run and the run with contrast leaves bone of both signs in the subtracted images.
/// Here each view's mask is moved onto its image, and what that took away is kept apart (method.md section 9).

#include <filesystem>
#include <vector>

#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/context.hpp"
#include "dsasrgs/export.hpp"
#include "dsasrgs/progress.hpp"

namespace DSASRGS_API dsasrgs {

/// An acquisition that is stored as intensities, and its masks.
struct MaskedAcquisition {
  Acquisition acquisition;
  std::vector<float> log_masks;  ///< [V,H,W] ln(mask − dark); 0 where the acquisition's pixel is not valid
};
/// Reads an acquisition file as read_acquisition does, and its masks. Throws as that does, and BadInput where the file
/// holds line integrals, which have no masks any more.
MaskedAcquisition read_masked_acquisition(const std::filesystem::path&);

/// Intensities with which write_acquisition keeps the masks: e to the power of log_masks and of log_masks −
/// projections; 1 where a pixel is not valid. Takes the masks' memory. Throws InvalidArgument for sizes that disagree;
/// OutOfMemory.
RawIntensity intensities_of(MaskedAcquisition&);

/// How a mask was moved to fit its view: what is at pixel p of the image was, in the mask, at
/// c + shift + (1 + magnification)·R(turn)·(p − c), c the centre of the image.
struct MaskMotion {
  double shift_u_px = 0, shift_v_px = 0;
  double turn_rad = 0;       ///< from +u to +v, on the detector: pixels may be higher than wide
  double magnification = 0;  ///< 0: as large as it was
};

/// /mask_motions of an acquisition file [V]; empty where it has none. Throws as read_acquisition does.
std::vector<MaskMotion> read_mask_motions(const std::filesystem::path&);

/// The most that a corner of the image moves by, in pixels: columns and rows together.
double moved_px(const MaskMotion&, const Detector&);

/// Of align_masks.
struct MaskAlignmentOptions {
  double largest_px = 8;  ///< by which a corner of the image may move
  /// Pixels from which moving the mask took more than this away do not count any more (`valid` = 0): next to so steep
  /// an edge not all of it can be taken away. Infinite: all count.
  double leave_out = 0.1;
};

/// What aligning the masks of an acquisition has done.
struct MaskAlignment {
  std::vector<int> views;             ///< that were aligned, ascending
  std::vector<MaskMotion> motions;    ///< of each of these views
  std::vector<float> residue;         ///< [V,H,W]: what was taken away from the projections; 0 for other views
  std::vector<std::size_t> left_out;  ///< pixels of each of these views that no longer count
};

/// Moves the masks of `views` onto their images: fits a shift, a turn, a magnification and, not to be applied, a
/// difference in exposure of each view by itself to ln(moved mask) − ln(fill), robustly, so that vessels are outliers;
/// from averaged images to finer ones. Projections become those of the moved masks; pixels that see what no mask shows,
/// or lose more than options.leave_out, become invalid, with a projection of 0. A mask that fits no better when it is
/// moved stays. Same bits for any thread count. Stage "aligning". Throws InvalidArgument for sizes that disagree, views
/// that are not there or given twice and options that are not positive; BadInput naming the view when its mask fits
/// best where a corner of it moves by more than options.largest_px, or when no pixel of a view is left; Cancelled;
/// OutOfMemory. A call that throws leaves the acquisition as it was.
MaskAlignment align_masks(const Context&, MaskedAcquisition&, const std::vector<int>& views,
                          const MaskAlignmentOptions& = {}, const ProgressCallback& = {});

}  // namespace dsasrgs
