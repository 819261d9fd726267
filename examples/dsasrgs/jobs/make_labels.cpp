// SPDX-License-Identifier: Apache-2.0
#include "jobs/make_labels.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "cli/interruption.hpp"
#include "cli/output_path.hpp"
#include "cli/progress.hpp"
#include "cli/usage_error.hpp"
#include "cli/value_checks.hpp"
#include "cli/view_list.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/fingerprint.hpp"
#include "dsasrgs/io.hpp"
#include "dsasrgs/model.hpp"
#include "dsasrgs/renderer.hpp"
#include "dsasrgs/splits.hpp"
#include "dsasrgs/super_resolver.hpp"
#include "jobs/shipped_network.hpp"

namespace dsasrgs::program {

namespace {

constexpr int kLargestScale = 64;
constexpr int kMostBranches = 1000;  // per view
constexpr const char* kOracleGroup = "Oracle";
constexpr const char* kNetworkGroup = "Network";

std::string describe(const LabelOptions& o, const std::optional<SuperResolver>& resolver) {
  if (resolver) return resolver->facts().name + " (" + resolver->facts().fingerprint + ")";
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

/// For this scale, and with this second input or without.
SuperResolver open_network(Context& ctx, const std::filesystem::path& file, int scale, bool reads_render) {
  SuperResolver resolver = SuperResolver::open(ctx, file);
  if (const int found = resolver.facts().shape.scale; found != scale)
    throw BadInput(file.string(), "attribute scale", std::to_string(scale) + ", as asked for", std::to_string(found));
  if (resolver.facts().shape.reads_render != reads_render)
    throw BadInput(file.string(), "attribute reads_render", reads_render ? "1 with a model" : "0 without a model",
                   reads_render ? "0" : "1");
  return resolver;
}

/// For each trait that is unlike what the network was trained on a sentence with the first view of which it is: labels
/// may show there what is not. Views before the contrast arrives show nothing, and no noise is no fault.
std::vector<std::string> unlike_training(const SuperResolver& resolver, const Acquisition& a,
                                         const std::vector<int>& views, double unit) {
  const NetworkFacts& facts = resolver.facts();
  std::map<std::string, std::pair<std::string, int>> found;  // by trait: the first sentence, and how many views
  for (const int view : views) {
    ImageTraits traits = image_traits(a, view, unit);
    if (traits.contrast < facts.contrast.low) continue;
    traits.noise = std::max(traits.noise, facts.noise.low);
    for (const std::string& sentence : resolver.unfamiliar(traits)) {
      auto& entry = found[sentence.substr(0, sentence.find(' '))];
      if (entry.second++ == 0) entry.first = "view " + std::to_string(view) + ": " + sentence;
    }
  }
  std::vector<std::string> sentences;
  sentences.reserve(found.size());
  for (const auto& [trait, entry] : found)
    sentences.push_back(std::to_string(entry.second) + " of " + std::to_string(views.size()) +
                        " views are unlike what the network was trained on, their labels may show what is not there; " +
                        entry.first);
  return sentences;
}

/// As warn_or_refuse of a case does.
void warn_or_refuse_unlike(const std::vector<std::string>& sentences, const std::string& name, bool strict,
                           bool quiet) {
  if (strict && !sentences.empty())
    throw BadInput(name, "/projections", "images like those that the network was trained on (--strict)",
                   sentences.front());
  for (const std::string& sentence : sentences) print_warning(quiet, name + ": " + sentence);
}

/// A file that is there must be of labels: what else it holds would be lost.
void require_label_file(const std::filesystem::path& output) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(output, error) || std::filesystem::file_size(output, error) == 0) return;
  std::string format = "another file";
  try {
    format = read_format(output);
  } catch (const BadInput&) {  // not HDF5, or not ours
  }
  if (format != "dsasrgs.pseudo_labels")
    throw UsageError("--output: expected a new file or a label file, found " + format + ": " + output.string());
}

}  // namespace

const std::vector<std::string>& label_methods() {
  static const std::vector<std::string> methods{kNetworkMethod, "bicubic", "lanczos", kOracleMethod};
  return methods;
}

