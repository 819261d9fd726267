// SPDX-License-Identifier: Apache-2.0
#include "network_plan.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <set>

#include "cli/file_kind.hpp"
#include "cli/terminal_text.hpp"
#include "cli/value_checks.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "dsasrgs/model.hpp"
#include "dsasrgs/renderer.hpp"
#include "dsasrgs/splits.hpp"
#include "jobs/vessel_source.hpp"
#include "study/toml_table.hpp"

namespace dsasrgs::program {

namespace fs = std::filesystem;

namespace {

/// Which sources are trained on and which only validate: what is both would be judged by what it has seen.
class Uses {
 public:
  /// `source` is a file (however its path is spelt) or a seed.
  void add(const TomlTable& table, const char* field, const std::string& source, bool held_out) {
    const auto [earlier, is_new] = held_out_.emplace(source, held_out);
    if (!is_new && earlier->second != held_out)
      table.refuse(field, "a source that is either trained on or held out", source + " named for both");
  }
  void add(const TomlTable& table, const char* field, const fs::path& file, bool held_out) {
    std::error_code error;
    const fs::path there = fs::canonical(file, error);
    add(table, field, error ? file.string() : there.string(), held_out);
  }

 private:
  std::map<std::string, bool> held_out_;
};

/// One table of sources: what all kinds have.
struct Kind {
  TomlTable& table;
  const fs::path& plan;
  Uses& uses;

