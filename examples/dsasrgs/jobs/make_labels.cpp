#include "jobs/make_labels.hpp"

#include <algorithm>

#include "cli/interruption.hpp"
#include "cli/output_path.hpp"
#include "cli/progress.hpp"
#include "cli/view_list.hpp"
#include "dsasrgs/fingerprint.hpp"
#include "dsasrgs/io.hpp"

namespace dsasrgs::program {

namespace {

constexpr int kLargestScale = 64;
constexpr int kMostBranches = 1000;  // per view
constexpr const char* kOracleGroup = "Oracle";

std::string describe(const LabelOptions& o) {
  if (o.method == "bicubic") return "bicubic interpolation";
  if (o.method == "lanczos") return "Lanczos-3 interpolation";
  return "oracle: the truth with planted errors (" + std::to_string(o.oracle.false_branches) + " false and " +
         std::to_string(o.oracle.missing_branches) + " missing branches, sharpening " +
         std::to_string(o.oracle.sharpening) + ", seed " + std::to_string(o.oracle.seed) + ")";
}

MadeLabel label_of(const Acquisition& a, int view, const LabelOptions& o) {
  if (o.method == "bicubic") return bicubic_label(a, view, o.scale);
  if (o.method == "lanczos") return lanczos_label(a, view, o.scale);
  return oracle_label(a, view, o.scale, o.oracle);
}

}  // namespace

const std::vector<std::string>& label_methods() {
  static const std::vector<std::string> methods{"bicubic", "lanczos", kOracleMethod};
  return methods;
}

OptionList options_of(LabelOptions& o) {
  OptionList list;
  list.add("method", o.method, "bicubic, lanczos, or oracle: the case's truth with planted errors")
      .one_of(label_methods());
  list.add("scale", o.scale, "times finer than the case's detector").between(1, kLargestScale);
  list.add("views", o.views, "train, test, all, or views such as 0,5,10-20");
  list.add("storage", o.storage, "float16 or float32").one_of({"float16", "float32"});
  OracleOptions& oracle = o.oracle;
  list.group(kOracleGroup);
  list.add("false-branches", oracle.false_branches, "thin ridges that are not in the truth, per view")
      .between(0, kMostBranches);
  list.add("false-attenuation", oracle.false_attenuation, "their height, times the case's vessels").not_negative();
  list.add("false-width-px", oracle.false_width_px, "their width at half height").within(1, 100);
  list.add("missing-branches", oracle.missing_branches, "places where a vessel is taken out, per view")
      .between(0, kMostBranches);
  list.add("missing-strength", oracle.missing_strength, "how much of it, 0 to 1").within(0, 1);
  list.add("missing-radius-px", oracle.missing_radius_px, "size of such a place").within(1, 1000);
  list.add("sharpening", oracle.sharpening, "weight of an unsharp mask").not_negative();
  list.add("sharpening-sigma-px", oracle.sharpening_sigma_px, "its blur").within(0.3, 100);
  list.add("seed", oracle.seed, "other mistakes for another seed").at_least(0);
  list.group("");
  list.add("quiet", o.quiet, "print nothing but errors").not_in_content();
  return list;
}

std::string option_without_oracle(const LabelOptions& options, const std::vector<std::string>& given) {
  if (options.method == kOracleMethod) return "";
  LabelOptions any;
  for (const Option& option : options_of(any))
    if (option.group == kOracleGroup && std::find(given.begin(), given.end(), option.name) != given.end())
      return option.name;
  return "";
}

void make_labels(const std::filesystem::path& case_file, const std::filesystem::path& output,
                 const LabelOptions& options) {
  require_writable_file("--output", output, {case_file});
  const Acquisition a = read_acquisition(case_file);
  LabelFileOptions file;
  file.low_resolution = a.detector;
  file.scale = options.scale;
  file.views = select_views(a, options.views).views;
  file.network = describe(options);
  file.measurement = measurement_fingerprint(a, file.views);
  file.storage = options.storage == "float16" ? LabelStorage::float16 : LabelStorage::float32;
  file.false_vessel_mask = options.method == kOracleMethod;
  PseudoLabelWriter writer(output, file);
  Progress progress("making labels", "views", static_cast<int>(file.views.size()), options.quiet);
  int done = 0;
  for (const int view : file.views) {
    Interruption::check();
    const MadeLabel label = label_of(a, view, options);
    writer.add(label.values, {}, label.false_vessel_mask);
    progress.update(++done);
  }
  writer.commit();
  print_line(options.quiet, "wrote " + output.string());
}

}  // namespace dsasrgs::program
