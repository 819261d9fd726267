// SPDX-License-Identifier: Apache-2.0
// Sharp images made with a network.
#include "dsasrgs/super_resolver.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "dsasrgs/error.hpp"
#include "network/orientation.hpp"
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

constexpr int kWidth = 41, kHeight = 37;
constexpr double kUnit = 1.6;

std::vector<float> image_of(int width, int height, std::uint32_t seed = 6) {
  return test::random_values<float>(static_cast<std::size_t>(width * height), -0.4f, 2, seed);
}

SharpenOptions one_pass(int tile_px = 96) {
  SharpenOptions options;
  options.all_orientations = false;
  options.tile_px = tile_px;
  return options;
}

std::vector<float> oriented(const std::vector<float>& image, int width, int height, int orientation) {
  std::vector<float> turned(image.size());
  for_each_oriented(static_cast<std::size_t>(width), static_cast<std::size_t>(height), orientation,
                    [&](std::size_t from, std::size_t to) { turned[to] = image[from]; });
  return turned;
}

std::vector<float> times(std::vector<float> image, float factor) {
  for (float& v : image) v *= factor;
  return image;
}

}  // namespace

TEST_CASE("orientations: the eight of a small image", "[network]") {
  const std::vector<float> image{1, 2, 3, 4, 5, 6};  // 3 wide, 2 high
  const std::vector<std::vector<float>> expected{{1, 2, 3, 4, 5, 6}, {3, 2, 1, 6, 5, 4}, {4, 5, 6, 1, 2, 3},
                                                 {6, 5, 4, 3, 2, 1}, {1, 4, 2, 5, 3, 6}, {3, 6, 2, 5, 1, 4},
                                                 {4, 1, 5, 2, 6, 3}, {6, 3, 5, 2, 4, 1}};
  for (int o = 0; o < kOrientations; ++o) CHECK(oriented(image, 3, 2, o) == expected[static_cast<std::size_t>(o)]);
}

TEST_CASE("super-resolver: one pass is the network's oracle, in the image's unit", "[network]") {
  const TemporaryFolder folder;
  Context ctx = test::make_context();
  SuperResolver resolver = test::small_resolver(ctx, folder / "network.h5");
  const std::vector<float> image = image_of(9, 7);
  const SharpImage sharp = resolver.sharpen(image, 9, 7, kUnit, one_pass());
  std::vector<float> in_units;
  for (const float v : image) in_units.push_back(static_cast<float>(v / kUnit));
  const std::vector<float> parameters = read_network(folder / "network.h5").parameters;
  const auto expected =
      oracle::ResidualNetwork{2, 4, 2, 2}.forward({parameters.begin(), parameters.end()}, in_units, 1, 9, 7);
  std::vector<double> values, errors;
  for (const double v : expected.sharp[0]) values.push_back(kUnit * v);
  for (const double v : expected.log_error[0]) errors.push_back(kUnit * std::exp(std::clamp(v, -9.0, 2.0)));
  CHECK(test::relative_l2(sharp.values, values) < 1e-6);
  CHECK(test::relative_l2(sharp.error, errors) < 1e-6);
}

TEST_CASE("super-resolver: neither parts nor threads change a bit", "[network]") {
  const TemporaryFolder folder;
  Context ctx = test::make_context(), other = test::make_context(1);
  SuperResolver resolver = test::small_resolver(ctx, folder / "network.h5"),
                single = SuperResolver::open(other, folder / "network.h5");
  REQUIRE(resolver.facts().shape.reach_px() == 7);
  const std::vector<float> image = image_of(kWidth, kHeight);
  for (const bool all : {false, true}) {
    SharpenOptions options;
    options.all_orientations = all;
    options.tile_px = 1000;
    const SharpImage whole = resolver.sharpen(image, kWidth, kHeight, kUnit, options);
    REQUIRE(whole.values.size() == 4 * image.size());
    REQUIRE(whole.error.size() == 4 * image.size());
    for (const int tile_px : {16, 23, 1000}) {
      options.tile_px = tile_px;
      for (SuperResolver* used : {&resolver, &single}) {
        const SharpImage found = used->sharpen(image, kWidth, kHeight, kUnit, options);
        CHECK(found.values == whole.values);
        CHECK(found.error == whole.error);
      }
    }
  }
}

