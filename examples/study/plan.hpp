// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a study file asks for, and the runs that follow from it (docs/studies.md).

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dsasrgs/config.hpp"
#include "jobs/make_labels.hpp"
#include "jobs/simulate_case.hpp"

namespace dsasrgs::program {

struct StudyCase {
  std::string name;
  std::filesystem::path acquisition;  ///< empty: simulated
  SimulateOptions simulate;
  std::vector<int> views;             ///< numbers of training views; 0: the file's own split
  std::vector<std::string> settings;  ///< "section.name=value"
};

struct StudyLabels {
  std::string name;
  /// Empty: from files. Scale and views are those of a run's case, the seed of the oracle is the run's.
  std::optional<LabelOptions> make;
  std::map<std::string, std::filesystem::path> files;  ///< by case

  /// Labels with planted errors and a mask of them, others for each seed.
  bool is_oracle() const { return make && make->method == kOracleMethod; }
};

enum class MethodKind {
  train,                   ///< a model
  measured_upsampled,      ///< bicubic upsampling of the view's own measurement
  interpolation_upsampled  ///< neighbouring training views interpolated, then upsampled
};
/// As a study file and a stored result have it.
const char* name_of(MethodKind);

struct StudyMethod {
  std::string name;
  MethodKind kind = MethodKind::train;
  std::string preset;
  std::vector<std::string> settings;  ///< "section.name=value"
  std::vector<std::string> labels;    ///< a run for each; empty: none are used
  std::vector<std::string> renders;   ///< how the model is rendered: kRenderHigh, kRenderUpsampled
  std::vector<std::string> cases;     ///< only these; empty: all
};
inline constexpr const char* kRenderHigh = "high";                ///< at the reference's resolution
inline constexpr const char* kRenderUpsampled = "low-upsampled";  ///< at the measured one, then bicubic

struct Study {
  std::filesystem::path file;
  std::filesystem::path out;    ///< tables and pictures
  std::filesystem::path work;   ///< cases, labels and runs, which studies may share
  std::string name, reference;  ///< the method (as row_name) that differences are taken to; may be empty
  std::vector<std::int64_t> seeds;
  std::filesystem::path base;         ///< settings file of every run; may be empty
  std::vector<std::string> settings;  ///< of every run, after the base
  std::vector<StudyCase> cases;
  std::vector<StudyLabels> labels;
  std::vector<StudyMethod> methods;

  const StudyCase& case_named(const std::string&) const;
  const StudyLabels& labels_named(const std::string&) const;
  const StudyMethod& method_named(const std::string&) const;
};

/// Reads a study; paths in it are relative to its folder. Throws IoError; BadInput naming file and field.
Study read_study(const std::filesystem::path&);

/// One training (or one pseudo-method) on one case.
struct StudyRun {
  std::string case_name, method, labels;  ///< labels empty: none
  int views = 0;                          ///< training views; 0: the file's own split
  std::optional<std::int64_t> seed;       ///< empty for methods without chance
  Config config;                          ///< effective; of no meaning for methods that train nothing

  /// "BG001/30-views/4drgs+thick/seed-0", unique in a study: the run's folder below WORK/runs.
  std::string id() const;
};
/// "file-split" or "30-views".
std::string views_name(int views);
/// What a row of a table is called: method, labels, and the render where it is not at the reference's resolution.
std::string row_name(const std::string& method, const std::string& labels, const std::string& render);

/// All runs: first every case and method with the first seed, then with the next. Throws BadInput for settings that no
/// configuration can have, and for a method that needs labels and names none.
std::vector<StudyRun> plan_runs(const Study&);
/// Those whose id holds one of the parts; all when there is no part. Throws UsageError for a part that is in no id.
std::vector<StudyRun> runs_named(const std::vector<StudyRun>&, const std::vector<std::string>& parts);

}  // namespace dsasrgs::program
