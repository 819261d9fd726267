// SPDX-License-Identifier: Apache-2.0
// Scores of views and of whole models: closed forms, what is left out, and stopping half way.
#include "dsasrgs/evaluation.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dsasrgs/error.hpp"
#include "dsasrgs/reconstructor.hpp"
#include "dsasrgs/renderer.hpp"
#include "support/context.hpp"
#include "support/scored_acquisition.hpp"
#include "support/small_case.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using test::require_error;
using test::shifted;

namespace {

/// PSNR of images that are `error` apart everywhere, for a range of 2.
double psnr_of_error(double error) { return 20 * std::log10(2 / error); }

}  // namespace

TEST_CASE("evaluation: a constant error has the PSNR of its formula", "[evaluation]") {
  const Acquisition a = test::scored_acquisition();
  const auto image = [&](int view) { return shifted(a.projections, a.detector, view, view == 3 ? 0.5f : 0.25f); };
  const ViewScores scores = score_views(ProjectionTruth::measured(a), {3, 1}, image);
  CHECK(scores.against == TruthKind::measured);
  CHECK(scores.scale == 1);
  CHECK(scores.range == 2);
  CHECK(scores.highpass_sigma_px == Approx(0.45));
  REQUIRE(scores.views.size() == 2);
  CHECK(scores.views[0].view == 3);
  CHECK(scores.views[0].time_s == a.poses[3].time_s);
  CHECK(scores.views[0].fixed.psnr_db == Approx(psnr_of_error(0.5)).epsilon(1e-12));
  CHECK(scores.views[1].fixed.psnr_db == Approx(psnr_of_error(0.25)).epsilon(1e-12));
  CHECK(scores.mean().fixed.psnr_db == Approx((psnr_of_error(0.5) + psnr_of_error(0.25)) / 2).epsilon(1e-12));
  CHECK(scores.worst().view == 3);
  CHECK(scores.best().view == 1);
  // A constant is nothing to the other two: identical once normalised, and taken off with the blur.
  CHECK(scores.views[0].normalized.psnr_db == std::numeric_limits<double>::infinity());
  CHECK(std::isnan(scores.mean().normalized.psnr_db));  // no finite one is left
  CHECK(scores.mean().normalized.ssim == Approx(1));
  CHECK(scores.mean().highpass_correlation == Approx(1).epsilon(1e-6));
}

TEST_CASE("evaluation: mean, worst and best leave blank views out, unless there are no others", "[evaluation]") {
  const Acquisition a = test::scored_acquisition();
  const ProjectionTruth truth = ProjectionTruth::measured(a);
  const auto image = [&](int view) {
    return shifted(a.projections, a.detector, view, view == 2 ? 1.0f : view == 0 ? 0.5f : 0.25f);
  };
  const ViewScores scores = score_views(truth, {0, 1, 2}, image);
  CHECK(scores.blank_views() == std::vector<int>{2});
  CHECK(scores.mean().fixed.psnr_db == Approx((psnr_of_error(0.5) + psnr_of_error(0.25)) / 2).epsilon(1e-12));
  CHECK(scores.worst().view == 0);  // view 2 is worse
  CHECK(scores.best().view == 1);
  const ViewScores blank = score_views(truth, {2}, image);
  CHECK(blank.mean().fixed.psnr_db == Approx(psnr_of_error(1)).epsilon(1e-12));
  CHECK(blank.worst().view == 2);
  const ViewScores none = score_views(truth, {}, image);
  CHECK(std::isnan(none.mean().fixed.psnr_db));
  require_error<InvalidArgument>([&] { none.worst(); }, {"worst", "at least one view"});
  require_error<InvalidArgument>([&] { none.best(); }, {"best", "at least one view"});
}

TEST_CASE("evaluation: pixels that do not count are in no score, at the reference's scale too", "[evaluation]") {
  Acquisition a = test::scored_acquisition();
  a.valid.assign(a.detector.num_pixels(), 1);
  a.valid[9] = 0;  // row 1, column 0
  for (std::size_t v = 0; v < 5; ++v) a.projections[v * 72 + 9] = 1000;
  const auto low = [&](int view) {
    std::vector<float> image = shifted(a.projections, a.detector, view, 0.5f);
    image[9] = -7;
    return image;
  };
  const ViewScores measured = score_views(ProjectionTruth::measured(a), {1}, low);
  CHECK(measured.range == 2);
  CHECK(measured.views[0].fixed.psnr_db == Approx(psnr_of_error(0.5)).epsilon(1e-12));

  const ProjectionTruth reference = ProjectionTruth::reference(a);
  const auto high = [&](int view) {
    std::vector<float> image = shifted(a.reference_projections->values, reference.detector(), view, 0.25f);
    for (const std::size_t p : {36u, 37u, 54u, 55u}) image[p] = 1e6f;  // rows 2 and 3, columns 0 and 1
    return image;
  };
  const ViewScores fine = score_views(reference, {1, 3}, high);
  CHECK(fine.against == TruthKind::reference);
  CHECK(fine.scale == 2);
  CHECK(fine.detector.width_px == 18);
  CHECK(fine.highpass_sigma_px == Approx(0.9));
  CHECK(fine.mean().fixed.psnr_db == Approx(psnr_of_error(0.25)).epsilon(1e-12));
}

