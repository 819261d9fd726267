// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// A reconstructed 4D vessel model: what a render needs, and nothing of the optimiser.

#include <filesystem>
#include <string>
#include <vector>

#include "dsasrgs/attenuation_field.hpp"
#include "dsasrgs/export.hpp"
#include "dsasrgs/gaussians.hpp"
#include "dsasrgs/geometry.hpp"
#include "dsasrgs/pose_correction.hpp"

namespace DSASRGS_API dsasrgs {

/// Maps seconds to model time t = (time − first)/(last − first), clamped to [0,1] (a sweep of no duration gives 0).
struct TimeRange {
  double first_s = 0, last_s = 1;
  /// Throws InvalidArgument for NaN.
  float model_time(double time_s) const;
  bool operator==(const TimeRange&) const = default;
};

/// Per training view, how its measured line integrals relate to the model: measured ≈ gain · render + offset. Reported,
/// never applied to other views.
struct ViewNuisance {
  std::vector<int> view;
  std::vector<float> gain, offset;
};

/// Gaussians, and how their attenuation depends on time.
struct Model {
  GaussianCloud cloud;
  AttenuationField field;
  VolumeGrid volume;  ///< the box the field is defined on
  TimeRange time;
  Detector detector;  ///< detector the model was trained on
  bool pixel_footprint = true;
  ViewNuisance nuisance;
  std::string config_toml;        ///< the configuration it was made with
  std::vector<int> test_views{};  ///< views it is to be judged on; empty: those it was not trained on (nuisance.view)
  std::string measurement{};      ///< measurement_fingerprint() of its training views; empty when nobody knows
  PoseCorrection pose_correction{};  ///< of the poses of the sweep it was trained on; empty unless they were refined
};

/// Writes a model file (HDF5, `dsasrgs.model` version 1, docs/data-format.md), whole or not at all. What read_model
/// would refuse is not written: throws InvalidArgument for sizes, views or a configuration that do not fit together,
/// NumericalError for parameters that are not finite; IoError.
void write_model(Context&, const std::filesystem::path&, const Model&);
/// Reads a model file. Throws IoError; BadInput, also for views that are negative, not ascending or twice there.
Model read_model(Context&, const std::filesystem::path&);

}  // namespace dsasrgs