TEST_CASE("super-resolver: with all orientations a turned image gives the turned result", "[network]") {
  const TemporaryFolder folder;
  Context ctx = test::make_context();
  SuperResolver resolver = test::small_resolver(ctx, folder / "network.h5");
  constexpr int kW = 11, kH = 8;
  const std::vector<float> image = image_of(kW, kH);
  const SharpImage upright = resolver.sharpen(image, kW, kH, kUnit),
                   one = resolver.sharpen(image, kW, kH, kUnit, one_pass());
  CHECK(test::relative_l2(one.values, upright.values) > 1e-3);  // a random network knows up from down
  for (int o = 1; o < kOrientations; ++o) {
    const int width = transposes(o) ? kH : kW, height = transposes(o) ? kW : kH;
    const SharpImage found = resolver.sharpen(oriented(image, kW, kH, o), width, height, kUnit);
    CHECK(test::relative_l2(found.values, oriented(upright.values, 2 * kW, 2 * kH, o)) < 1e-6);
    CHECK(test::relative_l2(found.error, oriented(upright.error, 2 * kW, 2 * kH, o)) < 1e-6);
  }
}

TEST_CASE("super-resolver: the grey scale does not matter, and negative values stay", "[network]") {
  const TemporaryFolder folder;
  Context ctx = test::make_context();
  SuperResolver resolver = test::small_resolver(ctx, folder / "network.h5");
  const std::vector<float> image = image_of(12, 9);
  const SharpImage sharp = resolver.sharpen(image, 12, 9, kUnit);
  for (const float k : {0.001f, 4.0f, 3000.0f}) {
    const SharpImage found = resolver.sharpen(times(image, k), 12, 9, static_cast<double>(k) * kUnit);
    CHECK(test::relative_l2(found.values, times(sharp.values, k)) < 1e-6);
    CHECK(test::relative_l2(found.error, times(sharp.error, k)) < 1e-6);
  }
  for (const float e : sharp.error) REQUIRE(e > 0);
  // A network as it begins interpolates, below 0 too.
  NetworkFile begun = test::small_network();
  begun.parameters = ResidualNetwork(begun.facts.shape).first_parameters(1);
  write_network(folder / "begun.h5", begun);
  SuperResolver bicubic = SuperResolver::open(ctx, folder / "begun.h5");
  const SharpImage below = bicubic.sharpen(std::vector<float>(35, -0.75f), 7, 5, kUnit);
  for (const float v : below.values) REQUIRE(v == Approx(-0.75));
  for (const float e : below.error) REQUIRE(e == Approx(kUnit * std::exp(-4.0)));
}

TEST_CASE("super-resolver: images smaller than the reach, and networks that do not tell their error", "[network]") {
  const TemporaryFolder folder;
  Context ctx = test::make_context();
  SuperResolver resolver = test::small_resolver(ctx, folder / "network.h5", {3, 4, 2, false});
  for (const auto& [width, height] : {std::pair{3, 5}, {1, 1}, {40, 1}}) {
    const SharpImage sharp = resolver.sharpen(image_of(width, height), width, height, kUnit);
    CHECK(sharp.values.size() == static_cast<std::size_t>(9 * width * height));
    CHECK(std::all_of(sharp.values.begin(), sharp.values.end(), [](float v) { return std::isfinite(v); }));
    CHECK(sharp.error.empty());
  }
}

TEST_CASE("super-resolver: progress counts all parts, and it stops when it is told to", "[network]") {
  const TemporaryFolder folder;
  Context ctx = test::make_context();
  SuperResolver resolver = test::small_resolver(ctx, folder / "network.h5");
  const std::vector<float> image = image_of(kWidth, kHeight);  // 3 × 3 parts of 16, 8 times
  SharpenOptions options;
  options.tile_px = 16;
  std::vector<int> seen;
  int stop_at = 72;
  options.progress = [&](int done, int parts) {
    CHECK(parts == 72);
    seen.push_back(done);
    return done < stop_at;
  };
  const SharpImage sharp = resolver.sharpen(image, kWidth, kHeight, kUnit, options);  // nothing is left to stop
  REQUIRE(seen.size() == 72);
  for (int i = 0; i < 72; ++i) CHECK(seen[static_cast<std::size_t>(i)] == i + 1);
  stop_at = 5;
  seen.clear();
  require_error<Cancelled>([&] { resolver.sharpen(image, kWidth, kHeight, kUnit, options); },
                           {"stopped after 5 of 72 parts"});
  CHECK(seen.size() == 5);
  std::stop_source source;
  options.stop = source.get_token();
  options.progress = [&](int done, int) { return done != 3 || source.request_stop(); };
  require_error<Cancelled>([&] { resolver.sharpen(image, kWidth, kHeight, kUnit, options); }, {"after 3 of 72 parts"});
  options.stop = {};
  options.progress = {};
  CHECK(resolver.sharpen(image, kWidth, kHeight, kUnit, options).values == sharp.values);  // and is as before
}

