// SPDX-License-Identifier: Apache-2.0
#include "dsasrgs/reconstructor.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "common/host_vector.hpp"
#include "common/random.hpp"
#include "common/submission.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/fingerprint.hpp"
#include "dsasrgs/splits.hpp"
#include "held.hpp"
#include "train/checkpoint.hpp"
#include "train/density_event.hpp"
#include "train/initialize.hpp"
#include "train/optimizer.hpp"
#include "train/pose_refinement.hpp"
#include "train/stopwatch.hpp"
#include "train/training_end.hpp"
#include "train/training_loss.hpp"
#include "train/training_watch.hpp"

namespace dsasrgs {

namespace {

constexpr const char* kName = "Reconstructor";

using Labels = std::shared_ptr<const PseudoLabels>;

/// What would otherwise show after the initialisation, or in the middle of the training.
void check_labels(const SuperResolutionConfig& sr, const std::string& measurement, const std::string& name,
                  const Labels& labels) {
  if (!sr.needs_labels()) return;
  if (labels == nullptr)
    throw BadInput("configuration", "super_resolution.target", "none or upsampled where no labels are given",
                   "a target made of labels");
  if (labels->scale() != sr.scale)
    throw BadInput(labels->name(), "/super_resolution/pseudo_labels@scale",
                   std::to_string(sr.scale) + " (super_resolution.scale)", std::to_string(labels->scale()));
  if (labels->measurement() != measurement)
    throw BadInput(labels->name(), "/super_resolution", "labels opened for " + name,
                   "labels that were opened for another acquisition");
}

std::string measurement_of(const Acquisition& a) { return measurement_fingerprint(a, all_views(a)); }

LabelReader reader_of(Labels labels) {
  if (labels == nullptr) return {};
  return {[labels](int view) { return labels->has(view) ? labels->read(view) : std::vector<float>{}; },
          [labels = std::move(labels)](int view) {
            return labels->has_confidence() ? labels->read_confidence(view) : std::vector<float>{};
          }};
}

}  // namespace

struct Reconstructor::State {
  Context* ctx;
  TrainingViews views;
  TrainingState training;

  double voxel_mm;          // low_resolution_voxel_mm
  std::string measurement;  // measurement_fingerprint of all views, where there are labels
  TrainingLoss loss;
  LossHistory losses;
  TrainingWatch watch;
  std::unique_ptr<PoseRefinement> pose_refinement;  // null without it
  Submission submission;
  std::size_t warm_gaussians = 0;  // Gaussians of the last step, which has sized every buffer
  LabelRefresh label_refresh;
  bool told_full = false, taken = false, refreshing = false;
  TrainingEnd end;
  double submit_seconds = 0, wait_seconds = 0;

  State(Context& context, TrainingViews training_views, TrainingState state, Labels labels)
      : ctx(&context),
        views(std::move(training_views)),
        training(std::move(state)),
        voxel_mm(low_resolution_voxel_mm(views.detector(), views.volume(), views.poses())),
        measurement(labels == nullptr ? "" : labels->measurement()),
        loss(context, views, training.config, reader_of(std::move(labels))),
        losses(context, views.name()),
        watch(views, training.config),
        pose_refinement(training.config.geometry.refine ? std::make_unique<PoseRefinement>(views, training.config)
                                                        : nullptr) {
    if (pose_refinement == nullptr) return;
    if (training.pose_refinement.values.empty()) training.pose_refinement = pose_refinement->initial();
    pose_refinement->apply(training);
  }

  const Config& config() const { return training.config; }

  float training_time(std::size_t slot) const {
    const float sigma = static_cast<float>(config().training.time_jitter) / static_cast<float>(views.size());
    const float noise = random_normal3(static_cast<std::uint64_t>(config().training.seed), RandomStream::time_jitter,
                                       static_cast<std::uint64_t>(training.step), 0)
                            .x;
    return std::clamp(views.model_time(slot) + sigma * noise, 0.0f, 1.0f);
  }

  /// Whether the host has no part in a step. Nuisance parameters and labels that are not kept are read there, and the
  /// voxeliser waits for the number of its pairs.
  bool can_be_captured() {
    const Config& c = config();
    const bool reads_labels = !c.super_resolution.keep_labels && training.step > c.super_resolution.first_step;
    return c.training.step_graph && !loss.clock().uses_events() && !c.nuisance.view_gain && !c.nuisance.view_offset &&
           c.training.tv_weight == 0 && !reads_labels;
  }

