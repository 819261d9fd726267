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

/// Writes a checkpoint, if the run can be gone on with, and throws Interrupted, which says how.
[[noreturn]] void stop_interrupted(Reconstructor&, const RunFolder&, const TrainingRunOptions&);

/// Trains to the end; returns the seconds it took, sessions before this one included. On Ctrl-C as stop_interrupted.
double train(Reconstructor&, RunFolder&, const TrainingRunOptions&);

}  // namespace dsasrgs::program
