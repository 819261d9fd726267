// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a run of a study measured and on what it depends; the one place that reads and writes it as JSON.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/machine_facts.hpp"
#include "dsasrgs/evaluation.hpp"

namespace dsasrgs::program {

/// All that a result depends on. A stored one that is not equal to the study's is of another run.
struct RunIdentity {
  /// What the model does.
  struct Training {
    std::string case_fingerprint;
    std::vector<int> train_views;
    std::string config;              ///< effective, as TOML; empty: nothing is trained
    std::string labels_fingerprint;  ///< of the training views; empty: no labels
    bool operator==(const Training&) const = default;
  };
  /// What its scores do beside it.
  struct Scoring {
    std::vector<int> test_views;
    std::vector<std::string> renders;
    std::string kind;                            ///< of the method, as name_of
    std::map<std::string, std::string> oracles;  ///< label sources held against, by name: fingerprint
    bool operator==(const Scoring&) const = default;
  };
  Training training;
  Scoring scoring;
  bool operator==(const RunIdentity&) const = default;
};

/// Scores of one way of rendering.
struct RenderScores {
  ViewScores high_resolution;                                           ///< of the test views against the reference
  std::optional<ConsistencyScore> consistency_train, consistency_test;  ///< empty: no such views
  std::map<std::string, FalseVesselKept> false_vessel;                  ///< by oracle label source, training views
};

/// How a model was trained.
struct TrainingFacts {
  std::string backend;
  int threads = 0, steps = 0;
  std::size_t gaussians = 0;
  double initialization_seconds = 0, training_seconds = 0;
};

struct StudyResult {
  std::string program;  ///< that made it
  std::string case_name, method, labels;
  int training_views = 0;
  std::optional<std::int64_t> seed;
  std::optional<TrainingFacts> training;  ///< this and the next empty: nothing is trained
  std::optional<Evaluation> evaluation;   ///< at the measured resolution; its `reference` is in `renders`
  std::vector<std::pair<std::string, RenderScores>> renders;  ///< by kRenderHigh or kRenderUpsampled
  MachineFacts machine;
  RunIdentity identity;
};

/// Empty when there is no such file. Pixel pitches are not stored. Throws BadInput naming the file when it is not a
/// result.
std::optional<StudyResult> read_result(const std::filesystem::path&);
void write_result(const std::filesystem::path&, const StudyResult&);

/// What results.json has beside the results.
struct StudySummary {
  std::string study;
  std::size_t planned = 0;
  std::map<std::string, int> left_out;  ///< results that do not fit, by what they were made with
};
/// Every score of every view. `results`: each with its folder relative to the file.
void write_results(const std::filesystem::path&, const StudySummary&,
                   const std::vector<std::pair<std::string, StudyResult>>& results);

}  // namespace dsasrgs::program
