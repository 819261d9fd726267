// SPDX-License-Identifier: Apache-2.0
// How far labels agree with what was measured.
#include "label_trust.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "dsasrgs/resample.hpp"
#include "support/random_values.hpp"

using namespace dsasrgs;

namespace {

constexpr int kScale = 2;
const Detector kDetector{12, 9, 1, 1};
constexpr std::size_t kLow = 108, kHigh = 432;

std::vector<float> random_label() { return test::random_values<float>(kHigh, 0, 1.5f, 4); }
/// The measured pixel below one of the label.
std::size_t below(std::size_t i) { return i / 24 / 2 * 12 + i % 24 / 2; }

}  // namespace

TEST_CASE("label trust: a label whose means are what was measured is trusted outright", "[label_trust]") {
  const std::vector<float> label = random_label(), measured = bin_image(label, kDetector, kScale);
  CHECK(label_consistency(label, measured, {}, kDetector, kScale, 1) == std::vector<float>(kHigh, 1.0f));
}

TEST_CASE("label trust: closed form, over valid pixels", "[label_trust]") {
  const std::vector<float> label = random_label();
  std::vector<float> measured = bin_image(label, kDetector, kScale);
  std::vector<std::uint8_t> valid(kLow, 1);
  std::vector<double> difference(kLow);
  for (std::size_t p = 0; p < kLow; ++p) {  // |r| is 0.001, 0.002 … in some order
    difference[p] = (p % 2 == 0 ? 0.001 : -0.001) * static_cast<double>(p * 5 % 108 + 1);
    measured[p] -= static_cast<float>(difference[p]);
  }
  const auto check = [&](const std::vector<std::uint8_t>& mask, double median) {
    const double deviation = median / 0.6745;
    const std::vector<float> trust = label_consistency(label, measured, mask, kDetector, kScale, 1);
    REQUIRE(trust.size() == kHigh);
    for (std::size_t i = 0; i < kHigh; ++i)
      REQUIRE(trust[i] == Approx(1 / (1 + std::pow(difference[below(i)] / (3 * deviation), 2))).epsilon(1e-4));
  };
  check({}, 0.054);
  check(valid, 0.054);
  // Without the larger half only the smaller one tells what is usual.
  for (std::size_t p = 0; p < kLow; ++p) valid[p] = std::abs(difference[p]) < 0.0505;
  check(valid, 0.025);
  std::fill(valid.begin(), valid.end(), std::uint8_t{0});
  CHECK(label_consistency(label, measured, valid, kDetector, kScale, 1) == std::vector<float>(kHigh, 1.0f));
}

TEST_CASE("label trust: differences below 0.2 % of the brightest count as none", "[label_trust]") {
  const std::vector<float> label = random_label();
  std::vector<float> measured = bin_image(label, kDetector, kScale);
  constexpr double kUnit = 5;
  measured[40] += static_cast<float>(3 * 0.002 * kUnit);
  const std::vector<float> trust = label_consistency(label, measured, {}, kDetector, kScale, kUnit);
  for (std::size_t i = 0; i < kHigh; ++i) REQUIRE(trust[i] == Approx(below(i) == 40 ? 0.5 : 1).epsilon(1e-4));
}

TEST_CASE("label trust: an invented ridge is not trusted, what is around it is", "[label_trust]") {
  const std::vector<float> truth = random_label(), noise = test::random_values<float>(kLow, -0.02f, 0.02f, 9);
  std::vector<float> measured = bin_image(truth, kDetector, kScale), label = truth;
  for (std::size_t p = 0; p < kLow; ++p) measured[p] += noise[p];
  for (std::size_t row = 0; row < 18; ++row) label[row * 24 + 9] += 0.6f;  // a thin line over measured column 4
  const std::vector<float> trust = label_consistency(label, measured, {}, kDetector, kScale, 1);
  for (std::size_t i = 0; i < kHigh; ++i) {
    INFO("row " << i / 24 << ", column " << i % 24);
    if (below(i) % 12 == 4)
      REQUIRE(trust[i] < 0.1f);
    else
      REQUIRE(trust[i] > 0.75f);
  }
}
