#include "dsasrgs/reconstructor.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "adam/adam.hpp"
#include "attenuation/attenuation.hpp"
#include "checkpoint.hpp"
#include "common/random.hpp"
#include "dsasrgs/error.hpp"
#include "initialize.hpp"
#include "loss_history.hpp"
#include "submission.hpp"
#include "training_state.hpp"

namespace dsasrgs {

namespace {

std::vector<int> training_views(const Acquisition& acquisition) {
  if (!acquisition.train_views.empty()) return acquisition.train_views;
  std::vector<int> all(static_cast<std::size_t>(acquisition.num_views()));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

/// Adds the wall seconds of body() to a sum.
template <class Body>
void timed(double& seconds, Body&& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
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
  std::vector<std::size_t> num_valid;       // per training view
  ViewPipeline pipeline;
  CloudGradient gradient;
  ImageLossSaved loss_saved;
  Buffer<float> rendered, adjusted, grad_rendered;
  LossHistory losses;
  Submission submission;
  std::size_t warm_kernels = 0;  // kernels of the last step, which has sized every buffer
  double loss_seconds = 0, adam_seconds = 0, density_seconds = 0, submit_seconds = 0, wait_seconds = 0;

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
        grad_rendered(context, a.detector.num_pixels()),
        losses(context, a.name) {
    for (const int v : views) {
      targets.push_back(Buffer<float>::from_host(context, training_image(a, v, c)));
      valid.push_back(Buffer<std::uint8_t>::from_host(context, a.valid_pixels(v)));
      num_valid.push_back(count_valid(context, valid.back()));
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

  /// Loss of the rendered view in loss_saved, and its gradient in grad_rendered; nuisance parameters, which live on the
  /// host, are updated on the way.
  void loss_and_gradient(std::size_t slot, const StepSchedule& schedule) {
    const bool nuisance = uses_nuisance();
    const ImageLossShape shape{acquisition->detector.width_px, acquisition->detector.height_px,
                               static_cast<float>(config.training.ssim_weight)};
    float& gain = model.nuisance.gain[slot];
    float& offset = model.nuisance.offset[slot];
    if (nuisance) affine_values(*ctx, gain, offset, rendered, adjusted);
    const ImageLossInput input{nuisance ? adjusted : rendered, targets[slot], valid[slot], num_valid[slot]};
    image_loss_forward(*ctx, shape, input, loss_saved);
    image_loss_backward(*ctx, shape, input, loss_saved, 1.0f, GradientMode::overwrite, grad_rendered);
    if (!nuisance) return;
    const Sums sums = sum_and_product(*ctx, grad_rendered, rendered);
    scale_values(*ctx, gain, grad_rendered, grad_rendered);
    NuisanceMoments& m = nuisance_moments[slot];
    ++m.updates;
    if (config.nuisance.view_gain)
      gain += static_cast<float>(adam_scalar(sums.product, m.gain_first, m.gain_second, m.updates, schedule.nuisance));
    if (config.nuisance.view_offset)
      offset +=
          static_cast<float>(adam_scalar(sums.sum, m.offset_first, m.offset_second, m.updates, schedule.nuisance));
  }
  bool uses_nuisance() const { return config.nuisance.view_gain || config.nuisance.view_offset; }

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

  /// Everything a step asks of the machine: forward, loss, backward, statistics, update.
  void submit_step(std::size_t slot, const ViewRequest& request, const StepSchedule& schedule) {
    pipeline.forward(*ctx, model.cloud, model.field, request, rendered);
    timed(loss_seconds, [&] { loss_and_gradient(slot, schedule); });
    pipeline.backward(*ctx, model.cloud, model.field, request, grad_rendered, gradient, field_gradient.table3d,
                      field_gradient.table4d, field_gradient.network);
    timed(density_seconds, [&] {
      density_statistics_add(*ctx, acquisition->detector, pipeline.grad_mean_px(), pipeline.box(), pipeline.density(),
                             statistics);
    });
    timed(adam_seconds, [&] { update_parameters(schedule); });
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
    // The first step with a new number of kernels makes its buffers, and nuisance parameters are read on the host:
    // neither can be captured.
    const bool capture = config.training.step_graph && warm_kernels == model.cloud.size() && !uses_nuisance();
    timed(submit_seconds, [&] { submission.run(*ctx, capture, [&] { submit_step(slot, request, schedule); }); });
    warm_kernels = model.cloud.size();

    const bool last = step == config.training.steps;
    timed(wait_seconds, [&] {
      losses.add(*ctx, loss_saved, step, views[slot]);
      if (last || schedule.density_event) losses.fetch(*ctx);
    });
    StepReport report;
    report.step = step;
    report.steps = config.training.steps;
    report.view = views[slot];
    report.loss = losses.value().total;
    report.l1 = losses.value().l1;
    report.ssim = losses.value().ssim;
    report.loss_step = losses.step();
    if (schedule.density_event) {
      DensityEvent event;
      timed(density_seconds,
            [&] { event = run_density_control(*ctx, config, schedule, step, model, optimizer, statistics); });
      warm_kernels = 0;
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
  if (state_->ctx->asynchronous())
    return {{"submitting steps", state_->submit_seconds},
            {"waiting", state_->wait_seconds},
            {"density control", state_->density_seconds}};
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
