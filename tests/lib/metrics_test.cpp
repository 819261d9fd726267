// SPDX-License-Identifier: Apache-2.0
#include "dsasrgs/metrics.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "dsasrgs/error.hpp"
#include "support/random_values.hpp"

namespace dsasrgs {
namespace {

// The values of tests/oracle/ssim_reference.py, bit for bit.
std::vector<float> congruence_values(std::size_t n, std::uint32_t seed) {
  std::vector<float> values(n);
  for (float& v : values) {
    seed = 1664525u * seed + 1013904223u;
    v = static_cast<float>(seed >> 16) / 65536.0f - 0.25f;
  }
  return values;
}

struct Images {
  int width_px = 34, height_px = 21;
  std::vector<float> rendered, reference;
  std::vector<std::uint8_t> valid;

  Images() : reference(congruence_values(21 * 34, 7)) {
    const std::vector<float> other = congruence_values(21 * 34, 8);
    for (std::size_t i = 0; i < other.size(); ++i) rendered.push_back(0.75f * reference[i] + 0.25f * other[i] + 0.125f);
  }
  // Only the columns left of `end` count; the others get values that would show.
  void keep_columns(int end) {
    valid.assign(reference.size(), 1);
    for (std::size_t i = 0; i < valid.size(); ++i)
      if (static_cast<int>(i) % width_px >= end) {
        valid[i] = 0;
        rendered[i] = i % 3 ? 1e6f : std::numeric_limits<float>::quiet_NaN();
        reference[i] = -5e7f;
      }
  }
  ImagePair pair() const { return {rendered, reference, valid, width_px, height_px}; }
};

}  // namespace

TEST_CASE("metrics: PSNR and SSIM are scikit-image's by definition", "[metrics]") {
  // Numbers printed by tests/oracle/ssim_reference.py.
  Images images;
  const ImageScore fixed = score_fixed(images.pair(), 0.7);
  CHECK(fixed.psnr_db == Approx(14.575001935884).epsilon(1e-11));
  CHECK(fixed.ssim == Approx(0.887956411661).epsilon(1e-11));
  const ImageScore normalized = score_4drgs(images.pair());
  CHECK(normalized.psnr_db == Approx(16.833286492895).epsilon(1e-11));
  CHECK(normalized.ssim == Approx(0.899390607807).epsilon(1e-11));
  CHECK(highpass_correlation(images.pair(), 2.0) == Approx(0.938061358235).epsilon(1e-11));
}

TEST_CASE("metrics: pixels that are not valid count nowhere", "[metrics]") {
  Images images;
  images.keep_columns(20);
  const ImageScore normalized = score_4drgs(images.pair());
  CHECK(normalized.psnr_db == Approx(16.932754340001).epsilon(1e-11));
  CHECK(normalized.ssim == Approx(0.900932804227).epsilon(1e-11));
  CHECK(highpass_correlation(images.pair(), 2.0) == Approx(0.936575658987).epsilon(1e-11));

  // A score of valid columns is the score of the image that holds only them.
  Images whole, cropped;
  whole.keep_columns(20);
  cropped.rendered.clear();
  cropped.reference.clear();
  cropped.width_px = 20;
  for (std::size_t i = 0; i < whole.valid.size(); ++i)
    if (whole.valid[i]) {
      cropped.rendered.push_back(whole.rendered[i]);
      cropped.reference.push_back(whole.reference[i]);
    }
  CHECK(score_fixed(whole.pair(), 0.7).psnr_db == Approx(score_fixed(cropped.pair(), 0.7).psnr_db).epsilon(1e-12));
  CHECK(score_fixed(whole.pair(), 0.7).ssim == Approx(score_fixed(cropped.pair(), 0.7).ssim).epsilon(1e-12));

  whole.keep_columns(6);  // narrower than the window: PSNR stands, SSIM has no window
  CHECK(std::isfinite(score_fixed(whole.pair(), 0.7).psnr_db));
  CHECK(std::isnan(score_fixed(whole.pair(), 0.7).ssim));
}

TEST_CASE("metrics: closed forms of PSNR and SSIM", "[metrics]") {
  Images images;
  images.reference = test::random_values(images.reference.size(), 0.1f, 0.9f, 1);
  images.rendered = images.reference;
  CHECK(score_fixed(images.pair(), 1.5).psnr_db == std::numeric_limits<double>::infinity());
  CHECK(score_fixed(images.pair(), 1.5).ssim == Approx(1.0).epsilon(1e-14));
  CHECK(score_4drgs(images.pair()).psnr_db == std::numeric_limits<double>::infinity());
  CHECK(score_4drgs(images.pair()).ssim == Approx(1.0).epsilon(1e-14));

  for (float& v : images.rendered) v += 0.25f;
  CHECK(score_fixed(images.pair(), 1.5).psnr_db == Approx(20 * std::log10(1.5 / 0.25)).epsilon(1e-6));
  CHECK(score_4drgs(images.pair()).psnr_db > 120);  // min–max takes offset and gain away
  for (float& v : images.rendered) v *= 3;
  CHECK(score_4drgs(images.pair()).psnr_db > 120);

  // Two constant images: only the luminance term is left.
  images.reference.assign(images.reference.size(), 0.5f);
  images.rendered.assign(images.rendered.size(), 0.25f);
  const double c1 = 0.0004;  // (0.01 · 2)²
  CHECK(score_fixed(images.pair(), 2).ssim == Approx((2 * 0.5 * 0.25 + c1) / (0.25 + 0.0625 + c1)).epsilon(1e-12));
  CHECK(score_4drgs(images.pair()).psnr_db == std::numeric_limits<double>::infinity());

  // Values below 0 are 0.
  images.reference.assign(images.reference.size(), 0.0f);
  images.rendered.assign(images.rendered.size(), -3.0f);
  CHECK(score_fixed(images.pair(), 2).psnr_db == std::numeric_limits<double>::infinity());
  images.reference.assign(images.reference.size(), -1.0f);
  images.rendered.assign(images.rendered.size(), 0.5f);
  CHECK(score_fixed(images.pair(), 2).psnr_db == Approx(20 * std::log10(2 / 0.5)).epsilon(1e-12));
}

TEST_CASE("metrics: the fixed range is the largest valid reference value", "[metrics]") {
  const std::vector<float> references = {-3, 1, 4, 2, 9, 0};
  const std::vector<std::uint8_t> shared = {1, 0}, each = {1, 1, 0, 1, 0, 1}, none(6, 0), wrong(4, 1), longer(12, 1);
  CHECK(fixed_range(references, {}) == 9);
  CHECK(fixed_range(references, shared) == 9);
  CHECK(fixed_range(references, each) == 2);
  CHECK_THROWS_AS(fixed_range(references, none), InvalidArgument);
  CHECK_THROWS_AS(fixed_range(references, wrong), InvalidArgument);
  CHECK_THROWS_AS(fixed_range(references, longer), InvalidArgument);
  const std::vector<float> negative = {-1, 0}, broken = {1, INFINITY};
  CHECK_THROWS_AS(fixed_range(negative, {}), InvalidArgument);
  CHECK_THROWS_WITH(fixed_range(broken, {}), Catch::Contains("element 1") && Catch::Contains("inf"));
}

TEST_CASE("metrics: high-passed correlation sees vessels, not gain or smooth background", "[metrics]") {
  Images images;
  images.width_px = 96;
  images.height_px = 80;
  std::vector<float> vessels, other, background;
  for (int y = 0; y < images.height_px; ++y)
    for (int x = 0; x < images.width_px; ++x) {
      const double vessel = std::exp(-0.5 * std::pow((x - 40 - 8 * std::sin(0.08 * y)) / 1.2, 2));
      const double branch = std::exp(-0.5 * std::pow((y - 0.6 * x - 10) / 1.5, 2));
      vessels.push_back(static_cast<float>(0.2 + 0.8 * vessel + 0.5 * branch));
      other.push_back(static_cast<float>(std::exp(-0.5 * std::pow((x + y - 90) / 1.3, 2))));
      background.push_back(static_cast<float>(2 + std::sin(0.02 * x) + std::cos(0.015 * y)));
    }
  images.reference = vessels;
  images.rendered = vessels;
  CHECK(highpass_correlation(images.pair(), 4) == Approx(1).epsilon(1e-12));
  for (float& v : images.rendered) v *= 0.125f;
  CHECK(highpass_correlation(images.pair(), 4) == Approx(1).epsilon(1e-12));
  for (std::size_t i = 0; i < vessels.size(); ++i) images.rendered[i] = 0.5f * vessels[i] + background[i];
  const double over_background = highpass_correlation(images.pair(), 4);
  CHECK(over_background > 0.97);
  CHECK(highpass_correlation(images.pair(), 60) < 0.8);  // a wide blur leaves the background in
  images.rendered = other;
  CHECK(std::abs(highpass_correlation(images.pair(), 4)) < 0.2);
  for (std::size_t i = 0; i < vessels.size(); ++i) images.rendered[i] = 3 - vessels[i];
  CHECK(highpass_correlation(images.pair(), 4) == Approx(-1).epsilon(1e-6));

  images.rendered.assign(vessels.size(), 0.7f);
  CHECK(std::isnan(highpass_correlation(images.pair(), 4)));
  images.rendered.assign(vessels.size(), -0.7f);
  CHECK(std::isnan(highpass_correlation(images.pair(), 4)));
}

TEST_CASE("metrics: a number that is not finite is named, never scored", "[metrics]") {
  const float bad = GENERATE(std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity());
  const bool in_reference = GENERATE(false, true);
  Images images;
  (in_reference ? images.reference : images.rendered)[3 * 34 + 5] = bad;
  const std::string where =
      std::string(in_reference ? "reference" : "rendered") + ": pixel (row 3, column 5): expected";
  CHECK_THROWS_WITH(score_4drgs(images.pair()), Catch::Contains(where));
  CHECK_THROWS_WITH(score_fixed(images.pair(), 1), Catch::Contains(where));
  CHECK_THROWS_WITH(highpass_correlation(images.pair(), 2), Catch::Contains(where));
  CHECK_THROWS_AS(score_fixed(images.pair(), 1), InvalidArgument);
}

TEST_CASE("metrics: refuses what the contract excludes", "[metrics]") {
  Images images;
  for (const double range : {0.0, -1.0, 1e-300, 1e300, std::numeric_limits<double>::quiet_NaN()})
    CHECK_THROWS_WITH(score_fixed(images.pair(), range), Catch::Contains("range: expected a positive number"));
  ImagePair pair = images.pair();
  pair.width_px = 33;
  CHECK_THROWS_WITH(score_4drgs(pair), "score_4drgs: rendered: expected 693 elements, found 714");
  pair = images.pair();
  pair.reference = pair.reference.subspan(1, 713);
  CHECK_THROWS_AS(score_fixed(pair, 1), InvalidArgument);
  pair = images.pair();
  const std::vector<std::uint8_t> short_mask(713, 1), nothing(714, 0);
  pair.valid = short_mask;
  CHECK_THROWS_AS(score_fixed(pair, 1), InvalidArgument);
  pair.valid = nothing;
  CHECK_THROWS_AS(score_fixed(pair, 1), InvalidArgument);
  CHECK_THROWS_AS(score_4drgs(pair), InvalidArgument);
  CHECK_THROWS_AS(highpass_correlation(pair, 1), InvalidArgument);
  pair = images.pair();
  pair.width_px = 6;
  pair.rendered = pair.reference = pair.reference.subspan(0, 6 * 21);
  CHECK_THROWS_WITH(score_4drgs(pair), Catch::Contains("7 × 7"));
  CHECK_THROWS_AS(score_fixed(pair, 1), InvalidArgument);
  pair.width_px = pair.height_px = 0;
  CHECK_THROWS_AS(highpass_correlation(pair, 1), InvalidArgument);
  for (const double range : {0.0, -1.0, std::nan(""), HUGE_VAL})
    CHECK_THROWS_AS(score_fixed(images.pair(), range), InvalidArgument);
  for (const double sigma_px : {0.0, -1.0, std::nan(""), HUGE_VAL})
    CHECK_THROWS_AS(highpass_correlation(images.pair(), sigma_px), InvalidArgument);
}

}  // namespace dsasrgs
