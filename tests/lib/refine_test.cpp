// SPDX-License-Identifier: Apache-2.0
// Sharp images made with a network that reads a model's render beside the measurement.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "dsasrgs/error.hpp"
#include "dsasrgs/super_resolver.hpp"
#include "network/orientation.hpp"
#include "network/render_channels.hpp"
#include "oracle/residual_network_oracle.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/network_file.hpp"
#include "support/small_acquisition.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using test::require_error;
using test::TemporaryFolder;

namespace {

constexpr NetworkShape kShape{2, 4, 2, true, true};
constexpr double kUnit = 1.6;

/// A measurement and its render.
struct Pair {
  Pair(int w, int h, std::uint32_t seed = 6)
      : width(w),
        height(h),
        image(test::random_values<float>(static_cast<std::size_t>(w * h), -0.4f, 2, seed)),
        render(test::random_values<float>(static_cast<std::size_t>(4 * w * h), -0.1f, 2, seed + 1)) {}
  int width, height;
  std::vector<float> image, render;

  SharpImage refined(SuperResolver& resolver, double unit, const SharpenOptions& options = {}) const {
    return resolver.refine(image, render, width, height, unit, options);
  }
  Pair oriented(int o) const;
  Pair times(float factor) const {
    Pair p = *this;
    for (std::vector<float>* values : {&p.image, &p.render})
      for (float& v : *values) v *= factor;
    return p;
  }
};

std::vector<float> oriented(const std::vector<float>& image, int width, int height, int orientation) {
  std::vector<float> turned(image.size());
  for_each_oriented(static_cast<std::size_t>(width), static_cast<std::size_t>(height), orientation,
                    [&](std::size_t from, std::size_t to) { turned[to] = image[from]; });
  return turned;
}

Pair Pair::oriented(int o) const {
  Pair p = *this;
  if (transposes(o)) std::swap(p.width, p.height);
  p.image = ::oriented(image, width, height, o);
  p.render = ::oriented(render, 2 * width, 2 * height, o);
  return p;
}

SharpenOptions one_pass() {
  SharpenOptions options;
  options.all_orientations = false;
  return options;
}

}  // namespace

TEST_CASE("refine: one pass is the network's oracle, in the image's unit", "[network]") {
  const TemporaryFolder folder;
  Context ctx = test::make_context();
  SuperResolver resolver = test::small_resolver(ctx, folder / "network.h5", kShape);
  const Pair pair(9, 7);
  const SharpImage sharp = pair.refined(resolver, kUnit, one_pass());
  std::vector<float> input = pair.image;
  const std::vector<float> channels = render_channels({18, 14, pair.render}, 2);
  input.insert(input.end(), channels.begin(), channels.end());
  for (float& v : input) v = static_cast<float>(v / kUnit);
  const std::vector<float> parameters = read_network(folder / "network.h5").parameters;
  const auto expected =
      oracle::ResidualNetwork{2, 4, 2, 2, true}.forward({parameters.begin(), parameters.end()}, input, 1, 9, 7);
  std::vector<double> values, errors;
  for (const double v : expected.sharp[0]) values.push_back(kUnit * v);
  for (const double v : expected.log_error[0]) errors.push_back(kUnit * std::exp(std::clamp(v, -9.0, 2.0)));
  CHECK(test::relative_l2(sharp.values, values) < 1e-6);
  CHECK(test::relative_l2(sharp.error, errors) < 1e-6);
}

TEST_CASE("refine: neither parts nor threads change a bit", "[network]") {
  const TemporaryFolder folder;
  Context ctx = test::make_context(), other = test::make_context(1);
  SuperResolver resolver = test::small_resolver(ctx, folder / "network.h5", kShape),
                single = SuperResolver::open(other, folder / "network.h5");
  const Pair pair(41, 37);
  for (const bool all : {false, true}) {
    SharpenOptions options;
    options.all_orientations = all;
    options.tile_px = 1000;
    const SharpImage whole = pair.refined(resolver, kUnit, options);
    REQUIRE(whole.values.size() == pair.render.size());
    REQUIRE(whole.error.size() == pair.render.size());
    for (const int tile_px : {16, 23}) {
      options.tile_px = tile_px;
      for (SuperResolver* used : {&resolver, &single}) {
        const SharpImage found = pair.refined(*used, kUnit, options);
        CHECK(found.values == whole.values);
        CHECK(found.error == whole.error);
      }
    }
  }
}

