// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// Training of a super-resolution network, from nothing or from a network that is there (docs/method.md, "The
/// network"): on simulated vessels, on images, or on both.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/context.hpp"
#include "dsasrgs/export.hpp"
#include "dsasrgs/image.hpp"
#include "dsasrgs/simulator.hpp"
#include "dsasrgs/super_resolver.hpp"

namespace DSASRGS_API dsasrgs {

/// Images of one run or patient. Its own resolution is taken for the truth, which is averaged over s × s pixels for the
/// measurement.
struct NetworkImages {
  std::string name;
  std::vector<Image> images;     ///< line integrals; negative values stay
  std::vector<int> binnings{1};  ///< images are averaged over so many pixels a side before they are taken for truth
  double share = 1;              ///< how often its patches are drawn, relative to the other sources
  bool held_out = false;         ///< for validation only
};
/// The projections of an acquisition: the truth of a hospital's own frames. Where it has reference projections at scale
/// s > 1, these; pixels that are not valid take the value of a valid one nearby. Frames that show nothing are
/// left out: without a valid pixel, or the same everywhere, as a simulated one before the contrast arrives.
NetworkImages network_images(const Acquisition&, std::string name);

/// Vessels whose projections are simulated while training: at any time of a bolus, from any direction.
struct NetworkVessels {
  std::string name;
  VesselTree tree;  ///< centred, +z up
  double share = 1;
  bool held_out = false;
};

/// A view as it was measured, as a model renders it s times finer, and as it is. All line integrals.
struct RenderedView {
  Image measured, rendered, truth;
};
/// Views of one case and model, for networks that read the render.
struct NetworkRenders {
  std::string name;
  std::vector<RenderedView> views;
  double share = 1;
  bool held_out = false;
};

/// Renders alone for a network that reads the render (NetworkShape), else images and vessels.
struct NetworkSources {
  std::vector<NetworkImages> images;
  std::vector<NetworkVessels> vessels;
  std::vector<NetworkRenders> renders;
};

/// Rates and sizes are chosen (docs/method.md says how). In TOML one `name = value` each, those of the shape among
/// them; the section [training] of a plan for `dsasrgs train-network`.
struct NetworkTrainingConfig {
  NetworkShape shape;
  int steps = 3000;
  int batch = 12;               ///< patches in a step
  int patch_px = 48;            ///< measured pixels a side
  double learning_rate = 1e-3;  ///< rises linearly over the warm-up, then falls to 0 as half a cosine
  int warm_up = 200;            ///< steps
  double error_weight = 0.003;  ///< κ of label_loss: small, so that the estimate of the error does not shape the image
  /// Simulated patches are multiplied by a number from this one to the next.
  double vessel_brightness_low = 0.3,
         vessel_brightness_high = 1.5;  ///< simulated patches are multiplied by such a number
  double image_brightness_low = 0.6, image_brightness_high = 1.6;  ///< and patches of images by such a one
  double blush_share = 0.7;                      ///< of the simulated patches get a smooth background,
  double blush = 0.1;                            ///< up to so much of the brightest line integral
  double noise_low = 0.002, noise_high = 0.03;   ///< standard deviation of the noise of a simulated measurement
  double pitch_low_mm = 0.8, pitch_high_mm = 3;  ///< of the simulated detector's measured pixels
  std::int64_t seed = 0;
  bool operator==(const NetworkTrainingConfig&) const = default;
};
/// Throws BadInput with `source` as the file, naming the field, for a value out of range.
void validate(const NetworkTrainingConfig&, std::string_view source);
/// As TOML, and back. Throws BadInput naming the field for an unknown name, a wrong type or a value out of range.
std::string to_toml(const NetworkTrainingConfig&);
NetworkTrainingConfig network_training_from_toml(std::string_view text, std::string_view source);

/// What one step did.
struct NetworkStepReport {
  int step = 0, steps = 0;
  double l1 = 0;     ///< mean |error| over the batch, in units of the sources' brightest line integrals
  double error = 0;  ///< fit of the expected error (label_loss); 0 without
  double learning_rate = 0;
};
/// How the network does on a held-out source: PSNR over all its patches with the unit as range, and of what it starts
/// from, which is bicubic interpolation or the render.
struct NetworkValidation {
  std::string source;
  double psnr_db = 0, base_db = 0;
  double l1 = 0, expected_l1 = 0;  ///< mean |error| and what the network expected it to be (0: it does not say)
};

/// Trains a network. The same sources, configuration and seed give the same bits for any thread count. Used by one
/// thread at a time; context and sources must outlive it. One that was moved from throws InvalidArgument.
class NetworkTrainer {
 public:
  /// From nothing (starts at bicubic interpolation). Throws BadInput for the configuration; InvalidArgument naming
  /// source and image where one cannot be used.
  NetworkTrainer(Context&, const NetworkTrainingConfig&, const NetworkSources&);
  /// From the weights of a network file, whose shape replaces the configuration's.
  static NetworkTrainer fine_tune(Context&, const NetworkTrainingConfig&, const NetworkSources&,
                                  const std::filesystem::path& network);
  /// Goes on from a checkpoint as if nothing had happened. Throws IoError; BadInput, also when the sources are others.
  static NetworkTrainer resume(Context&, const NetworkSources&, const std::filesystem::path& checkpoint);
  NetworkTrainer(NetworkTrainer&&) noexcept;
  NetworkTrainer& operator=(NetworkTrainer&&) noexcept;
  ~NetworkTrainer();

  /// One batch. Throws NumericalError naming the step when the loss is not finite, and at every later call; then
  /// nothing can be saved. Saving finds parameters that are not finite in the same way. InvalidArgument after the last
  /// step.
  NetworkStepReport step();
  bool finished() const;
  int steps_done() const;
  const NetworkTrainingConfig& config() const&;
  const NetworkTrainingConfig& config() const&& = delete;

  /// Of each held-out source, images first; no held-out source: empty.
  std::vector<NetworkValidation> validation();

  /// Everything needed to go on. Throws IoError, NumericalError as step() does.
  void save_checkpoint(const std::filesystem::path&);
  /// The network as it is (float16). `name` and `trained_on` are written into it. Throws as save_checkpoint.
  void save_network(const std::filesystem::path&, std::string_view name, std::string_view trained_on);

 private:
  struct State;
  State& state() const;
  explicit NetworkTrainer(std::unique_ptr<State>);
  std::unique_ptr<State> state_;
};

}  // namespace dsasrgs
