// SPDX-License-Identifier: Apache-2.0
#pragma once
// A result of a study with everything that one can have.

#include <limits>

#include "study/result.hpp"

namespace dsasrgs::test {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

inline ViewScores two_views(TruthKind against, int scale) {
  ViewScores scores;
  scores.against = against;
  scores.detector = {8 * scale, 6 * scale, 1, 1};
  scores.scale = scale;
  scores.range = 1.5;
  scores.highpass_sigma_px = 0.4;
  for (const int view : {3, 7}) {
    ViewScore s;
    s.view = view;
    s.time_s = 0.5 * view;
    s.fixed = {view == 3 ? kInfinity : 31.25, 0.9};
    s.normalized = {view == 3 ? kInfinity : 30.125, kNone};
    s.highpass_correlation = view == 3 ? kNone : 0.75;
    s.blank = view == 3;
    scores.views.push_back(s);
  }
  return scores;
}

inline program::StudyResult trained() {
  program::StudyResult r;
  r.program = "dsasrgs 0.1.0";
  r.case_name = "c";
  r.method = "m";
  r.labels = "errors";
  r.training_views = 2;
  r.seed = 5;
  r.training = program::TrainingFacts{"cpu", 2, 12, 345, 0.25, 1.5};
  Evaluation& e = r.evaluation.emplace();
  e.views = {"test", {3, 7}};
  e.without_valid_pixels = {9};
  e.measured = two_views(TruthKind::measured, 1);
  e.volume.emplace();
  e.volume->surface_threshold_per_mm = 0.01;
  e.volume->reference_maximum_per_mm = 0.05;
  e.volume->score = VolumeScore{20, 0.5, kNone, kNone, 2};
  program::RenderScores scores;
  scores.high_resolution = two_views(TruthKind::reference, 2);
  scores.consistency_train = ConsistencyScore{40, 0.125, -0.5};
  scores.false_vessel["errors"] = {0.75, std::nullopt};
  r.renders = {{"high", scores}};
  r.machine = {"a processor", 2, "abc", "2026-01-01T00:00:00Z"};
  r.identity = {{"case0", {0, 4}, "preset = '4drgs'\n", "labels0"}, {{3, 7}, {"high"}, "train", {{"errors", "mask0"}}}};
  return r;
}

}  // namespace dsasrgs::test
