// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <string>

#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/evaluation.hpp"
#include "dsasrgs/resample.hpp"
#include "report_progress.hpp"
#include "require_finite.hpp"

namespace dsasrgs {

namespace {

/// Sums over valid pixels of image − truth.
struct ResidualSums {
  double sum = 0, squares = 0;
  std::size_t count = 0;

  void add(std::span<const float> image, std::span<const float> truth, std::span<const std::uint8_t> valid) {
    for (std::size_t p = 0; p < truth.size(); ++p) {
      if (!valid.empty() && valid[p] == 0) continue;
      const double residual = static_cast<double>(image[p]) - static_cast<double>(truth[p]);
      sum += residual;
      squares += residual * residual;
      ++count;
    }
  }
};

void require_size(const char* what, int view, std::size_t expected, std::size_t found) {
  if (found != expected)
    throw InvalidArgument(std::string("false_vessel_kept: ") + what + " of view " + std::to_string(view) +
                          ": expected " + std::to_string(expected) + " pixels, found " + std::to_string(found));
}

void require_finite(const char* what, int view, std::size_t pixel, int width_px, float found) {
  if (!std::isfinite(found))
    refuse_not_finite("false_vessel_kept",
                      std::string(what) + " of view " + std::to_string(view) + ": " + pixel_name(pixel, width_px),
                      found);
}

}  // namespace

ConsistencyScore score_consistency(const Acquisition& a, const std::vector<int>& views, int scale,
                                   const ViewImage& image, const ProgressCallback& progress) try {
  if (views.empty()) throw InvalidArgument("score_consistency: views: expected at least one, found none");
  if (!image) throw InvalidArgument("score_consistency: image: expected a function, found an empty one");
  const ProjectionTruth measured = ProjectionTruth::measured(a);
  ResidualSums sums;
  const auto binned = [&](int view) {
    const std::vector<float> fine = image(view);
    std::vector<float> low = bin_image(fine, a.detector, scale);
    sums.add(low, measured.image(view), measured.valid(view));
    return low;
  };
  ConsistencyScore score;
  score.psnr_db = score_views(measured, views, binned, progress).mean().fixed.psnr_db;
  score.rms = std::sqrt(sums.squares / static_cast<double>(sums.count));
  score.mean = sums.sum / static_cast<double>(sums.count);
  return score;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

FalseVesselKept false_vessel_kept(const ProjectionTruth& truth, const std::vector<int>& views, const ViewLabel& planted,
                                  const ViewImage& image, const ProgressCallback& progress) try {
  if (!planted || !image)
    throw InvalidArgument(std::string("false_vessel_kept: ") + (planted ? "image" : "label") +
                          ": expected a function, found an empty one");
  double added_label = 0, added_image = 0, removed_label = 0, removed_image = 0;
  std::size_t done = 0;
  for (const int v : views) {
    report_progress(progress, {"evaluating", done, views.size()});
    const std::span<const float> reference = truth.image(v);
    const std::span<const std::uint8_t> valid = truth.valid(v);
    const MadeLabel label = planted(v);
    const std::vector<float> found_image = image(v);
    require_size("label", v, reference.size(), label.values.size());
    require_size("mask", v, reference.size(), label.false_vessel_mask.size());
    require_size("image", v, reference.size(), found_image.size());
    for (std::size_t p = 0; p < reference.size(); ++p) {
      if (label.false_vessel_mask[p] == 0 || (!valid.empty() && valid[p] == 0)) continue;
      require_finite("truth", v, p, truth.detector().width_px, reference[p]);
      require_finite("label", v, p, truth.detector().width_px, label.values[p]);
      require_finite("image", v, p, truth.detector().width_px, found_image[p]);
      const double claim = static_cast<double>(label.values[p]) - static_cast<double>(reference[p]);
      const double found = static_cast<double>(found_image[p]) - static_cast<double>(reference[p]);
      (claim > 0 ? added_label : removed_label) += claim;
      (claim > 0 ? added_image : removed_image) += found;
    }
    report_progress(progress, {"evaluating", ++done, views.size()});
  }
  FalseVesselKept kept;
  if (added_label != 0) kept.added = added_image / added_label;
  if (removed_label != 0) kept.removed = removed_image / removed_label;
  return kept;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
