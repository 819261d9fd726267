#include "dsasrgs/reconstructor.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <span>

#include "adam/adam.hpp"
#include "attenuation/attenuation.hpp"
#include "common/random.hpp"
#include "common/submission.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/fingerprint.hpp"
#include "train/checkpoint.hpp"
#include "train/density_event.hpp"
#include "train/initialize.hpp"
#include "train/loss_history.hpp"
#include "train/training_state.hpp"
#include "train/volume_variation.hpp"

namespace dsasrgs {

namespace {

std::vector<int> training_views(const Acquisition& acquisition) {
  std::vector<int> views = acquisition.training_views();
  if (views.empty()) throw BadInput(acquisition.name, "/split/test", "a view to be left for training", "all of them");
  return views;
}

/// What would otherwise show after the initialisation, or in the middle of the training.
void check_training_input(const Acquisition& a, const std::vector<int>& views, const Config& config,
                          const PseudoLabels* labels) {
  for (const int v : views) {
    const std::span<const std::uint8_t> valid = a.valid_pixels(v);
    if (!valid.empty() && std::none_of(valid.begin(), valid.end(), [](std::uint8_t p) { return p != 0; }))
      throw BadInput(a.name, "/valid", "a valid pixel in training view " + std::to_string(v), "none");
  }
  const SuperResolutionConfig& sr = config.super_resolution;
  const bool needs_labels = sr.scale > 1 && sr.weight > 0 && sr.target != HighResolutionTarget::none &&
                            sr.target != HighResolutionTarget::upsampled;
  if (!needs_labels) return;
  if (labels == nullptr)
    throw BadInput("configuration", "super_resolution.target", "none or upsampled where no labels are given (--labels)",
                   "a target made of labels");
  if (labels->scale() != sr.scale)
    throw BadInput(labels->name(), "/super_resolution/pseudo_labels@scale",
                   std::to_string(sr.scale) + " (super_resolution.scale)", std::to_string(labels->scale()));
}

/// Adds the wall seconds of body() to a sum.
template <class Body>
void timed(double& seconds, Body&& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
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
  DensificationStatistics statistics;
  std::vector<NuisanceMoments> nuisance_moments;
  int step = 0;

  DensityEventRunner density_events;
  ViewLoss loss;
  ViewPipeline pipeline;
  VolumeVariation variation;
  CloudGradient gradient;
  Buffer<float> rendered, grad_rendered;
  LossHistory losses;
  Submission submission;
  std::size_t warm_gaussians = 0;  // Gaussians of the last step, which has sized every buffer
  double loss_seconds = 0, variation_seconds = 0, adam_seconds = 0, density_seconds = 0, submit_seconds = 0,
         wait_seconds = 0;

  State(Context& context, const Acquisition& a, const Config& c, std::vector<int> training, Model m,
        const LabelReader& labels)
      : ctx(&context),
        acquisition(&a),
        config(c),
        views(std::move(training)),
        model(std::move(m)),
        optimizer(OptimizerState::zeros(context, model)),
        field_gradient(FieldGradient::zeros(context, model.field)),
        statistics(DensificationStatistics::zeros(context, c, model.cloud.size())),
        nuisance_moments(views.size()),
        density_events(c, low_resolution_voxel_mm(a, views)),
        loss(context, a, c, views, labels),
        variation(a.volume, c.training),
        rendered(context, loss.max_pixels()),
        grad_rendered(context, loss.max_pixels()),
        losses(context, a.name) {
    if (c.super_resolution.target == HighResolutionTarget::teach)
      optimizer.confidence = ConfidenceState::initial(context, c.super_resolution);
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

  bool uses_nuisance() const { return config.nuisance.view_gain || config.nuisance.view_offset; }

  bool uses_variation() const { return config.training.tv_weight > 0; }

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
    const SuperResolutionConfig& sr = config.super_resolution;
    if (ConfidenceState& c = optimizer.confidence;
        c.weights.size() > 0 && sr.learn_confidence && step > sr.first_step) {
      AdamStep adam;
      adam.learning_rate = schedule.confidence;
      adam.step = step - sr.first_step;
      adam_update(*ctx, adam, {c.weights, c.gradient, c.first, c.second});
    }
  }

  /// With labels that are read at each step, the host has work of its own.
  bool reads_labels() const {
    return !config.super_resolution.keep_labels && step > config.super_resolution.first_step;
  }

  /// Everything a step asks of the machine: forward, loss, backward, statistics, update.
  void submit_step(std::size_t slot, const ViewRequest& request, const StepSchedule& schedule) {
    const View<float> image = rendered.view().subview(0, request.detector.num_pixels()),
                      grad_image = grad_rendered.view().subview(0, image.size());
    pipeline.forward(*ctx, model.cloud, model.field, request, image);
    timed(loss_seconds, [&] {
      loss.run(*ctx, slot, image, grad_image, optimizer.confidence, model.nuisance, nuisance_moments[slot],
               schedule.nuisance);
    });
    std::function<void(CloudGradient&)> add_variation;
    if (uses_variation())
      add_variation = [&](CloudGradient& g) {
        timed(variation_seconds,
              [&] { variation.add_gradient(*ctx, model.cloud.view(), pipeline.density(), step, g); });
      };
    pipeline.backward(*ctx, model.cloud, model.field, request, grad_image, gradient, field_gradient.table3d,
                      field_gradient.table4d, field_gradient.network, add_variation);
    if (const double weight = config.training.table_variation_weight; weight > 0)
      offset_table_smoothness_backward(*ctx, static_cast<float>(weight), model.cloud.attenuation, gradient.attenuation);
    timed(density_seconds, [&] { statistics.add(*ctx, request.detector, pipeline); });
    timed(adam_seconds, [&] { update_parameters(schedule); });
  }

  /// Where the model lacks attenuation: every training view is rendered at its own time.
  std::vector<GaussianBirth> find_births(std::size_t max_count) {
    const std::size_t pixels = loss.low_detector().num_pixels();
    Buffer<float> low(*ctx, views.size() * pixels);
    const Detector& detector = loss.detector(step);
    const View<float> render = rendered.view().subview(0, detector.num_pixels());
    std::vector<ResidualView> seen;
    for (std::size_t slot = 0; slot < views.size(); ++slot) {
      const Pose& pose = acquisition->poses[static_cast<std::size_t>(views[slot])];
      const View<float> image = low.view().subview(slot * pixels, pixels);
      pipeline.forward(*ctx, model.cloud, model.field,
                       {pose, detector, model.time.model_time(pose.time_s), model.pixel_footprint}, render);
      loss.as_measured(*ctx, slot, render, model.nuisance, image);
      seen.push_back({pose, loss.measured(slot), image, loss.valid(slot)});
    }
    const VolumeGrid grid = residual_grid(model.volume, low_resolution_voxel_mm(*acquisition, views));
    return find_residual_births(*ctx, config.residual_births, grid, loss.low_detector(), seen, max_count);
  }

  /// Tile lists that have overflowed, or soon will, are sized anew at the next step.
  void watch_tile_lists() {
    RasterizeScratch& scratch = pipeline.rasterize_scratch();
    const std::size_t pairs = losses.take_most_pairs();
    if (pairs <= scratch.capacity() / 10 * 9) return;
    scratch.refit = true;
    scratch.least_pairs = pairs;
    warm_gaussians = 0;
    ctx->log("rasteriser: tile lists of " + std::to_string(scratch.capacity()) + " entries had to hold " +
             std::to_string(pairs) + " by step " + std::to_string(step) + ": they are sized anew");
  }

  StepReport advance() {
    if (step >= config.training.steps)
      throw InvalidArgument("Reconstructor::step: the run of " + std::to_string(config.training.steps) +
                            " steps is finished");
    ++step;
    const StepSchedule schedule = schedule_at(config, acquisition->volume.largest_side_mm(), step);
    const auto slot =
        static_cast<std::size_t>(view_of_step(config.training.seed, static_cast<int>(views.size()), step));
    const ViewRequest request{acquisition->poses[static_cast<std::size_t>(views[slot])], loss.detector(step),
                              training_time(slot), config.gaussians.pixel_footprint};
    // The first step with a new number of Gaussians or pixels makes its buffers, nuisance parameters and labels are
    // read on the host, and the voxeliser waits for the number of its pairs: none of these can be captured.
    if (step == config.super_resolution.first_step + 1) warm_gaussians = 0;
    const bool capture = config.training.step_graph && warm_gaussians == model.cloud.size() && !uses_nuisance() &&
                         !uses_variation() && !reads_labels();
    timed(submit_seconds, [&] { submission.run(*ctx, capture, [&] { submit_step(slot, request, schedule); }); });
    warm_gaussians = model.cloud.size();

    const bool last = step == config.training.steps;
    timed(wait_seconds, [&] {
      losses.add(*ctx, loss.value(), pipeline.rasterize_scratch().num_pairs(), step, views[slot]);
      if (last || schedule.changes_gaussians()) losses.fetch(*ctx);
    });
    watch_tile_lists();
    StepReport report;
    report.step = step;
    report.steps = config.training.steps;
    report.view = views[slot];
    report.loss = losses.value().total;
    report.l1 = losses.value().l1;
    report.ssim = losses.value().ssim;
    report.loss_step = losses.step();
    if (schedule.changes_gaussians()) {
      DensityEvents events;
      timed(density_seconds, [&] {
        events = density_events.run(
            *ctx, schedule, step, [&](std::size_t max_count) { return find_births(max_count); }, model, optimizer,
            statistics);
      });
      warm_gaussians = 0;
      report.cloned = events.cloned;
      report.split = events.split;
      report.pruned = events.pruned;
      report.residual_split = events.residual_split;
      report.born = events.born;
      if (model.cloud.size() == 0)
        throw NumericalError("training: density control at step " + std::to_string(step) + " removed every Gaussian");
    }
    report.gaussians = model.cloud.size();
    return report;
  }
};

namespace {

LabelReader reader_of(const PseudoLabels* labels) {
  if (labels == nullptr) return {};
  return {
      [labels](int view) { return labels->has(view) ? labels->read(view) : std::vector<float>{}; },
      [labels](int view) { return labels->has_confidence() ? labels->read_confidence(view) : std::vector<float>{}; }};
}

}  // namespace

Reconstructor::Reconstructor(Context& ctx, const Acquisition& acquisition, const Config& config,
                             const PseudoLabels* labels) {
  validate(config, "configuration");
  acquisition.validate();
  std::vector<int> views = training_views(acquisition);
  check_training_input(acquisition, views, config, labels);
  Model model = initial_model(ctx, acquisition, views, config);
  model.test_views = acquisition.test_views;
  model.measurement = measurement_fingerprint(acquisition, views);
  state_ = std::make_unique<State>(ctx, acquisition, config, std::move(views), std::move(model), reader_of(labels));
}

Reconstructor::Reconstructor(Context& ctx, const Acquisition& acquisition, const std::filesystem::path& path,
                             const PseudoLabels* labels) {
  acquisition.validate();
  Checkpoint checkpoint = read_checkpoint(ctx, path);
  std::vector<int> views = training_views(acquisition);
  if (checkpoint.model.nuisance.view != views)
    throw BadInput(path.string(), "/nuisance/view",
                   "the " + std::to_string(views.size()) + " training views of " + acquisition.name,
                   std::to_string(checkpoint.model.nuisance.view.size()) + " other views");
  const std::string measurement = measurement_fingerprint(acquisition, views);
  if (!checkpoint.model.measurement.empty() && checkpoint.model.measurement != measurement)
    throw BadInput(path.string(), "/@measurement", measurement + ", that of " + acquisition.name,
                   checkpoint.model.measurement + ": it was trained on another one");
  check_training_input(acquisition, views, checkpoint.config, labels);
  state_ = std::make_unique<State>(ctx, acquisition, checkpoint.config, std::move(views), std::move(checkpoint.model),
                                   reader_of(labels));
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
          {"total variation", state_->variation_seconds},
          {"rasterize backward", s[ViewPipeline::rasterize_backward_stage]},
          {"project backward", s[ViewPipeline::project_backward_stage]},
          {"field backward", s[ViewPipeline::field_backward]},
          {"adam", state_->adam_seconds},
          {"density control", state_->density_seconds}};
}

void Reconstructor::save_checkpoint(const std::filesystem::path& path) const {
  state_->losses.fetch(*state_->ctx);  // a model that has come to nothing must not replace a good checkpoint
  write_checkpoint(*state_->ctx, path, state_->config, state_->step, state_->model, state_->optimizer,
                   state_->statistics, state_->nuisance_moments);
}

}  // namespace dsasrgs