  std::size_t slot_of(int step) const {
    return static_cast<std::size_t>(view_of_step(config().training.seed, static_cast<int>(views.size()), step));
  }
  bool uses_pose(int step) const { return pose_refinement != nullptr && pose_refinement->uses(step); }

  void watch_losses() {
    losses.for_each_fetched([&](const KnownLoss& known) {
      watch.see(known);
      if (uses_pose(known.step)) pose_refinement->add(known, slot_of(known.step), loss.detector(known.step), training);
    });
  }

  StepReport step() {
    return end.step(training.step, [&] { return advance(); });
  }

  /// Losses that are still on their way are looked at before the model leaves.
  void finish_losses() {
    end.unless_ended([&] {
      losses.fetch(*ctx);
      watch_losses();
    });
  }

  template <class Body>
  void timed(Stage stage, Body&& body) {
    loss.clock().time(*ctx, static_cast<std::size_t>(stage), body);
  }

  /// Everything a step asks of the machine: forward, loss, backward, statistics, update; what came of it is sent off.
  void submit_step(std::size_t slot, float model_time, const StepSchedule& schedule) {
    loss.run(*ctx, slot, model_time, training, uses_pose(training.step));
    const std::vector<AdamArray> updates = updates_of(schedule, loss.gradient(), training);
    end.begin_changes();
    loss.gradient_is_taken();
    const auto adam = [&] {
      timed(Stage::adam, [&] { update(*ctx, updates, schedule, slot, loss.gradient(), training); });
    };
    const auto add_statistics = [&] {
      timed(Stage::density_control,
            [&] { training.statistics.add(*ctx, loss.detector(training.step), loss.pipeline()); });
    };
    side_by_side(*ctx, std::ref(adam), std::ref(add_statistics));  // by reference: no memory is asked for
    losses.post(*ctx, loss.terms(training), loss.rasterize_scratch().num_pairs());
  }

  void update_poses() {
    const auto render = [&](std::size_t slot, View<float> low) { loss.render_as_measured(*ctx, slot, training, low); };
    if (pose_refinement->update(*ctx, render, training)) warm_gaussians = 0;
  }

  /// Where the model lacks attenuation: every training view is rendered at its own time.
  std::vector<GaussianBirth> find_births(std::size_t max_count) {
    const std::size_t pixels = views.detector().num_pixels();
    Buffer<float> low(*ctx, views.size() * pixels);
    std::vector<ResidualView> seen;
    for (std::size_t slot = 0; slot < views.size(); ++slot) {
      const View<float> image = low.view().subview(slot * pixels, pixels);
      loss.render_as_measured(*ctx, slot, training, image);
      seen.push_back({loss.pose(slot, training), views.measured(slot), image, views.valid(slot)});
    }
    const VolumeGrid grid = residual_grid(views.volume(), voxel_mm);
    return find_residual_births(*ctx, config().residual_births, grid, views.detector(), seen, max_count);
  }

  /// Density control, RSD and births that are due.
  DensityEvents change_gaussians(const StepSchedule& schedule) {
    DensityEvents events;
    timed(Stage::density_control, [&] {
      events = run_density_events(
          *ctx, schedule, voxel_mm, [&](std::size_t max_count) { return find_births(max_count); }, training);
    });
    warm_gaussians = 0;
    const std::size_t gaussians = training.model.cloud.size();
    const int step = training.step, most = config().density_control.max_gaussians;
    if (gaussians == 0)
      throw NumericalError(
          "training: density control at step " + std::to_string(step) +
          " removed every Gaussian: none was left in the volume whose mean attenuation reached "
          "density_control.min_mean_density" +
          (config().density_control.random_prune > 0 ? " and that density_control.random_prune spared" : "") +
          "; lower the learning rates, or density_control's numbers");
    if (!told_full && gaussians >= static_cast<std::size_t>(most)) {
      told_full = true;
      ctx->log("training: step " + std::to_string(step) + " has reached density_control.max_gaussians = " +
               std::to_string(most) + "; from here on Gaussians are added only where others go");
    }
    return events;
  }

