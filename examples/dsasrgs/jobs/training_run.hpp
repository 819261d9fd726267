// SPDX-License-Identifier: Apache-2.0
#pragma once
// The training loop of `reconstruct`: progress, log, checkpoints and interruption around Reconstructor::step.

#include <string>

#include "dsasrgs/reconstructor.hpp"
#include "jobs/run_folder.hpp"
#include "jobs/training_log.hpp"

namespace dsasrgs::program {

struct TrainingRunOptions {
  int log_every = 10;
  int checkpoint_every = 0;  ///< steps; 0: only when interrupted
  /// Goes on with an interrupted run; empty: such a run keeps nothing.
  std::string resume_command;
  bool quiet = false;
};

/// Writes a checkpoint, if the run can be gone on with and the last one is not `current`, and throws Interrupted, which
/// says how.
[[noreturn]] void stop_interrupted(Reconstructor&, const RunFolder&, const TrainingRunOptions&, bool current = false);

/// After an error that is none of the training: keeps what was trained, in the run's folder or, where that takes
/// nothing, elsewhere, unless the last checkpoint is `current`, and throws IoError with `reason` and how to go on.
[[noreturn]] void stop_failed(Reconstructor&, RunFolder&, const TrainingRunOptions&, const std::string& reason,
                              bool current = false);

struct TrainingOutcome {
  double seconds = 0;       ///< sessions before this one included
  bool checkpoint = false;  ///< the run's checkpoint is of the last step
};
/// Trains to the end. On Ctrl-C as stop_interrupted. A checkpoint that cannot be written is warned of and tried again.
TrainingOutcome train(Reconstructor&, RunFolder&, const TrainingRunOptions&);

}  // namespace dsasrgs::program
