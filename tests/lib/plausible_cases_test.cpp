// SPDX-License-Identifier: Apache-2.0
// Odd but right acquisitions, in which implausibilities() must find nothing.

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <numbers>
#include <string>
#include <utility>

#include "dsasrgs/context.hpp"
#include "dsasrgs/io.hpp"
#include "dsasrgs/plausibility.hpp"
#include "dsasrgs/simulator.hpp"
#include "support/blob_sweep.hpp"
#include "support/random_values.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using test::blob_projections;
using test::blob_sweep;

namespace {

constexpr double kPi = std::numbers::pi;

void require_plausible(const Acquisition& a) {
  a.validate();
  std::string text;
  for (const Finding& f : implausibilities(a)) text += f.message + "\n";
  INFO(a.name << "\n" << text);
  REQUIRE(text.empty());
}

/// The blobs seen from other poses.
void require_plausible(std::vector<Pose> poses) {
  Acquisition a = blob_sweep();
  a.poses = std::move(poses);
  a.projections = blob_projections(a.poses, a.detector);
  require_plausible(a);
}

std::vector<Pose> poses_at(const std::vector<double>& angles) {
  std::vector<Pose> poses;
  for (std::size_t v = 0; v < angles.size(); ++v)
    poses.push_back(carm_pose({.primary_rad = angles[v]}, static_cast<double>(v)));
  return poses;
}

std::vector<double> even_angles(int views, double first, double last) {
  std::vector<double> angles;
  for (int v = 0; v < views; ++v) angles.push_back(first + (last - first) * v / (views - 1));
  return angles;
}

/// The defaults of `dsasrgs simulate` at a quarter of the pixels.
SimulationOptions small_sweep() {
  SimulationOptions options;
  options.sweep.num_views = 40;
  options.detector = {64, 64, 4.8, 4.8};
  options.volume = {32, 32, 32, {5, 5, 5}, {-80, -80, -80}};
  options.samples_per_pixel = 1;
  options.num_train_views = 20;
  options.reference_volume = false;
  return options;
}

}  // namespace

TEST_CASE("plausible: sweeps of every kind", "[plausibility]") {
  require_plausible(blob_sweep());
  require_plausible(poses_at(even_angles(40, 0, 2 * kPi)));  // closed: its ends are one pose and one image
  require_plausible(poses_at(even_angles(40, 1.7, -1.7)));
  require_plausible(poses_at(even_angles(8, -1.7, 1.7)));
  require_plausible(poses_at(even_angles(40, -0.105, 0.105)));  // tomosynthesis, ±6°
  require_plausible(poses_at({0, kPi / 2}));                    // biplane
  require_plausible(poses_at({0, kPi}));
  std::vector<double> there_and_back = even_angles(20, -1.7, 1.7), back = even_angles(20, 1.65, -1.75);
  there_and_back.insert(there_and_back.end(), back.begin(), back.end());
  require_plausible(poses_at(there_and_back));
  std::vector<double> any_order;
  for (int v = 0; v < 41; ++v) any_order.push_back(-1.7 + 3.4 * (v * v * v % 41) / 40);
  require_plausible(poses_at(any_order));
}

TEST_CASE("plausible: offsets, wobble, elevation, half fan, micro-CT", "[plausibility]") {
  for (const double secondary : {0.0, 0.5})
    require_plausible(
        circular_poses({.num_views = 40, .view = {.secondary_rad = secondary, .offset_u_mm = 40, .offset_v_mm = -25}}));
  require_plausible(circular_poses({.num_views = 40, .arc_rad = 2 * kPi * 39 / 40, .view = {.offset_u_mm = 110}}));
  std::vector<Pose> wobbling = blob_sweep().poses;
  for (std::size_t v = 0; v < wobbling.size(); ++v)
    wobbling[v].detector_center_mm += wobbling[v].detector_u * (16 * std::sin(7.0 * static_cast<double>(v)));
  require_plausible(wobbling);

  Acquisition micro = blob_sweep();
  const double unit = 6 / 750.0 * 0.8;
  micro.detector = {64, 64, 3.4, 3.4};
  micro.poses = circular_poses({.num_views = 40, .view = {.sod_mm = 6, .sdd_mm = 556}});
  micro.projections = blob_projections(micro.poses, micro.detector, unit);
  micro.volume = {32, 32, 32, {5 * unit, 5 * unit, 5 * unit}, {-80 * unit, -80 * unit, -80 * unit}};
  require_plausible(micro);
}

TEST_CASE("plausible: noise, weak and strong contrast, offsets, collimation, filling", "[plausibility]") {
  for (const float factor : {1e-4f, 0.1f, 2.8f, 20.0f}) {
    Acquisition a = blob_sweep();
    for (float& p : a.projections) p *= factor;
    require_plausible(a);
  }
  const std::vector<float> noise = test::random_values<float>(blob_sweep().projections.size(), -1, 1, 3);
  for (const float amplitude : {0.02f, 0.3f}) {
    Acquisition a = blob_sweep();
    for (std::size_t i = 0; i < noise.size(); ++i) a.projections[i] += amplitude * noise[i];
    require_plausible(a);
    for (std::size_t i = 0; i < noise.size(); ++i) a.projections[i] = amplitude * noise[i];
    require_plausible(a);  // the bolus missed the sweep
  }
  Acquisition a = blob_sweep();
  for (float& p : a.projections) p -= 0.05f;
  require_plausible(a);
  a = blob_sweep();
  for (std::size_t i = 0; i < a.projections.size(); ++i)
    if (i % 40 < 12) a.projections[i] = 0;
  require_plausible(a);
  a = blob_sweep();
  const std::size_t pixels = a.detector.num_pixels();
  for (std::size_t i = 0; i < a.projections.size(); ++i)
    a.projections[i] *= 1 / (1 + std::exp(8 - static_cast<float>(i / pixels) / 2));
  require_plausible(a);
}