  /// Tile lists that have overflowed, or soon will, are sized anew at the next step.
  void watch_tile_lists() {
    RasterizeScratch& scratch = loss.rasterize_scratch();
    const std::size_t pairs = losses.take_most_pairs();
    if (pairs <= scratch.capacity() / 10 * 9) return;
    scratch.refit = true;
    scratch.least_pairs = pairs;
    warm_gaussians = 0;
    ctx->log("rasteriser: tile lists of " + std::to_string(scratch.capacity()) + " entries had to hold " +
             std::to_string(pairs) + " by step " + std::to_string(training.step) + ": they are sized anew");
  }

  void refresh_labels() {
    const SuperResolutionConfig& sr = config().super_resolution;
    if (!sr.needs_labels() || sr.refresh_step == 0 || training.step != sr.refresh_step) return;
    if (!label_refresh)
      throw InvalidArgument(
          "Reconstructor::step: expected set_label_refresh() before super_resolution.refresh_step = " +
          std::to_string(sr.refresh_step) + ", found none");
    finish_losses();
    refreshing = true;
    const auto done = [this](void*) { refreshing = false; };
    const std::unique_ptr<void, decltype(done)> until_done(this, done);
    Labels labels = label_refresh(training.model);
    check_labels(sr, measurement, views.name(), labels);
    loss.use_labels(*ctx, reader_of(std::move(labels)));
    warm_gaussians = 0;
  }

