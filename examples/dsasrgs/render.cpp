// SPDX-License-Identifier: Apache-2.0
// dsasrgs render: projections of a model, from the poses of a case or from any C-arm pose.

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/file_kind.hpp"
#include "cli/interruption.hpp"
#include "cli/machine_options.hpp"
#include "cli/output_path.hpp"
#include "cli/progress.hpp"
#include "cli/sweep_time.hpp"
#include "cli/terminal_text.hpp"
#include "cli/usage_error.hpp"
#include "cli/value_checks.hpp"
#include "cli/view_list.hpp"
#include "dsasrgs/io.hpp"
#include "dsasrgs/renderer.hpp"
#include "dsasrgs/uncertainty.hpp"
#include "jobs/movie.hpp"
#include "jobs/name_beside.hpp"
#include "jobs/pictures.hpp"
#include "jobs/run_folder.hpp"
#include "subcommands.hpp"

namespace dsasrgs::program {

namespace {

constexpr double kFramesPerSecond = 15;

struct RenderOptions {
  std::string model, output, case_file, views = "test";
  CArmView pose;
  std::vector<double> times_s;
  std::optional<std::array<int, 2>> size_px;
  std::vector<double> pitch_mm;
  int scale = 1;
  std::optional<float> window;
  int frames = 0;
  std::optional<double> frames_per_s;
  bool uncertainty = false, force = false;
  MachineOptions machine;
};

enum class OutputKind { acquisition, picture, movie, folder };

/// By the name. One that means a file of another kind is refused: it would become a folder.
OutputKind output_kind(const std::string& output) {
  if (is_named(output, ".h5") || is_named(output, ".hdf5")) return OutputKind::acquisition;
  if (is_named(output, ".png")) return OutputKind::picture;
  if (is_named(output, ".mp4") || is_named(output, ".webp")) return OutputKind::movie;
  const std::string end = std::filesystem::path(output).extension().string();
  const bool is_suffix = std::any_of(end.begin(), end.end(), [](unsigned char c) { return std::isalpha(c) != 0; });
  if (is_suffix && !std::filesystem::is_directory(output))
    throw UsageError(
        "--output: expected FILE.h5, FILE.png, FILE.mp4, FILE.webp or a folder (with a point in its name: "
        "FOLDER/), found " +
        output);
  return OutputKind::folder;
}

/// An option that the kind of output does not heed was meant for another.
void require_heeded(const RenderOptions& options, OutputKind kind) {
  const auto refuse = [&](const char* option, const char* goes_with) {
    throw UsageError(std::string(option) + ": expected --output " + goes_with + " with it, found " + options.output);
  };
  if (options.frames_per_s && kind != OutputKind::movie) refuse("--fps", "FILE.mp4 or FILE.webp");
  if (options.window && kind == OutputKind::acquisition) refuse("--window", "of pictures or a film");
  if (options.uncertainty && kind == OutputKind::movie) refuse("--uncertainty", "FILE.h5, FILE.png or a folder");
}

/// What to render: poses on one detector, and the number each picture is named after.
struct RenderList {
  Detector detector;
  std::vector<Pose> poses;
  std::vector<int> names;
  std::optional<Uncertainty> uncertainty{};
};

/// Renders, and where they are asked for their standard deviations [V,H,W].
struct Renders {
  Acquisition acquisition;
  std::vector<float> uncertainty;
};

RenderList views_of_case(Context& ctx, const RenderOptions& options, const Model& model) {
  Acquisition acquisition = read_acquisition(options.case_file);
  use_split_or_warn(acquisition, model);
  RenderList list{acquisition.detector, {}, select_views(acquisition, options.views).views};
  const std::vector<Pose> poses = poses_as_corrected(model, acquisition);
  for (const int v : list.names) list.poses.push_back(poses[static_cast<std::size_t>(v)]);
  if (options.uncertainty)
    list.uncertainty.emplace(ctx, model, acquisition, UncertaintyOptions{}, shown_progress(options.machine.quiet));
  return list;
}

RenderList views_of_pose(const RenderOptions& options, const Model& model) {
  if (options.times_s.empty() && options.frames == 0)
    throw UsageError("--case: expected --case CASE.h5, or a pose with --time T or --frames N, found neither");
  RenderList list{model.detector, {}, {}};
  if (options.size_px) {
    list.detector.width_px = (*options.size_px)[0];
    list.detector.height_px = (*options.size_px)[1];
  }
  if (!options.pitch_mm.empty()) {
    list.detector.pitch_u_mm = options.pitch_mm.front();
    list.detector.pitch_v_mm = options.pitch_mm.back();
  }
  const Detector& d = list.detector;
  constexpr int kLongestSide_px = 1 << 20;
  constexpr double kLeastPitch_mm = 1e-6, kMostPitch_mm = 1e9;
  for (const int side : {d.width_px, d.height_px})
    if (side < 1 || side > kLongestSide_px)
      throw UsageError("--size: expected a width and a height of 1 to " + std::to_string(kLongestSide_px) +
                       " pixels, found " + std::to_string(d.width_px) + " x " + std::to_string(d.height_px));
  for (const double pitch : {d.pitch_u_mm, d.pitch_v_mm})
    if (!(pitch >= kLeastPitch_mm && pitch <= kMostPitch_mm))
      throw UsageError("--pitch-mm: expected " + number_text(kLeastPitch_mm) + " to " + number_text(kMostPitch_mm) +
                       " mm, found " + number_text(pitch));
  std::vector<double> times;
  for (const double t : options.times_s) times.push_back(within_sweep(model, t));
  const double step_s = (model.time.last_s - model.time.first_s) / std::max(1, options.frames - 1);
  for (int f = 0; f < options.frames; ++f) times.push_back(model.time.first_s + f * step_s);
  std::sort(times.begin(), times.end());  // an acquisition's times do not go back
  for (const double t : times) {
    list.names.push_back(static_cast<int>(list.poses.size()));
    list.poses.push_back(carm_pose(options.pose, t));
  }
  return list;
}

/// An acquisition of blank images to render into. Throws BadInput for poses that no acquisition can have, before time
/// is spent on them.
Acquisition blank_acquisition(const RenderOptions& options, const Model& model, const RenderList& list) {
  Acquisition a;
  a.name = options.output;
  a.detector = list.detector;
  a.volume = model.volume;
  a.poses = list.poses;
  a.projections.assign(list.poses.size() * list.detector.num_pixels(), 0.0f);
  a.validate();
  return a;
}

void render_all(Context& ctx, const Model& model, RenderList& list, Renders& renders, bool quiet) {
  Acquisition& a = renders.acquisition;
  Renderer renderer(ctx, model);
  Progress progress("rendering", "views", a.num_views(), quiet);
  auto next = a.projections.begin();
  for (int v = 0; v < a.num_views(); ++v) {
    Interruption::check();
    const Pose& pose = a.poses[static_cast<std::size_t>(v)];
    const std::vector<float> image = renderer.render(pose, a.detector).values;
    next = std::copy(image.begin(), image.end(), next);
    if (list.uncertainty) {
      const std::vector<float> deviations = list.uncertainty->render(pose, a.detector).values;
      renders.uncertainty.insert(renders.uncertainty.end(), deviations.begin(), deviations.end());
    }
    progress.update(v + 1);
  }
}

/// The value shown black.
float black_of(const std::vector<float>& values, std::optional<float> window) {
  const float largest = std::max(*std::max_element(values.begin(), values.end()), 0.0f);
  return window.value_or(largest > 0 ? largest : 1);
}

/// The picture of a view, and beside it that of its standard deviations, black at the largest of all.
void write_pictures(const std::filesystem::path& path, const Renders& renders, int view, std::optional<float> window) {
  const Acquisition& a = renders.acquisition;
  const std::size_t pixels = a.detector.num_pixels();
  write_projection(path, a.projection(view), a.detector, black_of(a.projections, window));
  if (renders.uncertainty.empty()) return;
  const std::span<const float> all = renders.uncertainty;
  write_projection(uncertainty_name(path), all.subspan(static_cast<std::size_t>(view) * pixels, pixels), a.detector,
                   black_of(renders.uncertainty, {}));
}

void write_film(const RenderOptions& options, const Acquisition& renders) {
  const MovieKind kind = is_named(options.output, ".mp4") ? MovieKind::mp4 : MovieKind::webp;
  const float black = black_of(renders.projections, options.window);
  write_movie(options.output, kind, renders.num_views(), options.frames_per_s.value_or(kFramesPerSecond),
              [&](const std::filesystem::path& path, int v) {
                write_projection(path, renders.projection(v), renders.detector, black);
              });
}

void run(const RenderOptions& options) {
  const Interruption interruption;
  const bool quiet = options.machine.quiet;
  const OutputKind kind = output_kind(options.output);
  require_heeded(options, kind);
  if (kind != OutputKind::folder) require_writable_file("--output", options.output, {options.model, options.case_file});
  if (kind == OutputKind::picture && options.uncertainty) {
    const std::string deviations = uncertainty_name(options.output);
    require_writable_file("--output", deviations, {options.model, options.case_file});
    require_replaceable("--output", deviations, options.force);
  }
  if (kind == OutputKind::acquisition)
    require_replaceable("--output", options.output, "dsasrgs.acquisition", options.force);
  else if (kind != OutputKind::folder)
    require_replaceable("--output", options.output, options.force);
  if (kind == OutputKind::movie) require_ffmpeg();
  Context ctx = make_context(options.machine);
  show_log(ctx, options.machine);
  const Model model = read_model(ctx, options.model);
  warn_outside_sweep(model, options.times_s, quiet);
  RenderList list = options.case_file.empty() ? views_of_pose(options, model) : views_of_case(ctx, options, model);
  list.detector = list.detector.refined(options.scale);
  if (kind == OutputKind::picture && list.poses.size() != 1)
    throw UsageError("--output: expected one view or --time for the picture " + options.output + ", found " +
                     std::to_string(list.poses.size()) + " (a folder takes as many)");

  Renders renders{blank_acquisition(options, model, list), {}};
  if (kind != OutputKind::folder) {
    render_all(ctx, model, list, renders, quiet);
    if (kind == OutputKind::acquisition)
      write_acquisition(options.output, renders.acquisition, nullptr,
                        {.uncertainty = renders.uncertainty, .residue = {}, .mask_motions = {}});
    else if (kind == OutputKind::picture)
      write_pictures(options.output, renders, 0, options.window);
    else
      write_film(options, renders.acquisition);
  } else {
    OutputFolder folder(options.output);
    const auto picture = [&](int name) { return folder.path() / view_file_name(name); };
    for (const int name : list.names) {
      require_replaceable("--output", picture(name), options.force);
      if (options.uncertainty) require_replaceable("--output", uncertainty_name(picture(name)), options.force);
    }
    render_all(ctx, model, list, renders, quiet);
    for (int v = 0; v < renders.acquisition.num_views(); ++v)
      write_pictures(picture(list.names[static_cast<std::size_t>(v)]), renders, v, options.window);
    folder.keep();
  }
  print_line(quiet, "wrote " + count_text(list.poses.size(), "render") + " of " +
                        std::to_string(list.detector.width_px) + " x " + std::to_string(list.detector.height_px) +
                        " pixels" + (options.uncertainty ? ", with standard deviations," : "") + " to " +
                        options.output);
}

void add_pose_options(CLI::App& sub, RenderOptions& o, CLI::Option* case_option) {
  const auto add = [&](const char* name, double& value, const char* help) {
    sub.add_option(name, value, help)->capture_default_str()->group("Pose")->excludes(case_option);
  };
  add("--sod-mm", o.pose.sod_mm, "source to isocentre");
  add("--sdd-mm", o.pose.sdd_mm, "source to detector");
  add("--primary-rad", o.pose.primary_rad, "rotation about +z");
  add("--secondary-rad", o.pose.secondary_rad, "elevation out of the rotation plane");
  add("--offset-u-mm", o.pose.offset_u_mm, "detector shift along its rows");
  add("--offset-v-mm", o.pose.offset_v_mm, "detector shift along its columns");
  CLI::Option* time = sub.add_option("--time", o.times_s, "one or more moments, s")
                          ->delimiter(',')
                          ->group("Pose")
                          ->excludes(case_option);
  sub.add_option("--frames", o.frames, "this many moments over the sweep")
      ->check(CLI::Range(1, 1 << 20))
      ->group("Pose")
      ->excludes(case_option)
      ->excludes(time);
  sub.add_option("--size", o.size_px, "detector pixels: width height; default: the model's detector")
      ->delimiter(',')
      ->group("Pose")
      ->excludes(case_option);
  sub.add_option("--pitch-mm", o.pitch_mm, "pixel pitch: one value, or u v; default: the model's detector")
      ->expected(1, 2)
      ->delimiter(',')
      ->group("Pose")
      ->excludes(case_option);
}

}  // namespace

void add_render(CLI::App& app) {
  auto options = std::make_shared<RenderOptions>();
  CLI::App* sub = app.add_subcommand("render", "render projections of a model");
  sub->add_option("model", options->model, "model file (MODEL.h5)")->required()->check(existing_file());
  sub->add_option(
         "--output", options->output,
         "FILE.h5 (an acquisition of the renders), FILE.png (of one), FILE.mp4 or FILE.webp (a film; needs ffmpeg), "
         "or a folder for PNGs")
      ->required();
  CLI::Option* case_option = sub->add_option("--case", options->case_file, "take poses and times from this acquisition")
                                 ->check(existing_file());
  sub->add_option("--views", options->views, "of the case: train, test, all or a list such as 0,5,10-20")
      ->capture_default_str()
      ->needs(case_option);
  sub->add_option("--scale", options->scale, "this many times finer detector")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  sub->add_option("--window", options->window,
                  "line integral shown black in PNGs and films; default: the largest of all renders")
      ->check(positive_finite());
  sub->add_option("--fps", options->frames_per_s, "frames of a film per second; default: 15")
      ->check(number_between(kFewestFramesPerSecond, kMostFramesPerSecond));
  sub->add_flag(
         "--uncertainty", options->uncertainty,
         "also the standard deviation of every pixel: /uncertainty in FILE.h5, a second picture NAME_uncertainty "
         "of each; the case must be what the model was trained on")
      ->needs(case_option);
  sub->add_flag("--force", options->force, "replace the output, or the pictures in it");
  add_pose_options(*sub, *options, case_option);
  add_machine_options(*sub, options->machine);
  sub->callback([options] { run(*options); });
}

}  // namespace dsasrgs::program
