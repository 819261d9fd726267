// SPDX-License-Identifier: Apache-2.0
// What is told of an image at sight, and what a network finds unfamiliar.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "dsasrgs/error.hpp"
#include "dsasrgs/super_resolver.hpp"
#include "support/context.hpp"
#include "support/network_file.hpp"
#include "support/small_acquisition.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using test::require_error;

namespace {

constexpr int kWidth = 80, kHeight = 60;

template <class Value>
std::vector<float> image_of(Value&& value) {
  std::vector<float> image;
  for (int row = 0; row < kHeight; ++row)
    for (int column = 0; column < kWidth; ++column)
      image.push_back(static_cast<float>(value(static_cast<double>(row), static_cast<double>(column))));
  return image;
}
std::vector<float> with_noise(std::vector<float> image, double deviation) {
  std::mt19937 generator(3);
  std::normal_distribution<double> normal(0, deviation);
  for (float& v : image) v += static_cast<float>(normal(generator));
  return image;
}
ImageTraits traits_of(const std::vector<float>& image, double unit = 1) {
  return image_traits(image, kWidth, kHeight, unit);
}
double plane(double row, double column) { return 0.2 + 0.01 * row - 0.004 * column; }
double vessels(double row, double column) {
  double sum = 0;
  for (const double at : {12.0, 30.0, 55.0})
    sum += std::sqrt(std::fmax(0, 1 - std::pow((column - at - row / 5) / 2.5, 2)));
  return sum;
}

}  // namespace

TEST_CASE("image traits: noise of a known deviation is measured, whatever it lies on", "[image_traits]") {
  for (const double deviation : {0.003, 0.03, 0.3}) {
    CHECK(traits_of(with_noise(image_of([](double, double) { return 0.0; }), deviation)).noise ==
          Approx(deviation).epsilon(0.1));
    CHECK(traits_of(with_noise(image_of(plane), deviation)).noise == Approx(deviation).epsilon(0.1));
    CHECK(traits_of(with_noise(image_of(plane), deviation), 2.5).noise == Approx(deviation / 2.5).epsilon(0.1));
  }
  CHECK(traits_of(with_noise(image_of(vessels), 0.03)).noise == Approx(0.03).epsilon(0.2));  // which are few
  CHECK(traits_of(image_of(plane)).noise < 1e-6);
  CHECK(traits_of(image_of(vessels)).noise < 1e-6);
  CHECK(traits_of(image_of([](double row, double) { return row < 20 ? 0.0 : 1.0; })).noise ==
        0);  // an edge along an axis
}

TEST_CASE("image traits: contrast is from dark to bright, but for defects", "[image_traits]") {
  std::vector<float> ramp = image_of([](double row, double column) { return (row * kWidth + column) / 4800; });
  CHECK(traits_of(ramp).contrast == Approx((4795.0 - 4) / 4800).epsilon(1e-6));  // 0.1 % of 4800 at each end
  ramp[1000] = 50;
  ramp[2000] = -50;
  CHECK(traits_of(ramp, 0.5).contrast == Approx(2 * 4791.0 / 4800).epsilon(1e-3));
  const ImageTraits flat = traits_of(image_of([](double, double) { return 0.7; }));
  CHECK((flat.contrast == 0 && flat.noise == 0 && flat.sharpness == 0));
}

TEST_CASE("image traits: a blurred image and one of noise are told apart", "[image_traits]") {
  const auto waves = [](double length) {
    return image_of([=](double row, double column) {
      return std::sin(2 * M_PI * row / length) + std::sin(2 * M_PI * column / length);
    });
  };
  const double blurred = traits_of(waves(20)).sharpness, crisp = traits_of(waves(5)).sharpness,
               noise = traits_of(with_noise(image_of([](double, double) { return 0.0; }), 1)).sharpness;
  // Neighbours along one axis have cos(2π/length) of one of the two waves in common, and all of the other.
  const auto expected = [](double length) {
    const double pixels = kWidth * kHeight, pairs = 2 * pixels - kWidth - kHeight;
    return 1 - (pixels * std::cos(2 * M_PI / length) + pairs / 2) / pairs;
  };
  CHECK(blurred == Approx(expected(20)).epsilon(1e-4));
  CHECK(crisp == Approx(expected(5)).epsilon(1e-4));
  CHECK(noise == Approx(1).margin(0.03));
  CHECK(traits_of(waves(20), 7).sharpness == blurred);
  // Pixels that alternate have less than nothing in common.
  CHECK(traits_of(image_of([](double row, double column) { return std::fmod(row + column, 2.0); })).sharpness == 1);
}

TEST_CASE("image traits: what they refuse", "[image_traits]") {
  std::vector<float> image(9, 1);
  CHECK_NOTHROW(image_traits(image, 3, 3, 1));
  const auto refused = [&](int width, int height, double unit, std::string_view why) {
    require_error<InvalidArgument>([&] { image_traits(image, width, height, unit); }, {"image_traits: ", why});
  };
  refused(9, 1, 1, "at least 3 x 3, found 9 for 9 x 1");
  refused(3, 4, 1, "found 9 for 3 x 4");
  for (const double unit :
       {0.0, -1.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()})
    refused(3, 3, unit, "unit: expected a positive number");
  image[4] = std::numeric_limits<float>::infinity();
  refused(3, 3, 1, "image: expected finite values");
}

TEST_CASE("image traits: nothing under an invalid pixel is seen", "[image_traits]") {
  Acquisition a = test::small_acquisition();
  const ImageTraits before = image_traits(a, 1, 1.5);
  a.projections[15 + 7] = 1e5f;
  const ImageTraits after = image_traits(a, 1, 1.5);
  CHECK((before.noise == after.noise && before.contrast == after.contrast && before.sharpness == after.sharpness));
  CHECK(before.contrast > 0);
  a.projections[15 + 8] = 4;
  CHECK(image_traits(a, 1, 1.5).contrast > before.contrast);
}

TEST_CASE("unfamiliar: a sentence with the number and the range for each trait that is far off", "[image_traits]") {
  const test::TemporaryFolder folder;
  Context ctx = test::make_context();
  const SuperResolver resolver = test::small_resolver(ctx, folder / "network.h5");
  const ImageTraits usual{0.01, 0.8, 0.2};
  CHECK(resolver.unfamiliar(usual).empty());
  CHECK(resolver.unfamiliar({0.04, 2.4, 0.8}).empty());      // twice the most
  CHECK(resolver.unfamiliar({0.001, 0.15, 0.025}).empty());  // half of the least
  using Sentences = std::vector<std::string>;
  const std::string units = " (brightest line integrals are 1)";
  CHECK(resolver.unfamiliar({0.2, 0.8, 0.2}) == Sentences{"noise 0.2, trained on 0.002 to 0.02" + units});
  CHECK(resolver.unfamiliar({0.01, 0.03, 0.2}) == Sentences{"contrast 0.03, trained on 0.3 to 1.2" + units});
  CHECK(resolver.unfamiliar({0.0001, 12, 0.95}) == Sentences{"noise 0.0001, trained on 0.002 to 0.02" + units,
                                                             "contrast 12, trained on 0.3 to 1.2" + units,
                                                             "sharpness 0.95, trained on 0.05 to 0.4" + units});
  // Of a real image: ten times the noise.
  const auto seen = [&](double deviation) {
    return resolver.unfamiliar(traits_of(with_noise(image_of(vessels), deviation)));
  };
  CHECK(seen(0.01).empty());
  REQUIRE(seen(0.1).size() >= 1);
  CHECK(seen(0.1)[0].starts_with("noise 0.1"));
}
