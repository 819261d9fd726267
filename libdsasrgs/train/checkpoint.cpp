// SPDX-License-Identifier: Apache-2.0
#include "train/checkpoint.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "common/plain_number.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/reconstructor.hpp"
#include "files/io_model.hpp"
#include "train/pose_parameters.hpp"

namespace dsasrgs {

namespace {

constexpr int kCheckpointVersion = 1;

std::string moments_group(const ParameterInfo& p) { return std::string("/optimizer/") + p.name; }

void write_statistics(Context& ctx, Hdf5Writer& file, const std::string& group, const DensityStatistics& s) {
  const std::size_t n = s.gradient_norm.size();
  file.write(group + "/gradient_norm", s.gradient_norm.to_host(ctx), {n});
  file.write(group + "/density", s.density.to_host(ctx), {n});
  file.write(group + "/visible_steps", s.visible_steps.to_host(ctx), {n});
  if (s.weighs_pixels()) file.write(group + "/pixels", s.pixels.to_host(ctx), {n});
  file.attribute(group, "steps", static_cast<std::int64_t>(s.steps));
}

/// Finite numbers, from 0 on where `non_negative`.
template <class T>
std::vector<T> read_numbers(const Hdf5Reader& file, const std::string& name, const Shape& shape, bool non_negative) {
  std::vector<T> values = file.read<T>(name, shape);
  const auto bad = [non_negative](T x) { return !std::isfinite(x) || (non_negative && x < 0); };
  if (const auto at = std::find_if(values.begin(), values.end(), bad); at != values.end())
    throw BadInput(file.name(), name, non_negative ? "finite numbers of 0 or more" : "finite numbers",
                   plain_number(*at) + " at element " + std::to_string(at - values.begin()));
  return values;
}

/// First and second moment of one array. Adam takes the root of the second.
AdamMoments read_moments(Context& ctx, const Hdf5Reader& file, const std::string& group, std::size_t size) {
  const auto read = [&](const char* name, bool non_negative) {
    return Buffer<float>::from_host(ctx, read_numbers<float>(file, group + name, {size}, non_negative));
  };
  return {read("/first_moment", false), read("/second_moment", true)};
}

DensityStatistics read_statistics(Context& ctx, const Hdf5Reader& file, const std::string& group,
                                  std::size_t gaussians) {
  const Shape per_gaussian{gaussians};
  DensityStatistics s;
  s.gradient_norm =
      Buffer<float>::from_host(ctx, read_numbers<float>(file, group + "/gradient_norm", per_gaussian, true));
  s.density = Buffer<float>::from_host(ctx, read_numbers<float>(file, group + "/density", per_gaussian, true));
  s.visible_steps =
      Buffer<std::uint32_t>::from_host(ctx, file.read<std::uint32_t>(group + "/visible_steps", per_gaussian));
  if (file.has(group + "/pixels"))  // absent without pixel weights, and in older files
    s.pixels = Buffer<float>::from_host(ctx, read_numbers<float>(file, group + "/pixels", per_gaussian, true));
  s.steps = file.attribute<std::uint32_t>(group, "steps");
  return s;
}

/// Of the run; the model's own says which field it has.
Config read_run_config(const Hdf5Reader& file, const Model& model) {
  Config config =
      config_from_toml(file.attribute<std::string>("/", "run_config"), file.name() + " (attribute run_config)");
  Config of_field = config;
  of_field.field = model.field.config();
  if (to_toml(of_field) != to_toml(config))
    throw BadInput(file.name(), "/@run_config", "the section [field] of /@config", "another one");
  return config;
}

std::vector<NuisanceMoments> read_nuisance_moments(const Hdf5Reader& file, std::size_t views) {
  const auto values = read_numbers<double>(file, "/nuisance/moments", {views, 5}, false);
  std::vector<NuisanceMoments> moments(views);
  for (std::size_t i = 0; i < views; ++i) {
    const double* m = &values[5 * i];
    if (m[1] < 0 || m[3] < 0)
      throw BadInput(file.name(), "/nuisance/moments", "second moments of 0 or more",
                     plain_number(std::min(m[1], m[3])) + " in row " + std::to_string(i));
    if (m[4] < 0 || m[4] > std::numeric_limits<std::int32_t>::max() || m[4] != std::floor(m[4]))
      throw BadInput(file.name(), "/nuisance/moments", "whole numbers of updates",
                     plain_number(m[4]) + " in row " + std::to_string(i));
    moments[i] = {m[0], m[1], m[2], m[3], static_cast<std::int64_t>(m[4])};
  }
  return moments;
}

constexpr const char* kPoseRefinement = "/optimizer/pose_refinement";

void write_pose_refinement(Hdf5Writer& file, const PoseRefinementState& s) {
  if (s.values.empty()) return;
  const std::string group = kPoseRefinement;
  const Shape shape{s.values.size()};
  file.write(group + "/values", s.values, shape);
  file.write(group + "/gradient", s.gradient, shape);
  file.write(group + "/first_moment", s.first, shape);
  file.write(group + "/second_moment", s.second, shape);
  file.attribute(group, "updates", s.updates);
}

PoseRefinementState read_pose_refinement(const Hdf5Reader& file, const Config& config) {
  const std::string group = kPoseRefinement;
  if (const bool there = file.has(group); there != config.geometry.refine)
    throw BadInput(file.name(), group,
                   config.geometry.refine ? "a group with geometry.refine" : "nothing without geometry.refine",
                   there ? "a group" : "nothing");
  if (!config.geometry.refine) return {};
  PoseRefinementState s;
  s.values = read_numbers<double>(file, group + "/values", {kAnyExtent}, false);
  const Shape shape{s.values.size()};
  s.gradient = read_numbers<double>(file, group + "/gradient", shape, false);
  s.first = read_numbers<double>(file, group + "/first_moment", shape, false);
  s.second = read_numbers<double>(file, group + "/second_moment", shape, true);
  s.updates = file.attribute<std::int64_t>(group, "updates");
  if (s.updates < 0) throw BadInput(file.name(), group + "@updates", "0 or more", std::to_string(s.updates));
  return s;
}

}  // namespace

void write_checkpoint(Context& ctx, const std::filesystem::path& path, const TrainingState& state) {
  Hdf5Writer file(path);
  file.set_format("dsasrgs.checkpoint", kCheckpointVersion);
  write_model_groups(ctx, file, state.model);
  file.attribute("/", "run_config", std::string_view(to_toml(state.config)));
  file.attribute("/", "step", state.step);
  file.attribute("/", "validity", std::string_view(state.validity));
  for (const ParameterInfo& p : kParameters) {
    const AdamMoments& m = state.optimizer[p.id];
    file.write(moments_group(p) + "/first_moment", m.first.to_host(ctx), {m.first.size()});
    file.write(moments_group(p) + "/second_moment", m.second.to_host(ctx), {m.second.size()});
  }
  if (const ConfidenceState& c = state.optimizer.confidence; c.weights.size() > 0) {
    file.write("/optimizer/confidence/weights", c.weights.to_host(ctx), {2});
    file.write("/optimizer/confidence/first_moment", c.first.to_host(ctx), {2});
    file.write("/optimizer/confidence/second_moment", c.second.to_host(ctx), {2});
  }
  write_statistics(ctx, file, "/statistics", state.statistics.control);
  if (state.statistics.has_split()) write_statistics(ctx, file, "/residual_split_statistics", state.statistics.split);
  std::vector<double> moments;
  for (const NuisanceMoments& m : state.nuisance_moments)
    moments.insert(moments.end(),
                   {m.gain_first, m.gain_second, m.offset_first, m.offset_second, static_cast<double>(m.updates)});
  file.write("/nuisance/moments", moments, {state.nuisance_moments.size(), 5});
  write_pose_refinement(file, state.pose_refinement);
  file.commit();
}

TrainingState read_checkpoint(Context& ctx, const std::filesystem::path& path) {
  const Hdf5Reader file(path);
  file.require_format("dsasrgs.checkpoint", kCheckpointVersion);
  Model model = read_model_groups(ctx, file);
  OptimizerState optimizer;
  for (const ParameterInfo& p : kParameters)
    optimizer[p.id] = read_moments(ctx, file, moments_group(p), p.value(model.cloud, model.field).size());
  if (file.has("/optimizer/confidence/weights")) {
    auto weights = read_numbers<float>(file, "/optimizer/confidence/weights", {2}, false);
    AdamMoments moments = read_moments(ctx, file, "/optimizer/confidence", 2);
    optimizer.confidence = {Buffer<float>::from_host(ctx, weights), std::move(moments.first),
                            std::move(moments.second)};
  }
  Config config = read_run_config(file, model);
  const bool learns_confidence = config.super_resolution.target == HighResolutionTarget::teach;
  if (const bool there = optimizer.confidence.weights.size() > 0; there != learns_confidence)
    throw BadInput(file.name(), "/optimizer/confidence",
                   learns_confidence ? "a group with super_resolution.target = \"teach\""
                                     : "nothing without super_resolution.target = \"teach\"",
                   there ? "a group" : "nothing");
  DensificationStatistics statistics{read_statistics(ctx, file, "/statistics", model.cloud.size()), {}};
  if (config.residual_split.enabled)
    statistics.split = read_statistics(ctx, file, "/residual_split_statistics", model.cloud.size());
  std::vector<NuisanceMoments> nuisance = read_nuisance_moments(file, model.nuisance.view.size());
  const auto step = file.attribute<std::int32_t>("/", "step");
  if (step < 0 || step > config.training.steps)
    throw BadInput(file.name(), "/@step", "0 to the run's " + std::to_string(config.training.steps) + " steps",
                   std::to_string(step));
  PoseRefinementState poses = read_pose_refinement(file, config);
  return {std::move(config),
          step,
          std::move(model),
          std::move(optimizer),
          std::move(statistics),
          std::move(nuisance),
          file.attribute<std::string>("/", "validity"),
          {},
          std::move(poses)};
}

void require_made_from(const std::filesystem::path& path, const TrainingState& state, const TrainingViews& views,
                       int num_views) {
  if (state.config.geometry.refine) {
    const std::size_t expected =
                          PoseParameters::count(static_cast<std::size_t>(state.config.geometry.knots), views.size()),
                      found = state.pose_refinement.values.size();
    if (found != expected)
      throw BadInput(path.string(), std::string(kPoseRefinement) + "/values", std::to_string(expected) + " numbers",
                     std::to_string(found));
  }
  const std::vector<int>& trained = state.model.nuisance.view;
  if (trained != views.indices())
    throw BadInput(path.string(), "/nuisance/view",
                   "the " + std::to_string(views.size()) + " training views of " + views.name(),
                   std::to_string(trained.size()) + " other views");
  const std::string& measurement = state.model.measurement;
  if (!measurement.empty() && measurement != views.fingerprint())
    throw BadInput(path.string(), "/@measurement", views.fingerprint() + ", that of " + views.name(),
                   measurement + ": it was trained on another one");
  if (state.validity != views.validity())
    throw BadInput(path.string(), "/@validity", views.validity() + ", that of " + views.name(),
                   state.validity + ": it was trained with other valid pixels");
  if (state.model.volume != views.volume())
    throw BadInput(path.string(), "/volume", "the volume of " + views.name(), "another one");
  if (state.model.detector != views.detector())
    throw BadInput(path.string(), "/detector", "the detector of " + views.name(), "another one");
  if (state.model.time != views.time())  // what a moment of the field is
    throw BadInput(path.string(), "/time", "the first and last time of " + views.name(), "others");
  if (const std::vector<int>& test = state.model.test_views; !test.empty() && test.back() >= num_views)
    throw BadInput(path.string(), "/test_views", "views of the " + std::to_string(num_views) + " of " + views.name(),
                   std::to_string(test.back()));
}

CheckpointFacts read_checkpoint_facts(const std::filesystem::path& path) try {
  Context ctx = Context::cpu(1);
  TrainingState state = read_checkpoint(ctx, path);
  return {state.step, std::move(state.config), state.model.cloud.size(), std::move(state.model.nuisance.view)};
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
