#pragma once
// Everything that is measured on a model against a case, as it stands in metrics.json and in the answer of `evaluate`.

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/renderer.hpp"
#include "view_list.hpp"

namespace dsasrgs::program {

struct EvaluationOptions {
  bool baselines = false;  ///< also score the baselines on the same views
  /// Attenuation that makes a voxel a vessel; empty: a fifth of the reference's maximum.
  std::optional<double> surface_threshold_per_mm;
  bool quiet = false;
};

/// Throws unless metrics can be had of these views, so that a long job does not fail at its end: BadInput for images
/// that are too small, UsageError when no view has a valid pixel.
void require_measurable(const Acquisition&, const ViewSet&);

/// Scores the views: keys "views", "low_resolution", with reference projections "high_resolution", with a reference
/// volume "volume" (of `mean_volume` or, when the reference shows one moment, of that), on request "baselines"
/// and, where the reference has the measured resolution, "reference_baselines".
/// `mean_volume` is the model's mean over the sweep on the case's grid; empty: it is made when needed.
nlohmann::ordered_json evaluate_model(Context&, const Acquisition&, Renderer&, const ViewSet&,
                                      const std::vector<float>& mean_volume, const EvaluationOptions&);

/// The means as lines for people.
std::string evaluation_summary(const nlohmann::ordered_json&);

}  // namespace dsasrgs::program
