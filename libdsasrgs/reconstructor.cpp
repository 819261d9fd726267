#include "dsasrgs/reconstructor.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "adam/adam.hpp"
#include "attenuation/attenuation.hpp"
#include "checkpoint.hpp"
#include "common/random.hpp"
#include "dsasrgs/error.hpp"
#include "initialize.hpp"
#include "training_state.hpp"

namespace dsasrgs {

namespace {

std::vector<int> training_views(const Acquisition& acquisition) {
  if (!acquisition.train_views.empty()) return acquisition.train_views;
  std::vector<int> all(static_cast<std::size_t>(acquisition.num_views()));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

/// Adam on one number, in double: the change to add to a nuisance parameter.
double adam_scalar(double gradient, double& first, double& second, std::int64_t update, double rate) {
  first = 0.9 * first + 0.1 * gradient;
  second = 0.999 * second + 0.001 * gradient * gradient;
  const double m = first / (1 - std::pow(0.9, static_cast<double>(update)));
  const double v = second / (1 - std::pow(0.999, static_cast<double>(update)));
  return v > 0 ? -rate * m / std::sqrt(v) : 0;
}

}  // namespace

struct Reconstructor::State {
  Context* ctx;
  const Acquisition* acquisition;
  Config config;
  std::vector<int> views;
  Model model;
  OptimizerState optimizer;
  FieldGradient field_gradient;
  DensityStatistics statistics;
  std::vector<NuisanceMoments> nuisance_moments;
  int step = 0;

  std::vector<Buffer<float>> targets;       // per training view
  std::vector<Buffer<std::uint8_t>> valid;  // per training view, empty when all pixels count
  ViewPipeline pipeline;
  CloudGradient gradient;
  ImageLossSaved loss_saved;
  Buffer<float> rendered, adjusted, grad_rendered;
  double loss_seconds = 0, adam_seconds = 0, density_seconds = 0;

  State(Context& context, const Acquisition& a, const Config& c, std::vector<int> training, Model m)
      : ctx(&context),
        acquisition(&a),
        config(c),
        views(std::move(training)),
        model(std::move(m)),
        optimizer(OptimizerState::zeros(context, model)),
        field_gradient(FieldGradient::zeros(context, model.field)),
        statistics(DensityStatistics::zeros(context, model.cloud.size())),
        nuisance_moments(views.size()),
        rendered(context, a.detector.num_pixels()),
        adjusted(context, a.detector.num_pixels()),
        grad_rendered(context, a.detector.num_pixels()) {
    for (const int v : views) {
      targets.push_back(Buffer<float>::from_host(context, training_image(a, v, c)));
      valid.push_back(Buffer<std::uint8_t>::from_host(context, a.valid_pixels(v)));
    }
    if (model.nuisance.view.empty())
      model.nuisance = {views, std::vector<float>(views.size(), 1), std::vector<float>(views.size(), 0)};
  }

  float training_time(std::size_t slot) const {
    const Pose& pose = acquisition->poses[static_cast<std::size_t>(views[slot])];
    const float sigma = static_cast<float>(config.training.time_jitter) / static_cast<float>(views.size());
    const float noise = random_normal3(static_cast<std::uint64_t>(config.training.seed), RandomStream::time_jitter,
                                       static_cast<std::uint64_t>(step), 0)
                            .x;
    return std::clamp(model.time.model_time(pose.time_s) + sigma * noise, 0.0f, 1.0f);
  }

