// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// What a training found wrong with the poses of its sweep (docs/method.md section 7).
///
/// A view's correction is written in the view's own frame: u and v of its detector, n from the source to the detector.
/// It is the sum of what all views share, of a smooth curve over the sweep, and, for a training view, of a remainder.
/// What a rigid motion or a scaling of the volume would explain as well is no correction: projections cannot tell the
/// two apart, so the volume stays where the given poses put it. That is why there is no correction of the distance from
/// the source to the isocentre: with the detector's distance from the source unchanged it scales the volume.

#include <memory>
#include <vector>

#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/export.hpp"
#include "dsasrgs/geometry.hpp"

namespace DSASRGS_API dsasrgs {

struct Model;
class Sweep;

/// Source and detector together: turned about the pivot, by components about u, then v, then n; then shifted.
struct RigidMotion {
  Vec3d turn_rad;  ///< about u, v, n
  Vec3d shift_mm;  ///< along u, v, n
};

/// What all views of a sweep share.
struct SweepCorrection {
  double offset_u_mm = 0;  ///< of the detector against the source
  double offset_v_mm = 0;
  double distance_mm = 0;  ///< of the detector from the source
  double roll_rad = 0;     ///< about n
  double tilt_rad = 0;     ///< about the direction orthogonal to n and the axis of the sweep
  double arc_scale = 0;    ///< about the axis by this times a view's angle from the middle of the arc
};

/// Corrections to the poses of a sweep. Empty (no views) where none were fitted.
struct PoseCorrection {
  std::vector<int> view;      ///< training views, ascending
  std::vector<Pose> nominal;  ///< their poses as the acquisition gives them
  Vec3d pivot_mm;             ///< centre of the volume
  SweepCorrection sweep;
  std::vector<RigidMotion> knots;      ///< of a cubic B-spline over the angle, evenly spaced, 4 or more
  std::vector<RigidMotion> remainder;  ///< of each training view

  /// Whether none were fitted.
  bool empty() const { return view.empty(); }
};

/// Turns given poses of a sweep into corrected ones.
class PoseCorrector {
 public:
  /// Throws InvalidArgument when sizes disagree, there are fewer than 4 knots, a number is not finite, or the poses
  /// define no arc.
  explicit PoseCorrector(const PoseCorrection&);
  /// The pose of a view that was not trained on, anywhere on the sweep: what views share and the smooth curve. Beyond
  /// the arc of the training views the curve stays as at its end.
  Pose corrected(const Pose& given) const;
  /// The pose of the training view `slot`, with its remainder.
  Pose corrected_training_view(std::size_t slot) const;

 private:
  PoseCorrection correction_;
  std::shared_ptr<const Sweep> sweep_;
};

/// Poses of an acquisition as the model sees them. Those given, where the model has no correction, or where a training
/// view's pose is not the one that was corrected: a file whose geometry is another (the true one, say) stays as it is.
/// Throws InvalidArgument as PoseCorrector.
std::vector<Pose> poses_as_corrected(const Model&, const Acquisition&);
/// Whether poses_as_corrected() changes any.
bool corrects(const Model&, const Acquisition&);

/// How far corrections move the image of the volume, in pixels of a detector.
struct PoseCorrectionSize {
  double smooth_rms_px = 0, smooth_largest_px = 0;  ///< of what views share and the curve, over the training views
  double remainder_rms_px = 0, remainder_largest_px = 0;  ///< of the remainders
  int largest_view = 0;                                   ///< that of remainder_largest_px
};
/// Root mean squares over 27 points of the volume, which is centred at the pivot.
PoseCorrectionSize correction_size(const PoseCorrection&, const Detector&, const VolumeGrid&);

}  // namespace dsasrgs