  fs::path path(const char* field) const {
    const fs::path text = table.text(field);
    const fs::path path = (text.is_absolute() ? text : plan.parent_path() / text).lexically_normal();
    return path.has_filename() ? path : path.parent_path();  // "frames/" is "frames"
  }
  fs::path file_path(const char* field) const {
    fs::path file = path(field);
    if (const std::string reason = no_file(file.string()); !reason.empty())
      table.refuse(field, "a file", reason.substr(reason.find("found ") + 6));
    return file;
  }
  double share() const {
    const double share = table.number("share", 1);
    if (share <= 0) table.refuse("share", "more than 0", number_text(share));
    return share;
  }
  std::vector<int> binnings() const {
    std::vector<int> list;
    for (const std::int64_t b : table.integers("binnings")) {
      if (b < 1 || b > 64) table.refuse("binnings", "1 to 64", std::to_string(b));
      list.push_back(static_cast<int>(b));
    }
    return list.empty() ? std::vector<int>{1} : list;
  }
};

std::vector<fs::path> files_in(const Kind& kind, const char* field, const std::string& extension) {
  const fs::path folder = kind.path(field);
  std::error_code error;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (is_named(entry.path(), extension)) files.push_back(entry.path());
  if (error) kind.table.refuse(field, "a folder", folder.string() + ": " + error.message());
  if (files.empty())
    kind.table.refuse(field, "a folder with " + extension + " files", folder.string() + " without any");
  std::sort(files.begin(), files.end());
  return files;
}

/// Names of `hold_out` that files have; one that none has is refused.
std::set<std::string> held_out_names(const Kind& kind, const std::vector<fs::path>& files) {
  std::set<std::string> names;
  for (const std::string& name : kind.table.texts("hold_out")) {
    if (std::none_of(files.begin(), files.end(), [&](const fs::path& f) { return f.filename() == name; }))
      kind.table.refuse("hold_out", "names of files in the folder", name);
    names.insert(name);
  }
  return names;
}

/// `columns` or `rows` = [first, last] of an image's extent.
std::array<int, 2> extent(const Kind& kind, const char* field, int size, const fs::path& file) {
  const std::vector<std::int64_t> ends = kind.table.integers(field);
  if (ends.empty()) return {0, size - 1};
  if (ends.size() != 2 || ends[0] < 0 || ends[0] > ends[1] || ends[1] >= size)
    kind.table.refuse(field, "[first, last] within 0 to " + std::to_string(size - 1) + ", as " + file.string() + " has",
                      ends.size() == 2 ? std::to_string(ends[0]) + ", " + std::to_string(ends[1])
                                       : std::to_string(ends.size()) + " numbers");
  return {static_cast<int>(ends[0]), static_cast<int>(ends[1])};
}

/// Grey values become line integrals, (grey − zero)·per_grey, within the columns and rows that show something.
Image line_integrals(const Kind& kind, const fs::path& file, double zero, double per_grey) {
  const Image grey = read_png(file);
  const auto columns = extent(kind, "columns", grey.width_px, file), rows = extent(kind, "rows", grey.height_px, file);
  Image image{columns[1] - columns[0] + 1, rows[1] - rows[0] + 1, {}};
  for (int row = rows[0]; row <= rows[1]; ++row)
    for (int column = columns[0]; column <= columns[1]; ++column)
      image.values.push_back(static_cast<float>((static_cast<double>(grey.at(row, column)) - zero) * per_grey));
  const float grey_value = grey.at(rows[0], columns[0]);
  if (std::adjacent_find(image.values.begin(), image.values.end(), std::not_equal_to<>()) == image.values.end())
    throw BadInput(file.string(), "pixels", "grey values that differ within columns and rows",
                   std::to_string(static_cast<int>(grey_value)) + " everywhere");
  return image;
}

void read_images(const Kind& kind, NetworkPlan& plan) {
  const std::vector<fs::path> files = files_in(kind, "folder", ".png");
  const std::set<std::string> held_out = held_out_names(kind, files);
  const double zero = kind.table.number("zero", 0), per_grey = kind.table.number("per_grey", 1);
  if (per_grey == 0) kind.table.refuse("per_grey", "a number other than 0", "0");
  NetworkImages used{kind.path("folder").filename().string(), {}, kind.binnings(), kind.share(), false};
  NetworkImages kept = used;
  kept.name += ", held out";
  kept.held_out = true;
  const bool all_held_out = kind.table.flag("held_out", false);
  for (const fs::path& file : files) {
    const bool held = held_out.contains(file.filename().string());
    kind.uses.add(kind.table, "folder", file, held || all_held_out);
    NetworkImages& source = held ? kept : used;
    source.images.push_back(line_integrals(kind, file, zero, per_grey));
  }
  plan.files.insert(plan.files.end(), files.begin(), files.end());
  used.held_out = all_held_out;
  if (!used.images.empty()) plan.sources.images.push_back(std::move(used));
  if (!kept.images.empty()) plan.sources.images.push_back(std::move(kept));
}

void read_case(const Kind& kind, NetworkPlan& plan) {
  const fs::path file = kind.file_path("file");
  NetworkImages source = network_images(read_acquisition(file), file.string());
  source.binnings = kind.binnings();
  source.share = kind.share();
  source.held_out = kind.table.flag("held_out", false);
  kind.uses.add(kind.table, "file", file, source.held_out);
  plan.files.push_back(file);
  plan.sources.images.push_back(std::move(source));
}

void read_trees(const Kind& kind, NetworkPlan& plan) {
  const std::vector<fs::path> files = files_in(kind, "folder", ".swc");
  const std::set<std::string> held_out = held_out_names(kind, files);
  VesselSourceOptions options;
  options.up_axis = kind.table.text("up_axis", options.up_axis);
  if (options.up_axis != "y" && options.up_axis != "z") kind.table.refuse("up_axis", "y or z", options.up_axis);
  const double share = kind.share() / static_cast<double>(std::max<std::size_t>(files.size() - held_out.size(), 1));
  for (const fs::path& file : files) {
    options.vessels = file.string();
    const std::string name = file.filename().string();
    kind.uses.add(kind.table, "folder", file, held_out.contains(name));
    plan.sources.vessels.push_back(
        {name, std::get<VesselTree>(read_vessels(options, 0)), share, held_out.contains(name)});
  }
  plan.files.insert(plan.files.end(), files.begin(), files.end());
}

void read_built_in_trees(const Kind& kind, NetworkPlan& plan) {
  const std::vector<std::int64_t> seeds = kind.table.integers("seeds"), held_out = kind.table.integers("hold_out");
  if (seeds.empty()) kind.table.refuse("seeds", "at least one seed of a built-in tree", "none");
  const auto among = [](const std::vector<std::int64_t>& list, std::int64_t seed) {
    return std::find(list.begin(), list.end(), seed) != list.end();
  };
  for (const std::int64_t seed : held_out)
    if (!among(seeds, seed)) kind.table.refuse("hold_out", "some of the seeds", std::to_string(seed));
  const auto used =
      std::count_if(seeds.begin(), seeds.end(), [&](std::int64_t seed) { return !among(held_out, seed); });
  const double share = kind.share() / static_cast<double>(std::max<std::ptrdiff_t>(used, 1));
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    const std::int64_t seed = seeds[i];
    if (std::find(seeds.begin(), seeds.begin() + static_cast<std::ptrdiff_t>(i), seed) - seeds.begin() <
        static_cast<std::ptrdiff_t>(i))
      kind.table.refuse("seeds", "each seed once", std::to_string(seed) + " twice");
    if (seed < 0) kind.table.refuse("seeds", "numbers of 0 or more", std::to_string(seed));
    const bool held = among(held_out, seed);
    kind.uses.add(kind.table, "seeds", "seed " + std::to_string(seed), held);
    plan.sources.vessels.push_back(
        {"built-in tree " + std::to_string(seed),
         std::get<VesselTree>(read_vessels(VesselSourceOptions{}, static_cast<std::uint64_t>(seed))), share, held});
  }
}

/// A case and a model of it, rendered as fine as the case's truth. The training views alone: labels are of these.
void read_model_views(const Kind& kind, NetworkPlan& plan) {
  const fs::path case_file = kind.file_path("case"), model_file = kind.file_path("model");
  Context ctx = Context::cpu();
  Acquisition a = read_acquisition(case_file);
  const int scale = plan.training.shape.scale;
  if (!a.reference_projections || a.reference_projections->scale != scale)
    kind.table.refuse("case", "an acquisition with the truth " + std::to_string(scale) + " times finer",
                      case_file.string());
  if (std::find(a.valid.begin(), a.valid.end(), 0) != a.valid.end())
    kind.table.refuse("case", "an acquisition whose pixels are all valid", case_file.string());
  const Model model = read_model(ctx, model_file);
  if (!use_split_of_model(a, model))
    kind.table.refuse("model", "a model of " + case_file.string(), model_file.string() + ", trained on another one");
  Renderer renderer(ctx, model);
  const Detector fine = a.detector.refined(scale);
  const std::vector<Pose> poses = poses_as_corrected(model, a);
  NetworkRenders source{
      case_file.string() + ", " + model_file.string(), {}, kind.share(), kind.table.flag("held_out", false)};
  for (const int view : a.train_views) {
    const std::span<const float> measured = a.projection(view), truth = a.reference_projection(view);
    RenderedView& shown = source.views.emplace_back();
    shown.measured = {a.detector.width_px, a.detector.height_px, {measured.begin(), measured.end()}};
    shown.rendered = renderer.render(poses[static_cast<std::size_t>(view)], fine);
    shown.truth = {fine.width_px, fine.height_px, {truth.begin(), truth.end()}};
  }
  std::error_code error;
  kind.uses.add(kind.table, "model",
                fs::canonical(case_file, error).string() + ", " + fs::canonical(model_file, error).string(),
                source.held_out);
  plan.files.insert(plan.files.end(), {case_file, model_file});
  plan.sources.renders.push_back(std::move(source));
}

}  // namespace

NetworkPlan read_network_plan(const fs::path& file) {
  const toml::table parsed = parse_toml_file(file);
  TomlTable top(parsed, file.string());
  NetworkPlan plan;
  plan.name = top.text("name");
  plan.trained_on = top.text("trained_on");
  if (const auto training = top.table("training"))
    plan.training = network_training_from_toml(toml_text(training->raw()), file.string() + " (training)");
  Uses uses;
  const auto read_each = [&](const char* name, auto read) {
    for (TomlTable& table : top.tables(name)) {
      read(Kind{table, file, uses}, plan);
      table.reject_unknown();
    }
  };
  read_each("images", read_images);
  read_each("cases", read_case);
  read_each("trees", read_trees);
  read_each("built_in_trees", read_built_in_trees);
  read_each("models", read_model_views);
  top.reject_unknown();
  if (plan.sources.images.empty() && plan.sources.vessels.empty() && plan.sources.renders.empty())
    top.refuse("images", "at least one of [[images]], [[cases]], [[trees]], [[built_in_trees]] and [[models]]", "none");
  return plan;
}

}  // namespace dsasrgs::program
