// SPDX-License-Identifier: Apache-2.0
#include "study/plan.hpp"

#include <algorithm>
#include <array>
#include <memory>

#include "cli/usage_error.hpp"
#include "cli/value_checks.hpp"
#include "dsasrgs/error.hpp"
#include "study/option_table.hpp"
#include "study/toml_table.hpp"

namespace dsasrgs::program {

namespace fs = std::filesystem;

namespace {

constexpr std::array kMethodKinds{MethodKind::train, MethodKind::measured_upsampled,
                                  MethodKind::interpolation_upsampled};

template <class T>
const T& named(const std::vector<T>& list, const std::string& name) {
  const auto it = std::find_if(list.begin(), list.end(), [&](const T& t) { return t.name == name; });
  if (it == list.end()) throw InvalidArgument("study: nothing is named " + name);
  return *it;
}

template <class T>
bool has_name(const std::vector<T>& list, const std::string& name) {
  return std::any_of(list.begin(), list.end(), [&](const T& t) { return t.name == name; });
}

std::string joined(const std::vector<std::string>& list, const char* separator) {
  std::string text;
  for (const std::string& s : list) text += (text.empty() ? "" : separator) + s;
  return text;
}

template <class T>
std::vector<std::string> names_of(const std::vector<T>& list) {
  std::vector<std::string> names;
  names.reserve(list.size());
  for (const T& t : list) names.push_back(t.name);
  return names;
}

/// A study file, or a file of cases, label sources and methods that a study includes. Paths in it are relative to it.
struct StudyPart {
  explicit StudyPart(const fs::path& path)
      : file(path), parsed(std::make_unique<toml::table>(parse_toml_file(path))), table(*parsed, path.string()) {}

  fs::path path(const std::string& text) const {
    return fs::path(text).is_absolute() ? fs::path(text) : (file.parent_path() / text).lexically_normal();
  }

  fs::path file;
  std::unique_ptr<toml::table> parsed;  // `table` points at it
  TomlTable table;
};

/// Reads one study file.
class StudyReader {
 public:
  explicit StudyReader(const fs::path& file) : study_(file), top_(study_.table) {}

  Study read() {
    Study s;
    s.file = study_.file;
    s.name = read_name(top_);
    s.out = study_.path(top_.text("out", "out"));
    const std::string work = top_.text("work", "");
    s.work = work.empty() ? s.out : study_.path(work);
    s.reference = top_.text("reference", "");
    if (const std::string base = top_.text("base", ""); !base.empty()) s.base = file_of("base", base);
    s.settings = settings_of(top_);
    s.seeds = seeds();
    const std::vector<int> views = view_counts(top_, {0});
    std::vector<StudyPart> included;
    for (const std::string& name : top_.texts("include")) included.emplace_back(file_of("include", name));
    std::vector<StudyPart*> parts;
    parts.reserve(included.size() + 1);
    for (StudyPart& part : included) parts.push_back(&part);
    parts.push_back(&study_);
    // By kind, not by file: methods name label sources and cases, label sources name cases.
    for (StudyPart* part : parts)
      for (TomlTable& t : part->table.tables("case")) add(s.cases, read_case(t, *part, views), t);
    for (StudyPart* part : parts)
      for (TomlTable& t : part->table.tables("labels")) add(s.labels, read_labels(t, *part, s), t);
    for (StudyPart* part : parts)
      for (TomlTable& t : part->table.tables("method")) add(s.methods, read_method(t, s), t);
    for (const StudyPart* part : parts) part->table.reject_unknown();
    if (s.cases.empty()) top_.refuse("case", "at least one [[case]]", "none");
    if (s.methods.empty()) top_.refuse("method", "at least one [[method]]", "none");
    if (!s.reference.empty()) check_reference(s);
    return s;
  }

 private:
  template <class T>
  static void add(std::vector<T>& list, T item, const TomlTable& table) {
    if (has_name(list, item.name)) table.refuse("name", "a name that is not taken", item.name);
    list.push_back(std::move(item));
  }

