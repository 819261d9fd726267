// dsasrgs study: methods × numbers of views × cases × label sources × seeds, with resume (docs/studies.md).

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "dsasrgs/io.hpp"
#include "dsasrgs/version.hpp"
#include "interruption.hpp"
#include "machine_facts.hpp"
#include "machine_options.hpp"
#include "output_path.hpp"
#include "progress.hpp"
#include "study_pictures.hpp"
#include "study_plan.hpp"
#include "study_run.hpp"
#include "study_tables.hpp"
#include "subcommands.hpp"
#include "usage_error.hpp"

namespace dsasrgs::program {

using Json = nlohmann::ordered_json;

namespace {

struct StudyOptions {
  std::string file, output;
  std::vector<std::string> only;
  bool dry_run = false, tables_only = false, no_pictures = false;
  MachineOptions machine;
};

/// Runs whose id holds one of the patterns.
std::vector<StudyRun> chosen(const std::vector<StudyRun>& runs, const std::vector<std::string>& patterns) {
  if (patterns.empty()) return runs;
  std::vector<StudyRun> list;
  for (const StudyRun& run : runs)
    for (const std::string& p : patterns)
      if (run.id().find(p) != std::string::npos) {
        list.push_back(run);
        break;
      }
  if (list.empty()) throw UsageError("--only: expected a part of a run's name (see --dry-run), found " + patterns[0]);
  return list;
}

void list_runs(const std::vector<StudyRun>& runs, const StudyRunner& runner) {
  std::size_t stored = 0;
  for (const StudyRun& run : runs) {
    const bool there = !runner.stored_result(run).is_null();
    stored += there ? 1 : 0;
    std::printf("%s%s\n", run.id().c_str(), there ? "  (has a result)" : "");
  }
  std::printf("%zu runs, %zu with a result (whether it is up to date shows when they are run)\n", runs.size(), stored);
}

/// Carries out what is not done yet; returns how many runs that were.
int carry_out(const std::vector<StudyRun>& runs, StudyRunner& runner, bool quiet) {
  using Clock = std::chrono::steady_clock;
  std::vector<const StudyRun*> todo;
  for (const StudyRun& run : runs) {
    Interruption::check();
    if (runner.current_result(run).is_null()) todo.push_back(&run);
  }
  const auto tell = [&](const std::string& line) {
    if (!quiet) std::fprintf(stderr, "%s\n", line.c_str());
  };
  tell(std::to_string(runs.size() - todo.size()) + " of " + std::to_string(runs.size()) + " runs are done");
  const auto start = Clock::now();
  double spent = 0;
  for (std::size_t i = 0; i < todo.size(); ++i) {
    Interruption::check();
    std::string line = "run " + std::to_string(i + 1) + "/" + std::to_string(todo.size()) + ": " + todo[i]->id();
    if (i > 0)
      line +=
          ", about " + duration_text(spent / static_cast<double>(i) * static_cast<double>(todo.size() - i)) + " left";
    tell(line);
    runner.execute(*todo[i]);
    spent = std::chrono::duration<double>(Clock::now() - start).count();
  }
  return static_cast<int>(todo.size());
}

/// Tables, and the pictures, of all runs that have a result.
void write_results(const Study& study, const std::vector<StudyRun>& runs, StudyRunner& runner,
                   const StudyOptions& options) {
  std::vector<StudyRow> rows;
  std::vector<StudyRun> finished;
  Json results = Json::array();
  for (const StudyRun& run : runs) {
    Json result = runner.stored_result(run);
    if (result.is_null()) continue;
    finished.push_back(run);
    const std::vector<StudyRow> of_run = rows_of_result(result);
    rows.insert(rows.end(), of_run.begin(), of_run.end());
    result.erase("identity");
    result["folder"] = runner.folder(run).lexically_relative(study.out).generic_string();
    results.push_back(std::move(result));
  }
  std::vector<std::string> spoilt;
  for (const StudyLabels& l : study.labels)
    if (l.oracle) spoilt.push_back(l.name);
  const std::vector<StudyColumn> columns = study_columns(spoilt);
  Json json;
  json["format"] = "dsasrgs.study";
  json["program"] = "dsasrgs " DSASRGS_VERSION_STRING;
  json["study"] = study.name;
  json["machine"] = machine_as_json();
  json["runs"] = {{"planned", runs.size()}, {"finished", finished.size()}};
  json["results"] = std::move(results);
  write_text(study.out / "results.json", json.dump(1) + "\n");
  write_text(study.out / "results.csv", rows_as_csv(rows, columns));
  std::string text = "# " + study.name + "\n\n" + std::to_string(finished.size()) + " of " +
                     std::to_string(runs.size()) + " runs.\n\n" + rows_as_markdown(rows, columns, study.reference);
  if (!options.no_pictures) text += write_study_pictures(study, finished, runner);
  write_text(study.out / "tables.md", text);
}

void run(const StudyOptions& options) {
  const Interruption interruption;
  Study study = read_study(options.file);
  if (!options.output.empty()) study.out = study.work = options.output;
  const std::vector<StudyRun> all = plan_runs(study), runs = chosen(all, options.only);
  Context ctx = make_context(options.machine);
  const bool quiet = options.machine.quiet;
  StudyRunner runner(ctx, study, quiet || isatty(STDERR_FILENO) != 1);
  if (options.dry_run) return list_runs(runs, runner);
  OutputFolder folder(study.out);
  int done = 0;
  if (!options.tables_only) {
    try {
      done = carry_out(runs, runner, quiet);
    } catch (const Interrupted&) {
      folder.keep();
      throw Interrupted("interrupted; finished runs are kept, the same command goes on");
    }
  }
  write_results(study, all, runner, options);
  folder.keep();
  say(quiet, std::to_string(done) + " runs carried out, wrote " + (study.out / "tables.md").string());
}

}  // namespace

void add_study(CLI::App& app) {
  auto options = std::make_shared<StudyOptions>();
  CLI::App* sub = app.add_subcommand("study", "methods x views x cases x labels x seeds, and their tables");
  sub->add_option("study", options->file, "what to run (STUDY.toml)")->required();
  sub->add_option("--output", options->output, "folder for everything; default: the one the study names");
  sub->add_option("--only", options->only, "only runs with this in their name; may be repeated")
      ->allow_extra_args(false);
  CLI::Option* dry = sub->add_flag("--dry-run", options->dry_run, "list the runs and do nothing");
  sub->add_flag("--tables-only", options->tables_only, "make tables and pictures of the results that are there")
      ->excludes(dry);
  sub->add_flag("--no-pictures", options->no_pictures, "tables only, no pictures");
  add_machine_options(*sub, options->machine);
  sub->callback([options] { run(*options); });
}

}  // namespace dsasrgs::program
