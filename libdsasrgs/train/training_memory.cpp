// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>

#include "attenuation/attenuation.hpp"
#include "common/checks.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/memory_need.hpp"
#include "fdk/fdk_setup.hpp"
#include "field_shapes.hpp"
#include "project/project.hpp"
#include "train/residual_births.hpp"
#include "train/training_views.hpp"

namespace dsasrgs {

namespace {

constexpr std::size_t kMostGaussians = std::size_t{1} << 40;  // so that nothing overflows
constexpr std::size_t kWord = 4;                              // of every number, index and step count

/// In the context's memory, and on the host whatever the context.
struct Bytes {
  std::size_t context = 0, host = 0;
};
Bytes operator+(Bytes a, Bytes b) { return {a.context + b.context, a.host + b.host}; }
Bytes larger(Bytes a, Bytes b) { return {std::max(a.context, b.context), std::max(a.host, b.host)}; }

/// What everything is made of.
struct Sizes {
  std::size_t views = 0, pixels = 0, fine_pixels = 0, voxels = 0, gaussians = 0;
  bool masked = false, on_device = false;
  std::size_t row = 0;     // parameters of a Gaussian
  std::size_t tables = 0;  // of the field
  std::size_t shared = 0;  // of the field, tables included
  std::size_t inputs = 0;  // of the field's network
  std::size_t levels = 0;  // of both grids of the field
  std::size_t parameters() const { return gaussians * row + shared; }
};

Sizes sizes_of(const Acquisition& a, const Config& config, Backend backend, std::size_t gaussians) {
  Sizes s;
  s.views = a.training_views().size();
  s.pixels = a.detector.num_pixels();
  s.fine_pixels = a.detector.refined(std::max(1, config.super_resolution.scale)).num_pixels();
  s.voxels = a.volume.num_voxels();
  s.gaussians = gaussians;
  s.masked = !a.valid.empty();
  s.on_device = backend != Backend::cpu;
  s.row = 3 + 3 + 4;  // position, scale, rotation
  const FieldConfig& field = config.field;
  switch (field.kind) {
    case AttenuationKind::constant:
      s.row += 1;
      break;
    case AttenuationKind::offset_table:
      s.row += kOffsetTableCoefficients;
      break;
    case AttenuationKind::neural:
      s.tables = hash_grid_num_parameters(grid3d_shape(field)) + hash_grid_num_parameters(grid4d_shape(field));
      s.shared = s.tables + mlp_num_parameters(network_shape(field));
      s.inputs = static_cast<std::size_t>(network_shape(field).inputs);
      s.levels = static_cast<std::size_t>(field.grid3d.levels) + static_cast<std::size_t>(field.grid4d.levels);
      break;
  }
  return s;
}

Bytes of_views(const Sizes& s) { return {s.views * s.pixels * (kWord + (s.masked ? 1 : 0)), 0}; }

std::size_t statistics_words(const Config& config) {
  const std::size_t words = config.density_control.pixel_weights ? 4 : 3;
  return config.residual_split.enabled ? 2 * words : words;
}

/// Model, gradients, two moments, statistics.
Bytes of_state(const Sizes& s, const Config& config) {
  const std::size_t gradients = s.parameters() - (s.on_device ? s.tables : 0);  // HashGridScratch has the tables' there
  return {(3 * s.parameters() + gradients + s.gaussians * (1 + statistics_words(config))) * kWord, 0};
}

/// ViewPipeline. The tile lists are those of small Gaussians: half as many pairs again as Gaussians on the CPU, whose
/// tiles are bands; on a device four pairs to each, eight where views are rendered finer, in three lists that have room
/// for half as many again, and a number of the partial sums for each place.
Bytes of_pipeline(const Sizes& s) {
  std::size_t words = 7 + sizeof(PixelBox) / kWord + 6;    // density, mean, conic, amplitude; box; three gradients
  if (s.inputs > 0) words += 2 * s.inputs + 3 * s.levels;  // FieldPass, HashGridScratch
  std::size_t bytes = s.gaussians * words * kWord;
  if (!s.on_device) return {bytes + s.gaussians * 3 / 2 * kWord, 0};
  bytes += s.gaussians * sizeof(PixelBox);  // those of the lists
  const std::size_t pairs = s.fine_pixels > s.pixels ? 8 : 4;
  bytes += s.gaussians * pairs * 3 / 2 * (3 + 1) * kWord;
  if (s.inputs > 0) bytes += s.tables * sizeof(long long);  // HashGridScratch
  return {bytes, 0};
}

/// ViewLoss with its targets, and the rendered image.
Bytes of_images(const Sizes& s, const Config& config) {
  using Target = HighResolutionTarget;
  const SuperResolutionConfig& sr = config.super_resolution;
  const bool nuisance = config.nuisance.view_gain || config.nuisance.view_offset;
  const bool fine = sr.scale > 1 && sr.weight > 0 && sr.target != Target::none;
  const bool mixed = fine && (sr.target == Target::teach || sr.target == Target::weighted);
  const std::size_t saved = 3;  // ImageLossSaved::derivative
  std::size_t low_words = saved + 2 + (nuisance ? 1 : 0), fine_words = 2, target_words = 0;
  if (fine) {
    fine_words += saved * (sr.target == Target::both || sr.target == Target::teach ? 2 : 1);
    fine_words += (mixed ? 2 : 0) + (nuisance ? 1 : 0);
    target_words = 1 + (sr.needs_labels() ? 1 : 0);
    target_words += sr.target == Target::teach ? 2 : sr.target == Target::weighted ? 1 : 0;
  }
  const std::size_t targets = !fine ? 0 : sr.keep_labels ? s.views : 1;
  const std::size_t host = s.fine_pixels * kWord * (sr.needs_labels() ? 1 : 0) + (s.masked ? 2 * s.pixels * kWord : 0);
  return {(s.pixels * low_words + s.fine_pixels * fine_words) * kWord +
              targets * s.fine_pixels * (target_words * kWord + (s.masked ? 1 : 0)),
          host};
}

/// The voxeliser looks at every Gaussian, and on a device keeps moments of each.
Bytes of_variation(const Sizes& s, const Config& config) {
  if (config.training.tv_weight == 0) return {};
  return {s.gaussians * (s.on_device ? 40 : 16) * kWord, 0};
}

/// TrainingViews, then FDK and the choice of its voxels; what is kept of them is counted with what is kept.
Bytes of_initialisation(const Sizes& s, const Config& config) {
  const std::size_t images = s.views * s.pixels * kWord, volume = s.voxels * kWord;
  if (config.gaussians.init != InitialPoints::fdk) return {0, images};
  const std::size_t filtered = std::min<std::size_t>(s.views, kViewBatch) * s.pixels * kWord;
  const Bytes fdk{images + filtered + volume, images + volume};
  // Candidates are 16 bytes, in a vector that doubles.
  const double share = config.gaussians.init_threshold_per_mm > 0 ? 0.03 : 1 - config.gaussians.init_percentile / 100;
  const auto candidates = static_cast<std::size_t>(share * static_cast<double>(s.voxels)) * 16 * 3 / 2;
  return larger(fdk, {0, 2 * volume + candidates});
}

/// The rows of Gaussians and moments after it beside those before it, the plan and what it is made from: on a device
/// keys and costs that are sorted and summed.
Bytes of_density_event(const Sizes& s) {
  const std::size_t plan = s.on_device ? 20 : 6;
  return {s.gaussians * (3 * s.row + plan) * kWord, s.on_device ? 0 : s.gaussians * 4 * kWord};
}

/// A render of every training view, and scores.
Bytes of_births(const Sizes& s, const Acquisition& a, const Config& config) {
  if (!config.residual_births.enabled) return {};
  const VolumeGrid grid = residual_grid(a.volume, low_resolution_voxel_mm(a.detector, a.volume, a.poses));
  return {(s.views * s.pixels + 2 * grid.num_voxels()) * kWord, grid.num_voxels() * kWord};
}

/// HDF5 lays the file out in memory; beside it is the array that is being written.
Bytes of_checkpoint(const Sizes& s, const Config& config) {
  const std::size_t file = 3 * s.parameters() + s.gaussians * statistics_words(config);
  return {0, (file + std::max(s.tables, 4 * s.gaussians)) * kWord};
}

MemoryAmount amount(const Sizes& s, Bytes b) {
  return s.on_device ? MemoryAmount{b.host, b.context} : MemoryAmount{b.context + b.host, 0};
}

}  // namespace

MemoryNeed training_memory(const Acquisition& a, const Config& config, Backend backend, std::size_t gaussians) {
  constexpr const char* kOp = "training_memory";
  validate(config, kOp);
  require_detector(kOp, a.detector);
  require_grid(kOp, a.volume);
  require(gaussians <= kMostGaussians, kOp, "gaussians: expected at most ", kMostGaussians, ", found ", gaussians);
  const Sizes s = sizes_of(a, config, backend, gaussians);
  if (s.views == 0) throw BadInput(a.name, "/split/test", "a view to be left for training", "all of them");
  const Bytes kept = of_views(s) + of_state(s, config) + of_pipeline(s) + of_images(s, config);
  const Bytes at_start = of_views(s) + Bytes{s.shared * kWord, 0} + of_initialisation(s, config);
  const auto beside = [&](Bytes more) { return amount(s, kept + more); };
  MemoryNeed need{amount(s, kept), amount(s, at_start)};
  for (const MemoryAmount& each : {beside(of_density_event(s)), beside(of_births(s, a, config)),
                                   beside(of_checkpoint(s, config)), beside(of_variation(s, config))}) {
    need.peak.host = std::max(need.peak.host, each.host);
    need.peak.device = std::max(need.peak.device, each.device);
  }
  return need;
}

}  // namespace dsasrgs