TEST_CASE("evaluation: scores say what does not fit", "[evaluation]") {
  Acquisition a = test::scored_acquisition();
  const ProjectionTruth truth = ProjectionTruth::measured(a);
  const auto image = [&](int) { return std::vector<float>(5); };
  require_error<InvalidArgument>([&] { score_views(truth, {1}, image); }, {"rendered: expected 72", "found 5"});
  require_error<InvalidArgument>([&] { score_views(truth, {5}, image); }, {"view: expected 0 to 4, found 5"});
  a.reference_projections.reset();
  require_error<InvalidArgument>([&] { ProjectionTruth::reference(a); }, {"reference projections, found none"});
  a.valid.assign(7, 1);
  require_error<InvalidArgument>([&] { ProjectionTruth::measured(a); }, {"valid", "found 7"});
  a.projections.pop_back();
  require_error<InvalidArgument>([&] { ProjectionTruth::measured(a); }, {"5 views of 9 × 8", "found 359"});
}

TEST_CASE("evaluation: views that no score can be had of are refused before the work", "[evaluation]") {
  Acquisition a = test::scored_acquisition();
  CHECK_NOTHROW(require_scorable(a, held_out_views(a), true));
  Acquisition still = a;  // of a C-arm that does not turn
  for (Pose& pose : still.poses)
    pose = {still.poses[0].source_mm, still.poses[0].detector_center_mm, still.poses[0].detector_u,
            still.poses[0].detector_v, pose.time_s};
  CHECK_NOTHROW(require_scorable(still, held_out_views(still)));
  require_error<BadInput>([&] { require_scorable(still, held_out_views(still), true); },
                          {still.name + ": /geometry of the training views",
                           "filtered back-projection sources at different places", "found all in one place"});
  a.valid.assign(a.detector.num_pixels(), 0);
  require_error<BadInput>([&] { require_scorable(a, held_out_views(a)); }, {"/valid", "found none"});
  a.valid = {};
  REQUIRE(a.reference_projections);
  for (float& value : a.reference_projections->values) value = -value;
  require_error<BadInput>([&] { require_scorable(a, held_out_views(a)); },
                          {"/reference/projections", "a positive value", "found none"});
  a.reference_projections.reset();
  a.detector.height_px = 6;
  require_error<BadInput>([&] { require_scorable(a, held_out_views(a)); }, {"7 x 7", "found 9 x 6"});
}

TEST_CASE("evaluation: the caller hears of every view and can stop at any", "[evaluation]") {
  const Acquisition a = test::scored_acquisition();
  const ProjectionTruth truth = ProjectionTruth::reference(a);
  int images = 0;
  const auto image = [&](int view) {
    ++images;
    return shifted(a.reference_projections->values, truth.detector(), view, 0.5f);
  };
  std::vector<std::pair<std::size_t, std::size_t>> heard;
  const ProgressCallback listen = [&](const ProgressReport& r) {
    CHECK(std::string(r.stage) == "evaluating high resolution");
    heard.emplace_back(r.done, r.total);
    return true;
  };
  score_views(truth, {0, 1, 3}, image, listen);
  CHECK(heard == std::vector<std::pair<std::size_t, std::size_t>>{{0, 3}, {1, 3}, {2, 3}, {3, 3}});
  images = 0;
  const ProgressCallback stop = [](const ProgressReport& r) { return r.done < 2; };
  require_error<Cancelled>([&] { score_views(truth, {0, 1, 3}, image, stop); }, {"stopped after 2 of 3 views"});
  CHECK(images == 2);
}