TEST_CASE("refine: turned images give the turned result, brighter ones the brighter", "[network]") {
  const TemporaryFolder folder;
  Context ctx = test::make_context();
  SuperResolver resolver = test::small_resolver(ctx, folder / "network.h5", kShape);
  const Pair pair(11, 8);
  const SharpImage upright = pair.refined(resolver, kUnit);
  CHECK(test::relative_l2(pair.refined(resolver, kUnit, one_pass()).values, upright.values) > 1e-3);
  for (int o = 1; o < kOrientations; ++o) {
    const SharpImage found = pair.oriented(o).refined(resolver, kUnit);
    CHECK(test::relative_l2(found.values, oriented(upright.values, 22, 16, o)) < 1e-6);
    CHECK(test::relative_l2(found.error, oriented(upright.error, 22, 16, o)) < 1e-6);
  }
  for (const float k : {0.001f, 4.0f, 3000.0f}) {
    const SharpImage found = pair.times(k).refined(resolver, static_cast<double>(k) * kUnit);
    SharpImage expected = upright;
    for (std::vector<float>* values : {&expected.values, &expected.error})
      for (float& v : *values) v *= k;
    CHECK(test::relative_l2(found.values, expected.values) < 1e-6);
    CHECK(test::relative_l2(found.error, expected.error) < 1e-6);
  }
}

TEST_CASE("refine: both inputs count, and at its beginning a network gives the render back", "[network]") {
  const TemporaryFolder folder;
  Context ctx = test::make_context();
  SuperResolver resolver = test::small_resolver(ctx, folder / "network.h5", kShape);
  const Pair pair(12, 9);
  const SharpImage sharp = pair.refined(resolver, kUnit);
  Pair other = pair;
  other.image[40] += 0.5f;
  CHECK(other.refined(resolver, kUnit).values != sharp.values);
  other = pair;
  other.render[40] += 0.5f;
  CHECK(other.refined(resolver, kUnit).values != sharp.values);
  NetworkFile begun = test::small_network(kShape);
  begun.parameters = ResidualNetwork(kShape).first_parameters(1);
  write_network(folder / "begun.h5", begun);
  SuperResolver first = SuperResolver::open(ctx, folder / "begun.h5");
  CHECK(test::max_difference(pair.refined(first, kUnit).values, pair.render) < 1e-6);
}

TEST_CASE("refine: what it refuses", "[network]") {
  const TemporaryFolder folder;
  Context ctx = test::make_context();
  SuperResolver refining = test::small_resolver(ctx, folder / "refining.h5", kShape),
                sharpening = test::small_resolver(ctx, folder / "sharpening.h5");
  const Pair pair(6, 4);
  require_error<InvalidArgument>([&] { pair.refined(sharpening, kUnit); },
                                 {"SuperResolver::refine: expected a network that reads the render"});
  require_error<InvalidArgument>([&] { refining.sharpen(pair.image, 6, 4, kUnit); },
                                 {"SuperResolver::sharpen: expected a network that reads no render"});
  const auto refused = [&](auto change, std::initializer_list<std::string_view> parts, double unit = kUnit) {
    Pair p = pair;
    change(p);
    require_error<InvalidArgument>([&] { p.refined(refining, unit); }, parts);
  };
  refused([](Pair& p) { p.render.pop_back(); }, {"SuperResolver", "render", "96", "95"});
  refused([](Pair& p) { p.render.clear(); }, {"SuperResolver", "render", "96"});
  refused([](Pair& p) { p.image.pop_back(); }, {"SuperResolver", "image", "24", "23"});
  refused([](Pair& p) { p.render[15] = std::numeric_limits<float>::quiet_NaN(); },
          {"render: expected finite values", "row 1, column 3"});
  refused([](Pair&) {}, {"unit: expected a positive number"}, 0);
}

TEST_CASE("network label: of measurement and render, not below 0", "[network][labels]") {
  const TemporaryFolder folder;
  Context ctx = test::make_context();
  SuperResolver refining = test::small_resolver(ctx, folder / "refining.h5", kShape),
                sharpening = test::small_resolver(ctx, folder / "sharpening.h5");
  Acquisition a = test::small_acquisition();
  a.valid.clear();
  const double unit = brightest_line_integral(a);
  const std::vector<float> render = test::random_values<float>(60, -0.1f, 1, 3);
  const MadeLabel label = network_label(refining, a, 2, unit, {}, render);
  const SharpImage sharp = refining.refine(a.projection(2), render, 5, 3, unit);
  REQUIRE(label.values.size() == 60);
  REQUIRE(label.confidence.size() == 60);
  for (std::size_t i = 0; i < 60; ++i) CHECK(label.values[i] == std::max(sharp.values[i], 0.0f));
  require_error<InvalidArgument>([&] { network_label(refining, a, 2, unit); }, {"SuperResolver::sharpen"});
  require_error<InvalidArgument>([&] { network_label(sharpening, a, 2, unit, {}, render); }, {"SuperResolver::refine"});
}