TEST_CASE("plausible: simulated trees with and without head, noise, motion and contrast", "[plausibility]") {
  Context ctx = Context::cpu(2);
  VesselTree tree = generate_vessel_tree({.min_radius_mm = 0.4});
  const auto require_simulation = [&](const char* name, const SimulationOptions& options, double peak_per_mm = 0.05) {
    Simulation s = simulate(ctx, tree, {.peak_attenuation_per_mm = peak_per_mm}, options);
    s.acquisition.name = name;
    require_plausible(s.acquisition);
  };
  SimulationOptions options = small_sweep();
  require_simulation("with head", options);
  options.photons = 2e6;
  require_simulation("with photons", options);
  options.photons = 300;
  require_simulation("few photons", options, 0.01);
  options.photons = 0;
  options.motion_mm = {1.5, 0.5, 0};
  {
    const auto found = implausibilities(simulate(ctx, tree, {}, options).acquisition);
    REQUIRE(found.size() == 1);  // which is what is wrong with it
    REQUIRE(found.front().kind == Implausibility::moved_head);
  }
  options = small_sweep();
  options.head_background = false;
  options.scale = 2;
  require_simulation("without head", options);
  require_simulation("strong", options, 0.5);
  require_simulation("weak", options, 0.0005);
  options.sweep.view = {.secondary_rad = 0.2, .offset_u_mm = 3};
  require_simulation("oblique", options);

  options.scale = 1;
  for (const double arrival_s : {0.0, 3.0}) {  // washed out to exactly 0; exactly 0 until late
    const ContrastOptions short_bolus{.arrival_s = arrival_s, .width_s = 0.05, .width_growth = 0, .injection_s = 0.3};
    const Acquisition a = simulate(ctx, tree, short_bolus, options).acquisition;
    const auto empty = [&](int v) {
      return std::all_of(a.projection(v).begin(), a.projection(v).end(), [](float p) { return p == 0; });
    };
    REQUIRE(empty(arrival_s > 0 ? 0 : a.num_views() - 1));
    require_plausible(a);
  }

  // A vessel so thin that rays of some views miss it, and static contrast.
  tree.nodes = {{{0, 0, -40}, 1.2, -1}, {{0, 0, 0}, 1.2, 0}, {{3, -5, 40}, 1, 1}};
  options.detector = {32, 32, 9.6, 9.6};
  require_simulation("thin", options);
  ContrastOptions constant;
  constant.arrival_s = -1000;
  constant.injection_s = 4000;
  require_plausible(simulate(ctx, tree, constant, options).acquisition);
}

TEST_CASE("plausible: a simulation from a NIfTI volume of vessels", "[plausibility]") {
  const test::TemporaryFolder folder;
  Volume vessels;
  vessels.grid = {40, 36, 32, {2.5, 2.5, 2.5}, {-50, -45, -40}};
  vessels.values.assign(vessels.grid.num_voxels(), 0);
  for (int z = 0; z < 32; ++z)
    for (int y = 0; y < 36; ++y)
      for (int x = 0; x < 40; ++x)
        if ((std::abs(x - 11) < 2 && std::abs(y - 7) < 2) || (std::abs(z - 15) < 2 && std::abs(y - 8) < 2))
          vessels.values[static_cast<std::size_t>((z * 36 + y) * 40 + x)] = 400;
  write_nifti(folder / "vessels.nii.gz", vessels);
  Context ctx = Context::cpu(2);
  require_plausible(simulate_volume(ctx, read_nifti(folder / "vessels.nii.gz"), 100, {}, small_sweep()).acquisition);
}

TEST_CASE("plausible: the real rotational sweep and real vessels", "[plausibility][real]") {
  const std::filesystem::path shared = DSASRGS_SHARED_DATA;
  require_plausible(read_acquisition(shared / "rotational-head/acquisition.h5"));
  Context ctx = Context::cpu(2);
  VesselTree tree = read_swc(shared / "vessel-trees/BG0003.swc");
  rotate_vessels(tree, {{1, 0, 0}, {0, 0, -1}, {0, 1, 0}});
  center_vessels(tree);
  require_plausible(simulate(ctx, tree, {}, small_sweep()).acquisition);
  const Volume volume = read_raw_volume(shared / "volumes/aneurism_256x256x256_uint8.raw.gz",
                                        {256, 256, 256, {0.5, 0.5, 0.5}, {-64, -64, -64}});
  require_plausible(simulate_volume(ctx, volume, 60, {}, small_sweep()).acquisition);
}

TEST_CASE("plausible: the well-formed file beside the shared cases", "[plausibility][real]") {
  const std::filesystem::path file = std::filesystem::path(DSASRGS_SHARED_DATA) / "../cases/hostile/case.h5";
  if (!std::filesystem::exists(file)) {
    WARN("skipped: " << file << " is not there");
    return;
  }
  require_plausible(read_acquisition(file));
}
