// SPDX-License-Identifier: Apache-2.0
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
  std::vector<float> input;   ///< [N, inputs, p, p] as ResidualNetwork::forward takes it, the measurement first
  std::vector<float> target;  ///< [N, s·p, s·p]
};

/// Draws patches. What is drawn depends on the configuration, the sources and the numbers it is asked for, and on
/// nothing drawn before: training goes on with the same bits after a resume, on any number of threads. A source is
/// drawn in proportion to its share. Simulated projections are made when they are first needed and kept while they are
/// used.
class TrainingPatches {
 public:
  /// Context and sources must outlive it; the configuration is valid. Throws InvalidArgument naming the source and the
  /// image: no source that is not held out and has a share, an image too small for a patch at every binning, values
  /// that are not finite, an image that is constant, vessels that no projection shows or that reach beyond the X-ray
  /// source.
  TrainingPatches(Context&, const NetworkTrainingConfig&, const NetworkSources&);
  TrainingPatches(TrainingPatches&&) noexcept;
  TrainingPatches& operator=(TrainingPatches&&) noexcept;
  ~TrainingPatches();

  /// The batch of a training step (from 1), from the sources that are not held out.
  PatchBatch training(std::int64_t step);
  /// Patches of one held-out source, the same at every call and for every seed, without augmentation: of images at most
  /// 64 side by side, of vessels 32 with noise of 0.005. Sources counted from 0 over all that are held out (names from
  /// held_out(): images first). Throws InvalidArgument for one that is not there.
  PatchBatch validation(std::size_t source);
  const std::vector<std::string>& held_out() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dsasrgs
