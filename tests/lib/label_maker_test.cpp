// SPDX-License-Identifier: Apache-2.0
// Labels for tests and studies: interpolation, and truth with planted errors.
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "dsasrgs/error.hpp"
#include "dsasrgs/pseudo_labels.hpp"
#include "support/small_acquisition.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using test::require_error;
using test::small_acquisition;

namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

/// 2 views of a smooth background crossed by one bright vessel, and its truth at ×4.
Acquisition vessel_acquisition() {
  Acquisition a = small_acquisition();
  a.detector = {32, 24, 1, 1};
  a.poses.resize(2);
  a.train_views = {0, 1};
  a.test_views.clear();
  a.valid.clear();
  a.projections.assign(2 * a.detector.num_pixels(), 0);
  ReferenceProjections truth{4, std::vector<float>(2 * 128 * 96)};
  for (int v = 0; v < 2; ++v)
    for (int r = 0; r < 96; ++r)
      for (int c = 0; c < 128; ++c) {
        const double d = (r - 30 - 0.3 * c) / 3;
        const float value = static_cast<float>(0.2 + 0.001 * c + std::exp(-d * d / 2));
        const std::size_t p = static_cast<std::size_t>(v * 128 * 96 + r * 128 + c);
        truth.values[p] = value;
        a.projections[static_cast<std::size_t>(v * 768 + r / 4 * 32 + c / 4)] += value / 16;
      }
  a.reference_projections = truth;
  return a;
}

}  // namespace

TEST_CASE("label makers: interpolation", "[labels]") {
  Acquisition a = small_acquisition();
  a.valid.clear();
  for (std::size_t p = 0; p < 15; ++p) a.projections[p] = 0.75f;  // a constant stays one
  for (const auto make : {bicubic_label, lanczos_label}) {
    for (const float value : make(a, 0, 3).values) REQUIRE(value == Approx(0.75f));
    REQUIRE(make(a, 1, 4).values.size() == 16 * 15);
    REQUIRE_THROWS_AS(make(a, 0, 0), InvalidArgument);
    REQUIRE_THROWS_AS(make(a, 4, 2), InvalidArgument);
    const std::vector<float> same = make(a, 1, 1).values;
    for (std::size_t p = 0; p < 15; ++p) REQUIRE(same[p] == Approx(a.projection(1)[p]).margin(1e-6));
  }
  // A sine well below the pixel grid's limit, away from the border.
  a.detector = {40, 1, 1, 1};
  a.projections.resize(4 * 40);
  for (std::size_t c = 0; c < 40; ++c)
    a.projections[c] = static_cast<float>(std::sin(0.4 * (static_cast<double>(c) + 0.5)));
  const std::vector<float> fine = lanczos_label(a, 0, 4).values;
  for (std::size_t c = 20; c < 140; ++c)
    REQUIRE(fine[c] == Approx(std::sin(0.4 * (static_cast<double>(c) + 0.5) / 4)).margin(0.01));
}

TEST_CASE("label makers: numbers that are not finite are refused by their pixel, counts beyond their bound",
          "[labels]") {
  Acquisition a = small_acquisition();
  a.projections[15 + 7] = kNaN;  // not valid
  CHECK_NOTHROW(bicubic_label(a, 1, 2));
  a.projections[15 + 8] = kNaN;
  a.reference_projections->values[60 + 13] = kNaN;
  for (const auto make : {bicubic_label, lanczos_label}) {
    require_error<InvalidArgument>([&] { make(a, 1, 2); }, {"projection of view 1: pixel (row 1, column 3)"});
    CHECK_THROWS_AS(make(a, 0, 65), InvalidArgument);
  }
  require_error<InvalidArgument>([&] { oracle_label(a, 1, 2, {}); },
                                 {"oracle_label: reference projection of view 1: pixel (row 1, column 3)"});
  const int most = std::numeric_limits<int>::max();
  CHECK_THROWS_AS(oracle_label(a, 0, 2, {.false_branches = most}), InvalidArgument);
  CHECK_THROWS_AS(oracle_label(a, 0, 2, {.missing_branches = most}), InvalidArgument);
}

TEST_CASE("label makers: the oracle's mask marks where label and truth differ", "[labels]") {
  const Acquisition a = vessel_acquisition();
  const std::span<const float> truth = a.reference_projection(1);
  OracleOptions options;
  const MadeLabel made = oracle_label(a, 1, 4, options);
  std::size_t raised = 0, lowered = 0;
  for (std::size_t p = 0; p < truth.size(); ++p) {
    REQUIRE((made.false_vessel_mask[p] != 0) == (made.values[p] != truth[p]));
    raised += made.values[p] > truth[p] + 0.05f;
    lowered += made.values[p] < truth[p] - 0.05f;
  }
  REQUIRE(raised > 50);
  REQUIRE(lowered > 50);
  REQUIRE(raised + lowered < truth.size() / 4);

  SECTION("same seed, same label; other seed or view, others") {
    REQUIRE(oracle_label(a, 1, 4, options).values == made.values);
    REQUIRE(oracle_label(a, 0, 4, options).values != made.values);
    options.seed = 1;
    REQUIRE(oracle_label(a, 1, 4, options).values != made.values);
  }
  SECTION("false branches only add, missing ones only take") {
    options.missing_branches = 0;
    const MadeLabel more = oracle_label(a, 1, 4, options);
    options.missing_branches = 3;
    options.false_branches = 0;
    const MadeLabel less = oracle_label(a, 1, 4, options);
    for (std::size_t p = 0; p < truth.size(); ++p) {
      REQUIRE(more.values[p] >= truth[p]);
      REQUIRE(less.values[p] <= truth[p]);
    }
    options.missing_strength = 0;
    REQUIRE(oracle_label(a, 1, 4, options).values == std::vector<float>(truth.begin(), truth.end()));
  }
  SECTION("sharpening changes the label, not the mask") {
    options.sharpening = 1.5;
    const MadeLabel sharp = oracle_label(a, 1, 4, options);
    REQUIRE(sharp.false_vessel_mask == made.false_vessel_mask);
    REQUIRE(*std::max_element(sharp.values.begin(), sharp.values.end()) >
            *std::max_element(made.values.begin(), made.values.end()));
  }
  SECTION("bad options") {
    REQUIRE_THROWS_AS(oracle_label(a, 1, 2, options), InvalidArgument);  // no truth of that scale
    options.sharpening = kNaN;
    REQUIRE_THROWS_AS(oracle_label(a, 1, 4, options), InvalidArgument);
    options = {};
    options.missing_strength = 1.5;
    REQUIRE_THROWS_AS(oracle_label(a, 1, 4, options), InvalidArgument);
  }
}
