// SPDX-License-Identifier: Apache-2.0
// dsasrgs train-network: trains a super-resolution network.

#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include "cli/interruption.hpp"
#include "cli/kept_state.hpp"
#include "cli/log_file.hpp"
#include "cli/machine_options.hpp"
#include "cli/output_path.hpp"
#include "cli/progress.hpp"
#include "cli/run_lock.hpp"
#include "cli/terminal_text.hpp"
#include "cli/usage_error.hpp"
#include "cli/value_checks.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "network_plan.hpp"
#include "subcommands.hpp"

namespace dsasrgs::program {

namespace fs = std::filesystem;

namespace {

struct TrainNetworkOptions {
  std::string plan_file, output, from;
  std::optional<int> steps;
  std::optional<std::int64_t> seed;
  bool resume = false, force = false;
  int checkpoint_every = 500, validate_every = 250;
  MachineOptions machine;
};

/// NETWORK.h5 → NETWORK.checkpoint.h5, NETWORK.log.csv.
fs::path beside(const fs::path& network, const char* extension) {
  return network.parent_path() / (network.stem().string() + extension);
}

std::string text_of(const NetworkValidation& v) {
  char text[200];
  std::snprintf(text, sizeof text, ": %.2f dB, before %.2f dB (%+.2f)", v.psnr_db, v.base_db, v.psnr_db - v.base_db);
  std::string line = v.source + text;
  if (v.expected_l1 > 0) {
    std::snprintf(text, sizeof text, ", mean error %.4g, expected %.4g", v.l1, v.expected_l1);
    line += text;
  }
  return line;
}

/// As CSV takes any text for one field.
std::string csv_field(const std::string& text) {
  std::string field = "\"";
  for (const char c : text) field += c == '"' ? "\"\"" : std::string(1, c);
  return field + "\"";
}

/// A line per validation and held-out source: step, mean error of training since the last, PSNR of the network and of
/// what it starts from.
class NetworkLog {
 public:
  NetworkLog(const fs::path& path, int done_steps) {
    std::string kept = "step,learning_rate,l1,source,psnr_db,base_db,mean_error,expected_error\n";
    if (std::ifstream earlier(path); done_steps > 0 && earlier) {
      std::string line;
      std::getline(earlier, line);
      while (std::getline(earlier, line))
        if (std::atoi(line.c_str()) <= done_steps) kept += line + "\n";
    }
    file_.begin(path, kept);
  }
  void add(const NetworkStepReport& r, double l1, const std::vector<NetworkValidation>& validation) {
    char before[80], after[120];
    std::snprintf(before, sizeof before, "%d,%.4g,%.5g,", r.step, r.learning_rate, l1);
    std::string lines;
    if (validation.empty()) lines = std::string(before) + ",,,,\n";
    for (const NetworkValidation& v : validation) {
      std::snprintf(after, sizeof after, ",%.4f,%.4f,%.5g,%.5g\n", v.psnr_db, v.base_db, v.l1, v.expected_l1);
      lines += before + csv_field(v.source) + after;
    }
    file_.add(lines);
  }