  /// A file that the study names, and that is there.
  fs::path file_of(const char* field, const std::string& name) const {
    fs::path file = study_.path(name);
    if (const std::string reason = no_file(file.string()); !reason.empty())
      top_.refuse(field, "a file", reason.substr(reason.find("found ") + 6));
    return file;
  }

  /// Names are parts of paths.
  static std::string read_name(TomlTable& t) {
    std::string name = t.text("name");
    const auto allowed = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
             c == '.';
    };
    if (!std::all_of(name.begin(), name.end(), allowed) || name[0] == '.')
      t.refuse("name", "letters, digits, -, _ and . (not first)", name);
    constexpr std::size_t kLongest = 64;  // several of them name a label file, for which the system has 255
    if (name.size() > kLongest)
      t.refuse("name", "at most " + std::to_string(kLongest) + " characters", std::to_string(name.size()));
    return name;
  }

  std::vector<std::int64_t> seeds() {
    const toml::array* items = top_.array("seeds");
    if (items == nullptr) return {0};
    std::vector<std::int64_t> seeds;
    for (const toml::node& item : *items) {
      const auto seed = item.value_exact<std::int64_t>();
      if (!seed || *seed < 0) top_.refuse("seeds", "integers of 0 or more", toml_text(item));
      if (std::find(seeds.begin(), seeds.end(), *seed) != seeds.end())
        top_.refuse("seeds", "each seed once", toml_text(item) + " twice");
      seeds.push_back(*seed);
    }
    if (seeds.empty()) top_.refuse("seeds", "at least one seed", "none");
    return seeds;
  }

  /// A preset is more than its name, so none can be set here.
  static std::vector<std::string> settings_of(TomlTable& t) {
    std::vector<std::string> settings = t.assignments("settings");
    for (const std::string& s : settings)
      if (s.starts_with("preset="))
        t.refuse("settings.preset", "none (the preset of a [[method]] is a field of its own)", s.substr(7));
    return settings;
  }

  static std::vector<int> view_counts(TomlTable& t, const std::vector<int>& fallback) {
    const toml::array* items = t.array("views");
    if (items == nullptr) return fallback;
    std::vector<int> views;
    for (const toml::node& item : *items) {
      const auto count = item.value_exact<std::int64_t>();
      const bool file_split = item.value_exact<std::string>() == "file";
      if (!file_split && (!count || *count < 1 || *count > 1000000))
        t.refuse("views", "numbers of training views, or \"file\" for the file's split", toml_text(item));
      views.push_back(file_split ? 0 : static_cast<int>(*count));
      if (std::count(views.begin(), views.end(), views.back()) > 1)
        t.refuse("views", "each number once", toml_text(item) + " twice");
    }
    if (views.empty()) t.refuse("views", "at least one number of training views", "none");
    return views;
  }

  static StudyCase read_case(TomlTable& t, const StudyPart& part, const std::vector<int>& views) {
    StudyCase c;
    c.name = read_name(t);
    c.views = view_counts(t, views);
    c.settings = settings_of(t);
    if (t.has("acquisition") == t.has("simulate"))
      t.refuse("acquisition", "either acquisition or simulate", t.has("simulate") ? "both" : "neither");
    if (t.has("acquisition")) {
      c.acquisition = part.path(t.text("acquisition"));
    } else {
      const std::optional<TomlTable> simulate = t.table("simulate");
      const TomlTable options(simulate->raw(), part.file.string(), "case " + c.name + " simulate.");
      const std::vector<std::string> given = read_options(options, options_of(c.simulate), {"output"});
      if (const UnheededOption o = unheeded_option(c.simulate.source, given); !o.name.empty())
        options.refuse(o.name, "vessels = " + o.goes_with + " with it", c.simulate.source.vessels);
      follow_given(c.simulate, given);
      c.simulate.quiet = true;
      std::string& vessels = c.simulate.source.vessels;
      if (vessels != kBuiltInTree) vessels = part.path(vessels).string();
    }
    t.reject_unknown();
    return c;
  }

