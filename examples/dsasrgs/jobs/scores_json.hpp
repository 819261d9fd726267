// SPDX-License-Identifier: Apache-2.0
#pragma once
// Scores as they stand in metrics.json, in the answer of `evaluate --json` and in the results of a study. Scores that
// are not finite become null.

#include <nlohmann/json.hpp>
#include <string>

#include "dsasrgs/evaluation.hpp"

namespace dsasrgs::program {

/// The text of a JSON file. Names that are not UTF-8 (of files) have U+FFFD where they are not.
std::string json_text(const nlohmann::ordered_json&, int indent = 2);

/// What they were held against, size and ranges, then mean, worst, best and each view.
nlohmann::ordered_json as_json(const ViewScores&);

/// Keys "views", "low_resolution", with reference projections "high_resolution", with a reference volume "volume" (null
/// when that is empty), and "baselines" and "reference_baselines" where they were scored.
nlohmann::ordered_json as_json(const Evaluation&);

nlohmann::ordered_json as_json(const ConsistencyScore&);
/// Keys "added" and "removed"; null where there is nothing of it.
nlohmann::ordered_json as_json(const FalseVesselKept&);

}  // namespace dsasrgs::program
