// SPDX-License-Identifier: Apache-2.0
#pragma once
// The views a model is trained on, taken from the acquisition once.

#include <cstdint>
#include <string>
#include <vector>

#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/config.hpp"
#include "dsasrgs/model.hpp"
#include "dsasrgs/reconstructor.hpp"

namespace dsasrgs {

/// Training view by training view, what initialisation, loss and births ask of an acquisition. A `slot` counts the
/// training views from 0. The measured images are in the context's memory.
class TrainingViews {
 public:
  /// Takes what training needs from an acquisition that is valid (Acquisition::validate); it is not kept. Throws
  /// BadInput when no view is left for training, one has no valid pixel, or none a positive one.
  TrainingViews(Context&, const Acquisition&, const TrainingConfig&);

  std::size_t size() const { return indices_.size(); }
  /// Of the acquisition: for messages.
  const std::string& name() const { return name_; }
  const Detector& detector() const { return detector_; }
  const VolumeGrid& volume() const { return volume_; }
  const TrainingUnits& units() const { return units_; }
  /// Of all its views.
  const TimeRange& time() const { return time_; }
  const std::vector<int>& test_views() const { return test_views_; }
  /// measurement_fingerprint() of the training views.
  const std::string& fingerprint() const { return fingerprint_; }
  /// validity_fingerprint() of the training views.
  const std::string& validity() const { return validity_; }

  /// Where the training views are in the acquisition.
  const std::vector<int>& indices() const { return indices_; }
  const std::vector<Pose>& poses() const { return poses_; }
  int index(std::size_t slot) const { return indices_[slot]; }
  const Pose& pose(std::size_t slot) const { return poses_[slot]; }
  /// In [0,1]: when the view was measured.
  float model_time(std::size_t slot) const { return time_.model_time(poses_[slot].time_s); }

  /// Line integrals [H,W] as the training uses them: clipped at 0 if configured, invalid pixels set to 0.
  const Buffer<float>& measured(std::size_t slot) const { return images_[slot].measured; }
  /// Which pixels count [H,W]; empty: all.
  const Buffer<std::uint8_t>& valid(std::size_t slot) const { return images_[slot].valid; }
  /// Entries of valid(slot) that are not zero.
  std::size_t num_valid(std::size_t slot) const { return images_[slot].num_valid; }
  /// Mean of measured(slot) over its valid pixels, in units().line_integral, each counted up to kMostCounted of them: a
  /// defect pixel is not what a view shows.
  double mean(std::size_t slot) const { return images_[slot].mean; }
  static constexpr double kMostCounted = 4, kContrast = 0.1;
  /// Mean magnitude of measured(slot) in the same unit, whole: what l1 is for a blank render.
  double mean_magnitude(std::size_t slot) const { return images_[slot].mean_magnitude; }
  /// Mean of what measured(slot) has beyond a tenth of units().line_integral, counted likewise: vessels, not noise.
  double contrast(std::size_t slot) const { return images_[slot].contrast; }

 private:
  struct Image {
    Buffer<float> measured;
    Buffer<std::uint8_t> valid;
    std::size_t num_valid = 0;
    double mean = 0, mean_magnitude = 0, contrast = 0;
  };
  std::string name_, fingerprint_, validity_;
  Detector detector_;
  VolumeGrid volume_;
  TrainingUnits units_;
  TimeRange time_;
  std::vector<int> test_views_, indices_;
  std::vector<Pose> poses_;
  std::vector<Image> images_;
};

/// Side of a low-resolution voxel: the mean pitch of the detector that measured, scaled down from its plane to the
/// volume's centre, averaged over the views. RSD's gate and the births are in its units; density control's split is in
/// those of the volume's spacing, which the user chooses.
double low_resolution_voxel_mm(const Detector&, const VolumeGrid&, const std::vector<Pose>&);

}  // namespace dsasrgs
