// SPDX-License-Identifier: Apache-2.0
#include "dsasrgs/network_trainer.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "adam/adam.hpp"
#include "common/host_vector.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/image.hpp"
#include "held.hpp"
#include "label_loss/label_loss.hpp"
#include "network/network_file.hpp"
#include "network/network_training.hpp"
#include "network/residual_network.hpp"
#include "network/training_patches.hpp"
#include "percentile.hpp"

namespace dsasrgs {

namespace {

constexpr float kBeta1 = 0.9f, kBeta2 = 0.99f, kEpsilon = 1e-8f;
constexpr std::size_t kMaxTraits = 2000;  // patches that are looked at
constexpr double kLeastContrast = 0.2;    // for a patch's sharpness to count: of noise alone it is 1
constexpr double kOutermost = 0.01;

TrainedRange range_of(HostVector<double> values) {
  if (values.empty()) return {};
  const double low = percentile(values, kOutermost);
  return {low, percentile(values, 1 - kOutermost)};
}

}  // namespace

struct NetworkTrainer::State {
  Context* ctx;
  NetworkTraining training;  ///< but for the arrays, which are in the buffers while it goes on
  ResidualNetwork network;
  TrainingPatches patches;
  Buffer<float> parameters, first_moment, second_moment, gradient;
  Buffer<float> output, grad_output;
  NetworkMemory memory;
  std::string failure;

  State(Context& context, NetworkTraining begun, const NetworkSources& sources)
      : ctx(&context),
        training(std::move(begun)),
        network(training.config.shape),
        patches(context, training.config, sources),
        parameters(Buffer<float>::from_host(context, training.parameters)),
        first_moment(Buffer<float>::from_host(context, training.first_moment)),
        second_moment(Buffer<float>::from_host(context, training.second_moment)),
        gradient(Buffer<float>::zeros(context, training.parameters.size())) {}

  void require_sound() const {
    if (!failure.empty()) throw NumericalError(failure);
  }

  std::size_t inputs() const { return static_cast<std::size_t>(training.config.shape.inputs()); }

  NetworkBatch batch_of(const PatchBatch& drawn) const {
    const int side = training.config.patch_px;
    const auto pixels = static_cast<std::size_t>(side) * static_cast<std::size_t>(side);
    return {static_cast<int>(drawn.input.size() / (inputs() * pixels)), side, side};
  }

  /// The network's output for a batch and its loss; the gradient of the output is in grad_output.
  LabelLossSums loss(const PatchBatch& drawn, const NetworkBatch& batch, const Buffer<float>& input, bool keep) {
    const auto s = static_cast<std::size_t>(training.config.shape.scale);
    output.resize(*ctx, batch.size() * s * s * static_cast<std::size_t>(network.outputs()));
    grad_output.resize(*ctx, output.size());
    network.forward(*ctx, parameters, batch, input, keep, memory, output);
    const Buffer<float> target = Buffer<float>::from_host(*ctx, drawn.target);
    return label_loss(*ctx,
                      {batch.images, batch.pixels() * s * s, training.config.shape.with_error,
                       static_cast<float>(training.config.error_weight)},
                      output, target, grad_output);
  }

  /// A gradient that could not be finished is none: the next step adds to nothing.
  void add_gradient(const NetworkBatch& batch, const Buffer<float>& input) {
    try {
      network.backward(*ctx, parameters, batch, input, grad_output, memory, gradient);
    } catch (...) {
      zero_bytes(*ctx, gradient.data(), gradient.size() * sizeof(float));
      throw;
    }
  }

  /// Of the step to come; those that an earlier try of it left are replaced.
  void note_traits(const PatchBatch& drawn, const NetworkBatch& batch) {
    const std::size_t earlier =
        std::min(static_cast<std::size_t>(training.step) * static_cast<std::size_t>(batch.images), kMaxTraits);
    training.traits.resize(std::min(training.traits.size(), earlier));
    for (int n = 0; n < batch.images && training.traits.size() < kMaxTraits; ++n)
      training.traits.push_back(
          image_traits(std::span<const float>(drawn.input)
                           .subspan(static_cast<std::size_t>(n) * inputs() * batch.pixels(), batch.pixels()),
                       batch.width_px, batch.height_px, 1));
  }

