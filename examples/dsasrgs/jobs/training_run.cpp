// SPDX-License-Identifier: Apache-2.0
#include "jobs/training_run.hpp"

#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "cli/interruption.hpp"
#include "cli/kept_state.hpp"
#include "cli/progress.hpp"
#include "cli/terminal_text.hpp"

namespace dsasrgs::program {

namespace {

/// Exponential mean of the losses that become known, over about one turn of the training views and without the bias of
/// its start.
class SmoothedLoss {
 public:
  double add(const StepReport& r) {
    constexpr double kKept = 0.97;
    if (r.loss_step != step_) {
      sum_ = kKept * sum_ + r.loss;
      weight_ = kKept * weight_ + 1;
      step_ = r.loss_step;
    }
    return weight_ > 0 ? sum_ / weight_ : 0;
  }

 private:
  double sum_ = 0, weight_ = 0;
  int step_ = 0;
};

std::string detail_text(double loss, std::size_t gaussians) {
  char text[80];
  std::snprintf(text, sizeof text, "loss %.4g, %zu Gaussians", loss, gaussians);
  return text;
}

std::string earlier_text(const TrainingRunOptions& options) {
  return "an earlier checkpoint is there, go on with: " + options.resume_command;
}

/// How to go on with a run whose state is kept now, unless the last checkpoint is current; as part of a sentence.
std::string kept_text(Reconstructor& reconstructor, const RunFolder& folder, const TrainingRunOptions& options,
                      bool current) {
  if (current) return "go on with: " + options.resume_command;
  const std::filesystem::path place = folder.checkpoint();
  const std::filesystem::path kept =
      keep_state(place, [&](const std::filesystem::path& file) { reconstructor.save_checkpoint(file); });
  std::error_code error;
  if (kept.empty() && std::filesystem::exists(place, error)) return earlier_text(options);
  if (kept.empty()) return "no place was found for a checkpoint";
  if (kept == place) return "go on with: " + options.resume_command;
  return "the training is kept in " + kept.string() + "; once there is room, go on with: mv " +
         shell_word(kept.string()) + " " + shell_word(place.string()) + " && " + options.resume_command;
}

}  // namespace

void stop_interrupted(Reconstructor& reconstructor, const RunFolder& folder, const TrainingRunOptions& options,
                      bool current) {
  const std::string at = "interrupted after step " + std::to_string(reconstructor.steps_done());
  if (options.resume_command.empty()) throw Interrupted(at + "; nothing was kept");
  throw Interrupted(at + "; " + kept_text(reconstructor, folder, options, current));
}

void stop_failed(Reconstructor& reconstructor, RunFolder& folder, const TrainingRunOptions& options,
                 const std::string& reason, bool current) {
  if (options.resume_command.empty()) throw IoError(reason + "; nothing was kept");
  folder.keep();
  throw IoError(reason + "; " + kept_text(reconstructor, folder, options, current));
}

TrainingOutcome train(Reconstructor& reconstructor, RunFolder& folder, const TrainingRunOptions& options) {
  const int done = reconstructor.steps_done();
  TrainingLog log(folder.log(), options.log_every, done);
  Progress progress("training", "steps", reconstructor.config().training.steps, options.quiet, done);
  SmoothedLoss smoothed;
  Keeper checkpoints([&] { reconstructor.save_checkpoint(folder.checkpoint()); });
  const auto start = std::chrono::steady_clock::now();
  TrainingOutcome outcome{log.earlier_seconds(), done > 0};
  const auto after_step = [&](const StepReport& r) {
    outcome.seconds =
        log.earlier_seconds() + std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const bool stopping = Interruption::requested();
    const bool due = options.checkpoint_every > 0 && r.step % options.checkpoint_every == 0;
    const bool checkpoint = (due || checkpoints.due_again()) && r.step < r.steps;
    log.add(r, outcome.seconds, checkpoint || stopping);
    progress.update(r.step, detail_text(smoothed.add(r), r.gaussians));
    if (checkpoint) checkpoints.save();
    return !stopping;
  };
  try {
    reconstructor.run(after_step);
  } catch (const Interrupted&) {  // while labels were made anew
    stop_interrupted(reconstructor, folder, options);
  } catch (const NumericalError&) {
    folder.keep();  // configuration and log say how it came to this
    throw;
  } catch (const OutOfMemory& e) {  // whatever else is tried may run out of it too
    std::error_code error;
    if (options.resume_command.empty() || !std::filesystem::exists(folder.checkpoint(), error)) throw;
    throw OutOfMemory(std::string(e.what()) + "; " + earlier_text(options));
  } catch (const IoError& e) {  // labels could not be read, or those made anew be written
    stop_failed(reconstructor, folder, options, e.what());
  }
  if (!reconstructor.finished()) stop_interrupted(reconstructor, folder, options);
  // Before anything else, so that nothing after the training can lose it.
  if (!options.resume_command.empty() && reconstructor.steps_done() > done) outcome.checkpoint = checkpoints.save();
  return outcome;
}

}  // namespace dsasrgs::program
