#pragma once
// What a model has to beat: interpolated training views, and filtered back-projection of them seen again.

#include <nlohmann/json.hpp>

#include "dsasrgs/context.hpp"
#include "view_list.hpp"
#include "view_scores.hpp"

namespace dsasrgs::program {

/// Scores by name, each as scores_as_json gives them: "interpolation" (linear, between the two training views beside a
/// view) and "fdk" (all training views back-projected on the case's grid, then ray-cast).
nlohmann::ordered_json score_baselines(Context&, const ProjectionTruth&, const ViewSet&, bool quiet);

}  // namespace dsasrgs::program
