// SPDX-License-Identifier: Apache-2.0
#include "network/vessel_images.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "dsasrgs/simulator.hpp"
#include "support/context.hpp"

using namespace dsasrgs;
using namespace dsasrgs::test;

TEST_CASE("vessel images: they show the vessels they are aimed at", "[network]") {
  const NetworkVessels source{"tree", generate_vessel_tree({.num_inlets = 1, .min_radius_mm = 0.5})};
  NetworkTrainingConfig config;
  config.shape.scale = 2;
  Context ctx = make_context();
  const VesselImages images(ctx, config, source);
  CHECK(images.side_px() == 96);
  CHECK(images.unit() > 0);
  for (int k = 0; k < 6; ++k) {
    PatchNumbers numbers(1, RandomStream::network_vessels, k, 0);
    const Image image = images.draw(ctx, numbers);
    CHECK(image.width_px == 192);
    const auto [least, most] = std::minmax_element(image.values.begin(), image.values.end());
    CHECK(*least == 0);
    CHECK(*most > 0.005f);
    CHECK(*most < 4);
    float centre = 0;
    for (int r = 90; r < 102; ++r)
      for (int c = 90; c < 102; ++c) centre = std::max(centre, image.at(r, c));
    CHECK(centre > 0);
  }
}

TEST_CASE("vessel images: any window is the same after any other", "[network]") {
  const NetworkVessels source{"tree", generate_vessel_tree({.num_inlets = 1, .min_radius_mm = 0.5})};
  NetworkTrainingConfig config;
  config.shape.scale = 2;
  Context ctx = make_context();
  const VesselImages images(ctx, config, source);
  const auto window = [&] {
    VesselWindow made(9);
    made.add(images, 1);
    return made;
  };
  VesselWindow one = window(), other = window();
  const Image newest = one.at(ctx, 100, VesselWindow::kImages - 1);
  // Two steps on it is one place older; 126 steps on the oldest, and then gone.
  CHECK(one.at(ctx, 101, VesselWindow::kImages - 1) == newest);
  CHECK(one.at(ctx, 102, VesselWindow::kImages - 2) == newest);
  CHECK(other.at(ctx, 226, 0) == newest);
  CHECK_FALSE(other.at(ctx, 228, 0) == newest);
  CHECK(other.at(ctx, 100, VesselWindow::kImages - 1) == newest);
  CHECK(one.at(ctx, 1, 0) == window().at(ctx, 1, 0));  // before the first step there are images too
}