 private:
  LogFile file_;
};

NetworkTrainer begin(Context& ctx, const TrainNetworkOptions& options, const NetworkPlan& plan,
                     const fs::path& checkpoint) {
  try {
    if (options.resume) return NetworkTrainer::resume(ctx, plan.sources, checkpoint);
    if (!options.from.empty()) return NetworkTrainer::fine_tune(ctx, plan.training, plan.sources, options.from);
    return {ctx, plan.training, plan.sources};
  } catch (const InvalidArgument& e) {  // of the sources, which the plan names
    throw UsageError(options.plan_file + ": " + without_function(e.what()));
  }
}

/// Throws IoError with `reason`, and how to go on with the state that was kept.
[[noreturn]] void stop_failed(NetworkTrainer& trainer, const fs::path& checkpoint, const std::string& reason) {
  const fs::path kept = keep_state(checkpoint, [&](const fs::path& file) { trainer.save_checkpoint(file); });
  std::error_code error;
  if (kept.empty())
    throw IoError(reason + (fs::exists(checkpoint, error) ? "; an earlier checkpoint is there, --resume goes on from it"
                                                          : "; no place was found for a checkpoint"));
  throw IoError(reason + "; the training is kept in " + kept.string() +
                (kept == checkpoint ? "" : ", which --resume expects at " + checkpoint.string()) +
                "; --resume goes on from it");
}

void run(const TrainNetworkOptions& options) {
  const Interruption interruption;
  const bool quiet = options.machine.quiet;
  const fs::path output = options.output, checkpoint = beside(output, ".checkpoint.h5"),
                 log_file = beside(output, ".log.csv");
  std::error_code error;
  if (!options.resume && !options.force)
    for (const fs::path& file : {output, checkpoint, log_file})
      if (fs::exists(file, error))
        throw UsageError(
            "--output: expected no file (--force replaces it, --resume goes on from a checkpoint), found " +
            file.string());
  if (options.resume && !fs::exists(checkpoint, error))
    throw UsageError("--resume: expected a checkpoint, found none at " + checkpoint.string());
  for (const fs::path& file : {output, checkpoint, log_file})
    require_writable_file("--output", file, {options.plan_file, options.from});
  const fs::path folder = output.has_parent_path() ? output.parent_path() : ".";
  const RunLock lock(folder / ("." + output.filename().string() + ".lock"), output);
  remove_dead_temporaries(folder, [&](const std::string& name) {
    return name == output.filename() || name == checkpoint.filename() || name == log_file.filename();
  });
  NetworkPlan plan = read_network_plan(options.plan_file);
  std::vector<fs::path> inputs = plan.files;
  inputs.insert(inputs.end(), {options.plan_file, options.from});
  for (const fs::path& file : {output, checkpoint, log_file}) require_writable_file("--output", file, inputs);
  if (options.force && fs::exists(output, error) && read_format(output) != "dsasrgs.network")
    throw UsageError("--output: expected a network file to replace, found " + read_format(output) + ": " +
                     output.string());
  if (options.steps) plan.training.steps = *options.steps;
  if (options.seed) plan.training.seed = *options.seed;
  Context ctx = make_context(options.machine);
  show_log(ctx, options.machine);
  NetworkTrainer trainer = begin(ctx, options, plan, checkpoint);
  const NetworkTrainingConfig& config = trainer.config();
  print_line(quiet, "training " + plan.name + ": x" + std::to_string(config.shape.scale) + ", " +
                        std::to_string(config.shape.num_parameters()) + " parameters, " + std::to_string(config.steps) +
                        " steps of " + std::to_string(config.batch) + " patches, " + backend_name(ctx) + ", " +
                        std::to_string(ctx.threads()) + " threads");
  NetworkLog log(log_file, trainer.steps_done());
  Progress progress("training", "steps", config.steps, quiet, trainer.steps_done());
  Keeper checkpoints([&] { trainer.save_checkpoint(checkpoint); });
  double sum = 0;
  int summed = 0;
  while (!trainer.finished()) {
    const NetworkStepReport r = trainer.step();
    sum += r.l1;
    ++summed;
    char detail[40];
    std::snprintf(detail, sizeof detail, "mean error %.4g", sum / summed);
    progress.update(r.step, detail);
    const bool last = trainer.finished();
    if (r.step % options.validate_every == 0 || last) {
      const std::vector<NetworkValidation> validation = trainer.validation();
      log.add(r, sum / summed, validation);
      for (const NetworkValidation& v : validation)
        if (last) print_line(quiet, text_of(v));
      sum = 0;
      summed = 0;
    }
    if (Interruption::requested() && !last) {
      const std::string at = "interrupted after step " + std::to_string(r.step);
      if (!checkpoints.save()) stop_failed(trainer, checkpoint, at);
      throw Interrupted(at + "; --resume goes on from " + checkpoint.string());
    }
    if (const bool due = options.checkpoint_every > 0 && r.step % options.checkpoint_every == 0;
        !last && (due || checkpoints.due_again()))
      checkpoints.save();
  }
  try {
    trainer.save_network(output, plan.name, plan.trained_on);
  } catch (const IoError& e) {
    stop_failed(trainer, checkpoint, e.what());
  }
  fs::remove(checkpoint, error);
  print_line(quiet, "wrote " + output.string());
}

}  // namespace

void add_train_network(CLI::App& app) {
  auto options = std::make_shared<TrainNetworkOptions>();
  CLI::App* sub = app.add_subcommand("train-network", "train a super-resolution network, or fine-tune one");
  sub->add_option("plan", options->plan_file, "TOML file: configuration and sources (PLAN.toml)")
      ->required()
      ->check(existing_file());
  sub->add_option("--output", options->output, "network file to write (NETWORK.h5); checkpoint and log stand beside it")
      ->required();
  CLI::Option* resume =
      sub->add_flag("--resume", options->resume, "go on from the checkpoint beside the output, with its configuration");
  sub->add_flag("--force", options->force, "replace the output and begin anew")->excludes(resume);
  sub->add_option("--from", options->from, "network file to begin with, whose shape is kept (fine-tuning)")
      ->check(existing_file())
      ->excludes(resume);
  sub->add_option("--steps", options->steps, "training steps, in place of the plan's")
      ->check(positive_integer())
      ->excludes(resume);
  sub->add_option("--seed", options->seed, "in place of the plan's")->check(not_negative())->excludes(resume);
  sub->add_option("--checkpoint-every", options->checkpoint_every,
                  "steps between checkpoints; 0: only when interrupted")
      ->check(not_negative())
      ->capture_default_str();
  sub->add_option("--validate-every", options->validate_every, "steps between lines of the log")
      ->check(positive_integer())
      ->capture_default_str();
  add_machine_options(*sub, options->machine);
  sub->callback([options] { run(*options); });
}

}  // namespace dsasrgs::program
