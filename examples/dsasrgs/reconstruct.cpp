// SPDX-License-Identifier: Apache-2.0
// dsasrgs reconstruct: from an acquisition to a model, its pictures and its numbers.

#include <algorithm>
#include <cerrno>  // program_invocation_name
#include <chrono>
#include <cstdio>
#include <exception>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/interruption.hpp"
#include "cli/json_reading.hpp"
#include "cli/machine_options.hpp"
#include "cli/output_path.hpp"
#include "cli/progress.hpp"
#include "cli/terminal_text.hpp"
#include "cli/usage_error.hpp"
#include "cli/value_checks.hpp"
#include "cli/view_list.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "dsasrgs/plausibility.hpp"
#include "dsasrgs/pseudo_labels.hpp"
#include "dsasrgs/reconstructor.hpp"
#include "jobs/evaluation_summary.hpp"
#include "jobs/plausible_case.hpp"
#include "jobs/pose_report.hpp"
#include "jobs/run_folder.hpp"
#include "jobs/run_labels.hpp"
#include "jobs/run_memory.hpp"
#include "jobs/run_report.hpp"
#include "jobs/training_run.hpp"
#include "report/report.hpp"
#include "subcommands.hpp"

namespace dsasrgs::program {

namespace {

constexpr const char* kDefaultPreset = "4drgs";

struct ReconstructOptions {
  std::string case_file, output, config_file, labels_file, refresh_network, hold_out;
  std::optional<std::string> preset;
  std::string resume_options;  // those given that --resume wants again, as they are typed
  std::vector<std::string> settings;
  std::optional<int> train_views, steps;
  std::optional<std::int64_t> seed;
  bool force = false, resume = false, strict = false, report = false;
  TrainingRunOptions training;
  ScoringOptions scoring;
  MachineOptions machine;
};

/// The preset (the option's or the file's), then the file, then single settings: what is said last counts.
Config effective_config(const ReconstructOptions& options) {
  Config config = preset_config(options.preset.value_or(kDefaultPreset), "--preset");
  if (!options.config_file.empty()) apply_toml_file(config, options.config_file);
  if (options.preset && config.preset != *options.preset)
    throw UsageError("--preset: expected " + config.preset + ", which " + options.config_file + " names, found " +
                     *options.preset);
  for (const std::string& s : options.settings) {
    if (s.starts_with("preset="))
      throw UsageError("--set: expected a field of the preset (--preset names the preset itself), found " + s);
    apply_setting(config, s, "--set");
  }
  if (options.steps) apply_setting(config, "training.steps=" + std::to_string(*options.steps), "--steps");
  if (options.seed) apply_setting(config, "training.seed=" + std::to_string(*options.seed), "--seed");
  validate(config, "configuration");
  return config;
}

/// Without one the labels would be read for nothing.
void require_target_of_labels(const Config& config) {
  using Target = HighResolutionTarget;
  const Target target = config.super_resolution.target;
  if (target == Target::none || target == Target::upsampled)
    throw UsageError(
        "--labels: expected super_resolution.target = pseudo_labels, both, teach or weighted (--preset dsa-srgs), "
        "found super_resolution.target = " +
        std::string(target == Target::none ? "none" : "upsampled"));
}

void require_refresh(const Config& config) {
  if (config.super_resolution.refresh_step == 0 || !config.super_resolution.needs_labels())
    throw UsageError("--refresh-network: expected labels and super_resolution.refresh_step = 1 or more, found none");
}

/// Options that were given and that --resume takes, as they are typed.
std::string options_to_repeat(const CLI::App& subcommand, CLI::Option* resume) {
  std::string text;
  for (const CLI::Option* option : subcommand.get_options()) {
    const std::string name = option->get_name();
    if (option->count() == 0 || option->get_positional() || option == resume || name == "--output" ||
        name == "--steps" || option->get_excludes().count(resume) > 0)
      continue;
    text += " " + name;
    if (option->get_items_expected_max() == 0) continue;  // a flag
    for (const std::string& value : option->results()) text += " " + shell_word(value);
  }
  return text;
}

std::string resume_command(const ReconstructOptions& options, const RunFolder& folder) {
  return shell_word(program_invocation_name) + " reconstruct " + shell_word(options.case_file) + " --resume --output " +
         shell_word(folder.path().string()) + options.resume_options;
}

/// The same training from its start. The configuration holds what --resume does not want again.
std::string command_again(const ReconstructOptions& options) {
  const std::filesystem::path config = std::filesystem::path(options.output) / "config.toml";
  return "dsasrgs reconstruct " + shell_word(options.case_file) + " --config " + shell_word(config.string()) +
         " --output again" + options.resume_options;
}

/// Of a run that is finished, whatever becomes of the report.
void make_report(Context& ctx, const Acquisition& a, const Model& model, const RunFolder& folder, bool quiet) try {
  const WrittenReport report = write_report(ctx, {folder.path(), &model, &a, ""}, folder.report(), {.quiet = quiet});
  announce_report(report, folder.report(), quiet);
} catch (const Interrupted&) {
  throw Interrupted("stopped; the run is finished, `dsasrgs report " + shell_word(folder.path().string()) +
                    "` makes its report");
}

/// What a run that goes on was begun with; none where it cannot be read: what counts is the checkpoint.
std::optional<Config> config_of_run(const RunFolder& folder) {
  Config config;
  try {
    apply_toml_file(config, folder.config());
  } catch (const Error&) {
    return std::nullopt;
  }
  return config;
}

/// A run that goes on needs the labels it was trained with; its own may have been deleted.
void require_labels_of_run(const RunFolder& folder) {
  const std::optional<Config> config = config_of_run(folder);
  if (config && config->super_resolution.needs_labels())
    throw UsageError("--labels: expected the labels that the run is trained with, found neither --labels nor " +
                     folder.labels().string());
}

/// The steps of the run that the folder's metrics.json is of; 0: there is none.
int finished_steps(const RunFolder& folder) {
  std::ifstream file(folder.metrics());
  try {
    const auto json = parse_json<nlohmann::json>(file);
    const nlohmann::json::json_pointer steps("/run/steps");
    return json.contains(steps) && json[steps].is_number_integer() ? json[steps].get<int>() : 0;
  } catch (const std::exception&) {  // none, or another text
    return 0;
  }
}

/// More steps than the checkpoint's configuration says, where they are asked for; else there must be something to do.
void set_steps(Reconstructor& reconstructor, const ReconstructOptions& options, const RunFolder& folder) {
  const int done = reconstructor.steps_done();
  const bool unreported = reconstructor.finished() && finished_steps(folder) != done;  // its results are to be made
  if (options.steps && *options.steps == done && unreported) return;
  if (options.steps) {
    if (*options.steps <= done)
      throw UsageError("--steps: expected more than the " + std::to_string(done) + " steps done, found " +
                       std::to_string(*options.steps));
    return reconstructor.train_to(*options.steps);
  }
  if (reconstructor.finished() && !unreported)
    throw UsageError("--output: expected an unfinished run, found a finished run in " + folder.path().string() +
                     " (--steps N with more than " + std::to_string(done) + " trains it further)");
}

std::string view_text(std::size_t count) { return count_text(count, "view"); }

void announce(const Acquisition& a, const Reconstructor& reconstructor, const Context& ctx, bool quiet) {
  const Config& config = reconstructor.config();
  print_line(quiet, "reconstructing " + a.name + ": " + view_text(reconstructor.model().nuisance.view.size()) + " of " +
                        std::to_string(a.detector.width_px) + " x " + std::to_string(a.detector.height_px) +
                        " pixels, preset " + config.preset + ", " + std::to_string(config.training.steps) + " steps, " +
                        std::to_string(reconstructor.model().cloud.size()) + " Gaussians, " + backend_name(ctx) + ", " +
                        std::to_string(ctx.threads()) + " threads");
  char losses[64];
  std::snprintf(losses, sizeof losses, "losses are in units of a line integral of %.4g",
                reconstructor.units().line_integral);
  print_line(quiet, losses);
  if (!has_held_out_views(a)) print_line(quiet, "no view is held out: the metrics will be those of the training views");
}

void run(const ReconstructOptions& options) {
  const Interruption interruption;
  const bool quiet = options.machine.quiet;
  const Config config = effective_config(options);
  if (!options.labels_file.empty() && !options.resume) require_target_of_labels(config);
  if (!options.refresh_network.empty() && !options.resume) require_refresh(config);
  Context ctx = make_context(options.machine);
  show_log(ctx, options.machine);
  Acquisition acquisition = read_acquisition(options.case_file);
  warn_or_refuse(acquisition, implausibilities(acquisition), options.strict, quiet);
  if (options.train_views) {
    if (*options.train_views < 1 || *options.train_views > acquisition.num_views())
      throw UsageError("--train-views: expected 1 to " + std::to_string(acquisition.num_views()) + ", found " +
                       std::to_string(*options.train_views));
    split_evenly(acquisition, *options.train_views);
  }
  if (!options.hold_out.empty()) hold_out(acquisition, parse_views(options.hold_out, acquisition, "--hold-out"));
  require_scorable(acquisition, held_out_views(acquisition), options.scoring.evaluation.baselines);
  using Start = RunFolder::Start;
  RunFolder folder(options.output,
                   options.resume ? Start::resume : (options.force ? Start::over_earlier_run : Start::fresh));
  if (options.report) require_replaceable_report("--output", folder.report());
  for (const auto& file : folder.own_files())
    require_no_input("--output", file, {options.case_file, options.labels_file, options.refresh_network});
  require_reportable(acquisition);
  RunFacts facts;
  const auto require_memory = [&](const Config& planned, std::size_t gaussians) {
    facts.memory = run_memory(acquisition, planned, ctx.backend(), options.scoring.evaluation.baselines, gaussians);
    require_run_memory(ctx, *facts.memory, quiet);
  };
  if (!options.resume) require_memory(config, 0);
  const bool makes_labels = options.labels_file.empty() && !options.resume && config.super_resolution.needs_labels();
  if (makes_labels) {
    run_label_network(config);  // that there is none is said before anything is written
    folder.begin();
    write_text(folder.config(), to_toml(config));  // by which the folder is known as a run's
    make_run_labels(ctx, acquisition, config, folder, options.strict, quiet);
  }
  std::filesystem::path labels_file = options.labels_file;
  if (makes_labels || options.resume)  // else what lies there is an earlier run's
    if (const auto own = run_labels(folder); labels_file.empty() || own == folder.refreshed_labels()) labels_file = own;
  if (labels_file.empty() && options.resume) require_labels_of_run(folder);
  std::shared_ptr<const PseudoLabels> labels;
  if (!labels_file.empty()) labels = std::make_shared<const PseudoLabels>(PseudoLabels::open(labels_file, acquisition));
  const auto start = std::chrono::steady_clock::now();
  Reconstructor reconstructor = options.resume ? Reconstructor(ctx, acquisition, folder.checkpoint(), labels)
                                               : Reconstructor(ctx, acquisition, config, labels);
  if (labels) require_target_of_labels(reconstructor.config());
  if (options.resume) {
    set_steps(reconstructor, options, folder);
    require_memory(reconstructor.config(), reconstructor.model().cloud.size());
    // Before config.toml says so: a run that is killed goes on to these steps.
    if (options.steps) reconstructor.save_checkpoint(folder.checkpoint());
  }
  refresh_run_labels(ctx, acquisition, reconstructor, folder, labels, {options.refresh_network, options.strict, quiet});
  facts.case_file = options.case_file;
  facts.command = command_again(options);
  facts.initialize_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  facts.resumed_from_step = reconstructor.steps_done();
  if (!makes_labels) folder.begin();
  write_text(folder.config(), to_toml(reconstructor.config()));
  announce(acquisition, reconstructor, ctx, quiet);

  TrainingRunOptions training = options.training;
  training.quiet = quiet;
  training.resume_command = resume_command(options, folder);
  const TrainingOutcome outcome = train(reconstructor, folder, training);
  facts.training_seconds = outcome.seconds;
  ScoringOptions scoring = options.scoring;
  scoring.quiet = quiet;
  const Evaluation scores = [&] {
    try {
      return write_run(ctx, acquisition, reconstructor, folder, facts, scoring);
    } catch (const Interrupted&) {
      stop_interrupted(reconstructor, folder, training, outcome.checkpoint);
    } catch (const BadInput&) {
      throw;
    } catch (const std::exception& e) {
      stop_failed(reconstructor, folder, training, e.what(), outcome.checkpoint);
    }
  }();
  folder.finish(outcome.checkpoint);
  print_line(quiet, evaluation_summary(scores));
  if (const Model& model = reconstructor.model(); !model.pose_correction.empty())
    print_line(quiet, pose_correction_summary(model));
  if (options.report) make_report(ctx, acquisition, reconstructor.model(), folder, quiet);
  print_line(quiet, "trained " + std::to_string(reconstructor.steps_done()) + " steps in " +
                        duration_text(facts.training_seconds) + ", wrote " + folder.path().string());
}

}  // namespace

void add_reconstruct(CLI::App& app) {
  auto options = std::make_shared<ReconstructOptions>();
  CLI::App* sub = app.add_subcommand("reconstruct", "train a 4D model on the training views of an acquisition");
  sub->add_option("case", options->case_file, "acquisition file (CASE.h5)")->required()->check(existing_file());
  sub->add_option("--output", options->output, "run folder to make")->required();
  CLI::Option* resume =
      sub->add_flag("--resume", options->resume,
                    "go on from the checkpoint in the run folder, with its configuration, to its last step or --steps");
  sub->add_flag("--force", options->force, "replace an earlier run in the folder, once the new one is finished")
      ->excludes(resume);
  const std::string names = [] {
    std::string list;
    for (const std::string& n : preset_names()) list += (list.empty() ? "" : ", ") + n;
    return list;
  }();
  sub->add_option("--preset", options->preset, "configuration to start from: " + names)
      ->default_str(kDefaultPreset)
      ->excludes(resume);
  sub->add_option("--config", options->config_file, "TOML file with changes to the preset")
      ->check(existing_file())
      ->excludes(resume);
  sub->add_option("--labels", options->labels_file,
                  "file with pseudo-labels of the training views (an acquisition with /super_resolution will do); "
                  "default, where the "
                  "configuration needs them: made with the network that comes with the program, for 2 or 4 times finer")
      ->check(existing_file());
  sub->add_option("--refresh-network", options->refresh_network,
                  "network file for super_resolution.refresh_step; default: the one that comes with the program")
      ->check(existing_file());
  sub->add_option("--set", options->settings, "one change: section.name=value; may be repeated")
      ->allow_extra_args(false)
      ->excludes(resume);
  sub->add_option(
         "--steps", options->steps,
         "training steps, short for --set training.steps=N; with --resume: the steps in all, to train a finished run "
         "further or another to an earlier or later end, with the rates of a run of so many")
      ->check(positive_integer());
  sub->add_option("--seed", options->seed, "short for --set training.seed=N")->excludes(resume);
  sub->add_option("--train-views", options->train_views, "train on N evenly spaced views instead of the file's split");
  sub->add_option(
         "--hold-out", options->hold_out,
         "training views such as 0,5,10-20 to leave out and score in place of the test views, to choose settings by")
      ->check(not_empty());
  sub->add_flag("--strict", options->strict, kStrictDescription);
  sub->add_option("--checkpoint-every", options->training.checkpoint_every,
                  "steps between checkpoints; 0: only when interrupted")
      ->check(not_negative())
      ->capture_default_str();
  sub->add_option("--log-every", options->training.log_every, "steps between lines of log.csv")
      ->check(positive_integer())
      ->capture_default_str();
  sub->add_flag("--report", options->report, "also make report.html in the run folder, to look at in a browser");
  sub->add_flag("--baselines", options->scoring.evaluation.baselines, "also score interpolated training views and FDK");
  sub->add_option(
         "--surface-threshold-per-mm", options->scoring.evaluation.surface_threshold_per_mm,
         "attenuation above which a voxel is vessel in the volume metrics; default: a fifth of the reference's maximum")
      ->check(positive_finite());
  add_machine_options(*sub, options->machine);
  sub->callback([options, sub, resume] {
    options->resume_options = options_to_repeat(*sub, resume);
    run(*options);
  });
}

}  // namespace dsasrgs::program
