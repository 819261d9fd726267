// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// The main job: from an acquisition to a model (method.md sections 2, 3 and 5).

#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/config.hpp"
#include "dsasrgs/export.hpp"
#include "dsasrgs/model.hpp"
#include "dsasrgs/pseudo_labels.hpp"

namespace DSASRGS_API dsasrgs {

/// What a training's losses, thresholds and rates are relative to, so that a scan gives the same model in any unit of
/// length and at any brightness. The model itself is in mm and 1/mm.
struct TrainingUnits {
  double length_mm = 1;  ///< half the largest side of the volume
  /// A robust maximum of the valid pixels of the training views: the 99.9th percentile of the positive ones, or, where
  /// that is more, the 90th percentile over the views of each view's own 99.9th (a sparse sweep is mostly background).
  double line_integral = 1;
  double attenuation_per_mm() const { return line_integral / length_mm; }
};

/// What one training step did.
struct StepReport {
  int step = 0;   ///< 1 for the first
  int steps = 0;  ///< of the whole run
  int view = 0;   ///< index in the acquisition

  /// The loss known last, in units of the run, that of step `loss_step`. On the CPU this step's. On CUDA nobody waits
  /// for it: it is fetched every 32 steps, at density events and after the last step. Its terms (docs/method.md
  /// sections 2, 3 and 5) are 0 where the configuration, or the step, does without them.
  int loss_step = 0;           ///< 0: none yet
  double loss = 0;             ///< what is minimised: (1−w)·l_gt + w·l_sr + total_variation + table_variation
  double l_gt = 0;             ///< against the measured view: (1−λ)·l1 + λ·(1 − ssim)
  double l1 = 0, ssim = 0;     ///< the parts of l_gt, both in units().line_integral
  double rendered = 0;         ///< mean of the rendered view, in the same unit
  double l_sr = 0;             ///< against the high-resolution target
  double alpha = 0, beta = 0;  ///< weights of the confidence after the step, with the target `teach`
  double total_variation = 0;  ///< of the block of the volume, weighted
  double table_variation = 0;  ///< of the tables of `offset-table`, weighted

  std::size_t gaussians = 0;                      ///< after the step
  std::size_t cloned = 0, split = 0, pruned = 0;  ///< by density control that took place after this step
  std::size_t residual_split = 0;  ///< Gaussians that residual-guided splitting (RSD) replaced by their children
  std::size_t born = 0;            ///< residual-guided births
};

/// Trains a model on the training views of an acquisition. step() is the primitive; run() a loop over it.
/// The same inputs, configuration and seed give the same bits for any thread count. Used by one thread at a time. The
/// context must outlive it; acquisition and configuration are only read by the constructor.
class Reconstructor {
 public:
  /// Initialises the Gaussians (FDK or random) and the field; Context::set_stop() ends that, too.
  /// Trains on acquisition.training_views(). Throws BadInput when the configuration or the acquisition cannot be used
  /// (no positive training pixel, no candidate voxel), OutOfMemory.
  /// `labels`, opened for this acquisition, are needed where config.super_resolution.needs_labels(); they are read
  /// here, or, without `super_resolution.keep_labels`, at each step.
  Reconstructor(Context&, const Acquisition&, const Config&, std::shared_ptr<const PseudoLabels> labels = nullptr);
  Reconstructor(Context&, const Acquisition&, const Config&, PseudoLabels labels);
  /// Continues from a checkpoint of the same acquisition, configuration and labels. Throws IoError; BadInput, also when
  /// the training views, what was measured in them, their valid pixels or the volume are others (labels are not
  /// compared).
  Reconstructor(Context&, const Acquisition&, const std::filesystem::path& checkpoint,
                std::shared_ptr<const PseudoLabels> labels = nullptr);
  Reconstructor(Context&, const Acquisition&, const std::filesystem::path& checkpoint, PseudoLabels labels);
  Reconstructor(Reconstructor&&) noexcept;
  Reconstructor& operator=(Reconstructor&&) noexcept;
  ~Reconstructor();

  /// Makes labels of the training views from the model as it is; the file that they are in must stay.
  using LabelRefresh = std::function<std::shared_ptr<const PseudoLabels>(const Model&)>;
  /// What super_resolution.refresh_step calls, before the step that follows it; the run goes on with the labels that it
  /// gives. With labels in use and a refresh_step to come, step() throws InvalidArgument where none was set. A run that
  /// is continued behind that step has to be given the labels that were made there.
  void set_label_refresh(LabelRefresh);

  /// Makes it a run of `steps` in all, more than steps_done(): a finished run goes on, another ends sooner or later.
  /// From the next step on rates that decay over training.steps are those of such a run; what configuration and model
  /// say of their steps changes with it. Throws InvalidArgument; BadInput for more than a configuration may have.
  void train_to(int steps);

  /// One view: forward, loss, backward, update, and density control when it is due.
  /// Throws NumericalError naming step, view, stage, what to change and the last checkpoint when the loss, the gradient
  /// or what leads to them is not finite, or when for a dozen steps of views with contrast (fewer where few views have
  /// it) the model has rendered nothing, moved away from the measurement or learnt nothing (on CUDA when losses are
  /// fetched), and at every later call too; InvalidArgument after the last step. OutOfMemory, and IoError of labels
  /// that are read, leave everything as it was where nothing had been changed yet: call it again. Else the message says
  /// that the step was left half done, and every later call throws it.
  StepReport step();
  bool finished() const;
  /// Steps until finished, until the callback returns false, or until a stop is requested (from any thread; it is
  /// heeded between two steps). What was trained so far stays: go on with another run(), save a checkpoint, or take the
  /// model.
  void run(const std::function<bool(const StepReport&)>& callback = {}, const std::stop_token& stop = {});

  /// The model as it is after the steps so far. Throws NumericalError when step() did: one that has come to nothing is
  /// not given out.
  const Model& model() const&;
  const Model& model() const&& = delete;
  /// The model, moved out: `std::move(reconstructor).take_model()`, after the last step or any other. The reconstructor
  /// can then only be asked for its configuration and its steps; what needs the model throws InvalidArgument. Throws
  /// NumericalError as step() does.
  Model take_model() &&;
  TrainingUnits units() const;
  const Config& config() const&;
  const Config& config() const&& = delete;
  int steps_done() const;
  /// Wall seconds by stage since construction, in pipeline order. On CUDA: seconds spent submitting steps, waiting for
  /// them, and in density control, or those of the device by stage after time_stages_on_device().
  std::vector<std::pair<std::string, double>> stage_seconds() const;
  /// CUDA: from now on events between the stages measure the device's time of each, and steps are not submitted as one
  /// graph, which takes longer. Without effect on the CPU.
  void time_stages_on_device(bool on);

  /// Everything needed to go on as if nothing had happened (model, optimiser moments, statistics, step). Waits for the
  /// steps so far. Throws IoError; NumericalError as step() does, also for a parameter that is not finite.
  void save_checkpoint(const std::filesystem::path&);

 private:
  struct State;
  State& state() const;
  std::unique_ptr<State> state_;
};

/// What a checkpoint of a Reconstructor holds.
struct CheckpointFacts {
  int steps_done = 0;
  Config config;  ///< of the run, with its steps
  std::size_t gaussians = 0;
  std::vector<int> train_views;
};

/// Reads and checks all of a checkpoint. Throws IoError, BadInput, OutOfMemory.
CheckpointFacts read_checkpoint_facts(const std::filesystem::path& checkpoint);

}  // namespace dsasrgs