  StepReport advance() {
    if (training.step >= config().training.steps)
      throw InvalidArgument("Reconstructor::step: the run of " + std::to_string(config().training.steps) +
                            " steps is finished");
    refresh_labels();
    const int step = ++training.step;
    const StepSchedule schedule = schedule_at(config(), views.units(), step);
    const std::size_t slot = slot_of(step);
    const float time = training_time(slot);
    // The first step with a new number of Gaussians or pixels makes its buffers, which cannot be captured.
    if (step == config().super_resolution.first_step + 1 || uses_pose(step) != uses_pose(step - 1)) warm_gaussians = 0;
    const bool capture = warm_gaussians == training.model.cloud.size() && can_be_captured();
    warm_gaussians = 0;  // a step that fails is tried again without capture
    dsasrgs::timed(submit_seconds, [&] { submission.run(*ctx, capture, [&] { submit_step(slot, time, schedule); }); });
    warm_gaussians = training.model.cloud.size();

    const bool last = step == config().training.steps,
               updates_poses = pose_refinement != nullptr && pose_refinement->updates_after(step);
    dsasrgs::timed(wait_seconds, [&] {
      losses.add(*ctx, step, views.index(slot));
      if (last || schedule.changes_gaussians() || updates_poses) losses.fetch(*ctx);
    });
    watch_losses();
    watch_tile_lists();
    if (updates_poses) update_poses();
    const DensityEvents events = schedule.changes_gaussians() ? change_gaussians(schedule) : DensityEvents{};
    const LossValues& known = losses.last().values;
    StepReport report;
    report.step = step;
    report.steps = config().training.steps;
    report.view = views.index(slot);
    report.loss_step = losses.last().step;
    report.loss = known.total;
    report.l_gt = known.l_gt;
    report.l1 = known.l1;
    report.ssim = known.ssim;
    report.rendered = known.rendered;
    report.l_sr = known.l_sr;
    report.alpha = known.alpha;
    report.beta = known.beta;
    report.total_variation = known.total_variation;
    report.table_variation = known.table_variation;
    report.gaussians = training.model.cloud.size();
    report.cloned = events.cloned;
    report.split = events.split;
    report.pruned = events.pruned;
    report.residual_split = events.residual_split;
    report.born = events.born;
    return report;
  }
};

Reconstructor::Reconstructor(Context& ctx, const Acquisition& acquisition, const Config& config, Labels labels) try {
  validate(config, "configuration");
  acquisition.validate();
  TrainingViews views(ctx, acquisition, config.training);
  check_labels(config.super_resolution, measurement_of(acquisition), acquisition.name, labels);
  Model model = initial_model(ctx, views, config);
  TrainingState training = TrainingState::initial(ctx, config, std::move(model));
  training.validity = views.validity();
  state_ = std::make_unique<State>(ctx, std::move(views), std::move(training), std::move(labels));
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

Reconstructor::Reconstructor(Context& ctx, const Acquisition& acquisition, const std::filesystem::path& path,
                             Labels labels) try {
  acquisition.validate();
  TrainingState state = read_checkpoint(ctx, path);
  TrainingViews views(ctx, acquisition, state.config.training);
  require_made_from(path, state, views, acquisition.num_views());
  check_labels(state.config.super_resolution, measurement_of(acquisition), acquisition.name, labels);
  state_ = std::make_unique<State>(ctx, std::move(views), std::move(state), std::move(labels));
  state_->end.note_checkpoint(state_->training.step, path);
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

Reconstructor::Reconstructor(Context& ctx, const Acquisition& acquisition, const Config& config, PseudoLabels labels)
    : Reconstructor(ctx, acquisition, config, std::make_shared<const PseudoLabels>(std::move(labels))) {}
Reconstructor::Reconstructor(Context& ctx, const Acquisition& acquisition, const std::filesystem::path& path,
                             PseudoLabels labels)
    : Reconstructor(ctx, acquisition, path, std::make_shared<const PseudoLabels>(std::move(labels))) {}

Reconstructor::Reconstructor(Reconstructor&&) noexcept = default;
Reconstructor& Reconstructor::operator=(Reconstructor&&) noexcept = default;
Reconstructor::~Reconstructor() = default;

Reconstructor::State& Reconstructor::state() const {
  State& s = held(state_, kName);
  if (s.taken) throw InvalidArgument("Reconstructor: expected one that has its model, found one whose model was taken");
  return s;
}

void Reconstructor::set_label_refresh(LabelRefresh refresh) { state().label_refresh = std::move(refresh); }

void Reconstructor::train_to(int steps) {
  TrainingState& training = state().training;
  if (steps <= training.step)
    throw InvalidArgument("Reconstructor::train_to: steps: expected more than the " + std::to_string(training.step) +
                          " done, found " + std::to_string(steps));
  Config config = training.config;
  config.training.steps = steps;
  validate(config, "Reconstructor::train_to");
  training.model.config_toml = to_toml(config);
  training.config.training.steps = steps;
}

StepReport Reconstructor::step() {
  if (state().refreshing)
    throw InvalidArgument(
        "Reconstructor::step: expected a call outside of the label refresh, found one from within it");
  return state().step();
}
bool Reconstructor::finished() const { return steps_done() >= config().training.steps; }

void Reconstructor::run(const std::function<bool(const StepReport&)>& callback, const std::stop_token& stop) {
  while (!finished() && !stop.stop_requested()) {
    const StepReport report = step();
    if (callback && !callback(report)) return;
  }
}

const Model& Reconstructor::model() const& {
  return state().end.unless_ended([this]() -> const Model& { return state().training.model; });
}
Model Reconstructor::take_model() && {
  state().finish_losses();
  state().taken = true;
  return std::move(state_->training.model);
}
const Config& Reconstructor::config() const& { return held(state_, kName).training.config; }
TrainingUnits Reconstructor::units() const { return state().views.units(); }
int Reconstructor::steps_done() const { return held(state_, kName).training.step; }

std::vector<std::pair<std::string, double>> Reconstructor::stage_seconds() const {
  State& s = state();
  const std::vector<double>& stages = s.loss.clock().seconds(*s.ctx);
  if (s.ctx->asynchronous() && !s.loss.clock().uses_events())
    return {{"submitting steps", s.submit_seconds},
            {"waiting", s.wait_seconds},
            {stage_name(Stage::density_control), stages[static_cast<std::size_t>(Stage::density_control)]}};
  std::vector<std::pair<std::string, double>> named;
  for (std::size_t i = 0; i < kNumStages; ++i) named.emplace_back(kStageNames[i], stages[i]);
  return named;
}

void Reconstructor::time_stages_on_device(bool on) { state().loss.clock().use_events(on); }

void Reconstructor::save_checkpoint(const std::filesystem::path& path) {
  state().finish_losses();  // a model that has come to nothing must not replace a good checkpoint
  state().end.unless_ended([&] {
    try {
      write_checkpoint(*state().ctx, path, state().training);
    } catch (const NumericalError& e) {
      const KnownLoss& last = state().losses.last();
      throw NumericalError("training: a parameter is not finite after step " + std::to_string(last.step) + ", view " +
                           std::to_string(last.view) + " of " + state().views.name() +
                           ", from the stage \"adam\" on (" + e.what() + "); lower the learning rates");
    }
    state().end.note_checkpoint(state().training.step, path);
  });
}

}  // namespace dsasrgs
