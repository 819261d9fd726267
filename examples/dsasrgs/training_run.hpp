#pragma once
// The training loop of `reconstruct`: progress, log, checkpoints and interruption around Reconstructor::step.

#include "dsasrgs/reconstructor.hpp"
#include "run_folder.hpp"
#include "training_log.hpp"

namespace dsasrgs::program {

struct TrainingRunOptions {
  int log_every = 10;
  int checkpoint_every = 0;  ///< steps; 0: no checkpoints
  bool quiet = false;
};

/// Trains to the end; returns the seconds it took, sessions before this one included. On Ctrl-C a checkpoint is written
/// when checkpoints are wanted, and Interrupted is thrown.
double train(Reconstructor&, const RunFolder&, const TrainingRunOptions&);

}  // namespace dsasrgs::program
