#include "study_scores.hpp"

#include <cmath>
#include <span>

#include "dsasrgs/resample.hpp"

namespace dsasrgs::program {

using Json = nlohmann::ordered_json;

namespace {

Json score_residual(const ProjectionTruth& measured, const std::vector<int>& views, const ViewImage& binned) {
  if (views.empty()) return nullptr;
  double sum = 0, squares = 0;
  std::size_t count = 0;
  const auto collect = [&](int view) {
    std::vector<float> image = binned(view);
    const std::span<const float> truth = measured.image(view);
    const std::span<const std::uint8_t> valid = measured.valid(view);
    for (std::size_t p = 0; p < image.size(); ++p) {
      if (!valid.empty() && valid[p] == 0) continue;
      const double residual = static_cast<double>(image[p]) - static_cast<double>(truth[p]);
      sum += residual;
      squares += residual * residual;
      ++count;
    }
    return image;
  };
  Progress silent("", "", 1, true);
  const ViewScore mean = mean_score(score_views(measured, views, collect, silent));
  const double n = static_cast<double>(count);
  return {{"psnr_db", mean.fixed.psnr_db}, {"rms", std::sqrt(squares / n)}, {"mean", sum / n}};
}

}  // namespace

Json score_consistency(const Acquisition& a, const StudyViews& views, const ViewImage& high) {
  const ProjectionTruth measured = ProjectionTruth::measured(a);
  const int scale = a.reference_projections->scale;
  const auto binned = [&](int view) {
    const std::vector<float> image = high(view);
    return bin_image(image, a.detector, scale);
  };
  return {{"train", score_residual(measured, views.train, binned)},
          {"test", score_residual(measured, views.test, binned)}};
}

Json score_false_vessel(const Acquisition& a, const PseudoLabels& spoilt, const std::vector<int>& views,
                        const ViewImage& high) {
  const ProjectionTruth reference = ProjectionTruth::reference(a);
  double added_label = 0, added_image = 0, removed_label = 0, removed_image = 0;
  for (const int v : views) {
    const std::vector<float> label = spoilt.read(v), image = high(v);
    const std::vector<std::uint8_t> mask = spoilt.read_false_vessel_mask(v);
    const std::span<const float> truth = reference.image(v);
    const std::span<const std::uint8_t> valid = reference.valid(v);
    for (std::size_t p = 0; p < mask.size(); ++p) {
      if (mask[p] == 0 || (!valid.empty() && valid[p] == 0)) continue;
      const double lie = static_cast<double>(label[p]) - static_cast<double>(truth[p]);
      const double found = static_cast<double>(image[p]) - static_cast<double>(truth[p]);
      (lie > 0 ? added_label : removed_label) += lie;
      (lie > 0 ? added_image : removed_image) += found;
    }
  }
  const auto share = [](double image, double label) { return label != 0 ? Json(image / label) : Json(nullptr); };
  return {{"added", share(added_image, added_label)}, {"removed", share(removed_image, removed_label)}};
}

Json score_against_reference(const Acquisition& a, const StudyViews& views, const ViewImage& high, bool quiet) {
  const ProjectionTruth truth = ProjectionTruth::reference(a);
  Progress progress("evaluating high resolution", "views", static_cast<std::int64_t>(views.test.size()), quiet);
  return scores_as_json(truth, score_views(truth, views.test, high, progress));
}

}  // namespace dsasrgs::program
