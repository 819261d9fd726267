#include "train/checkpoint.hpp"

#include <string>
#include <utility>

#include "files/io_model.hpp"

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

DensityStatistics read_statistics(Context& ctx, const Hdf5Reader& file, const std::string& group,
                                  std::size_t gaussians) {
  const Shape per_gaussian{gaussians};
  DensityStatistics s;
  s.gradient_norm = Buffer<float>::from_host(ctx, file.read<float>(group + "/gradient_norm", per_gaussian));
  s.density = Buffer<float>::from_host(ctx, file.read<float>(group + "/density", per_gaussian));
  s.visible_steps =
      Buffer<std::uint32_t>::from_host(ctx, file.read<std::uint32_t>(group + "/visible_steps", per_gaussian));
  if (file.has(group + "/pixels"))  // absent without pixel weights, and in older files
    s.pixels = Buffer<float>::from_host(ctx, file.read<float>(group + "/pixels", per_gaussian));
  s.steps = file.attribute<std::uint32_t>(group, "steps");
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
  file.commit();
}

TrainingState read_checkpoint(Context& ctx, const std::filesystem::path& path) {
  const Hdf5Reader file(path);
  file.require_format("dsasrgs.checkpoint", kCheckpointVersion);
  Model model = read_model_groups(ctx, file);
  OptimizerState optimizer;
  for (const ParameterInfo& p : kParameters) {
    const auto read = [&](const char* name) {
      const Shape shape{p.value(model.cloud, model.field).size()};
      return Buffer<float>::from_host(ctx, file.read<float>(moments_group(p) + name, shape));
    };
    optimizer[p.id] = {read("/first_moment"), read("/second_moment")};
  }
  if (file.has("/optimizer/confidence/weights")) {
    const auto read = [&](const char* name) {
      return Buffer<float>::from_host(ctx, file.read<float>(std::string("/optimizer/confidence/") + name, {2}));
    };
    optimizer.confidence = {read("weights"), read("first_moment"), read("second_moment")};
  }
  Config config =
      config_from_toml(file.attribute<std::string>("/", "run_config"), file.name() + " (attribute run_config)");
  DensificationStatistics statistics{read_statistics(ctx, file, "/statistics", model.cloud.size()), {}};
  if (config.residual_split.enabled)
    statistics.split = read_statistics(ctx, file, "/residual_split_statistics", model.cloud.size());
  std::vector<NuisanceMoments> nuisance(model.nuisance.view.size());
  const auto moments = file.read<double>("/nuisance/moments", {nuisance.size(), 5});
  for (std::size_t i = 0; i < nuisance.size(); ++i)
    nuisance[i] = {moments[5 * i], moments[5 * i + 1], moments[5 * i + 2], moments[5 * i + 3],
                   static_cast<std::int64_t>(moments[5 * i + 4])};
  const auto step = file.attribute<std::int32_t>("/", "step");
  return {std::move(config),
          step,
          std::move(model),
          std::move(optimizer),
          std::move(statistics),
          std::move(nuisance),
          file.attribute<std::string>("/", "validity")};
}

}  // namespace dsasrgs
