// SPDX-License-Identifier: Apache-2.0
// Reconstructs from arrays in memory, reports progress, and stops when another thread asks for it.
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <dsasrgs/dsasrgs.hpp>
#include <iostream>
#include <stop_token>
#include <thread>

using namespace dsasrgs;

/// What an application has in memory. Here: a ball of 12 mm that fills, its line integrals in closed form.
Acquisition made_in_memory() {
  Acquisition a;
  a.name = "ball";  // for messages
  a.detector = {48, 48, 1.6, 1.6};
  a.volume = {32, 32, 32, {1.25, 1.25, 1.25}, {-20, -20, -20}};
  CircularSweep sweep;
  sweep.num_views = 20;
  a.poses = circular_poses(sweep);
  for (const Pose& pose : a.poses)
    for (int row = 0; row < a.detector.height_px; ++row)
      for (int column = 0; column < a.detector.width_px; ++column) {
        const Vec3d pixel = detector_point(pose, a.detector, {column + 0.5, row + 0.5});
        const double distance_mm = length(cross(pose.source_mm, normalized(pixel - pose.source_mm)));
        const double chord_mm = 2 * std::sqrt(std::max(144 - distance_mm * distance_mm, 0.0));
        a.projections.push_back(static_cast<float>(chord_mm * 0.04 * (0.2 + 0.8 * pose.time_s / 5)));
      }
  split_evenly(a, 16);
  return a;
}

int main(int argc, char** argv) {  // reconstruct_in_memory STEPS SECONDS
  if (argc != 3) return 2;
  Context ctx = Context::cpu();
  const Acquisition acquisition = made_in_memory();
  Config config = preset_config("4drgs");
  config.training.steps = std::atoi(argv[1]);
  Reconstructor reconstructor(ctx, acquisition, config);

  std::stop_source stop;
  std::jthread user([&](const std::stop_token& finished) {  // a person at a button
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(std::atoi(argv[2]));
    while (!finished.stop_requested() && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    stop.request_stop();
  });
  const auto report_progress = [](const StepReport& report) {
    if (report.step % 10 == 0) std::cout << "step " << report.step << ", loss " << report.loss << '\n';
    return true;
  };
  reconstructor.run(report_progress, stop.get_token());
  user.request_stop();
  std::cout << (reconstructor.finished() ? "finished" : "stopped") << " after " << reconstructor.steps_done()
            << " steps\n";
  const Model model = std::move(reconstructor).take_model();  // a model of every moment up to here
  Renderer renderer(ctx, model);
  const Volume volume = renderer.voxelize(acquisition.volume, acquisition.last_time_s());
  std::cout << volume.values[volume.grid.num_voxels() / 2 + 16 * 32 + 16] << " per mm in the middle\n";
}
