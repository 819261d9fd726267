// SPDX-License-Identifier: Apache-2.0
// Which labels are taken for labels of their views: PseudoLabels::read against the projections.

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <functional>
#include <vector>

#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "dsasrgs/pseudo_labels.hpp"
#include "support/random_values.hpp"
#include "support/small_acquisition.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using test::random_values;
using test::require_error;
using test::TemporaryFolder;

namespace {

constexpr int kScale = 4, kWidth = 48, kHeight = 40, kViews = 4;
constexpr std::size_t kPixels = kWidth * kHeight, kFinePixels = kPixels * kScale * kScale;

using Pixels = std::vector<float>;
using Change = std::function<Pixels(const Pixels&)>;

/// 4 views, from 0 to about 1.6, of vessels that turn with the view; before view 1 no contrast has arrived. The truth
/// is their reference; `noise` and an `artefact` (a bright edge, as a moved skull leaves it) are in the projections
/// only.
Acquisition vessels(float noise = 0, float artefact = 0) {
  Acquisition a = test::small_acquisition();
  a.detector = {kWidth, kHeight, 1, 1};
  a.train_views = {0, 1, 2, 3};
  a.test_views.clear();
  a.valid.clear();
  a.reference_projections = ReferenceProjections{kScale, Pixels(kViews * kFinePixels)};
  a.projections = random_values<float>(kViews * kPixels, -2 * noise, 2 * noise, 5);
  for (int view = 0; view < kViews; ++view)
    for (int r = 0; r < kHeight * kScale; ++r)
      for (int c = 0; c < kWidth * kScale; ++c) {
        double sum = 0;
        for (int vessel = 0; vessel < 3 && view > 0; ++vessel) {
          const double angle = 0.9 * view + 1.1 * vessel;
          const double d = (c - 50 - 25 * vessel) * std::cos(angle) + (r - 70 - 20 * view) * std::sin(angle);
          sum += 0.8 * std::exp(-d * d / (2.0 * (20 + 10 * vessel)));
        }
        const std::size_t row = static_cast<std::size_t>(r), column = static_cast<std::size_t>(c);
        const std::size_t v = static_cast<std::size_t>(view);
        a.reference_projections->values[v * kFinePixels + row * kWidth * kScale + column] = static_cast<float>(sum);
        const double edge = std::abs(std::hypot(r - 80, c - 96) - 65) < 6 ? artefact : 0;
        a.projections[v * kPixels + row / kScale * kWidth + column / kScale] += static_cast<float>((sum + edge) / 16);
      }
  return a;
}

Pixels truth(const Acquisition& a, int view) {
  const std::span<const float> values = a.reference_projection(view);
  return {values.begin(), values.end()};
}
Pixels bicubic(const Acquisition& a, int view) { return bicubic_label(a, view, kScale).values; }

/// Writes label(view) of all views, and reads them all.
void check(const Acquisition& a, const std::function<Pixels(int)>& label) {
  const TemporaryFolder folder;
  LabelFileOptions options;
  options.low_resolution = a.detector;
  options.scale = kScale;
  options.views = {0, 1, 2, 3};
  PseudoLabelWriter writer(folder / "labels.h5", options);
  for (const int view : options.views) writer.add(label(view));
  writer.commit();
  PseudoLabels::open(folder / "labels.h5", a).check_all();
}
Change times(float factor) {
  return [factor](const Pixels& image) {
    Pixels other = image;
    for (float& value : other) value *= factor;
    return other;
  };
}
Pixels mirrored(const Pixels& image) {
  Pixels other = image;
  for (std::size_t row = 0; row < other.size(); row += kWidth * kScale)
    std::reverse(other.begin() + static_cast<std::ptrdiff_t>(row),
                 other.begin() + static_cast<std::ptrdiff_t>(row + kWidth * kScale));
  return other;
}

void require_refused(const Acquisition& a, const std::function<Pixels(int)>& label, const std::string& found) {
  require_error<BadInput>([&] { check(a, label); },
                          {"labels.h5: /super_resolution/pseudo_labels: expected what the projection of view ",
                           " shows, as line integrals, found " + found});
}

}  // namespace

TEST_CASE("label likeness: the commonest mistakes are refused", "[labels]") {
  // 0.03 of noise is 2 % of the range.
  const Acquisition a = GENERATE(vessels(), vessels(0.03f));
  for (const auto make : {truth, bicubic}) {
    const auto label = [&](int view) { return make(a, view); };
    const auto changed = [&](const Change& change) { return [&, change](int view) { return change(label(view)); }; };
    check(a, label);
    require_refused(a, changed(times(1 / 1.6f)), "0.6");  // in [0,1], for a case of 0 to 1.6
    require_refused(a, changed(times(static_cast<float>(1 / std::log(10.0)))), "0.4");
    require_refused(a, changed(times(1.6f)), "1.");
    require_refused(a, changed(times(-1)), "an image unlike it (correlation -");
    require_refused(a, changed(mirrored), "an image unlike it (correlation ");
    const auto exchanged = [&](int view) { return label((view + 2) % kViews); };
    require_refused(a, exchanged, "an image unlike it (correlation ");
  }
}

