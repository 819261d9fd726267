// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// A super-resolution network for angiograms (docs/method.md, "The network"): its file, and sharp images made with it.

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/context.hpp"
#include "dsasrgs/export.hpp"
#include "dsasrgs/pseudo_labels.hpp"

namespace DSASRGS_API dsasrgs {

/// A residual network of 3 × 3 convolutions on one channel: f(x) = U(x) + shuffle_s(conv(h + conv(B_n(… B_1(h))))),
/// h = conv(x), B(y) = y + 0.2·conv(ReLU(conv(y))), U bicubic.
struct NetworkShape {
  int scale = 4;           ///< s, 2 to 8
  int channels = 32;       ///< C of every layer between the first and the last, 1 to 256
  int blocks = 8;          ///< n, 0 to 64
  bool with_error = true;  ///< a second output: the error the network expects of itself
  /// A second input: a model's own fine render of the view, which takes the place of U(x) and, as s² channels, stands
  /// beside the measurement.
  bool reads_render = false;
  bool operator==(const NetworkShape&) const = default;
  int inputs() const { return reads_render ? 1 + scale * scale : 1; }
  /// Measured pixels on each side that a pixel of the output depends on.
  int reach_px() const { return 2 * blocks + 3; }
  std::size_t num_parameters() const;
};

/// From the least to the greatest of what a network was trained on, without the outermost hundredths. 0 to 0: not
/// known.
struct TrainedRange {
  double low = 0, high = 0;
};
/// What can be told of an image at sight, in units of its case's brightest line integral.
struct ImageTraits {
  double noise = 0;      ///< robust standard deviation of what is left of the image beyond its 3 × 3 surroundings
  double contrast = 0;   ///< 99.9th less 0.1th percentile
  double sharpness = 0;  ///< share of the image's variation that neighbouring pixels do not have in common, 0 to 1
};

/// What a network file says of its network.
struct NetworkFacts {
  NetworkShape shape;
  std::string name;                         ///< such as "dsasrgs-x4"
  std::string trained_on;                   ///< its sources and their licences, in its maker's words
  std::string training;                     ///< the configuration it was trained with, TOML
  TrainedRange noise, contrast, sharpness;  ///< of the measured patches it was trained on
  std::string fingerprint;                  ///< of shape and weights, 16 hexadecimal digits
};

/// The unit of a network's images: the brightest line integral of the acquisition's training views
/// (TrainingUnits::line_integral), so that its grey scale does not matter. Throws BadInput where there is none.
double brightest_line_integral(const Acquisition&);

/// Traits of an image [H,W] whose case's brightest line integral is `unit`. Throws InvalidArgument unless it has at
/// least 3 × 3 pixels, all finite, and the unit is positive.
ImageTraits image_traits(std::span<const float> image, int width_px, int height_px, double unit);
/// Of one view as network_label sees it: invalid pixels take the value of a valid one nearby first.
ImageTraits image_traits(const Acquisition&, int view, double unit);

/// How an image is sharpened, and what hears of it.
struct SharpenOptions {
  /// The mean over the image's eight flips and quarter turns: surer, in eight times the time.
  bool all_orientations = true;
  /// Side of the parts the image is cut into, measured pixels, at least 16. The result does not depend on it.
  int tile_px = 96;
  /// Called after each part with how many of how many are done; returning false stops.
  std::function<bool(int done, int parts)> progress;
  std::stop_token stop;
};

/// A sharp image and how far it may be off.
struct SharpImage {
  std::vector<float> values;  ///< [sH,sW], in the unit of the input
  std::vector<float> error;   ///< [sH,sW], the expected |error| in the same unit; empty: the network does not say
};

/// A network and its weights, in the context's memory. The context must outlive it. Used by one thread at a time.
/// One that was moved from throws InvalidArgument whatever it is asked.
class SuperResolver {
 public:
  /// Reads a network file (`dsasrgs.network` version 1, docs/data-format.md). Throws IoError; BadInput naming file,
  /// field, expected and found: another architecture, sizes that disagree, weights that are not finite or not those of
  /// the fingerprint.
  static SuperResolver open(Context&, const std::filesystem::path&);

  SuperResolver(SuperResolver&&) noexcept;
  SuperResolver& operator=(SuperResolver&&) noexcept;
  ~SuperResolver();

  /// What the file says.
  const NetworkFacts& facts() const&;
  const NetworkFacts& facts() const&& = delete;

  /// Line integrals [H,W], negative ones as they are, of a case whose brightest line integral is `unit`. Bit-identical
  /// for any thread count and tile_px. Throws InvalidArgument for sizes that disagree, values that are not finite
  /// (in the unit, as floats), a unit that is not positive, or a network that reads a render; Cancelled when stopped.
  SharpImage sharpen(std::span<const float> image, int width_px, int height_px, double unit,
                     const SharpenOptions& = {});
  /// The same with a network that reads a render (NetworkShape::reads_render): `render` [sH,sW] is what a model shows
  /// of the view. Throws InvalidArgument for another network.
  SharpImage refine(std::span<const float> image, std::span<const float> render, int width_px, int height_px,
                    double unit, const SharpenOptions& = {});

  /// What about such an image is beyond twice or half of what the network was trained on, each a sentence with the
  /// number and the range; empty: nothing. A label made from such an image may show what is not there.
  std::vector<std::string> unfamiliar(const ImageTraits&) const;

 private:
  struct State;
  State& state() const;
  explicit SuperResolver(std::unique_ptr<State>);
  std::unique_ptr<State> state_;
};

/// The label of one view, not below 0 (line integrals are not), with its confidence where the network tells its error:
/// unit·0.1 / (unit·0.1 + error), ½ where the network expects to be off by a tenth of the brightest line integral.
/// Invalid pixels take the value of a valid one nearby first. `render` [sH,sW] is for a network that reads one, else
/// empty. Throws as SuperResolver::sharpen and refine.
MadeLabel network_label(SuperResolver&, const Acquisition&, int view, double unit, const SharpenOptions& = {},
                        std::span<const float> render = {});

}  // namespace dsasrgs