TEST_CASE("evaluation: a model's scores are those of its renders and its volume", "[evaluation]") {
  Context ctx = test::make_context();
  Acquisition a = test::small_simulation(ctx).acquisition;
  REQUIRE(a.reference_volume);
  const std::size_t n = a.detector.num_pixels();
  a.valid.assign(a.poses.size() * n, 1);
  std::fill_n(a.valid.begin() + static_cast<std::ptrdiff_t>(3 * n), n, std::uint8_t{0});
  a.reference_projections = ReferenceProjections{1, a.projections};
  const Reconstructor r(ctx, a, test::small_config(5));
  const ViewSet set{"two and a blind one", {3, 15, 20}};
  std::vector<std::string> stages;
  const auto listen = [&](const ProgressReport& report) {
    if (report.done == 0) stages.emplace_back(report.stage);
    return true;
  };
  EvaluationOptions options;
  options.baselines = true;
  const Evaluation e = evaluate(ctx, r.model(), a, set, options, listen);
  CHECK(stages == std::vector<std::string>{"evaluating", "evaluating high resolution", "scoring the volume",
                                           "interpolating", "reprojecting", "interpolating", "reprojecting"});
  CHECK(e.views.name == set.name);
  CHECK(e.views.views == std::vector<int>{15, 20});
  CHECK(e.without_valid_pixels == std::vector<int>{3});

  Renderer renderer(ctx, r.model());
  const ProjectionTruth truth = ProjectionTruth::measured(a);
  const std::vector<float> image = renderer.render(a.poses[20], a.detector).values;
  const ImagePair pair{image, truth.image(20), truth.valid(20), a.detector.width_px, a.detector.height_px};
  CHECK(e.measured.views.at(1).fixed.psnr_db == score_fixed(pair, truth.range()).psnr_db);
  REQUIRE(e.reference);  // the same images under another name
  CHECK(e.reference->against == TruthKind::reference);
  CHECK(e.reference->mean().fixed.psnr_db == e.measured.mean().fixed.psnr_db);

  std::vector<float> volume = renderer.voxelize_mean(a.volume, a.num_views()).values;
  REQUIRE((e.volume && e.volume->score));
  CHECK_FALSE(e.volume->time_s);
  CHECK(e.volume->surface_threshold_per_mm == Approx(0.2 * e.volume->reference_maximum_per_mm));
  const VolumeScore score =
      score_volume(volume, a.reference_volume->values, a.volume, e.volume->surface_threshold_per_mm);
  CHECK(e.volume->score->psnr_db == score.psnr_db);
  CHECK(e.volume->score->dice == score.dice);

  REQUIRE(e.baselines.size() == 2);
  CHECK(e.baselines[0].name == "interpolation");
  CHECK(e.baselines[1].name == "fdk");
  REQUIRE(e.reference_baselines.size() == 2);
  CHECK(e.reference_baselines[1].scores.against == TruthKind::reference);
  CHECK(e.reference_baselines[1].scores.best().fixed.psnr_db == e.baselines[1].scores.best().fixed.psnr_db);
}

TEST_CASE("evaluation: the volume is the caller's, the reference's moment, or not to be had", "[evaluation]") {
  Context ctx = test::make_context();
  Acquisition a = test::small_simulation(ctx).acquisition;
  const Reconstructor r(ctx, a, test::small_config(5));
  const ViewSet set{"one", {15}};
  const std::vector<float> perfect = a.reference_volume->values;
  EvaluationOptions options;
  options.mean_volume = std::make_shared<const std::vector<float>>(perfect);
  options.surface_threshold_per_mm = 0.01;
  Evaluation e = evaluate(ctx, r.model(), a, set, options);
  REQUIRE(e.volume->score);
  CHECK(e.volume->score->dice == 1);
  CHECK(e.volume->surface_threshold_per_mm == 0.01);
  CHECK(e.baselines.empty());

  a.reference_volume->values[41] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH(evaluate(ctx, r.model(), a, set, options),
                    Catch::Contains("reference volume: voxel (x 1, y 1, z 0)"));
  a.reference_volume->values[41] = perfect[41];

  a.reference_volume->time_s = a.poses[10].time_s;  // the mean says nothing of a moment
  e = evaluate(ctx, r.model(), a, set, options);
  CHECK(e.volume->time_s == a.poses[10].time_s);
  CHECK(e.volume->score->dice != 1);

  std::fill(a.reference_volume->values.begin(), a.reference_volume->values.end(), 0.0f);
  e = evaluate(ctx, r.model(), a, set, options);
  REQUIRE(e.volume);
  CHECK_FALSE(e.volume->score);
  CHECK(e.volume->reference_maximum_per_mm == 0);

  a.reference_volume->values.resize(4);  // before anything is rendered
  CHECK_THROWS_WITH(evaluate(ctx, r.model(), a, set, options), Catch::Contains("reference volume: expected"));

  a.reference_volume.reset();
  options.baselines = true;
  const auto stop_at_baselines = [](const ProgressReport& report) {
    return std::string(report.stage) != "reprojecting" || report.done == 0;
  };
  CHECK_FALSE(evaluate(ctx, r.model(), a, set).volume);
  CHECK_THROWS_AS(evaluate(ctx, r.model(), a, set, options, stop_at_baselines), Cancelled);
}
