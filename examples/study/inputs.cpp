// SPDX-License-Identifier: Apache-2.0
#include "study/inputs.hpp"

#include <algorithm>
#include <functional>

#include "cli/terminal_text.hpp"
#include "cli/usage_error.hpp"
#include "cli/view_list.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/fingerprint.hpp"
#include "dsasrgs/io.hpp"
#include "study/recipe.hpp"

namespace dsasrgs::program {

namespace fs = std::filesystem;

namespace {

std::string list_text(const std::vector<int>& values) {
  std::string text;
  for (const int v : values) text += (text.empty() ? "" : ",") + std::to_string(v);
  return text;
}

std::string options_field(const StudyCase& c) { return "case " + c.name + " simulate"; }
std::string options_field(const StudyLabels& l) { return "labels " + l.name + " options"; }

/// Makes the file unless it is there; throws InputNotMade instead of making anything when it may not.
void require_made(const fs::path& file, const Recipe& recipe, const std::function<void()>& make, bool may_make,
                  const fs::path& study, const std::string& field) {
  const MadeState state = state_of(file, recipe);
  if (state == MadeState::current) return;
  if (may_make) return make_file(file, recipe, make, study.string(), field);
  const bool outdated = state == MadeState::outdated;
  throw InputNotMade(file.string() + (outdated ? " was made with other options than " + field : " is not there"),
                     outdated);
}

void require_file(const fs::path& file, const fs::path& study, const std::string& field) {
  std::error_code error;
  if (!fs::exists(file, error)) throw BadInput(study.string(), field, "a file", "none at " + file.string());
  if (fs::is_directory(file, error)) throw BadInput(study.string(), field, "a file", "the folder " + file.string());
}

}  // namespace

fs::path StudyInputs::case_path(const StudyCase& c) const {
  return c.acquisition.empty() ? study_->work / "cases" / (c.name + ".h5") : c.acquisition;
}

void StudyInputs::require_case(const StudyCase& c) {
  if (c.acquisition.empty()) {
    const fs::path file = case_path(c);
    require_made(
        file, recipe_of(c.simulate), [&] { simulate_case(file, c.simulate); }, may_make_, study_->file,
        options_field(c));
  } else if (std::error_code error; !may_make_ && !fs::exists(c.acquisition, error)) {
    throw InputNotMade(c.acquisition.string() + " is not there", false);
  }
}

int StudyInputs::num_views(const StudyCase& c) {
  if (!c.acquisition.empty()) {
    require_file(c.acquisition, study_->file, "case " + c.name + " acquisition");
    return acquisition(c.name, 0).num_views();
  }
  try {
    check_options(c.simulate);
  } catch (const UsageError& e) {
    throw BadInput(study_->file.string(), options_field(c), "options of that subcommand", e.what());
  } catch (const InvalidArgument& e) {
    throw BadInput(study_->file.string(), options_field(c), "options of that subcommand", without_function(e.what()));
  }
  const fs::path vessels = vessel_file(c.simulate.source);
  if (!vessels.empty() && state_of(case_path(c), recipe_of(c.simulate)) != MadeState::current)
    require_file(vessels, study_->file, options_field(c) + ".vessels");
  return c.simulate.simulation.sweep.num_views;
}

void StudyInputs::check(const std::vector<StudyRun>& runs) {
  std::map<std::string, int> views;  // of the cases
  for (const StudyRun& run : runs) {
    const StudyCase& c = study_->case_named(run.case_name);
    if (!views.contains(c.name)) views[c.name] = num_views(c);
    if (run.views > views[c.name])
      throw BadInput(study_->file.string(), "views",
                     "at most the " + std::to_string(views[c.name]) + " views of " + c.name, std::to_string(run.views));
    if (run.labels.empty()) continue;
    const StudyLabels& source = study_->labels_named(run.labels);
    if (!source.make) require_file(source.files.at(c.name), study_->file, "labels " + source.name + ", case " + c.name);
  }
}

const Acquisition& StudyInputs::acquisition(const std::string& case_name, int views) {
  if (loaded_case_ != case_name) {
    loaded_case_.clear();
    const StudyCase& c = study_->case_named(case_name);
    require_case(c);
    acquisition_ = read_acquisition(case_path(c));
    if (!acquisition_.reference_projections)
      throw BadInput(acquisition_.name, "/reference/projections", "high-resolution truth for a study", "none");
    file_train_ = acquisition_.train_views;
    file_test_ = acquisition_.test_views;
    case_fingerprint_ = fingerprint(acquisition_);
    loaded_case_ = case_name;
    loaded_views_ = 0;
  }
  if (loaded_views_ != views) {
    acquisition_.train_views = file_train_;
    acquisition_.test_views = file_test_;
    if (views != 0) split_evenly(acquisition_, views);
    loaded_views_ = views;
  }
  return acquisition_;
}

fs::path StudyInputs::label_file(const StudyRun& run, const StudyLabels& labels) {
  const Acquisition& a = acquisition(run.case_name, run.views);
  if (!labels.make) {
    fs::path file = labels.files.at(run.case_name);
    std::error_code error;
    if (!may_make_ && !fs::exists(file, error)) throw InputNotMade(file.string() + " is not there", false);
    return file;
  }
  LabelOptions options = *labels.make;
  options.scale = a.reference_projections->scale;
  options.views = list_text(select_views(a, "train").views);
  std::string name = run.case_name + "_" + views_name(run.views) + "_" + labels.name;
  if (labels.is_oracle()) {
    const std::int64_t seed = run.seed.value_or(study_->seeds.front());
    options.oracle.seed = static_cast<std::uint64_t>(seed);
    name += "_seed-" + std::to_string(seed);
  }
  const fs::path case_file = case_path(study_->case_named(run.case_name));
  fs::path file = study_->work / "labels" / (name + ".h5");
  require_made(
      file, recipe_of(options, case_fingerprint_), [&] { make_labels(case_file, file, options); }, may_make_,
      study_->file, options_field(labels));
  return file;
}

StudyInputs::Labels StudyInputs::labels(const StudyRun& run, const StudyLabels& source) {
  const fs::path file = label_file(run, source);
  const Acquisition& a = acquisition(run.case_name, run.views);
  Labels labels{PseudoLabels::open(file, a), ""};
  const std::vector<int> views = select_views(a, "train").views;
  std::string& print = label_fingerprints_[{file.string(), views}];
  if (print.empty()) print = fingerprint(labels.file, views);
  labels.fingerprint = print;
  return labels;
}

}  // namespace dsasrgs::program
