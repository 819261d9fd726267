// dsasrgs simulate: an acquisition with known truth.

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "dsasrgs/io.hpp"
#include "dsasrgs/simulator.hpp"
#include "cli/output_path.hpp"
#include "cli/progress.hpp"
#include "subcommands.hpp"
#include "cli/usage_error.hpp"
#include "jobs/vessel_source.hpp"

namespace dsasrgs::program {

namespace {

struct SimulateOptions {
  std::string output;
  VesselSourceOptions source;
  ContrastOptions contrast;
  SimulationOptions simulation;
  std::array<int, 2> size_px{128, 128};
  std::vector<double> pitch_mm{2.4};
  std::array<double, 3> motion_mm{0, 0, 0};
  std::vector<int> grid_size{128};
  std::vector<double> grid_spacing_mm{1.25};
  std::array<double, 3> grid_center_mm{0, 0, 0};
  bool no_head = false, no_reference_volume = false, save_intensity = false, quiet = false;
  int threads = 0;
};

/// One value stands for all of `count`.
template <class T>
std::vector<T> repeated(const char* option, std::vector<T> values, std::size_t count) {
  if (values.size() == 1) values.resize(count, values[0]);
  if (values.size() != count)
    throw UsageError(std::string(option) + ": expected 1 or " + std::to_string(count) + " values, found " +
                     std::to_string(values.size()));
  return values;
}

void add_contrast_options(CLI::App& sub, ContrastOptions& c) {
  const auto add = [&](const char* name, double& value, const char* help) {
    sub.add_option(name, value, help)->capture_default_str()->group("Contrast");
  };
  add("--arrival-s", c.arrival_s, "contrast reaches the inlets this long after the first frame");
  add("--bolus-shape", c.shape, "a of the gamma variate");
  add("--bolus-width-s", c.width_s, "b of the gamma variate at the inlet");
  add("--bolus-width-growth", c.width_growth, "growth of b in seconds per second of delay");
  add("--injection-s", c.injection_s, "duration of the injection");
  add("--velocity-mm-per-s", c.velocity_mm_per_s, "blood velocity at the inlet radius");
  add("--velocity-exponent", c.velocity_exponent, "velocity ~ (radius / inlet radius)^exponent");
  add("--peak-per-mm", c.peak_attenuation_per_mm, "largest attenuation of the blood, 1/mm");
}

void add_sweep_options(CLI::App& sub, SimulateOptions& o) {
  CircularSweep& sweep = o.simulation.sweep;
  const auto add = [&](const char* name, auto& value, const char* help) {
    sub.add_option(name, value, help)->capture_default_str()->group("C-arm");
  };
  add("--views", sweep.num_views, "frames of the sweep");
  add("--arc-rad", sweep.arc_rad, "angle swept (3.49 is 200 degrees)");
  add("--first-rad", sweep.first_rad, "primary angle of the first frame");
  add("--secondary-rad", sweep.view.secondary_rad, "elevation out of the rotation plane");
  add("--duration-s", sweep.duration_s, "time of the sweep");
  add("--sod-mm", sweep.view.sod_mm, "source to isocentre");
  add("--sdd-mm", sweep.view.sdd_mm, "source to detector");
  add("--offset-u-mm", sweep.view.offset_u_mm, "detector shift along its rows");
  add("--offset-v-mm", sweep.view.offset_v_mm, "detector shift along its columns");
  add("--size", o.size_px, "low-resolution detector pixels: width height");
  sub.add_option("--pitch-mm", o.pitch_mm, "pixel pitch of that detector: one value, or u v")
      ->expected(1, 2)
      ->capture_default_str()
      ->group("C-arm");
}

void add_image_options(CLI::App& sub, SimulateOptions& o) {
  SimulationOptions& s = o.simulation;
  const std::string group = "Images and truth";
  sub.add_option("--scale", s.scale, "truth is also stored this many times finer")->capture_default_str()->group(group);
  sub.add_option("--samples-per-pixel", s.samples_per_pixel, "rays per side of a fine pixel")
      ->capture_default_str()
      ->group(group);
  sub.add_option("--photons", s.photons, "mean photons per low-resolution pixel in air; 0: no noise")
      ->capture_default_str()
      ->group(group);
  sub.add_flag("--no-head", o.no_head, "no skull and soft tissue behind the vessels")->group(group);
  sub.add_option("--motion-mm", o.motion_mm, "head shift between mask and fill run: x y z")
      ->capture_default_str()
      ->group(group);
  sub.add_option("--grid-size", o.grid_size, "voxels of the region to reconstruct: one value, or x y z")
      ->expected(1, 3)
      ->capture_default_str()
      ->group(group);
  sub.add_option("--grid-spacing-mm", o.grid_spacing_mm, "its voxel size: one value, or x y z")
      ->expected(1, 3)
      ->capture_default_str()
      ->group(group);
  sub.add_option("--grid-center-mm", o.grid_center_mm, "its centre: x y z")->capture_default_str()->group(group);
  sub.add_flag("--no-reference-volume", o.no_reference_volume, "do not store the true volume")->group(group);
  sub.add_option("--train-views", s.num_train_views, "evenly spaced training views; the others are for testing")
      ->capture_default_str()
      ->group(group);
  sub.add_flag("--save-intensity", o.save_intensity, "store mask and fill intensities instead of line integrals")
      ->group(group);
  sub.add_option("--seed", s.seed, "of the tree and the noise")->check(CLI::NonNegativeNumber)->capture_default_str();
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

void run(const SimulateOptions& options) {
  const SimulationOptions s = simulation_options(options);
  require_writable_file("--output", options.output, {options.source.vessels});
  const auto vessels = read_vessels(options.source, s.seed);
  Context ctx = Context::cpu(options.threads);
  say(options.quiet, "simulating " + std::to_string(s.sweep.num_views) + " views of " +
                         std::to_string(s.detector.width_px) + " x " + std::to_string(s.detector.height_px) +
                         " pixels");
  const Simulation simulation = [&] {
    if (const auto* tree = std::get_if<VesselTree>(&vessels)) return simulate(ctx, *tree, options.contrast, s);
    const auto& v = std::get<VesselVolume>(vessels);
    return simulate_volume(ctx, v.volume, v.threshold, options.contrast, s);
  }();
  write_acquisition(options.output, simulation.acquisition, options.save_intensity ? &simulation.raw : nullptr);
  say(options.quiet, "wrote " + options.output);
}

}  // namespace

void add_simulate(CLI::App& app) {
  auto options = std::make_shared<SimulateOptions>();
  CLI::App* sub = app.add_subcommand("simulate", "make an acquisition with known truth");
  sub->add_option("--output", options->output, "acquisition file to write (CASE.h5)")->required();
  add_vessel_source_options(*sub, options->source);
  add_contrast_options(*sub, options->contrast);
  add_sweep_options(*sub, *options);
  add_image_options(*sub, *options);
  sub->add_option("--threads", options->threads, "CPU threads; 0: all (results do not depend on it)")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  sub->add_flag("--quiet", options->quiet, "print nothing but errors");
  sub->callback([options] { run(*options); });
}

}  // namespace dsasrgs::program
