// SPDX-License-Identifier: Apache-2.0
// Do high-resolution images agree with the measurement, and how much of a false label is in them?
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "dsasrgs/error.hpp"
#include "dsasrgs/evaluation.hpp"
#include "support/scored_acquisition.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using test::require_error;
using test::shifted;

TEST_CASE("consistency: images that average to the measurement leave no residual", "[evaluation]") {
  const Acquisition a = test::scored_acquisition();
  const Detector fine = a.detector.refined(2);
  // The pixels of a block differ, their mean does not.
  const auto image = [&](int view) {
    std::vector<float> values = shifted(a.reference_projections->values, fine, view, 0);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] += i % 2 == 0 ? 0.125f : -0.125f;
    return values;
  };
  const ConsistencyScore score = score_consistency(a, a.train_views, 2, image);
  CHECK(score.rms == 0);
  CHECK(score.mean == 0);
  CHECK(std::isnan(score.psnr_db));  // infinite in every view
}

TEST_CASE("consistency: the residual of a constant error is that error", "[evaluation]") {
  Acquisition a = test::scored_acquisition();
  a.valid.assign(a.detector.num_pixels(), 1);
  a.valid[0] = 0;
  const Detector fine = a.detector.refined(2);
  const auto image = [&](int view) {
    std::vector<float> values = shifted(a.reference_projections->values, fine, view, view == 1 ? 0.5f : -0.25f);
    values[0] = 999;  // in a block that does not count
    return values;
  };
  const ConsistencyScore one = score_consistency(a, {1}, 2, image);
  CHECK(one.rms == Approx(0.5).epsilon(1e-12));
  CHECK(one.mean == Approx(0.5).epsilon(1e-12));
  CHECK(one.psnr_db == Approx(20 * std::log10(2 / 0.5)).epsilon(1e-12));
  const ConsistencyScore two = score_consistency(a, {1, 2}, 2, image);  // view 2 has no contrast, but pixels
  CHECK(two.mean == Approx(0.125).epsilon(1e-12));
  CHECK(two.rms == Approx(std::sqrt((0.25 + 0.0625) / 2)).epsilon(1e-12));
  CHECK(two.psnr_db == one.psnr_db);
  require_error<InvalidArgument>([&] { score_consistency(a, {}, 2, image); }, {"views", "found none"});
  const auto stop = [](const ProgressReport&) { return false; };
  CHECK_THROWS_AS(score_consistency(a, {1}, 2, image, stop), Cancelled);
}

TEST_CASE("false vessel: what an image took over from a label, inside the mask", "[evaluation]") {
  Acquisition a = test::scored_acquisition();
  a.valid.assign(a.detector.num_pixels(), 1);
  a.valid[8] = 0;  // row 0, column 8: fine columns 16 and 17 of rows 0 and 1
  const ProjectionTruth truth = ProjectionTruth::reference(a);
  // A false branch in row 4, a missing one in row 6, and a lie where no pixel counts.
  const auto label = [&](int view) {
    MadeLabel made{shifted(a.reference_projections->values, truth.detector(), view, 0), std::vector<std::uint8_t>(288)};
    for (std::size_t c = 2; c < 10; ++c) {
      made.false_vessel_mask[4 * 18 + c] = made.false_vessel_mask[6 * 18 + c] = 1;
      made.values[4 * 18 + c] += c < 6 ? 1.0f : 0.5f;
      made.values[6 * 18 + c] -= 0.5f;
    }
    made.false_vessel_mask[17] = 1;
    made.values[17] += 100;
    return made;
  };
  // Believes all of the first half of the branch and nothing of the other, a quarter of what is missing, and is wrong
  // outside the mask.
  const auto image = [&](int view) {
    std::vector<float> values = shifted(a.reference_projections->values, truth.detector(), view, 0);
    for (std::size_t c = 2; c < 10; ++c) {
      values[4 * 18 + c] += c < 6 ? 1.0f : 0.0f;
      values[6 * 18 + c] -= 0.125f;
      values[9 * 18 + c] += 3;
    }
    return values;
  };
  const FalseVesselKept kept = false_vessel_kept(truth, {1, 3}, label, image);
  REQUIRE((kept.added && kept.removed));
  CHECK(*kept.added == Approx(4.0 / 6.0).epsilon(1e-12));
  CHECK(*kept.removed == Approx(0.25).epsilon(1e-12));

  const auto honest = [&](int view) {
    MadeLabel made = label(view);
    std::fill(made.false_vessel_mask.begin(), made.false_vessel_mask.end(), std::uint8_t{0});
    return made;
  };
  const FalseVesselKept nothing = false_vessel_kept(truth, {1}, honest, image);
  CHECK_FALSE(nothing.added);
  CHECK_FALSE(nothing.removed);

  const auto no_mask = [&](int view) { return MadeLabel{label(view).values, {}}; };
  require_error<InvalidArgument>([&] { false_vessel_kept(truth, {3}, no_mask, image); },
                                 {"mask of view 3", "expected 288", "found 0"});
  // Under the mask, so that it counts; elsewhere values are not looked at.
  const auto with_nan = [](std::vector<float> values, std::size_t pixel) {
    values[pixel] = std::numeric_limits<float>::quiet_NaN();
    return values;
  };
  const auto nan_image = [&](int view) { return with_nan(image(view), 4 * 18 + 3); };
  require_error<InvalidArgument>([&] { false_vessel_kept(truth, {3}, label, nan_image); },
                                 {"false_vessel_kept: image of view 3: pixel (row 4, column 3): expected a finite"});
  const auto nan_label = [&](int view) {
    MadeLabel made = label(view);
    made.values = with_nan(made.values, 6 * 18 + 4);
    return made;
  };
  require_error<InvalidArgument>([&] { false_vessel_kept(truth, {3}, nan_label, image); },
                                 {"label of view 3: pixel (row 6, column 4)"});
  const auto nan_outside = [&](int view) { return with_nan(image(view), 9 * 18 + 3); };
  CHECK(false_vessel_kept(truth, {1, 3}, label, nan_outside).added == kept.added);
  const auto stop = [](const ProgressReport& r) { return r.done == 0; };
  CHECK_THROWS_AS(false_vessel_kept(truth, {1, 3}, label, image, stop), Cancelled);
}
