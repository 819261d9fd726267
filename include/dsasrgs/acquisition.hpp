// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// One contrast injection seen by a C-arm: projections, their geometry and times, and what is known beside them.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dsasrgs/export.hpp"
#include "dsasrgs/geometry.hpp"

namespace DSASRGS_API dsasrgs {

/// Truth on a finer detector, for evaluation only.
struct ReferenceProjections {
  int scale = 1;              ///< s: the detector is Acquisition::detector.refined(s)
  std::vector<float> values;  ///< [V,sH,sW] line integrals
};

/// True attenuation on Acquisition::volume, for evaluation only.
struct ReferenceVolume {
  std::vector<float> values;     ///< [z,y,x] 1/mm
  std::optional<double> time_s;  ///< the moment it shows; empty: the mean over the sweep
};

/// All in host memory. Lengths in mm, time in s, projections as dimensionless line integrals.
struct Acquisition {
  Detector detector;
  VolumeGrid volume;               ///< region to reconstruct
  std::vector<Pose> poses;         ///< [V], times non-decreasing
  std::vector<float> projections;  ///< [V,H,W]; negative values are kept as they are
  /// Empty (all pixels count), [H,W] (the same for all views) or [V,H,W]; zero marks pixels to ignore.
  std::vector<std::uint8_t> valid;
  std::vector<int> train_views, test_views;  ///< ascending, disjoint; empty when the file does not name them
  std::optional<ReferenceProjections> reference_projections;
  std::optional<ReferenceVolume> reference_volume;
  std::string name;  ///< for messages: the file it came from, or what made it

  /// V.
  int num_views() const { return static_cast<int>(poses.size()); }
  /// Views to train on: train_views, or, when there are none, every view that is not a test view.
  std::vector<int> training_views() const;
  /// Line integrals of one view [H,W]. These three throw InvalidArgument for a view that is not there, and where the
  /// arrays have other sizes than detector and poses ask for; what reads an acquisition through them needs no
  /// validate().
  std::span<const float> projection(int view) const&;
  std::span<const float> projection(int view) const&& = delete;
  /// Valid pixels of one view [H,W], or an empty span when all count.
  std::span<const std::uint8_t> valid_pixels(int view) const&;
  std::span<const std::uint8_t> valid_pixels(int view) const&& = delete;
  /// Reference projection of one view [sH,sW]; must be present.
  std::span<const float> reference_projection(int view) const&;
  std::span<const float> reference_projection(int view) const&& = delete;
  /// Times of the first and the last view. Throw InvalidArgument where there is none.
  double first_time_s() const;
  double last_time_s() const;

  /// Checks what a reconstruction needs: sizes agree (extents 1 to 2^20), numbers finite, times non-decreasing,
  /// detector axes unit and orthogonal to 1e-4 (either handedness), source outside the volume, the volume's centre
  /// between source and detector, views in range, ascending and train/test disjoint. Throws BadInput with `name` as the
  /// file and the data-format field name ("/volume@size": an attribute) as the field; a bad pixel is named by view, row
  /// and column.
  void validate() const;
};

/// Uses `num_train` evenly spaced views for training and the rest for testing. Throws InvalidArgument as
/// evenly_spaced_views does.
void split_evenly(Acquisition&, int num_train);

/// Raw detector intensities, for an acquisition file that stores them instead of line integrals. All positive, in any
/// unit that fill and mask share.
struct RawIntensity {
  std::vector<float> fill;  ///< [V,H,W]
  std::vector<float> mask;  ///< [V,H,W] or [1,H,W]
};

}  // namespace dsasrgs
