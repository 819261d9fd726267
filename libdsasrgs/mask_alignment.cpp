// SPDX-License-Identifier: Apache-2.0
#include "dsasrgs/mask_alignment.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>

#include "common/checks.hpp"
#include "common/parallel.hpp"
#include "common/plain_number.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "fill_invalid.hpp"
#include "mask_fit.hpp"
#include "number_text.hpp"
#include "report_progress.hpp"

namespace dsasrgs {

namespace {

constexpr const char* kName = "align_masks";

/// The view's projection with its mask moved, and which pixels still count.
struct AlignedView {
  std::vector<float> projection;    // [H,W]
  std::vector<std::uint8_t> valid;  // [H,W]
  std::size_t counted = 0;          // pixels
};

void require_masked(const MaskedAcquisition& masked, const std::vector<int>& views,
                    const MaskAlignmentOptions& options) {
  const Acquisition& a = masked.acquisition;
  a.validate();
  constexpr int kLeastSide_px = 16;
  if (std::min(a.detector.width_px, a.detector.height_px) < kLeastSide_px)
    throw BadInput(a.name, "/projections", "images of 16 x 16 pixels or more, for masks to be aligned",
                   std::to_string(a.detector.height_px) + " x " + std::to_string(a.detector.width_px));
  const std::size_t all = size_product(a.poses.size(), a.detector.num_pixels());
  require_size(kName, "log_masks", all, masked.log_masks.size());
  for (std::size_t i = 0; i < all; ++i)
    require(std::isfinite(masked.log_masks[i]), kName, "log_masks: expected finite numbers, found one that is not");
  for (std::size_t i = 0; i < views.size(); ++i)
    require(views[i] >= 0 && views[i] < a.num_views() && (i == 0 || views[i] > views[i - 1]), kName,
            "views: expected views of the acquisition, ascending, found " + std::to_string(views[i]));
  const auto positive = [](const char* what, double value, bool finite) {
    require(value > 0 && (!finite || std::isfinite(value)), kName,
            std::string("options.") + what + ": expected a positive number, found " + plain_number(value));
  };
  positive("largest_px", options.largest_px, true);
  positive("leave_out", options.leave_out, false);
}

/// Whether the spline at (column, row) sees valid pixels only: those whose weight there is not small.
bool sees_valid(std::span<const std::uint8_t> valid, const Detector& detector, Vec2d at) {
  if (!(at.x >= -0.5 && at.y >= -0.5 && at.x <= detector.width_px - 0.5 && at.y <= detector.height_px - 0.5))
    return false;
  if (valid.empty()) return true;
  const auto inside = [](double value, int size) {
    return std::clamp(static_cast<int>(std::floor(value)), 0, size - 1);
  };
  for (const int row : {inside(at.y, detector.height_px), inside(at.y + 1, detector.height_px)})
    for (const int column : {inside(at.x, detector.width_px), inside(at.x + 1, detector.width_px)})
      if (valid[static_cast<std::size_t>(row) * static_cast<std::size_t>(detector.width_px) +
                static_cast<std::size_t>(column)] == 0)
        return false;
  return true;
}

AlignedView move_mask(const Acquisition& a, int view, std::span<const float> mask, std::span<const float> log_fill,
                      const MaskMotion& motion, double leave_out) {
  const Detector& detector = a.detector;
  const std::span<const std::uint8_t> valid = a.valid_pixels(view);
  const std::span<const float> projection = a.projection(view);
  if (moved_px(motion, detector) == 0) {
    AlignedView as_it_was{{projection.begin(), projection.end()}, {valid.begin(), valid.end()}, 0};
    if (valid.empty()) as_it_was.valid = host_vector<std::uint8_t>(projection.size(), 1);
    return as_it_was;
  }
  const ImageSpline spline(mask, detector.width_px, detector.height_px);
  AlignedView aligned{host_vector<float>(projection.size()), host_vector<std::uint8_t>(projection.size()), 0};
  for (int row = 0, i = 0; row < detector.height_px; ++row)
    for (int column = 0; column < detector.width_px; ++column, ++i) {
      const auto pixel = static_cast<std::size_t>(i);
      if (!valid.empty() && valid[pixel] == 0) continue;
      const Vec2d at = moved(motion, detector, {double(column), double(row)});
      if (!sees_valid(valid, detector, at)) continue;
      const double value = spline.at(at.x, at.y).value - static_cast<double>(log_fill[pixel]);
      if (std::abs(value - static_cast<double>(projection[pixel])) > leave_out) continue;
      aligned.projection[pixel] = static_cast<float>(value);
      aligned.valid[pixel] = 1;
    }
  return aligned;
}

void require_aligned(const Acquisition& a, int view, const MaskMotion& motion, const MaskAlignmentOptions& options,
                     bool any_left) {
  if (const double px = moved_px(motion, a.detector); px > options.largest_px)
    throw BadInput(
        a.name, "/mask_projections",
        "a mask that fits its view when its corners move by at most " + plain_number(options.largest_px) + " pixels",
        "view " + std::to_string(view) + ", whose mask fits best when they move by " + rounded_text(px));
  if (!any_left)
    throw BadInput(a.name, "/mask_projections",
                   "a pixel or more of each view from which its moved mask takes at most " +
                       plain_number(options.leave_out) + " away",
                   "none in view " + std::to_string(view));
}

}  // namespace

RawIntensity intensities_of(MaskedAcquisition& masked) try {
  const Acquisition& a = masked.acquisition;
  const std::size_t pixels = a.detector.num_pixels();
  require_size("intensities_of", "log_masks", size_product(a.poses.size(), pixels), masked.log_masks.size());
  RawIntensity raw{host_vector<float>(masked.log_masks.size()), {}};
  for (int view = 0; view < a.num_views(); ++view) {
    const std::size_t begin = static_cast<std::size_t>(view) * pixels;
    const std::span<const float> projection = a.projection(view);
    const std::span<const std::uint8_t> valid = a.valid_pixels(view);
    for (std::size_t p = 0; p < pixels; ++p) {
      float &mask = masked.log_masks[begin + p], &fill = raw.fill[begin + p];
      const bool counts = valid.empty() || valid[p] != 0;
      const auto log_mask = static_cast<double>(mask);
      fill = counts ? static_cast<float>(std::exp(log_mask - static_cast<double>(projection[p]))) : 1;
      mask = counts ? static_cast<float>(std::exp(log_mask)) : 1;
    }
  }
  raw.mask = std::exchange(masked.log_masks, {});
  return raw;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

double moved_px(const MaskMotion& motion, const Detector& detector) {
  double most = 0;
  for (const double column : {0.0, detector.width_px - 1.0})
    for (const double row : {0.0, detector.height_px - 1.0}) {
      const Vec2d at = moved(motion, detector, {column, row});
      most = std::max(most, std::hypot(at.x - column, at.y - row));
    }
  return most;
}

MaskAlignment align_masks(const Context& ctx, MaskedAcquisition& masked, const std::vector<int>& views,
                          const MaskAlignmentOptions& options, const ProgressCallback& progress) try {
  require_masked(masked, views, options);
  Acquisition& a = masked.acquisition;
  const Detector& detector = a.detector;
  const std::size_t pixels = detector.num_pixels();
  MaskAlignment result;
  result.views = views;
  result.motions.resize(views.size());
  result.left_out.resize(views.size());
  std::vector<AlignedView> aligned(views.size());
  const std::size_t together = static_cast<std::size_t>(std::max(1, ctx.threads()));
  for (std::size_t begin = 0; begin < views.size(); begin += together) {
    report_progress(progress, {"aligning", begin, views.size(), "views"});
    parallel_for(ctx, std::min(together, views.size() - begin), [&](std::size_t k) {
      const std::size_t i = begin + k;
      const int view = views[i];
      const std::span<const std::uint8_t> valid = a.valid_pixels(view);
      const auto first =
          masked.log_masks.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(view) * pixels);
      std::vector<float> mask(first, first + static_cast<std::ptrdiff_t>(pixels));
      std::vector<float> log_fill(mask);
      const std::span<const float> projection = a.projection(view);
      for (std::size_t p = 0; p < pixels; ++p) log_fill[p] -= projection[p];
      fill_invalid(valid, detector.width_px, mask);
      result.motions[i] = fit_mask(mask, log_fill, valid, detector, options.largest_px);
      aligned[i] = move_mask(a, view, mask, log_fill, result.motions[i], options.leave_out);
      const std::vector<std::uint8_t>& left = aligned[i].valid;
      const auto counted = static_cast<std::size_t>(std::count(left.begin(), left.end(), std::uint8_t{1}));
      aligned[i].counted = counted;
      const auto before = valid.empty() ? pixels
                                        : static_cast<std::size_t>(valid.size()) -
                                              static_cast<std::size_t>(std::count(valid.begin(), valid.end(), 0));
      result.left_out[i] = before - counted;
    });
    for (std::size_t i = begin; i < std::min(begin + together, views.size()); ++i)
      require_aligned(a, views[i], result.motions[i], options, aligned[i].counted > 0 || result.left_out[i] == 0);
  }
  result.residue = host_vector<float>(a.projections.size());
  std::vector<std::uint8_t> valid = host_vector<std::uint8_t>(a.projections.size(), 1);
  for (int view = 0; view < a.num_views(); ++view) {
    const std::span<const std::uint8_t> given = a.valid_pixels(view);
    std::copy(given.begin(), given.end(),
              valid.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(view) * pixels));
  }
  for (std::size_t i = 0; i < views.size(); ++i) {  // nothing throws from here on
    const std::size_t begin = static_cast<std::size_t>(views[i]) * pixels;
    for (std::size_t p = 0; p < pixels; ++p) {
      float& projection = a.projections[begin + p];
      if (aligned[i].valid[p] != 0) result.residue[begin + p] = projection - aligned[i].projection[p];
      projection = aligned[i].projection[p];
      valid[begin + p] = aligned[i].valid[p];
    }
  }
  if (std::find(valid.begin(), valid.end(), std::uint8_t{0}) != valid.end()) a.valid = std::move(valid);
  return result;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
