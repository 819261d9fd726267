// SPDX-License-Identifier: Apache-2.0
#include "study/study.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "cli/interruption.hpp"
#include "cli/machine_options.hpp"
#include "cli/output_path.hpp"
#include "cli/progress.hpp"
#include "cli/terminal_text.hpp"
#include "cli/usage_error.hpp"
#include "cli/value_checks.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "study/pictures.hpp"
#include "study/plan.hpp"
#include "study/result.hpp"
#include "study/run.hpp"
#include "study/tables.hpp"

namespace dsasrgs::program {

namespace {

using Log = std::function<void(const std::string&)>;

struct StudyOptions {
  std::string file, output;
  std::vector<std::string> only;
  bool dry_run = false, tables_only = false, no_pictures = false;
  MachineOptions machine;
};

/// Whatever is thrown inside, with the name of a run before it. The exit code stays the same.
template <class F>
auto named_by(const StudyRun& run, const F& carry_out) {
  const auto message = [&](const std::exception& e) { return "run " + run.id() + ": " + e.what(); };
  try {
    return carry_out();
  } catch (const Interrupted&) {
    throw;
  } catch (const BadInput& e) {
    throw UsageError(message(e));
  } catch (const InvalidArgument& e) {
    throw UsageError("run " + run.id() + ": " + without_function(e.what()));
  } catch (const UsageError& e) {
    throw UsageError(message(e));
  } catch (const std::bad_alloc&) {
    throw std::runtime_error("run " + run.id() + ": out of memory");
  } catch (const std::exception& e) {
    throw std::runtime_error(message(e));
  }
}

void list_runs(const std::vector<StudyRun>& runs, StudyRunner& runner) {
  std::size_t stored = 0;
  for (const StudyRun& run : runs) {
    const auto [result, made_with] = runner.stored_result(run);
    stored += result ? 1 : 0;
    std::string state;
    if (result)
      state = "  (has a result)";
    else if (!made_with.empty())
      state = "  (has a result made with " + made_with + ")";
    std::printf("%s%s\n", run.id().c_str(), state.c_str());
  }
  std::printf("%zu runs, %zu with a result\n", runs.size(), stored);
}

/// Makes the cases and labels of all runs, so that what is wrong with them, or does not fit into memory, shows before
/// the first training; returns the runs that have no result yet.
std::vector<const StudyRun*> runs_to_do(const std::vector<StudyRun>& runs, StudyRunner& runner) {
  std::vector<const StudyRun*> todo;
  for (const StudyRun& run : runs) {
    Interruption::check();
    if (named_by(run, [&] { return runner.is_done(run); })) continue;
    named_by(run, [&] { runner.require_memory(run); });
    todo.push_back(&run);
  }
  return todo;
}

void carry_out(const std::vector<const StudyRun*>& todo, StudyRunner& runner, const Log& log) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  double spent = 0;
  for (std::size_t i = 0; i < todo.size(); ++i) {
    Interruption::check();
    std::string line = "run " + std::to_string(i + 1) + "/" + std::to_string(todo.size()) + ": " + todo[i]->id();
    if (i > 0)
      line +=
          ", about " + duration_text(spent / static_cast<double>(i) * static_cast<double>(todo.size() - i)) + " left";
    log(line);
    named_by(*todo[i], [&] { runner.execute(*todo[i]); });
    spent = std::chrono::duration<double>(Clock::now() - start).count();
  }
}

/// How many results are left out of the tables, for each thing that they were made with instead; empty: none.
std::string left_out_text(const std::map<std::string, int>& left_out) {
  std::string text;
  for (const auto& [made_with, count] : left_out)
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " made with " + made_with;
  return text.empty() ? "" : "Results left out: " + text + ".";
}

/// Tables, then the pictures, of all runs that have a result. Makes no cases and labels.
void write_tables(const Study& study, const std::vector<StudyRun>& runs, StudyRunner& runner, bool pictures,
                  const Log& log) {
  runner.inputs().make_nothing();
  std::vector<StudyRow> rows;
  std::vector<StudyRun> finished;
  std::vector<std::pair<std::string, StudyResult>> results;
  StudySummary summary{study.name, runs.size(), {}};
  for (const StudyRun& run : runs) {
    auto [result, made_with] = runner.stored_result(run);
    if (!made_with.empty()) ++summary.left_out[made_with];
    if (!result) continue;
    finished.push_back(run);
    const std::vector<StudyRow> of_run = rows_of_result(*result);
    rows.insert(rows.end(), of_run.begin(), of_run.end());
    results.emplace_back(runner.folder(run).lexically_relative(study.out).generic_string(), std::move(*result));
  }
  std::vector<std::string> oracles;
  for (const StudyLabels& l : study.labels)
    if (l.is_oracle()) oracles.push_back(l.name);
  const std::vector<StudyColumn> columns = study_columns(oracles);
  write_results(study.out / "results.json", summary, results);
  write_text(study.out / "results.csv", rows_as_csv(rows, columns));
  const std::string missing = left_out_text(summary.left_out);
  std::string text = "# " + study.name + "\n\n" + std::to_string(finished.size()) + " of " +
                     std::to_string(runs.size()) + " runs." + (missing.empty() ? "" : " " + missing) + "\n\n" +
                     rows_as_markdown(rows, columns, study.reference);
  if (!missing.empty()) log(missing);
  write_text(study.out / "tables.md", text);  // now, since pictures take time and need more that can be missing
  if (pictures) write_text(study.out / "tables.md", text + write_study_pictures(study, finished, runner, log));
}

void run(const StudyOptions& options) {
  const Interruption interruption;
  Study study = read_study(options.file);
  if (!options.output.empty()) study.out = study.work = options.output;
  const std::vector<StudyRun> all = plan_runs(study), runs = runs_named(all, options.only);
  Context ctx = make_context(options.machine);
  show_log(ctx, options.machine);
  const bool quiet = options.machine.quiet;
  const Log log = [quiet](const std::string& line) {
    if (!quiet) std::fprintf(stderr, "%s\n", line.c_str());
  };
  StudyRunner runner(ctx, study, quiet || isatty(STDERR_FILENO) != 1);
  if (options.dry_run) {
    runner.inputs().make_nothing();
    list_runs(runs, runner);
    return runner.inputs().check(runs);
  }
  if (!options.tables_only) runner.inputs().check(runs);
  OutputFolder folder(study.out, options.output.empty() ? study.file.string() + ": out" : "--output");
  std::size_t done = 0;
  std::exception_ptr failure;
  if (!options.tables_only) {
    try {
      const std::vector<const StudyRun*> todo = runs_to_do(runs, runner);
      log(std::to_string(runs.size() - todo.size()) + " of " + std::to_string(runs.size()) + " runs are done");
      done = todo.size();
      try {
        carry_out(todo, runner, log);
      } catch (const Interrupted&) {
        throw;
      } catch (const std::exception&) {
        failure = std::current_exception();  // what is finished goes into the tables first
      }
    } catch (const Interrupted&) {
      folder.keep();
      throw Interrupted("interrupted; finished runs are kept, the same command goes on");
    }
  }
  write_tables(study, all, runner, !options.no_pictures && !failure, log);
  folder.keep();
  if (failure) std::rethrow_exception(failure);
  print_line(quiet, std::to_string(done) + " runs carried out, wrote " + (study.out / "tables.md").string());
}

}  // namespace

void add_study(CLI::App& app) {
  auto options = std::make_shared<StudyOptions>();
  app.add_option("study", options->file, "what to run (STUDY.toml)")->required()->check(existing_file());
  app.add_option("--output", options->output, "folder for everything; default: the one the study names");
  app.add_option("--only", options->only, "only runs with this in their name; may be repeated")
      ->allow_extra_args(false);
  CLI::Option* dry = app.add_flag("--dry-run", options->dry_run, "list the runs and do nothing");
  app.add_flag("--tables-only", options->tables_only, "make tables and pictures of the results that are there")
      ->excludes(dry);
  app.add_flag("--no-pictures", options->no_pictures, "tables only, no pictures");
  add_machine_options(app, options->machine);
  app.callback([options] { run(*options); });
}

}  // namespace dsasrgs::program