  double learning_rate(int step) const {
    const NetworkTrainingConfig& c = training.config;
    if (step <= c.warm_up) return c.learning_rate * step / c.warm_up;
    const double done = static_cast<double>(step - c.warm_up) / std::max(c.steps - c.warm_up, 1);
    return c.learning_rate * 0.5 * (1 + std::cos(std::numbers::pi * done));
  }

  /// Throws NumericalError where the last step left a number that is not finite, of which no loss knows yet.
  NetworkTraining snapshot() {
    require_sound();
    NetworkTraining t = training;
    t.parameters = parameters.to_host(*ctx);
    t.first_moment = first_moment.to_host(*ctx);
    t.second_moment = second_moment.to_host(*ctx);
    for (const std::vector<float>* array : {&t.parameters, &t.first_moment, &t.second_moment})
      if (!std::all_of(array->begin(), array->end(), [](float v) { return std::isfinite(v); }))
        fail(training.step, "parameters are");
    return t;
  }

  [[noreturn]] void fail(int step, const std::string& what) {
    failure = "step " + std::to_string(step) + ": the network's " + what +
              " not finite: lower learning_rate, or begin with another seed";
    throw NumericalError(failure);
  }
};

NetworkTrainer::NetworkTrainer(std::unique_ptr<State> state) : state_(std::move(state)) {}
NetworkTrainer::NetworkTrainer(NetworkTrainer&&) noexcept = default;
NetworkTrainer& NetworkTrainer::operator=(NetworkTrainer&&) noexcept = default;
NetworkTrainer::~NetworkTrainer() = default;
NetworkTrainer::State& NetworkTrainer::state() const { return held(state_, "NetworkTrainer"); }

namespace {

NetworkTraining begin_training(const NetworkTrainingConfig& config, const NetworkSources& sources,
                               std::vector<float> parameters, std::string started) {
  validate(config, "network training");
  NetworkTraining t;
  t.config = config;
  t.started = std::move(started);
  t.sources = sources_fingerprint(sources);
  t.first_moment = t.second_moment = host_vector<float>(parameters.size());
  t.parameters = std::move(parameters);
  return t;
}

}  // namespace

NetworkTrainer::NetworkTrainer(Context& ctx, const NetworkTrainingConfig& config, const NetworkSources& sources)
    : NetworkTrainer(with_host_memory([&] {
        validate(config, "network training");
        return std::make_unique<State>(
            ctx, begin_training(config, sources, ResidualNetwork(config.shape).first_parameters(config.seed), ""),
            sources);
      })) {}

NetworkTrainer NetworkTrainer::fine_tune(Context& ctx, const NetworkTrainingConfig& config,
                                         const NetworkSources& sources, const std::filesystem::path& network) try {
  NetworkFile file = read_network(network);
  NetworkTrainingConfig fitting = config;
  fitting.shape = file.facts.shape;
  return NetworkTrainer(std::make_unique<State>(
      ctx, begin_training(fitting, sources, std::move(file.parameters), file.facts.fingerprint), sources));
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

NetworkTrainer NetworkTrainer::resume(Context& ctx, const NetworkSources& sources,
                                      const std::filesystem::path& checkpoint) try {
  NetworkTraining t = read_network_checkpoint(checkpoint);
  if (const std::string found = sources_fingerprint(sources); found != t.sources)
    throw BadInput(checkpoint.string(), "attribute sources", "the sources that training began with (" + t.sources + ")",
                   "others (" + found + ")");
  return NetworkTrainer(std::make_unique<State>(ctx, std::move(t), sources));
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

NetworkStepReport NetworkTrainer::step() try {
  State& s = state();
  s.require_sound();
  if (finished())
    throw InvalidArgument("NetworkTrainer::step: expected a step left to do, found all " +
                          std::to_string(s.training.config.steps) + " done");
  s.ctx->throw_if_stopped("NetworkTrainer::step");
  const int step = s.training.step + 1;
  const PatchBatch drawn = s.patches.training(step);
  const NetworkBatch batch = s.batch_of(drawn);
  const Buffer<float> input = Buffer<float>::from_host(*s.ctx, drawn.input);
  const LabelLossSums sums = s.loss(drawn, batch, input, true);
  if (!std::isfinite(sums.l1) || !std::isfinite(sums.error)) s.fail(step, "loss is");
  s.note_traits(drawn, batch);
  s.add_gradient(batch, input);
  AdamStep adam;
  adam.learning_rate = static_cast<float>(s.learning_rate(step));
  adam.beta1 = kBeta1;
  adam.beta2 = kBeta2;
  adam.epsilon = kEpsilon;
  adam.step = step;
  adam_update(*s.ctx, adam, {s.parameters, s.gradient, s.first_moment, s.second_moment});
  s.training.step = step;
  return {step, s.training.config.steps, sums.l1, sums.error, static_cast<double>(adam.learning_rate)};
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

bool NetworkTrainer::finished() const { return steps_done() >= state().training.config.steps; }
int NetworkTrainer::steps_done() const { return state().training.step; }
const NetworkTrainingConfig& NetworkTrainer::config() const& { return state().training.config; }

std::vector<NetworkValidation> NetworkTrainer::validation() try {
  State& s = state();
  s.require_sound();
  std::vector<NetworkValidation> found;
  const std::vector<std::string>& names = s.patches.held_out();
  const int scale = s.training.config.shape.scale, side = s.training.config.patch_px;
  for (std::size_t source = 0; source < names.size(); ++source) {
    const PatchBatch drawn = s.patches.validation(source);
    const NetworkBatch all = s.batch_of(drawn);
    const std::size_t fine = all.pixels() * static_cast<std::size_t>(scale) * static_cast<std::size_t>(scale);
    NetworkValidation v;
    v.source = names[source];
    double squares = 0, base_squares = 0, magnitude = 0, expected = 0;
    const std::size_t input_size = s.inputs() * all.pixels();
    for (int n = 0; n < all.images; ++n) {  // one by one: as many as fit are not known here
      s.ctx->throw_if_stopped("NetworkTrainer::validation");
      const auto of_image = [n](const std::vector<float>& all_images, std::size_t size) {
        const float* first = all_images.data() + static_cast<std::size_t>(n) * size;
        return std::vector<float>(first, first + size);
      };
      const PatchBatch one{of_image(drawn.input, input_size), of_image(drawn.target, fine)};
      s.loss(one, {1, side, side}, Buffer<float>::from_host(*s.ctx, one.input), false);
      const std::vector<float> output = s.output.to_host(*s.ctx), base = s.memory.base.to_host(*s.ctx);
      for (std::size_t i = 0; i < fine; ++i) {
        const double truth = one.target[i], error = output[i] - truth, base_error = base[i] - truth;
        squares += error * error;
        base_squares += base_error * base_error;
        magnitude += std::abs(error);
        if (s.training.config.shape.with_error)
          expected += std::exp(std::clamp(output[fine + i], kLeastLogError, kMostLogError));
      }
    }
    const double count = static_cast<double>(fine) * all.images;
    const auto psnr = [&](double sum) { return -10 * std::log10(std::max(sum / count, 1e-20)); };
    v.psnr_db = psnr(squares);
    v.base_db = psnr(base_squares);
    v.l1 = magnitude / count;
    v.expected_l1 = expected / count;
    found.push_back(std::move(v));
  }
  return found;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

void NetworkTrainer::save_checkpoint(const std::filesystem::path& path) try {
  write_network_checkpoint(path, state().snapshot());
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

void NetworkTrainer::save_network(const std::filesystem::path& path, std::string_view name,
                                  std::string_view trained_on) try {
  NetworkTraining training = state().snapshot();
  NetworkFile file;
  file.parameters = std::move(training.parameters);
  file.facts.shape = training.config.shape;
  file.facts.name = name;
  file.facts.trained_on = trained_on;
  file.facts.training =
      to_toml(training.config) + (training.started.empty() ? "" : "# begun with network " + training.started + "\n");
  HostVector<double> noise, contrast, sharpness;
  for (const ImageTraits& t : training.traits) {
    noise.push_back(t.noise);
    contrast.push_back(t.contrast);
    if (t.contrast >= kLeastContrast) sharpness.push_back(t.sharpness);
  }
  file.facts.noise = range_of(std::move(noise));
  file.facts.contrast = range_of(std::move(contrast));
  file.facts.sharpness = range_of(std::move(sharpness));
  write_network(path, std::move(file));
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
