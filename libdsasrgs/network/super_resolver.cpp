// SPDX-License-Identifier: Apache-2.0
#include "dsasrgs/super_resolver.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "common/checks.hpp"
#include "common/plain_number.hpp"
#include "dsasrgs/buffer.hpp"
#include "fill_invalid.hpp"
#include "held.hpp"
#include "label_loss/label_loss.hpp"
#include "network/network_file.hpp"
#include "network/orientation.hpp"
#include "network/render_channels.hpp"
#include "network/residual_network.hpp"

namespace dsasrgs {

struct SuperResolver::State {
  Context* ctx;
  NetworkFacts facts;
  ResidualNetwork network;
  Buffer<float> parameters;
  NetworkMemory memory;
  Buffer<float> input, output;

  State(Context& context, NetworkFile file)
      : ctx(&context),
        facts(std::move(file.facts)),
        network(facts.shape),
        parameters(Buffer<float>::from_host(context, file.parameters)) {}

  /// [outputs, s·h, s·w] of a part [inputs, h, w], in units.
  std::vector<float> run(const std::vector<float>& part, int width_px, int height_px) {
    const NetworkBatch batch{1, width_px, height_px};
    const auto s = static_cast<std::size_t>(facts.shape.scale);
    input = Buffer<float>::from_host(*ctx, part);
    output.resize(*ctx, batch.size() * s * s * static_cast<std::size_t>(network.outputs()));
    network.forward(*ctx, parameters, batch, input, false, memory, output);
    return output.to_host(*ctx);
  }

