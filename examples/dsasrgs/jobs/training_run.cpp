#include "jobs/training_run.hpp"

#include <chrono>
#include <cmath>
#include <cstdio>

#include "cli/interruption.hpp"
#include "cli/progress.hpp"

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

}  // namespace

void stop_interrupted(Reconstructor& reconstructor, const RunFolder& folder, const TrainingRunOptions& options) {
  const std::string at = "interrupted after step " + std::to_string(reconstructor.steps_done());
  if (options.resume_command.empty()) throw Interrupted(at + "; nothing was kept");
  reconstructor.save_checkpoint(folder.checkpoint());
  throw Interrupted(at + "; go on with: " + options.resume_command);
}

double train(Reconstructor& reconstructor, RunFolder& folder, const TrainingRunOptions& options) {
  const int done = reconstructor.steps_done();
  TrainingLog log(folder.log(), options.log_every, done);
  Progress progress("training", "steps", reconstructor.config().training.steps, options.quiet, done);
  SmoothedLoss smoothed;
  const auto start = std::chrono::steady_clock::now();
  double seconds = log.earlier_seconds();
  const auto after_step = [&](const StepReport& r) {
    seconds = log.earlier_seconds() + std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const bool stopping = Interruption::requested();
    const bool checkpoint = options.checkpoint_every > 0 && r.step % options.checkpoint_every == 0 && r.step < r.steps;
    log.add(r, seconds, checkpoint || stopping);
    progress.update(r.step, detail_text(smoothed.add(r), r.gaussians));
    if (checkpoint) reconstructor.save_checkpoint(folder.checkpoint());
    return !stopping;
  };
  try {
    reconstructor.run(after_step);
  } catch (const Interrupted&) {  // while labels were made anew
    stop_interrupted(reconstructor, folder, options);
  } catch (const NumericalError&) {
    folder.keep();  // configuration and log say how it came to this
    throw;
  }
  if (!reconstructor.finished()) stop_interrupted(reconstructor, folder, options);
  return seconds;
}

}  // namespace dsasrgs::program