OptionList options_of(LabelOptions& o) {
  OptionList list;
  list.add("method", o.method, "network, bicubic, lanczos, or oracle: the case's truth with planted errors")
      .one_of(label_methods());
  list.add("scale", o.scale, "times finer than the case's detector").between(1, kLargestScale);
  list.add("views", o.views, "train, test, all, or views such as 0,5,10-20");
  list.add("storage", o.storage, "float16 or float32").one_of({"float16", "float32"});
  list.group(kNetworkGroup);
  list.add("network", o.network, "network file; default: the one that comes with the program for the scale");
  list.add("model", o.model,
           "model of the case (MODEL.h5), for a network that reads its renders beside the measurement");
  list.add("single-orientation", o.single_orientation, "one pass instead of the mean of eight flips and turns: faster");
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
  list.add("threads", o.threads, "CPU threads; 0: all (results do not depend on it)").at_least(0).not_in_content();
  list.add("quiet", o.quiet, "print nothing but errors").not_in_content();
  return list;
}

UnheededOption unheeded_option(const LabelOptions& options, const std::vector<std::string>& given) {
  LabelOptions any;
  for (const Option& option : options_of(any)) {
    if (std::find(given.begin(), given.end(), option.name) == given.end()) continue;
    for (const auto& [group, method] : {std::pair{kOracleGroup, kOracleMethod}, {kNetworkGroup, kNetworkMethod}})
      if (option.group == group && options.method != method) return {option.name, method};
  }
  return {};
}

std::filesystem::path network_file(const LabelOptions& options, bool reads_render) {
  return options.network.empty() ? shipped_network(options.scale, reads_render)
                                 : std::filesystem::path(options.network);
}

void require_network(Context& ctx, const std::filesystem::path& file, int scale, bool reads_render) {
  open_network(ctx, file, scale, reads_render);
}

void make_labels(const std::filesystem::path& case_file, const std::filesystem::path& output,
                 const LabelOptions& options) {
  require_writable_file("--output", output, {case_file, options.network, options.model});
  for (const auto& [option, file] : {std::pair{"--network", options.network}, {"--model", options.model}})
    if (const std::string reason = file.empty() ? "" : no_file(file); !reason.empty())
      throw UsageError(std::string(option) + ": " + reason);
  require_label_file(output);
  Context ctx = Context::cpu(options.threads);
  std::optional<Model> model;
  Acquisition a = read_acquisition(case_file);
  if (!options.model.empty()) {
    model = read_model(ctx, options.model);
    if (!use_split_of_model(a, *model))  // --views train are those that it was trained on
      throw BadInput(options.model, "/@measurement", "a model of " + case_file.string(), "one of another acquisition");
  }
  make_labels(ctx, a, model ? &*model : nullptr, output, options);
}

void make_labels(Context& ctx, const Acquisition& a, const Model* model, const std::filesystem::path& output,
                 const LabelOptions& options) {
  LabelFileOptions file;
  file.low_resolution = a.detector;
  file.scale = options.scale;
  file.views = select_views(a, options.views).views;
  std::optional<SuperResolver> resolver;
  double unit = 1;
  if (options.method == kNetworkMethod) {
    resolver = open_network(ctx, network_file(options, model != nullptr), options.scale, model != nullptr);
    unit = brightest_line_integral(a);
    warn_or_refuse_unlike(unlike_training(*resolver, a, file.views, unit), a.name, options.strict, options.quiet);
  }
  file.network = describe(options, resolver);
  file.measurement = measurement_fingerprint(a, file.views);
  file.storage = options.storage == "float16" ? LabelStorage::float16 : LabelStorage::float32;
  file.false_vessel_mask = options.method == kOracleMethod;
  file.confidence = resolver && resolver->facts().shape.with_error;
  PseudoLabelWriter writer(output, file);
  Progress progress("making labels", "views", static_cast<int>(file.views.size()), options.quiet);
  std::optional<Renderer> renderer;
  if (model != nullptr) renderer.emplace(ctx, *model);
  const std::vector<Pose> poses = model != nullptr ? poses_as_corrected(*model, a) : a.poses;
  SharpenOptions sharpen;
  sharpen.all_orientations = !options.single_orientation;
  sharpen.progress = [](int, int) { return !Interruption::requested(); };
  int done = 0;
  for (const int view : file.views) {
    Interruption::check();
    std::vector<float> render;
    if (renderer)
      render = renderer->render(poses[static_cast<std::size_t>(view)], file.low_resolution.refined(file.scale)).values;
    const MadeLabel label =
        resolver ? network_label(*resolver, a, view, unit, sharpen, render) : label_of(a, view, options);
    writer.add(label.values, label.confidence, label.false_vessel_mask);
    progress.update(++done);
  }
  writer.commit();
  print_line(options.quiet, "wrote " + output.string());
}

}  // namespace dsasrgs::program
