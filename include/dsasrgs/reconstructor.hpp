#pragma once
/// @file
/// The main job: from an acquisition to a model (method.md sections 2, 3 and 5).

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/config.hpp"
#include "dsasrgs/export.hpp"
#include "dsasrgs/model.hpp"
#include "dsasrgs/pseudo_labels.hpp"

namespace DSASRGS_API dsasrgs {

/// What one training step did.
struct StepReport {
  int step = 0;   ///< 1 for the first
  int steps = 0;  ///< of the whole run
  int view = 0;   ///< index in the acquisition
  /// The loss known last, that of step `loss_step`. On the CPU this step's. On CUDA nobody waits for it: it is fetched
  /// every 32 steps, at density events and after the last step.
  double loss = 0;  ///< (1−λ)·l1 + λ·(1 − ssim)
  double l1 = 0;
  double ssim = 0;
  int loss_step = 0;          ///< 0: none yet
  std::size_t gaussians = 0;  ///< after the step
  /// Density control that took place after this step.
  std::size_t cloned = 0, split = 0, pruned = 0;
  std::size_t residual_split = 0;  ///< Gaussians that residual-guided splitting (RSD) replaced by their children
  std::size_t born = 0;            ///< residual-guided births
};

/// Trains a model on the training views of an acquisition. step() is the primitive; run() a loop over it.
/// The same inputs, configuration and seed give the same bits for any thread count.
class Reconstructor {
 public:
  /// Initialises the Gaussians (FDK or random) and the field. The context and the acquisition must outlive it.
  /// Trains on acquisition.training_views(). Throws BadInput when the configuration or the
  /// acquisition cannot be used (no positive training pixel, no candidate voxel), OutOfMemory.
  /// `labels` are needed by the targets of config.super_resolution that use them; they are read here, or, without
  /// `super_resolution.keep_labels`, at each step and must then outlive it.
  Reconstructor(Context&, const Acquisition&, const Config&, const PseudoLabels* labels = nullptr);
  /// Continues from a checkpoint of the same acquisition, configuration and labels. Throws IoError; BadInput, also when
  /// the training views are others or were measured otherwise (labels are not compared).
  Reconstructor(Context&, const Acquisition&, const std::filesystem::path& checkpoint,
                const PseudoLabels* labels = nullptr);
  Reconstructor(Reconstructor&&) noexcept;
  ~Reconstructor();

  /// One view: forward, loss, backward, update, and density control when it is due.
  /// Throws NumericalError naming step and view when the loss is not finite (on CUDA when it is fetched);
  /// InvalidArgument after the last step.
  StepReport step();
  bool finished() const;
  /// Steps until finished, or until the callback returns false.
  void run(const std::function<bool(const StepReport&)>& callback = {});

  const Model& model() const;
  const Config& config() const;
  int steps_done() const;
  /// Wall seconds by stage since construction, in pipeline order. On CUDA, where the stages overlap: seconds spent
  /// submitting steps, waiting for them, and in density control.
  std::vector<std::pair<std::string, double>> stage_seconds() const;

  /// Everything needed to go on as if nothing had happened (model, optimiser moments, statistics, step). Throws
  /// IoError; NumericalError when a loss so far was not finite.
  void save_checkpoint(const std::filesystem::path&) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dsasrgs
