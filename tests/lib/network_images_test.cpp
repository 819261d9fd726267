// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "dsasrgs/network_trainer.hpp"
#include "dsasrgs/super_resolver.hpp"
#include "network/image_patches.hpp"
#include "support/random_values.hpp"
#include "support/small_acquisition.hpp"

using namespace dsasrgs;
using namespace dsasrgs::test;

TEST_CASE("network images: an acquisition's finest projections, invalid pixels filled", "[network]") {
  Acquisition a = small_acquisition();
  a.reference_projections.reset();
  a.valid.clear();
  const std::size_t pixels = a.detector.num_pixels();
  NetworkImages source = network_images(a, "case");
  CHECK(source.name == "case");
  CHECK(source.binnings == std::vector<int>{1});
  REQUIRE(source.images.size() == a.poses.size());
  for (int v = 0; v < a.num_views(); ++v) {
    const auto projection = a.projection(v);
    CHECK(source.images[static_cast<std::size_t>(v)].values ==
          std::vector<float>(projection.begin(), projection.end()));
  }
  // The first pixel of every view does not count, and nothing of the last.
  a.valid.assign(pixels * a.poses.size(), 1);
  for (std::size_t v = 0; v < a.poses.size(); ++v) {
    a.valid[v * pixels] = 0;
    a.projections[v * pixels] = NAN;
  }
  std::fill(a.valid.end() - static_cast<std::ptrdiff_t>(pixels), a.valid.end(), std::uint8_t{0});
  source = network_images(a, "case");
  REQUIRE(source.images.size() == a.poses.size() - 1);
  CHECK(source.images[0].values[0] == source.images[0].values[1]);
  a.reference_projections = ReferenceProjections{2, random_values<float>(a.projections.size() * 4, 0, 1, 9)};
  source = network_images(a, "case");
  REQUIRE(source.images.size() == a.poses.size() - 1);
  const Image& image = source.images[0];
  CHECK(image.width_px == a.detector.width_px * 2);
  CHECK(image.height_px == a.detector.height_px * 2);
  CHECK(image.at(0, 2) == a.reference_projections->values[2]);
  for (const float filled : {image.at(0, 0), image.at(0, 1), image.at(1, 0), image.at(1, 1)})
    CHECK(
        (filled == image.at(0, 2) || filled == image.at(1, 2) || filled == image.at(2, 0) || filled == image.at(2, 1)));
}

TEST_CASE("network images: their unit is that of the training on the same views", "[network]") {
  Acquisition a = small_acquisition();
  a.projections = random_values<float>(a.projections.size(), -0.5f, 2, 4);
  a.valid.clear();
  a.reference_projections.reset();
  a.train_views.clear();
  a.test_views.clear();
  NetworkTrainingConfig config;
  config.shape.scale = 2;
  config.patch_px = 1;
  const NetworkImages source = network_images(a, "case");
  CHECK(ImagePatches(config, source).unit() == brightest_line_integral(a));
}

TEST_CASE("network images: frames that show nothing are left out", "[network]") {
  Acquisition a;
  a.detector = {5, 4, 1, 1};
  a.poses.resize(4);
  a.projections = random_values<float>(80, -0.1f, 1, 3);
  std::fill_n(a.projections.begin() + 20, 20, 0.0f);  // before the contrast
  a.valid.assign(80, 1);
  std::fill_n(a.valid.begin() + 60, 20, std::uint8_t{0});
  a.valid[3] = 0;
  std::fill_n(a.projections.begin() + 40, 20, 0.5f);
  a.projections[45] = 9;  // which is not valid: the rest is constant
  a.valid[45] = 0;
  const NetworkImages frames = network_images(a, "run");
  CHECK(frames.name == "run");
  REQUIRE(frames.images.size() == 1);
  CHECK((frames.images[0].width_px == 5 && frames.images[0].height_px == 4));
  for (std::size_t p = 0; p < 20; ++p)
    if (p != 3) CHECK(frames.images[0].values[p] == a.projections[p]);
  CHECK(frames.images[0].values[3] != a.projections[3]);
}