TEST_CASE("super-resolver: what it refuses", "[network]") {
  const TemporaryFolder folder;
  Context ctx = test::make_context();
  SuperResolver resolver = test::small_resolver(ctx, folder / "network.h5");
  const std::vector<float> image = image_of(6, 4);
  const auto refused = [&](const std::vector<float>& values, int width, int height, double unit,
                           std::initializer_list<std::string_view> parts, const SharpenOptions& options = {}) {
    require_error<InvalidArgument>([&] { resolver.sharpen(values, width, height, unit, options); }, parts);
  };
  refused(image, 6, 5, kUnit, {"SuperResolver", "image", "30", "24"});
  refused(image, -6, -4, kUnit, {"SuperResolver", "image"});
  refused({}, 0, 0, kUnit, {"SuperResolver", "image"});
  for (const double unit :
       {0.0, -1.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()})
    refused(image, 6, 4, unit, {"unit: expected a positive number"});
  refused(image, 6, 4, kUnit, {"tile_px", "15"}, one_pass(15));
  std::vector<float> broken = image;
  broken[8] = std::numeric_limits<float>::quiet_NaN();
  refused(broken, 6, 4, kUnit, {"expected finite values", "row 1, column 2"});
  refused(image, 6, 4, 1e-39, {"expected finite values", "1e-39"});  // beyond floats in this unit

  SuperResolver taken = std::move(resolver);
  CHECK(taken.sharpen(image, 6, 4, kUnit).values.size() == 96);
  for (const auto& use : std::vector<std::function<void()>>{
           [&] { resolver.sharpen(image, 6, 4, kUnit); }, [&] { resolver.facts(); }, [&] { resolver.unfamiliar({}); }})
    require_error<InvalidArgument>(use, {"SuperResolver: expected one that was not moved from"});
  resolver = std::move(taken);
  CHECK(resolver.facts().name == "small");
}

TEST_CASE("network label: not below 0, ½ trusted at 2 %, and nothing of invalid pixels in it", "[network][labels]") {
  const TemporaryFolder folder;
  Context ctx = test::make_context();
  SuperResolver resolver = test::small_resolver(ctx, folder / "network.h5");
  Acquisition a = test::small_acquisition();
  const double unit = brightest_line_integral(a);
  const MadeLabel label = network_label(resolver, a, 2, unit);
  std::vector<float> filled(a.projection(2).begin(), a.projection(2).end());
  const float beside[] = {filled[6], filled[8], filled[2], filled[12]};  // of pixel 7, which is invalid
  REQUIRE(label.values.size() == 60);
  REQUIRE(label.confidence.size() == 60);
  CHECK(label.false_vessel_mask.empty());
  Acquisition burnt = a;
  for (std::size_t view = 0; view < 4; ++view) burnt.projections[view * 15 + 7] = 1e6f;
  CHECK(network_label(resolver, burnt, 2, unit).values == label.values);
  bool found = false, below = false;
  for (const float neighbour : beside) {  // any of them will do
    filled[7] = neighbour;
    const SharpImage candidate = resolver.sharpen(filled, 5, 3, unit);
    bool same = true;
    for (std::size_t i = 0; i < 60; ++i) {
      const double e = static_cast<double>(candidate.error[i]);
      below = below || candidate.values[i] < 0;
      same = same && label.values[i] == std::max(candidate.values[i], 0.0f) &&
             label.confidence[i] == Approx(0.1 * unit / (0.1 * unit + e)).epsilon(1e-6);
    }
    found = found || same;
  }
  CHECK(found);
  CHECK(below);
}