  SharpImage sharpen(std::span<const float> image, std::span<const float> render, int width_px, int height_px,
                     double unit, const SharpenOptions&);
};

SuperResolver::SuperResolver(std::unique_ptr<State> state) : state_(std::move(state)) {}
SuperResolver::SuperResolver(SuperResolver&&) noexcept = default;
SuperResolver& SuperResolver::operator=(SuperResolver&&) noexcept = default;
SuperResolver::~SuperResolver() = default;
SuperResolver::State& SuperResolver::state() const { return held(state_, "SuperResolver"); }

SuperResolver SuperResolver::open(Context& ctx, const std::filesystem::path& path) try {
  return SuperResolver(std::make_unique<State>(ctx, read_network(path)));
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

const NetworkFacts& SuperResolver::facts() const& { return state().facts; }

namespace {

/// One axis of a part: what of it is the result, and what is read with the margin.
struct Span {
  int begin, end, first, last;
  int read() const { return last - first; }
};
std::vector<Span> cut(int size, int tile, int reach) {
  std::vector<Span> spans;
  for (int begin = 0; begin < size; begin += tile) {
    const int end = std::min(begin + tile, size);
    spans.push_back({begin, end, std::max(begin - reach, 0), std::min(end + reach, size)});
  }
  return spans;
}

/// Pixels of a fine part [s·h, s·w] that lie within the result go to where they belong.
template <class Put>
void for_each_result(const Span& rows, const Span& columns, int scale, Put&& put) {
  const auto part_width = static_cast<std::size_t>(columns.read()) * static_cast<std::size_t>(scale);
  for (int row = rows.begin * scale; row < rows.end * scale; ++row)
    for (int column = columns.begin * scale; column < columns.end * scale; ++column)
      put(static_cast<std::size_t>(row - rows.first * scale) * part_width +
              static_cast<std::size_t>(column - columns.first * scale),
          row, column);
}

/// The network's input [inputs,H,W] in units, the image turned by an orientation.
std::vector<float> turned_input(std::span<const float> image, std::span<const float> render, int width_px,
                                int height_px, int scale, double unit, int orientation) {
  std::vector<float> input(image.size());
  for_each_oriented(static_cast<std::size_t>(width_px), static_cast<std::size_t>(height_px), orientation,
                    [&](std::size_t from, std::size_t to) { input[to] = static_cast<float>(image[from] / unit); });
  if (render.empty()) return input;
  const int width = width_px * scale, height = height_px * scale;
  Image turned{transposes(orientation) ? height : width, transposes(orientation) ? width : height, {}};
  turned.values = host_vector<float>(render.size());
  for_each_oriented(
      static_cast<std::size_t>(width), static_cast<std::size_t>(height), orientation,
      [&](std::size_t from, std::size_t to) { turned.values[to] = static_cast<float>(render[from] / unit); });
  const std::vector<float> channels = render_channels(turned, scale);
  input.insert(input.end(), channels.begin(), channels.end());
  return input;
}

/// Where each pixel of an image turned by an orientation was.
std::vector<std::size_t> back_from(int orientation, int width_px, int height_px) {
  std::vector<std::size_t> back(static_cast<std::size_t>(width_px) * static_cast<std::size_t>(height_px));
  for_each_oriented(static_cast<std::size_t>(width_px), static_cast<std::size_t>(height_px), orientation,
                    [&](std::size_t from, std::size_t to) { back[to] = from; });
  return back;
}

constexpr const char* kOp = "SuperResolver";

void require_finite(const char* what, std::span<const float> image, int width_px, double unit) {
  const std::string unit_text = plain_number(unit);
  for (std::size_t i = 0; i < image.size(); ++i)
    require(std::isfinite(static_cast<float>(image[i] / unit)), kOp, what, ": expected finite values, found ", image[i],
            " of unit ", unit_text, " at row ", i / static_cast<std::size_t>(width_px), ", column ",
            i % static_cast<std::size_t>(width_px));
}

}  // namespace

SharpImage SuperResolver::State::sharpen(std::span<const float> image, std::span<const float> render, int width_px,
                                         int height_px, double unit, const SharpenOptions& options) {
  const int scale = facts.shape.scale;
  const std::size_t pixels = require_image(kOp, "image", width_px, height_px);
  const auto fine = pixels * static_cast<std::size_t>(scale) * static_cast<std::size_t>(scale);
  require_size(kOp, "image", pixels, image.size());
  require_size(kOp, "render", facts.shape.reads_render ? fine : 0, render.size());
  require(unit > 0 && std::isfinite(unit), kOp, "unit: expected a positive number, found ", unit);
  require_count(kOp, "tile_px", options.tile_px, 16);
  require_finite("image", image, width_px, unit);
  require_finite("render", render, width_px * scale, unit);

  std::vector<double> values(host_vector<double>(fine)), errors(host_vector<double>(facts.shape.with_error ? fine : 0));
  const int orientations = options.all_orientations ? kOrientations : 1;
  const auto parts_of = [&](int size) { return (size + options.tile_px - 1) / options.tile_px; };
  const int parts = orientations * parts_of(width_px) * parts_of(height_px);
  int done = 0;
  const auto stopped = [&] {
    return Cancelled("super-resolution stopped after " + std::to_string(done) + " of " + std::to_string(parts) +
                     " parts");
  };
  std::vector<float> part;
  for (int o = 0; o < orientations; ++o) {
    const int width = transposes(o) ? height_px : width_px, height = transposes(o) ? width_px : height_px;
    const std::vector<float> turned = turned_input(image, render, width_px, height_px, scale, unit, o);
    const std::vector<std::size_t> back = back_from(o, width_px * scale, height_px * scale);
    for (const Span& rows : cut(height, options.tile_px, facts.shape.reach_px()))
      for (const Span& columns : cut(width, options.tile_px, facts.shape.reach_px())) {
        if (options.stop.stop_requested()) throw stopped();
        part.clear();
        for (std::size_t channel = 0; channel < turned.size() / pixels; ++channel)
          for (int row = rows.first; row < rows.last; ++row) {
            const float* line =
                turned.data() + channel * pixels + static_cast<std::size_t>(row) * static_cast<std::size_t>(width);
            part.insert(part.end(), line + columns.first, line + columns.last);
          }
        const std::vector<float> out = run(part, columns.read(), rows.read());
        const std::size_t channel = out.size() / static_cast<std::size_t>(network.outputs());
        for_each_result(rows, columns, scale, [&](std::size_t from, int row, int column) {
          const std::size_t to = back[static_cast<std::size_t>(row) * static_cast<std::size_t>(width * scale) +
                                      static_cast<std::size_t>(column)];
          values[to] += static_cast<double>(out[from]);
          if (!errors.empty())
            errors[to] += std::exp(static_cast<double>(std::clamp(out[channel + from], kLeastLogError, kMostLogError)));
        });
        ++done;
        if (options.progress && !options.progress(done, parts) && done < parts) throw stopped();
      }
  }
  const double factor = unit / orientations;
  SharpImage sharp{host_vector<float>(fine), host_vector<float>(errors.size())};
  for (std::size_t i = 0; i < fine; ++i) sharp.values[i] = static_cast<float>(factor * values[i]);
  for (std::size_t i = 0; i < errors.size(); ++i) sharp.error[i] = static_cast<float>(factor * errors[i]);
  return sharp;
}

SharpImage SuperResolver::sharpen(std::span<const float> image, int width_px, int height_px, double unit,
                                  const SharpenOptions& options) try {
  if (facts().shape.reads_render)
    throw InvalidArgument("SuperResolver::sharpen: expected a network that reads no render, found one that does");
  return state().sharpen(image, {}, width_px, height_px, unit, options);
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

SharpImage SuperResolver::refine(std::span<const float> image, std::span<const float> render, int width_px,
                                 int height_px, double unit, const SharpenOptions& options) try {
  if (!facts().shape.reads_render)
    throw InvalidArgument("SuperResolver::refine: expected a network that reads the render, found one that does not");
  return state().sharpen(image, render, width_px, height_px, unit, options);
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

std::vector<std::string> SuperResolver::unfamiliar(const ImageTraits& traits) const try {
  constexpr double kFactor = 2;  // beyond the range by so much
  const NetworkFacts& f = facts();
  std::vector<std::string> found;
  const auto look = [&](const char* what, double value, const TrainedRange& trained) {
    if (trained.high == 0) return;  // not known
    if (value >= trained.low / kFactor && value <= trained.high * kFactor) return;
    char text[160];
    std::snprintf(text, sizeof text, "%s %.3g, trained on %.3g to %.3g (brightest line integrals are 1)", what, value,
                  trained.low, trained.high);
    found.emplace_back(text);
  };
  look("noise", traits.noise, f.noise);
  look("contrast", traits.contrast, f.contrast);
  look("sharpness", traits.sharpness, f.sharpness);
  return found;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

MadeLabel network_label(SuperResolver& resolver, const Acquisition& a, int view, double unit,
                        const SharpenOptions& options, std::span<const float> render) try {
  constexpr double kHalfTrusted = 0.1;  // of the unit
  const std::vector<float> image = filled_projection(a, view);
  const int width = a.detector.width_px, height = a.detector.height_px;
  SharpImage sharp = render.empty() ? resolver.sharpen(image, width, height, unit, options)
                                    : resolver.refine(image, render, width, height, unit, options);
  MadeLabel label;
  label.values = std::move(sharp.values);
  for (float& value : label.values) value = std::max(value, 0.0f);
  label.confidence = std::move(sharp.error);
  for (float& value : label.confidence)
    value = static_cast<float>(unit * kHalfTrusted / (unit * kHalfTrusted + static_cast<double>(value)));
  return label;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
