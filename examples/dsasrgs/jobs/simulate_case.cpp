// SPDX-License-Identifier: Apache-2.0
#include "jobs/simulate_case.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <string>

#include "cli/output_path.hpp"
#include "cli/progress.hpp"
#include "cli/terminal_text.hpp"
#include "cli/usage_error.hpp"
#include "dsasrgs/io.hpp"

namespace dsasrgs::program {

namespace {

constexpr double kFullTurn = 2 * std::numbers::pi;
constexpr int kLongestSide = 1 << 20;                                    // of a detector or volume
constexpr double kShortestMm = 1e-6, kFarthestMm = 1e9, kLatestS = 1e9;  // of an acquisition file

/// One value stands for all of `count`.
template <class T>
std::vector<T> repeated(const char* option, std::vector<T> values, std::size_t count) {
  if (values.size() == 1) values.resize(count, values[0]);
  if (values.size() != count)
    throw UsageError(std::string(option) + ": expected 1 or " + std::to_string(count) + " values, found " +
                     std::to_string(values.size()));
  return values;
}

void add_contrast(OptionList& list, ContrastOptions& c) {
  list.group("Contrast");
  list.add("arrival-s", c.arrival_s, "contrast reaches the inlets this long after the first frame");
  list.add("bolus-shape", c.shape, "a of the gamma variate").above(0, 100);
  list.add("bolus-width-s", c.width_s, "b of the gamma variate at the inlet").positive();
  list.add("bolus-width-growth", c.width_growth, "growth of b in seconds per second of delay").not_negative();
  list.add("injection-s", c.injection_s, "duration of the injection").not_negative();
  list.add("velocity-mm-per-s", c.velocity_mm_per_s, "blood velocity at the inlet radius").positive();
  list.add("velocity-exponent", c.velocity_exponent, "velocity ~ (radius / inlet radius)^exponent").not_negative();
  list.add("peak-per-mm", c.peak_attenuation_per_mm, "largest attenuation of the blood, 1/mm").within(0, 1e6);
}

void add_sweep(OptionList& list, SimulateOptions& o) {
  CircularSweep& sweep = o.simulation.sweep;
  list.group("C-arm");
  list.add("views", sweep.num_views, "frames of the sweep").at_least(1);
  list.add("arc-rad", sweep.arc_rad, "angle swept (3.49 is 200 degrees)").within(-2 * kFullTurn, 2 * kFullTurn);
  list.add("first-rad", sweep.first_rad, "primary angle of the first frame").within(-kFullTurn, kFullTurn);
  list.add("secondary-rad", sweep.view.secondary_rad, "elevation out of the rotation plane")
      .within(-kFullTurn, kFullTurn);
  list.add("duration-s", sweep.duration_s, "time of the sweep").within(0, kLatestS);
  list.add("sod-mm", sweep.view.sod_mm, "source to isocentre").within(kShortestMm, kFarthestMm);
  list.add("sdd-mm", sweep.view.sdd_mm, "source to detector").within(kShortestMm, kFarthestMm);
  list.add("offset-u-mm", sweep.view.offset_u_mm, "detector shift along its rows").within(-kFarthestMm, kFarthestMm);
  list.add("offset-v-mm", sweep.view.offset_v_mm, "detector shift along its columns").within(-kFarthestMm, kFarthestMm);
  list.add("size", o.size_px, "low-resolution detector pixels: width height").between(1, kLongestSide);
  list.add("pitch-mm", o.pitch_mm, "pixel pitch of that detector: one value, or u v")
      .up_to_values(2)
      .within(kShortestMm, kFarthestMm);
}

void add_images(OptionList& list, SimulateOptions& o) {
  SimulationOptions& s = o.simulation;
  list.group("Images and truth");
  list.add("scale", s.scale, "truth is also stored this many times finer").between(1, 64);
  list.add("samples-per-pixel", s.samples_per_pixel, "rays per side of a fine pixel").between(1, 64);
  list.add("photons", s.photons, "mean photons per low-resolution pixel in air; 0: no noise").within(0, 1e15);
  list.add("no-head", o.no_head, "no skull and soft tissue behind the vessels");
  list.add("motion-mm", o.motion_mm, "head shift between mask and fill run: x y z");
  list.add("grid-size", o.grid_size, "voxels of the region to reconstruct: one value, or x y z")
      .up_to_values(3)
      .between(1, kLongestSide);
  list.add("grid-spacing-mm", o.grid_spacing_mm, "its voxel size: one value, or x y z")
      .up_to_values(3)
      .within(kShortestMm, kFarthestMm);
  list.add("grid-center-mm", o.grid_center_mm, "its centre: x y z").within(-kFarthestMm, kFarthestMm);
  list.add("no-reference-volume", o.no_reference_volume, "do not store the true volume");
  list.add("train-views", s.num_train_views,
           "evenly spaced training views; the others are for testing. Default: 30, or half of fewer --views")
      .at_least(1);
  list.add("save-intensity", o.save_intensity, "store mask and fill intensities instead of line integrals");
}

/// Whether any ray of any view has met contrast; noise does not count.
bool shows_vessels(const Acquisition& a) {
  const std::vector<float>& truth = a.reference_projections->values;
  return std::any_of(truth.begin(), truth.end(), [](float v) { return v > 0; });
}

bool holds(const VolumeGrid& grid, Vec3d point_mm) {
  const Vec3d low = grid.origin_mm, high = low + grid.extent_mm();
  return point_mm.x >= low.x && point_mm.x <= high.x && point_mm.y >= low.y && point_mm.y <= high.y &&
         point_mm.z >= low.z && point_mm.z <= high.z;
}

SimulationOptions simulation_options(const SimulateOptions& o) {
  SimulationOptions s = o.simulation;
  const auto pitch = repeated("--pitch-mm", o.pitch_mm, 2);
  s.detector = {o.size_px[0], o.size_px[1], pitch[0], pitch[1]};
  const auto size = repeated("--grid-size", o.grid_size, 3);
  const auto spacing = repeated("--grid-spacing-mm", o.grid_spacing_mm, 3);
  s.volume = {size[0], size[1], size[2], {spacing[0], spacing[1], spacing[2]}, {}};
  s.volume.origin_mm =
      Vec3d{o.grid_center_mm[0], o.grid_center_mm[1], o.grid_center_mm[2]} - s.volume.extent_mm() * 0.5;
  s.head_background = !o.no_head;
  s.motion_mm = {o.motion_mm[0], o.motion_mm[1], o.motion_mm[2]};
  s.reference_volume = !o.no_reference_volume;
  return s;
}

}  // namespace

OptionList options_of(SimulateOptions& o) {
  OptionList list;
  add_vessel_source(list, o.source);
  add_contrast(list, o.contrast);
  add_sweep(list, o);
  add_images(list, o);
  list.group("");
  list.add("seed", o.simulation.seed, "of the tree and the noise").at_least(0);
  list.add("threads", o.threads, "CPU threads; 0: all (results do not depend on it)").at_least(0).not_in_content();
  list.add("quiet", o.quiet, "print nothing but errors").not_in_content();
  return list;
}

void follow_given(SimulateOptions& o, const std::vector<std::string>& given) {
  SimulationOptions& s = o.simulation;
  if (std::find(given.begin(), given.end(), "train-views") == given.end() && s.num_train_views >= s.sweep.num_views)
    s.num_train_views = std::max(1, (s.sweep.num_views + 1) / 2);
}

void check_options(const SimulateOptions& options) {
  const SimulationOptions s = simulation_options(options);
  check_vessel_source(options.source);
  const CArmView& view = s.sweep.view;
  if (!(view.sdd_mm > view.sod_mm))
    throw UsageError("--sdd-mm: expected more than --sod-mm " + number_text(view.sod_mm) + ", found " +
                     number_text(view.sdd_mm));
  if (const double last = s.sweep.first_rad + s.sweep.arc_rad; std::abs(last) > 2 * kFullTurn)
    throw UsageError("--arc-rad: expected --first-rad and it within ±4π, found " + number_text(last));
  for (const Pose& pose : circular_poses(s.sweep))
    if (holds(s.volume, pose.source_mm))
      throw UsageError("--sod-mm: expected a source outside the volume of --grid-size and --grid-spacing-mm, found " +
                       number_text(view.sod_mm));
  if (s.num_train_views > s.sweep.num_views)
    throw UsageError("--train-views: expected at most --views " + std::to_string(s.sweep.num_views) + ", found " +
                     std::to_string(s.num_train_views));
}

void simulate_case(const std::filesystem::path& output, const SimulateOptions& options) {
  check_options(options);
  const SimulationOptions s = simulation_options(options);
  require_writable_file("--output", output, {options.source.vessels});
  const auto vessels = read_vessels(options.source, s.seed);
  Context ctx = Context::cpu(options.threads);
  print_line(options.quiet, "simulating " + std::to_string(s.sweep.num_views) + " views of " +
                                std::to_string(s.detector.width_px) + " x " + std::to_string(s.detector.height_px) +
                                " pixels");
  const Simulation simulation = [&] {
    if (const auto* tree = std::get_if<VesselTree>(&vessels)) return simulate(ctx, *tree, options.contrast, s);
    const auto& v = std::get<VesselVolume>(vessels);
    return simulate_volume(ctx, v.volume, v.threshold, options.contrast, s);
  }();
  if (!shows_vessels(simulation.acquisition) && !options.quiet)
    std::fprintf(stderr,
                 "warning: %s: expected vessels in some view, found none (too small, out of view, in other units "
                 "than mm, or contrast that arrives too late)\n",
                 output.c_str());
  write_acquisition(output, simulation.acquisition, options.save_intensity ? &simulation.raw : nullptr);
  print_line(options.quiet, "wrote " + output.string());
}

}  // namespace dsasrgs::program
