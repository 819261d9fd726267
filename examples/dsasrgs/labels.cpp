// dsasrgs labels: pseudo-labels without a network, for tests and studies.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dsasrgs/fingerprint.hpp"
#include "dsasrgs/io.hpp"
#include "dsasrgs/pseudo_labels.hpp"
#include "interruption.hpp"
#include "output_path.hpp"
#include "progress.hpp"
#include "subcommands.hpp"
#include "usage_error.hpp"
#include "view_list.hpp"

namespace dsasrgs::program {

namespace {

constexpr int kLargestScale = 64;
constexpr int kMostBranches = 1000;  // per view
constexpr const char* kOracleGroup = "Oracle";

struct LabelsOptions {
  std::string acquisition, output, method, views = "train", storage = "float16";
  int scale = 4;
  bool quiet = false;
  OracleOptions oracle;
};

std::string describe(const LabelsOptions& o) {
  if (o.method == "bicubic") return "bicubic interpolation";
  if (o.method == "lanczos") return "Lanczos-3 interpolation";
  return "oracle: the truth, spoilt on purpose (" + std::to_string(o.oracle.false_branches) + " false and " +
         std::to_string(o.oracle.missing_branches) + " missing branches, sharpening " +
         std::to_string(o.oracle.sharpening) + ", seed " + std::to_string(o.oracle.seed) + ")";
}

MadeLabel make(const Acquisition& a, int view, const LabelsOptions& o) {
  if (o.method == "bicubic") return bicubic_label(a, view, o.scale);
  if (o.method == "lanczos") return lanczos_label(a, view, o.scale);
  return oracle_label(a, view, o.scale, o.oracle);
}

void require_oracle_for_its_options(const CLI::App& subcommand, const std::string& method) {
  if (method == "oracle") return;
  for (const CLI::Option* option : subcommand.get_options())
    if (option->count() > 0 && option->get_group() == kOracleGroup)
      throw UsageError(option->get_name() + ": expected --method oracle with it, found --method " + method);
}

void run(const LabelsOptions& options) {
  const Interruption interruption;
  require_writable_file("--output", options.output, {options.acquisition});
  const Acquisition a = read_acquisition(options.acquisition);
  LabelFileOptions file;
  file.low_resolution = a.detector;
  file.scale = options.scale;
  file.views = select_views(a, options.views).views;
  file.network = describe(options);
  file.measurement = measurement_fingerprint(a, file.views);
  file.storage = options.storage == "float16" ? LabelStorage::float16 : LabelStorage::float32;
  file.false_vessel_mask = options.method == "oracle";
  PseudoLabelWriter writer(options.output, file);
  Progress progress("making labels", "views", static_cast<int>(file.views.size()), options.quiet);
  int done = 0;
  for (const int view : file.views) {
    Interruption::check();
    const MadeLabel label = make(a, view, options);
    writer.add(label.values, {}, label.false_vessel_mask);
    progress.update(++done);
  }
  writer.commit();
  say(options.quiet, "wrote " + options.output);
}

}  // namespace

void add_labels(CLI::App& app) {
  auto options = std::make_shared<LabelsOptions>();
  CLI::App* sub = app.add_subcommand("labels", "make pseudo-labels without a network, for tests and studies");
  sub->add_option("case", options->acquisition, "acquisition file (CASE.h5)")->required();
  sub->add_option("--output", options->output, "label file to write (LABELS.h5)")->required();
  sub->add_option("--method", options->method, "bicubic, lanczos, or oracle: the case's truth, spoilt on purpose")
      ->required()
      ->check(CLI::IsMember({"bicubic", "lanczos", "oracle"}));
  sub->add_option("--scale", options->scale, "times finer than the case's detector")
      ->check(CLI::Range(1, kLargestScale))
      ->capture_default_str();
  sub->add_option("--views", options->views, "train, test, all, or views such as 0,5,10-20")->capture_default_str();
  sub->add_option("--storage", options->storage, "float16 or float32")
      ->check(CLI::IsMember({"float16", "float32"}))
      ->capture_default_str();
  OracleOptions& oracle = options->oracle;
  const auto add = [&](const char* name, auto& value, const char* what) {
    return sub->add_option(name, value, what)->capture_default_str()->group(kOracleGroup);
  };
  add("--false-branches", oracle.false_branches, "thin ridges that are not in the truth, per view")
      ->check(CLI::Range(0, kMostBranches));
  add("--false-attenuation", oracle.false_attenuation, "their height, times the case's vessels");
  add("--false-width-px", oracle.false_width_px, "their width at half height");
  add("--missing-branches", oracle.missing_branches, "places where a vessel is taken out, per view")
      ->check(CLI::Range(0, kMostBranches));
  add("--missing-strength", oracle.missing_strength, "how much of it, 0 to 1");
  add("--missing-radius-px", oracle.missing_radius_px, "size of such a place");
  add("--sharpening", oracle.sharpening, "weight of an unsharp mask");
  add("--sharpening-sigma-px", oracle.sharpening_sigma_px, "its blur");
  add("--seed", oracle.seed, "other mistakes for another seed")->check(CLI::NonNegativeNumber);
  sub->add_flag("--quiet", options->quiet, "print nothing but errors");
  sub->callback([options, sub] {
    require_oracle_for_its_options(*sub, options->method);
    run(*options);
  });
}

}  // namespace dsasrgs::program
