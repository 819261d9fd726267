#pragma once
// Pairs of measured and true patches that a super-resolution network is trained on (docs/method.md, "The network").

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dsasrgs/context.hpp"
#include "dsasrgs/network_trainer.hpp"

namespace dsasrgs {

/// A batch of pairs, in units of their source's brightest line integral (1: as bright as its brightest vessels).
struct PatchBatch {
  std::vector<float> measured;  ///< [N, p, p]
  std::vector<float> target;    ///< [N, s·p, s·p]
};

/// Draws patches. What is drawn depends on the configuration, the sources and the numbers it is asked for, and on
/// nothing drawn before: training goes on with the same bits after a resume, on any number of threads. Simulated sweeps
/// are made when they are first needed and kept while they are used.
class TrainingPatches {
 public:
  /// The sources must outlive it. Throws InvalidArgument naming the source and the image: no source that is not held
  /// out, an image too small for a patch at every binning, values that are not finite, an image that is constant.
  TrainingPatches(Context&, const NetworkTrainingConfig&, const NetworkSources&);
  TrainingPatches(TrainingPatches&&) noexcept;
  TrainingPatches& operator=(TrainingPatches&&) noexcept;
  ~TrainingPatches();

  /// The batch of a training step (from 1), from the sources that are not held out.
  PatchBatch training(std::int64_t step);
  /// Patches of one held-out source, the same at every call, without augmentation; sources counted from 0 over all that
  /// are held out (names from held_out()).
  PatchBatch validation(std::size_t source);
  const std::vector<std::string>& held_out() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dsasrgs
