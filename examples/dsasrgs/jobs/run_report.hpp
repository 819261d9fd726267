// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a finished reconstruction leaves in its run folder: model, volume, pictures and metrics.json.

#include <optional>
#include <string>

#include "dsasrgs/evaluation.hpp"
#include "dsasrgs/reconstructor.hpp"
#include "jobs/run_folder.hpp"
#include "jobs/run_memory.hpp"

namespace dsasrgs::program {

/// What the run was, for metrics.json.
struct RunFacts {
  std::string case_file;
  std::string command;  ///< that makes the run again; empty: no single one does
  double initialize_seconds = 0, training_seconds = 0;
  int resumed_from_step = 0;
  std::optional<RunMemory> memory;  ///< as it was expected, where the process has done nothing else
};

/// How it is scored.
struct ScoringOptions {
  EvaluationOptions evaluation;
  bool quiet = false;
};

/// Throws BadInput for an acquisition whose volume write_run could not write, before anything is made of it.
void require_reportable(const Acquisition&);

/// Writes everything but log.csv, metrics.json last, and returns the evaluation. The model is written first, so that
/// nothing after training can lose it.
Evaluation write_run(Context&, const Acquisition&, const Reconstructor&, const RunFolder&, const RunFacts&,
                     const ScoringOptions&);

}  // namespace dsasrgs::program
