#include "view_scores.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <limits>
#include <span>

#include "interruption.hpp"

namespace dsasrgs::program {

using Json = nlohmann::ordered_json;

namespace {

/// Nearest-neighbour refinement of pixel masks [images,height,width].
std::vector<std::uint8_t> refined_mask(const std::vector<std::uint8_t>& mask, const Detector& detector, int scale) {
  if (scale == 1 || mask.empty()) return mask;
  const auto s = static_cast<std::size_t>(scale);
  const auto width = static_cast<std::size_t>(detector.width_px);
  const std::size_t rows = mask.size() / width;  // of all images together
  std::vector<std::uint8_t> fine(mask.size() * s * s);
  for (std::size_t r = 0; r < rows * s; ++r)
    for (std::size_t c = 0; c < width * s; ++c) fine[r * width * s + c] = mask[r / s * width + c / s];
  return fine;
}

Json image_score_as_json(const ImageScore& s) { return {{"psnr_db", s.psnr_db}, {"ssim", s.ssim}}; }

Json view_score_as_json(const ProjectionTruth& truth, const ViewScore& s) {
  Json json;
  if (s.view >= 0) {
    json["view"] = s.view;
    json["time_s"] = truth.acquisition().poses[static_cast<std::size_t>(s.view)].time_s;
  }
  json["fixed"] = image_score_as_json(s.fixed);
  json["4drgs"] = image_score_as_json(s.normalized);
  json["highpass_correlation"] = s.highpass_correlation;
  return json;
}

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

}  // namespace

ProjectionTruth::ProjectionTruth(const Acquisition& a, const char* field, int scale, std::span<const float> images)
    : acquisition_(&a),
      field_(field),
      scale_(scale),
      detector_(a.detector.refined(scale)),
      images_(images),
      valid_(refined_mask(a.valid, a.detector, scale)) {}

ProjectionTruth ProjectionTruth::measured(const Acquisition& a) { return {a, "/projections", 1, a.projections}; }

ProjectionTruth ProjectionTruth::reference(const Acquisition& a) {
  return {a, "/reference/projections", a.reference_projections->scale, a.reference_projections->values};
}

std::span<const float> ProjectionTruth::image(int view) const {
  return images_.subview(static_cast<std::size_t>(view) * detector_.num_pixels(), detector_.num_pixels());
}

std::span<const std::uint8_t> ProjectionTruth::valid(int view) const {
  if (valid_.empty()) return {};
  const std::size_t n = detector_.num_pixels();
  return std::span(valid_).subspan(valid_.size() == n ? 0 : static_cast<std::size_t>(view) * n, n);
}

double ProjectionTruth::range() const { return fixed_range(images_, valid_); }

float ProjectionTruth::quantile(double fraction) const {
  std::vector<float> values;
  values.reserve(images_.size());
  for (std::size_t i = 0; i < images_.size(); ++i)
    if (valid_.empty() || valid_[i % valid_.size()] != 0) values.push_back(images_[i]);
  const auto rank = static_cast<std::ptrdiff_t>(fraction * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + rank, values.end());
  return values[static_cast<std::size_t>(rank)];
}

std::vector<ViewScore> score_views(const ProjectionTruth& truth, const std::vector<int>& views,
                                   const ViewImage& rendered_view, Progress& progress) {
  const double range = truth.range();
  std::vector<ViewScore> scores;
  for (const int v : views) {
    Interruption::check();
    const std::vector<float> rendered = rendered_view(v);
    const ImagePair pair{rendered, truth.image(v), truth.valid(v), truth.detector().width_px,
                         truth.detector().height_px};
    scores.push_back({v, score_fixed(pair, range), score_4drgs(pair),
                      highpass_correlation(pair, truth.highpass_sigma_px()),
                      is_blank(pair.reference, pair.valid, range)});
    progress.update(static_cast<std::int64_t>(scores.size()));
  }
  return scores;
}

ViewScore mean_score(const std::vector<ViewScore>& scores) {
  const std::vector<ViewScore> views = representative(scores);
  ViewScore mean;
  mean.view = -1;
  mean.fixed.psnr_db = finite_mean(views, [](const ViewScore& s) { return s.fixed.psnr_db; });
  mean.fixed.ssim = finite_mean(views, [](const ViewScore& s) { return s.fixed.ssim; });
  mean.normalized.psnr_db = finite_mean(views, [](const ViewScore& s) { return s.normalized.psnr_db; });
  mean.normalized.ssim = finite_mean(views, [](const ViewScore& s) { return s.normalized.ssim; });
  mean.highpass_correlation = finite_mean(views, [](const ViewScore& s) { return s.highpass_correlation; });
  return mean;
}

Json scores_as_json(const ProjectionTruth& truth, const std::vector<ViewScore>& scores) {
  Json json;
  json["against"] = truth.field();
  json["size_px"] = {truth.detector().width_px, truth.detector().height_px};
  json["scale"] = truth.scale();
  json["fixed_range"] = truth.range();
  json["highpass_sigma_px"] = truth.highpass_sigma_px();
  const std::vector<ViewScore> views = representative(scores);
  json["blank_views"] = Json::array();
  for (const ViewScore& v : scores)
    if (v.blank) json["blank_views"].push_back(v.view);
  json["mean"] = view_score_as_json(truth, mean_score(scores));
  json["worst"] = view_score_as_json(truth, *std::min_element(views.begin(), views.end(), less_psnr));
  json["best"] = view_score_as_json(truth, *std::max_element(views.begin(), views.end(), less_psnr));
  json["views"] = Json::array();
  for (const ViewScore& s : scores) json["views"].push_back(view_score_as_json(truth, s));
  return json;
}

}  // namespace dsasrgs::program
