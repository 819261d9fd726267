// SPDX-License-Identifier: Apache-2.0
#include "jobs/run_memory.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>

#include "cli/progress.hpp"
#include "dsasrgs/error.hpp"

namespace dsasrgs::program {

namespace {

/// The program and its libraries, threads' stacks, buffers of files.
constexpr std::size_t kProgramBytes = std::size_t{24} << 20;

std::size_t acquisition_bytes(const Acquisition& a) {
  std::size_t floats = a.projections.size();
  if (a.reference_projections) floats += a.reference_projections->values.size();
  if (a.reference_volume) floats += a.reference_volume->values.size();
  return floats * sizeof(float) + a.valid.size();
}

/// write_run beside the trained model: the mean volume and the renderer's; then the voxeliser's two lists of 64 bytes
/// and slabs for each Gaussian, or the pixels that pictures are windowed by, or, with baselines, FDK's volume, where it
/// is computed and on the host, and projections.
std::size_t report_bytes(const Acquisition& a, bool baselines, std::size_t gaussians) {
  const std::size_t volume = a.volume.num_voxels() * sizeof(float), images = a.projections.size() * sizeof(float);
  const bool at_a_moment = a.reference_volume && a.reference_volume->time_s;
  const std::size_t pictured =
      a.reference_projections ? a.reference_projections->values.size() * sizeof(float) : images;
  const std::size_t scoring = std::max(at_a_moment ? volume : 0, baselines ? 2 * volume + images : 0);
  return 2 * volume + std::max({pictured, scoring, gaussians * 136});
}

/// FDK's candidates are a share of the voxels.
std::size_t first_gaussians(const Acquisition& a, const Config& config) {
  const GaussianConfig& g = config.gaussians;
  const auto wanted = static_cast<std::size_t>(g.initial);
  if (g.init != InitialPoints::fdk) return wanted;
  const double share = g.init_threshold_per_mm > 0 ? 1 : 1 - g.init_percentile / 100;
  return std::min(wanted, static_cast<std::size_t>(share * static_cast<double>(a.volume.num_voxels())) + 1);
}

std::string mib(std::size_t bytes) {
  char text[32];
  const double n = static_cast<double>(bytes) / (1 << 20);
  if (n < 10000)
    std::snprintf(text, sizeof text, "%.0f MiB", std::ceil(n));
  else
    std::snprintf(text, sizeof text, "%.1f GiB", n / 1024);
  return text;
}

std::string amount_text(MemoryAmount amount) {
  return mib(amount.host) + (amount.device > 0 ? " on the host and " + mib(amount.device) + " on the device" : "");
}

std::string gaussians_text(std::size_t n) { return std::to_string(n) + " Gaussians"; }

}  // namespace

RunMemory run_memory(const Acquisition& a, const Config& config, Backend backend, bool baselines,
                     std::size_t gaussians) {
  const std::size_t held = acquisition_bytes(a) + kProgramBytes;
  const auto with = [&](std::size_t count, const Config& c) {
    const MemoryNeed training = training_memory(a, c, backend, count);
    const std::size_t peak = std::max(training.peak.host, training.kept.host + report_bytes(a, baselines, count));
    return MemoryAmount{held + peak + peak / 25,  // the heap keeps pieces that it cannot use
                        std::max(training.peak.device, training.kept.device)};
  };
  RunMemory memory;
  memory.gaussians_first = gaussians > 0 ? gaussians : first_gaussians(a, config);
  memory.made_of = std::to_string(a.training_views().size()) + " training views of " +
                   std::to_string(a.detector.width_px) + " x " + std::to_string(a.detector.height_px) + " pixels, " +
                   std::to_string(a.volume.size_x) + " x " + std::to_string(a.volume.size_y) + " x " +
                   std::to_string(a.volume.size_z) + " voxels";
  memory.gaussians_most =
      std::max(memory.gaussians_first, static_cast<std::size_t>(config.density_control.max_gaussians));
  memory.first = with(memory.gaussians_first, config);
  memory.most = with(memory.gaussians_most, config);
  if (config.super_resolution.keep_labels) {
    Config reading = config;
    reading.super_resolution.keep_labels = false;
    const MemoryAmount need = with(memory.gaussians_first, reading);
    if (need.host < memory.first.host || need.device < memory.first.device) memory.reading_labels = need;
  }
  return memory;
}

void require_run_memory(const Context& ctx, const RunMemory& memory, bool quiet) {
  const std::size_t held = resident_memory();
  MemoryAmount there = available_memory(ctx);
  there.host += std::min(held, SIZE_MAX - there.host);
  const auto fits = [&](MemoryAmount need) { return need.host <= there.host && need.device <= there.device; };
  const std::string limit = "expected up to " + amount_text(there);
  if (!fits(memory.first))
    throw OutOfMemory("memory: " + limit + ", found a run that needs " + amount_text(memory.first) + " for " +
                      gaussians_text(memory.gaussians_first) + ", " + memory.made_of + ": nothing was begun" +
                      (memory.reading_labels.host > 0 && fits(memory.reading_labels)
                           ? " (super_resolution.keep_labels = false needs " + amount_text(memory.reading_labels) + ")"
                           : ""));
  print_line(quiet, "memory: " + amount_text(memory.first) + " with " + gaussians_text(memory.gaussians_first) + ", " +
                        amount_text(memory.most) + " with " + gaussians_text(memory.gaussians_most));
  if (!fits(memory.most))
    print_warning(quiet, "memory: " + limit + ", found a run that may need " + amount_text(memory.most) +
                             ": density_control.max_gaussians = " + std::to_string(memory.gaussians_most) +
                             " is more than fits");
}

nlohmann::ordered_json as_json(const RunMemory& memory) {
  const auto amount = [](std::size_t gaussians, MemoryAmount m) {
    return nlohmann::ordered_json{{"gaussians", gaussians}, {"host_bytes", m.host}, {"device_bytes", m.device}};
  };
  return {{"first", amount(memory.gaussians_first, memory.first)},
          {"most", amount(memory.gaussians_most, memory.most)}};
}

std::size_t peak_host_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::size_t>(usage.ru_maxrss) * 1024;
}

}  // namespace dsasrgs::program
