// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <iterator>

#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/evaluation.hpp"
#include "report_progress.hpp"

namespace dsasrgs {

namespace {

/// Truth whose largest valid value is below this fraction of the fixed range shows no contrast.
constexpr double kBlankFraction = 0.01;

bool is_blank(std::span<const float> image, std::span<const std::uint8_t> valid, double range) {
  double high = 0;
  for (std::size_t i = 0; i < image.size(); ++i)
    if (valid.empty() || valid[i] != 0) high = std::max(high, static_cast<double>(image[i]));
  return high < kBlankFraction * range;
}

/// The views that mean, worst and best are taken over.
std::vector<ViewScore> representative(const std::vector<ViewScore>& scores) {
  std::vector<ViewScore> kept;
  std::copy_if(scores.begin(), scores.end(), std::back_inserter(kept), [](const ViewScore& s) { return !s.blank; });
  return kept.empty() ? scores : kept;
}

template <class Value>
double finite_mean(const std::vector<ViewScore>& scores, Value value) {
  double sum = 0;
  int count = 0;
  for (const ViewScore& s : scores) {
    if (!std::isfinite(value(s))) continue;
    sum += value(s);
    ++count;
  }
  return count > 0 ? sum / count : std::numeric_limits<double>::quiet_NaN();
}

bool less_psnr(const ViewScore& a, const ViewScore& b) { return a.fixed.psnr_db < b.fixed.psnr_db; }

void require_views(const char* function, const std::vector<ViewScore>& views) {
  if (views.empty()) throw InvalidArgument(std::string(function) + ": expected at least one view, found none");
}

}  // namespace

std::vector<int> ViewScores::blank_views() const try {
  std::vector<int> blank;
  for (const ViewScore& s : views)
    if (s.blank) blank.push_back(s.view);
  return blank;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

ProjectionScore ViewScores::mean() const try {
  const std::vector<ViewScore> scores = representative(views);
  ProjectionScore mean;
  mean.fixed.psnr_db = finite_mean(scores, [](const ViewScore& s) { return s.fixed.psnr_db; });
  mean.fixed.ssim = finite_mean(scores, [](const ViewScore& s) { return s.fixed.ssim; });
  mean.normalized.psnr_db = finite_mean(scores, [](const ViewScore& s) { return s.normalized.psnr_db; });
  mean.normalized.ssim = finite_mean(scores, [](const ViewScore& s) { return s.normalized.ssim; });
  mean.highpass_correlation = finite_mean(scores, [](const ViewScore& s) { return s.highpass_correlation; });
  return mean;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

ViewScore ViewScores::worst() const try {
  require_views("ViewScores::worst", views);
  const std::vector<ViewScore> scores = representative(views);
  return *std::min_element(scores.begin(), scores.end(), less_psnr);
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

ViewScore ViewScores::best() const try {
  require_views("ViewScores::best", views);
  const std::vector<ViewScore> scores = representative(views);
  return *std::max_element(scores.begin(), scores.end(), less_psnr);
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

ViewScores score_views(const ProjectionTruth& truth, const std::vector<int>& views, const ViewImage& image,
                       const ProgressCallback& progress) try {
  if (!image) throw InvalidArgument("score_views: image: expected a function, found an empty one");
  const char* stage = truth.kind() == TruthKind::measured ? "evaluating" : "evaluating high resolution";
  ViewScores scores;
  scores.against = truth.kind();
  scores.detector = truth.detector();
  scores.scale = truth.scale();
  scores.range = truth.range();
  scores.highpass_sigma_px = truth.highpass_sigma_px();
  for (const int v : views) {
    report_progress(progress, {stage, scores.views.size(), views.size()});
    const std::span<const float> reference = truth.image(v);
    const std::vector<float> rendered = image(v);
    const ImagePair pair{rendered, reference, truth.valid(v), scores.detector.width_px, scores.detector.height_px};
    ViewScore score;
    score.view = v;
    score.time_s = truth.acquisition().poses[static_cast<std::size_t>(v)].time_s;
    score.fixed = score_fixed(pair, scores.range);
    score.normalized = score_4drgs(pair);
    score.highpass_correlation = highpass_correlation(pair, scores.highpass_sigma_px);
    score.blank = is_blank(pair.reference, pair.valid, scores.range);
    scores.views.push_back(score);
  }
  if (!views.empty()) report_progress(progress, {stage, views.size(), views.size()});
  return scores;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
