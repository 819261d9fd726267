// SPDX-License-Identifier: Apache-2.0
// Means, spreads and tables of a study, against arithmetic on paper.
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "study/tables.hpp"

using namespace dsasrgs::program;
using Catch::Matchers::Contains;
using dsasrgs::ViewScore;

namespace {

StudyRow row(const char* name, std::optional<std::int64_t> seed, double psnr) {
  return {"case", name, 30, seed, {{"psnr_db", psnr}}};
}

}  // namespace

TEST_CASE("study tables: mean and sample standard deviation", "[study]") {
  const MeanAndSpread s = mean_and_spread({1, 2, 6});
  CHECK(s.count == 3);
  CHECK(s.mean == Approx(3));
  CHECK(s.spread == Approx(std::sqrt(7.0)));  // (4 + 1 + 9) / 2
  CHECK(std::isnan(mean_and_spread({4}).spread));
  CHECK(std::isnan(mean_and_spread({}).mean));
}

TEST_CASE("study tables: differences are taken seed by seed", "[study]") {
  const std::vector<StudyRow> mine{row("a", 0, 31), row("a", 1, 42), row("a", 2, 1)};
  const std::vector<StudyRow> reference{row("b", 1, 40), row("b", 0, 30)};
  const MeanAndSpread d = difference(mine, reference, "psnr_db");
  CHECK(d.count == 2);  // seed 2 has no partner
  CHECK(d.mean == Approx(1.5));
  CHECK(d.spread == Approx(std::sqrt(0.5)));
  // A method without seeds stands against every seed.
  CHECK(difference({row("c", {}, 35)}, reference, "psnr_db").mean == Approx(0));
  CHECK(difference(mine, reference, "ssim").count == 0);
}

TEST_CASE("study tables: rows of a result, one per render", "[study]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  RenderScores scores;
  ViewScore view;
  view.fixed = {30.5, nan};
  view.normalized = {nan, nan};
  view.highpass_correlation = nan;
  scores.high_resolution.views = {view};
  scores.consistency_train = dsasrgs::ConsistencyScore{41, 0.5, 0};
  scores.false_vessel["oracle"].added = 0.25;
  StudyResult result;
  result.case_name = "c";
  result.method = "m";
  result.labels = "oracle";
  result.training_views = 30;
  result.seed = 4;
  result.training = TrainingFacts{"cpu", 1, 12, 123, 0.1, 9.5};
  result.renders = {{"high", scores}, {"low-upsampled", scores}};
  const std::vector<StudyRow> rows = rows_of_result(result);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].row == "m+oracle");
  CHECK(rows[1].row == "m+oracle, low-upsampled");
  CHECK(rows[0].seed == 4);
  // What was not measured and what is not finite has no value.
  const std::map<std::string, double> expected{
      {"psnr_db", 30.5},         {"worst_psnr_db", 30.5},   {"gaussians", 123},    {"binned_train_psnr_db", 41},
      {"binned_train_rms", 0.5}, {"training_seconds", 9.5}, {"added:oracle", 0.25}};
  CHECK(rows[0].values == expected);
}

TEST_CASE("study tables: CSV and Markdown", "[study]") {
  const std::vector<StudyRow> rows{row("a", 0, 31), row("a", 1, 33), row("b, x", 0, 30), row("b, x", 1, 30.5)};
  const std::vector<StudyColumn> columns{{"psnr_db", "PSNR dB", 2, true}, {"dice", "Dice", 3, false}};
  CHECK(rows_as_csv(rows, columns) ==
        "case,training_views,row,seed,psnr_db,dice\n"
        "case,30,\"a\",0,31,\n"
        "case,30,\"a\",1,33,\n"
        "case,30,\"b, x\",0,30,\n"
        "case,30,\"b, x\",1,30.5,\n");
  const std::string text = rows_as_markdown(rows, columns, "b, x");
  CHECK_THAT(text, Contains("## case, 30 training views"));
  CHECK_THAT(text, Contains("| | PSNR dB |\n|---|---|\n| a | 32.00 ± 1.41 |\n| b, x | 30.25 ± 0.35 |\n"));
  CHECK_THAT(text, Contains("Difference to b, x"));
  CHECK_THAT(text, Contains("| a | +1.75 ± 1.06 |"));  // 1 and 2.5
  CHECK_THAT(text, !Contains("Dice"));                 // nobody has it
}