  static StudyLabels read_labels(TomlTable& t, const StudyPart& part, const Study& s) {
    StudyLabels l;
    l.name = read_name(t);
    if (t.has("method") + t.has("file") + t.has("files") != 1)
      t.refuse("method", "one of method, file and files", t.has("method") ? "several" : "none or several");
    if (t.has("method")) {
      LabelOptions& make = l.make.emplace();
      make.method = t.text("method");
      const std::vector<std::string>& methods = label_methods();
      if (std::find(methods.begin(), methods.end(), make.method) == methods.end())
        t.refuse("method", joined(methods, " or "), make.method);
      if (const auto table = t.table("options")) {
        const TomlTable options(table->raw(), part.file.string(), "labels " + l.name + " options.");
        const auto given =
            read_options(options, options_of(make), {"method", "model", "output", "scale", "seed", "views"});
        if (const UnheededOption option = unheeded_option(make, given); !option.name.empty())
          options.refuse(option.name, "method = \"" + option.goes_with + "\" with it",
                         "method = \"" + make.method + '"');
        if (!make.network.empty()) make.network = part.path(make.network).string();
      }
      make.quiet = true;
    } else if (t.has("file")) {
      const fs::path file = part.path(t.text("file"));
      for (const StudyCase& c : s.cases) l.files[c.name] = file;
    } else {
      TomlTable files = *t.table("files");
      for (const StudyCase& c : s.cases)
        if (const std::string file = files.text(c.name.c_str(), ""); !file.empty()) l.files[c.name] = part.path(file);
      files.reject_unknown();
      if (l.files.empty()) t.refuse("files", "a file for at least one case", "none");
    }
    t.reject_unknown();
    return l;
  }

  static StudyMethod read_method(TomlTable& t, const Study& s) {
    StudyMethod m;
    m.name = read_name(t);
    const std::string kind = t.text("kind", name_of(MethodKind::train));
    const auto is_named = [&](MethodKind k) { return kind == name_of(k); };
    const auto found = std::find_if(kMethodKinds.begin(), kMethodKinds.end(), is_named);
    if (found == kMethodKinds.end()) {
      std::vector<std::string> names;
      names.reserve(kMethodKinds.size());
      for (const MethodKind k : kMethodKinds) names.emplace_back(name_of(k));
      t.refuse("kind", joined(names, " or "), kind);
    }
    m.kind = *found;
    m.cases = t.texts("cases");
    for (const std::string& c : m.cases)
      if (!has_name(s.cases, c)) t.refuse("cases", joined(names_of(s.cases), " or "), c);
    m.renders = {kRenderHigh};
    if (m.kind == MethodKind::train) {
      m.preset = t.text("preset");
      const auto presets = preset_names();
      if (std::find(presets.begin(), presets.end(), m.preset) == presets.end())
        t.refuse("preset", joined(presets, " or "), m.preset);
      m.settings = settings_of(t);
      m.labels = t.texts("labels");
      for (const std::string& l : m.labels)
        if (!has_name(s.labels, l)) t.refuse("labels", "the name of a [[labels]]", l);
      if (const auto renders = t.texts("render"); !renders.empty()) m.renders = renders;
      for (const std::string& r : m.renders)
        if (r != kRenderHigh && r != kRenderUpsampled)
          t.refuse("render", std::string(kRenderHigh) + " or " + kRenderUpsampled, r);
    }
    t.reject_unknown();
    return m;
  }

  void check_reference(const Study& s) const {
    std::vector<std::string> rows;
    for (const StudyMethod& m : s.methods)
      for (const std::string& r : m.renders) {
        if (m.labels.empty()) rows.push_back(row_name(m.name, "", r));
        for (const std::string& l : m.labels) rows.push_back(row_name(m.name, l, r));
      }
    if (std::find(rows.begin(), rows.end(), s.reference) == rows.end())
      top_.refuse("reference", joined(rows, " or "), s.reference);
  }