  /// Loss of the rendered view, and its gradient in grad_rendered; nuisance parameters are updated on the way.
  ImageLossValue loss_and_gradient(std::size_t slot, const StepSchedule& schedule) {
    const bool nuisance = config.nuisance.view_gain || config.nuisance.view_offset;
    const ImageLossShape shape{acquisition->detector.width_px, acquisition->detector.height_px,
                               static_cast<float>(config.training.ssim_weight)};
    float& gain = model.nuisance.gain[slot];
    float& offset = model.nuisance.offset[slot];
    if (nuisance) affine_values(*ctx, gain, offset, rendered, adjusted);
    const ImageLossInput input{nuisance ? adjusted : rendered, targets[slot], valid[slot]};
    const ImageLossValue value = image_loss_forward(*ctx, shape, input, loss_saved);
    if (!std::isfinite(value.total))
      throw NumericalError("training: the loss is not finite at step " + std::to_string(step) + ", view " +
                           std::to_string(views[slot]) + " of " + acquisition->name);
    image_loss_backward(*ctx, shape, input, loss_saved, 1.0f, GradientMode::overwrite, grad_rendered);
    if (!nuisance) return value;
    const Sums sums = sum_and_product(*ctx, grad_rendered, rendered);
    scale_values(*ctx, gain, grad_rendered, grad_rendered);
    NuisanceMoments& m = nuisance_moments[slot];
    ++m.updates;
    if (config.nuisance.view_gain)
      gain += static_cast<float>(adam_scalar(sums.product, m.gain_first, m.gain_second, m.updates, schedule.nuisance));
    if (config.nuisance.view_offset)
      offset +=
          static_cast<float>(adam_scalar(sums.sum, m.offset_first, m.offset_second, m.updates, schedule.nuisance));
    return value;
  }

  void update_parameters(const StepSchedule& schedule) {
    const auto update = [&](float rate, float decay, AdamMode mode, Buffer<float>& value, Buffer<float>& grad,
                            AdamMoments& m) {
      if (value.size() == 0) return;
      AdamStep adam;
      adam.learning_rate = rate;
      adam.weight_decay = decay;
      adam.step = step;
      adam.mode = mode;
      adam_update(*ctx, adam, {value, grad, m.first, m.second});
    };
    GaussianCloud& cloud = model.cloud;
    update(schedule.position, 0, AdamMode::dense, cloud.position_mm, gradient.position_mm, optimizer.position);
    update(schedule.scale, 0, AdamMode::dense, cloud.raw_scale, gradient.raw_scale, optimizer.raw_scale);
    update(schedule.rotation, 0, AdamMode::dense, cloud.rotation, gradient.rotation, optimizer.rotation);
    update(schedule.attenuation, 0, AdamMode::dense, cloud.attenuation, gradient.attenuation, optimizer.attenuation);
    const auto decay = static_cast<float>(config.learning_rate.weight_decay);
    const AdamMode tables = config.learning_rate.sparse_tables ? AdamMode::sparse : AdamMode::dense;
    AttenuationField::Parameters& field = model.field.parameters();
    update(schedule.field, decay, tables, field.table3d, field_gradient.table3d, optimizer.table3d);
    update(schedule.field, decay, tables, field.table4d, field_gradient.table4d, optimizer.table4d);
    update(schedule.field, decay, AdamMode::dense, field.network, field_gradient.network, optimizer.network);
  }