TEST_CASE("label likeness: inventions, noise and artefacts are not mistakes", "[labels]") {
  OracleOptions inventions;
  inventions.false_branches = inventions.missing_branches = 12;
  inventions.sharpening = 0.5;
  const auto oracle = [&](const Acquisition& a) {
    check(a, [&](int view) { return oracle_label(a, view, kScale, inventions).values; });
  };
  SECTION("of an oracle") { oracle(vessels()); }
  SECTION("beside noise") { oracle(vessels(0.1f)); }
  SECTION("of a projection of which most is an artefact that the label has not") {
    const Acquisition a = vessels(0.03f, 3);
    check(a, [&](int view) { return truth(a, view); });
    oracle(a);
  }
  SECTION("negative line integrals clipped, view 0 nothing but noise") {
    const Acquisition a = vessels(GENERATE(0.2f, 0.5f));
    check(a, [&](int view) {
      Pixels label = bicubic(a, view);
      for (float& value : label) value = std::max(value, 0.0f);
      return label;
    });
  }
  SECTION("any label of a view that shows nothing") {
    const Acquisition a = vessels(0.05f);
    check(a, [&](int view) { return view == 0 ? truth(a, 1) : truth(a, view); });
  }
}

TEST_CASE("label likeness: pixels that are not valid do not count", "[labels]") {
  Acquisition a = vessels();
  const Acquisition clean = a;
  a.valid.assign(kPixels, 1);
  for (const std::size_t burned_in : {7 * kWidth + 9, 30 * kWidth + 20}) {
    a.valid[burned_in] = 0;
    for (std::size_t view = 0; view < kViews; ++view) a.projections[view * kPixels + burned_in] = 255;
  }
  const auto label = [&](int view) { return truth(clean, view); };
  const auto scaled = [&](float factor) { return [&, factor](int view) { return times(factor)(label(view)); }; };
  check(a, label);
  require_refused(a, scaled(1 / 1.6f), "0.6");
  // Grey values: 255 of an invalid pixel does not make them line integrals.
  require_error<BadInput>([&] { check(a, scaled(100)); }, {"expected line integrals of -", "at view 1"});
  a.valid.assign(kPixels, 0);
  check(a, label);  // nothing to hold them against
}

TEST_CASE("label likeness: real labels of the real case, spoilt", "[labels][real]") {
  const std::filesystem::path folder = std::filesystem::path(DSASRGS_SHARED_DATA) / "rotational-head";
  Acquisition a = read_acquisition(folder / "acquisition.h5");
  const PseudoLabels labels = PseudoLabels::open(folder / "pseudo_labels_esrgan_slim_x4.h5", a);
  REQUIRE_NOTHROW(labels.check_all());
  // Exchanged and mirrored projections instead of labels: the labels are then those of other images.
  const std::size_t n = a.detector.num_pixels(), width = static_cast<std::size_t>(a.detector.width_px);
  const auto require_unlike = [&](const Acquisition& other) {
    require_error<BadInput>([&] { PseudoLabels::open(folder / "pseudo_labels_esrgan_slim_x4.h5", other).check_all(); },
                            {"found "});
  };
  Acquisition other = a;
  for (std::size_t row = 0; row < other.projections.size(); row += width)
    std::reverse(other.projections.begin() + static_cast<std::ptrdiff_t>(row),
                 other.projections.begin() + static_cast<std::ptrdiff_t>(row + width));
  require_unlike(other);
  other = a;
  std::rotate(other.projections.begin(), other.projections.begin() + static_cast<std::ptrdiff_t>(40 * n),
              other.projections.end());
  require_unlike(other);
  for (const float factor : {1.6f, 1 / 1.6f}) {
    other = a;
    for (float& value : other.projections) value *= factor;
    require_unlike(other);
  }
}

TEST_CASE("label likeness: interpolated labels do not show what is burnt into invalid pixels", "[labels]") {
  Acquisition a = vessels();
  a.valid.assign(kPixels, 1);
  for (std::size_t p = 0; p < kWidth; ++p) a.valid[p] = 0;
  const Pixels before = bicubic_label(a, 2, kScale).values, lanczos_before = lanczos_label(a, 2, kScale).values;
  for (std::size_t v = 0; v < kViews; ++v)
    std::fill_n(a.projections.begin() + static_cast<std::ptrdiff_t>(v * kPixels), kWidth, 255.0f);
  CHECK(bicubic_label(a, 2, kScale).values == before);
  CHECK(lanczos_label(a, 2, kScale).values == lanczos_before);
}