  StudyPart study_;
  TomlTable& top_;
};

/// The preset, then the base file, then the settings of study, case and method: what is said last counts.
Config effective_config(const Study& study, const StudyCase& c, const StudyMethod& method, std::int64_t seed) {
  Config config = preset_config(method.preset);
  if (!study.base.empty()) {
    apply_toml_file(config, study.base);
    if (config.preset != method.preset)
      throw BadInput(study.base.string(), "preset", "none in the base of a study (each method has its own)",
                     config.preset);
  }
  const auto apply = [&](const std::vector<std::string>& settings, const std::string& field) {
    for (const std::string& s : settings) try {
        apply_setting(config, s, s);
      } catch (const BadInput& e) {
        throw BadInput(study.file.string(), field, "settings that a configuration can have", e.what());
      }
  };
  apply(study.settings, "settings");
  apply(c.settings, "case " + c.name + " settings");
  apply(method.settings, "method " + method.name + " settings");
  config.training.seed = seed;
  try {
    validate(config, "configuration");
  } catch (const BadInput& e) {
    throw BadInput(study.file.string(), "method " + method.name + " of case " + c.name, "settings that go together",
                   e.what());
  }
  return config;
}

}  // namespace

const char* name_of(MethodKind kind) {
  if (kind == MethodKind::measured_upsampled) return "measured-upsampled";
  return kind == MethodKind::interpolation_upsampled ? "interpolation-upsampled" : "train";
}

const StudyCase& Study::case_named(const std::string& n) const { return named(cases, n); }
const StudyLabels& Study::labels_named(const std::string& n) const { return named(labels, n); }
const StudyMethod& Study::method_named(const std::string& n) const { return named(methods, n); }

Study read_study(const fs::path& file) { return StudyReader(file).read(); }

std::string views_name(int views) { return views == 0 ? "file-split" : std::to_string(views) + "-views"; }

std::string row_name(const std::string& method, const std::string& labels, const std::string& render) {
  return method + (labels.empty() ? "" : "+" + labels) + (render == kRenderHigh ? "" : ", " + render);
}

std::string StudyRun::id() const {
  return case_name + "/" + views_name(views) + "/" + row_name(method, labels, kRenderHigh) +
         (seed ? "/seed-" + std::to_string(*seed) : "");
}

std::vector<StudyRun> plan_runs(const Study& study) {
  std::vector<StudyRun> runs;
  for (std::size_t k = 0; k < study.seeds.size(); ++k)
    for (const StudyCase& c : study.cases)
      for (const int views : c.views)
        for (const StudyMethod& m : study.methods) {
          if (!m.cases.empty() && std::find(m.cases.begin(), m.cases.end(), c.name) == m.cases.end()) continue;
          StudyRun run{c.name, m.name, "", views, {}, {}};
          if (m.kind != MethodKind::train) {
            if (k == 0) runs.push_back(run);
            continue;
          }
          run.seed = study.seeds[k];
          run.config = effective_config(study, c, m, study.seeds[k]);
          if (m.labels.empty() && run.config.super_resolution.needs_labels())
            throw BadInput(study.file.string(), "method " + m.name + " labels",
                           "label sources, which its super_resolution.target needs", "none");
          if (m.labels.empty()) runs.push_back(run);
          for (const std::string& labels : m.labels) {
            const StudyLabels& source = study.labels_named(labels);
            if (!source.make && !source.files.contains(c.name)) continue;  // not made for this case
            run.labels = labels;
            runs.push_back(run);
          }
        }
  return runs;
}

std::vector<StudyRun> runs_named(const std::vector<StudyRun>& runs, const std::vector<std::string>& parts) {
  const auto has = [](const StudyRun& run, const std::string& part) {
    return run.id().find(part) != std::string::npos;
  };
  for (const std::string& part : parts)
    if (std::none_of(runs.begin(), runs.end(), [&](const StudyRun& run) { return has(run, part); }))
      throw UsageError("--only: expected a part of a run's name (see --dry-run), found " + part);
  std::vector<StudyRun> list;
  for (const StudyRun& run : runs)
    if (parts.empty() || std::any_of(parts.begin(), parts.end(), [&](const std::string& p) { return has(run, p); }))
      list.push_back(run);
  return list;
}

}  // namespace dsasrgs::program