  StepReport advance() {
    if (step >= config.training.steps)
      throw InvalidArgument("Reconstructor::step: the run of " + std::to_string(config.training.steps) +
                            " steps is finished");
    ++step;
    const StepSchedule schedule = schedule_at(config, acquisition->volume.largest_side_mm(), step);
    const auto slot =
        static_cast<std::size_t>(view_of_step(config.training.seed, static_cast<int>(views.size()), step));
    const ViewRequest request{acquisition->poses[static_cast<std::size_t>(views[slot])], acquisition->detector,
                              training_time(slot), config.kernels.pixel_footprint};
    const auto seconds_since = [](auto start) {
      return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    };

    pipeline.forward(*ctx, model.cloud, model.field, request, rendered);
    auto start = std::chrono::steady_clock::now();
    const ImageLossValue loss = loss_and_gradient(slot, schedule);
    loss_seconds += seconds_since(start);
    pipeline.backward(*ctx, model.cloud, model.field, request, grad_rendered, gradient, field_gradient.table3d,
                      field_gradient.table4d, field_gradient.network);

    start = std::chrono::steady_clock::now();
    density_statistics_add(*ctx, acquisition->detector, pipeline.grad_mean_px(), pipeline.box(), pipeline.density(),
                           statistics);
    density_seconds += seconds_since(start);
    start = std::chrono::steady_clock::now();
    update_parameters(schedule);
    adam_seconds += seconds_since(start);

    StepReport report{step, config.training.steps, views[slot], loss.total, loss.l1, loss.ssim, 0, 0, 0, 0};
    if (schedule.density_event) {
      start = std::chrono::steady_clock::now();
      const DensityEvent event = run_density_control(*ctx, config, schedule, step, model, optimizer, statistics);
      density_seconds += seconds_since(start);
      report.cloned = event.cloned;
      report.split = event.split;
      report.pruned = event.pruned;
      if (model.cloud.size() == 0)
        throw NumericalError("training: density control at step " + std::to_string(step) + " removed every kernel");
    }
    report.kernels = model.cloud.size();
    return report;
  }
};

Reconstructor::Reconstructor(Context& ctx, const Acquisition& acquisition, const Config& config) {
  validate(config, "configuration");
  acquisition.validate();
  std::vector<int> views = training_views(acquisition);
  Model model = initial_model(ctx, acquisition, views, config);
  state_ = std::make_unique<State>(ctx, acquisition, config, std::move(views), std::move(model));
}

Reconstructor::Reconstructor(Context& ctx, const Acquisition& acquisition, const std::filesystem::path& path) {
  acquisition.validate();
  Checkpoint checkpoint = read_checkpoint(ctx, path);
  std::vector<int> views = training_views(acquisition);
  if (checkpoint.model.nuisance.view != views)
    throw BadInput(path.string(), "/nuisance/view",
                   "the " + std::to_string(views.size()) + " training views of " + acquisition.name,
                   std::to_string(checkpoint.model.nuisance.view.size()) + " other views");
  state_ = std::make_unique<State>(ctx, acquisition, checkpoint.config, std::move(views), std::move(checkpoint.model));
  state_->optimizer = std::move(checkpoint.optimizer);
  state_->statistics = std::move(checkpoint.statistics);
  state_->nuisance_moments = std::move(checkpoint.nuisance_moments);
  state_->step = checkpoint.step;
}

Reconstructor::Reconstructor(Reconstructor&&) noexcept = default;
Reconstructor::~Reconstructor() = default;

StepReport Reconstructor::step() { return state_->advance(); }
bool Reconstructor::finished() const { return state_->step >= state_->config.training.steps; }

void Reconstructor::run(const std::function<bool(const StepReport&)>& callback) {
  while (!finished()) {
    const StepReport report = step();
    if (callback && !callback(report)) return;
  }
}

const Model& Reconstructor::model() const { return state_->model; }
const Config& Reconstructor::config() const { return state_->config; }
int Reconstructor::steps_done() const { return state_->step; }

std::vector<std::pair<std::string, double>> Reconstructor::stage_seconds() const {
  const auto& s = state_->pipeline.seconds();
  return {{"field forward", s[ViewPipeline::field_forward]},
          {"project forward", s[ViewPipeline::project_forward_stage]},
          {"rasterize forward", s[ViewPipeline::rasterize_forward_stage]},
          {"image loss", state_->loss_seconds},
          {"rasterize backward", s[ViewPipeline::rasterize_backward_stage]},
          {"project backward", s[ViewPipeline::project_backward_stage]},
          {"field backward", s[ViewPipeline::field_backward]},
          {"adam", state_->adam_seconds},
          {"density control", state_->density_seconds}};
}

void Reconstructor::save_checkpoint(const std::filesystem::path& path) const {
  write_checkpoint(*state_->ctx, path, state_->config, state_->step, state_->model, state_->optimizer,
                   state_->statistics, state_->nuisance_moments);
}

}  // namespace dsasrgs
