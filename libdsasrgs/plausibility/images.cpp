// SPDX-License-Identifier: Apache-2.0
// Numbers in the images that are no line integrals of contrast.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <span>
#include <utility>

#include "number_text.hpp"
#include "percentile.hpp"
#include "plausibility/findings.hpp"
#include "plausibility/limits.hpp"

namespace dsasrgs::plausible {

namespace {

/// One view, from its one reading.
struct ViewFacts {
  std::uint64_t bits = 0;  ///< hash of the image
  float low = 0, high = 0;
  std::size_t pixels = 0, at_maximum = 0, beyond_range = 0;  ///< valid ones
  std::size_t not_zero = 0;
  bool constant() const { return pixels > 1 && low == high; }
};

ViewFacts facts_of(std::span<const float> image, std::span<const std::uint8_t> valid) {
  ViewFacts facts;
  for (std::size_t i = 0; i < image.size(); ++i) {
    facts.bits = (facts.bits ^ std::bit_cast<std::uint32_t>(image[i])) * 0x9E3779B97F4A7C15u;
    facts.bits ^= facts.bits >> 32;
    if (!valid.empty() && valid[i] == 0) continue;
    const float value = image[i];
    if (facts.pixels++ == 0) facts.low = facts.high = value;
    facts.low = std::min(facts.low, value);
    if (value > facts.high) {
      facts.high = value;
      facts.at_maximum = 0;
    }
    facts.at_maximum += value == facts.high;
    facts.not_zero += value != 0;
    facts.beyond_range += value > kLargestLineIntegral;
  }
  return facts;
}

std::vector<ViewFacts> facts_of_views(const Acquisition& a) {
  std::vector<ViewFacts> facts;
  facts.reserve(a.poses.size());
  for (int v = 0; v < a.num_views(); ++v) facts.push_back(facts_of(a.projection(v), a.valid_pixels(v)));
  return facts;
}

/// Stride that leaves about a million of `count`; odd, as rows mostly are not, so that it takes all columns.
std::size_t sample_stride(std::size_t count) { return count / (std::size_t{1} << 20) | 1; }

/// Valid pixels of all views.
std::vector<float> sample(const Acquisition& a) {
  const std::size_t pixels = a.detector.num_pixels(), stride = sample_stride(a.projections.size());
  std::vector<float> values;
  for (std::size_t i = 0; i < a.projections.size(); i += stride) {
    const auto valid = a.valid_pixels(static_cast<int>(i / pixels));
    if ((valid.empty() || valid[i % pixels] != 0) && std::isfinite(a.projections[i]))
      values.push_back(a.projections[i]);
  }
  return values;
}

/// Valid pixels along the border of all views.
std::vector<float> sample_border(const Acquisition& a) {
  const auto width = static_cast<std::size_t>(a.detector.width_px),
             height = static_cast<std::size_t>(a.detector.height_px);
  const std::size_t stride = sample_stride(2 * (width + height) * a.poses.size());
  std::vector<float> values;
  std::size_t seen = 0;
  for (int v = 0; v < a.num_views(); ++v) {
    const auto image = a.projection(v);
    const auto valid = a.valid_pixels(v);
    for (std::size_t row = 0; row < height; ++row) {
      const bool whole = row == 0 || row + 1 == height;
      for (std::size_t column = 0; column < width; column += whole ? 1 : std::max<std::size_t>(width - 1, 1)) {
        const std::size_t i = row * width + column;
        if (seen++ % stride == 0 && (valid.empty() || valid[i] != 0) && std::isfinite(image[i]))
          values.push_back(image[i]);
      }
    }
  }
  return values;
}

ImageLevels levels_of(std::vector<float> values) {
  ImageLevels levels;
  levels.background = percentile(values, 0.5);
  levels.low = percentile(values, kLowestQuantile);
  levels.high = percentile(values, kHighestQuantile);
  if (levels.low == levels.high) {  // so little to see that the quantiles miss it
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    levels.low = *low;
    levels.high = *high;
  }
  constexpr double kDeviationOfMedian = 1.4826;  // of the normal distribution
  for (float& value : values) value = std::abs(value - static_cast<float>(levels.background));
  levels.noise = kDeviationOfMedian * percentile(values, 0.5);
  return levels;
}

void find_range(const std::vector<ViewFacts>& facts, std::vector<Finding>& findings) {
  std::size_t pixels = 0, beyond = 0;
  int view = 0;
  for (std::size_t v = 0; v < facts.size(); ++v) {
    pixels += facts[v].pixels;
    beyond += facts[v].beyond_range;
    if (facts[v].pixels > 0 && facts[v].high > facts[static_cast<std::size_t>(view)].high) view = static_cast<int>(v);
  }
  if (beyond == 0) return;
  const double largest = facts[static_cast<std::size_t>(view)].high;
  findings.push_back({Implausibility::line_integral_range, "/projections", largest, kLargestLineIntegral, view,
                      "/projections: expected line integrals ln(mask) - ln(fill), at most " +
                          rounded_text(kLargestLineIntegral) + " (e^-15 of the X-rays pass), found " +
                          std::to_string(beyond) + (beyond == 1 ? " pixel beyond (" : " pixels beyond (") +
                          percent(static_cast<double>(beyond) / static_cast<double>(pixels)) + "), the largest " +
                          rounded_text(largest) + " in view " + std::to_string(view) +
                          " (grey values, HU or percent? a defective pixel? see /valid)"});
}

/// Of pixels that are lower than half of the depth: the mean of their four neighbours over theirs. Border and invalid
/// pixels are left out.
double likeness_below(const Acquisition& a, const ImageLevels& levels) {
  const std::size_t width = static_cast<std::size_t>(a.detector.width_px),
                    height = static_cast<std::size_t>(a.detector.height_px);
  double own = 0, around = 0;
  for (int v = 0; v < a.num_views(); ++v) {
    const auto image = a.projection(v);
    const auto valid = a.valid_pixels(v);
    for (std::size_t row = 1; row + 1 < height; ++row)
      for (std::size_t i = row * width + 1; i + 1 < (row + 1) * width; ++i) {
        const double below = levels.background - static_cast<double>(image[i]);
        if (!(below > 0.5 * levels.depth())) continue;
        double sum = 0;
        int count = 0;
        for (const std::size_t k : {i - width, i - 1, i + 1, i + width})
          if (valid.empty() || (valid[i] != 0 && valid[k] != 0)) {
            sum += levels.background - static_cast<double>(image[k]);
            ++count;
          }
        if (count < 4) continue;
        own += below;
        around += sum / 4;
      }
  }
  return own > 0 ? around / own : 0;
}

/// Whether vessels stand out upwards from a background near 0; else a finding says what they do.
bool find_levels(const Acquisition& a, const ImageLevels& levels, std::vector<Finding>& findings) {
  const std::string is = "found a background of " + rounded_text(levels.background) + " and values from " +
                         rounded_text(levels.low) + " to " + rounded_text(levels.high);
  if (levels.background > kLargestLineIntegral) {
    findings.push_back({Implausibility::no_logarithm, "/projections", levels.background, kLargestLineIntegral, -1,
                        "/projections: expected line integrals ln(mask) - ln(fill), a background near 0, " + is +
                            " (detector counts or grey values? quantity = intensity with /mask_projections takes "
                            "counts)"});
    return false;
  }
  const double limit = kLargestDepthOverHeight;
  if (levels.depth() > limit * levels.height()) {
    // Where nothing rises above the background at all, the ratio is that to the depth's rounding.
    const double ratio = levels.depth() / std::max(levels.height(), 1e-6 * levels.depth());
    const bool reversed = std::abs(levels.background) <= kLargestBackground * levels.depth();
    const std::string expected = "/projections: expected vessels brighter than the background, ";
    if (reversed)
      findings.push_back({Implausibility::reversed_subtraction, "/projections", ratio, limit, -1,
                          expected + is + " (subtracted the wrong way round? line integrals are ln(mask) - ln(fill))"});
    else
      findings.push_back({Implausibility::inverted_images, "/projections", ratio, limit, -1,
                          expected + is + " (inverted images, or intensities without the logarithm?)"});
    return false;
  }
  std::vector<float> border = sample_border(a);
  const double level = border.empty() ? 0 : percentile(border, 0.5);
  if (std::abs(level) <= kLargestBackground * levels.height()) {
    if (levels.depth() > kLargestResidueOverHeight * levels.height() &&
        likeness_below(a, levels) > kLargestLikenessBelow)
      findings.push_back({Implausibility::moved_head, "/projections", levels.depth() / levels.height(),
                          kLargestResidueOverHeight, -1,
                          "/projections: expected little below the background, " + is +
                              " (did the head move after the mask run? dsasrgs align and import dicom --align-masks "
                              "move masks that are at hand)"});
    return true;
  }
  findings.push_back({Implausibility::background_level, "/projections", level / levels.height(), kLargestBackground, -1,
                      "/projections: expected images near 0 at their border after subtraction, found " +
                          rounded_text(level) + " there and vessels up to " + rounded_text(levels.high) +
                          " (not subtracted? an offset of the export?)"});
  return false;
}

/// Valid pixels of a view above the middle between background and maximum.
std::size_t bright_pixels(const Acquisition& a, int view, double middle) {
  const auto image = a.projection(view);
  const auto valid = a.valid_pixels(view);
  std::size_t count = 0;
  for (std::size_t i = 0; i < image.size(); ++i) count += image[i] > middle && (valid.empty() || valid[i] != 0);
  return count;
}

void find_saturated(const Acquisition& a, const std::vector<ViewFacts>& facts, const ImageLevels& levels,
                    std::vector<Finding>& findings) {
  int count = 0, view = -1;
  double largest = 0;
  for (int v = 0; v < a.num_views(); ++v) {
    const ViewFacts& f = facts[static_cast<std::size_t>(v)];
    const auto at_maximum = static_cast<double>(f.at_maximum), share = at_maximum / static_cast<double>(f.pixels);
    if (f.pixels == 0 || f.constant() || f.at_maximum < kFewestPixelsAtMaximum || share < kLargestShareAtMaximum)
      continue;
    if (f.high - levels.background < kContrastOfFilledView * levels.height()) continue;
    const auto bright = static_cast<double>(bright_pixels(a, v, (levels.background + f.high) / 2));
    if (at_maximum < kLargestShareOfBright * bright) continue;
    ++count;
    if (share > largest) {
      largest = share;
      view = v;
    }
  }
  if (count == 0) return;
  findings.push_back({Implausibility::saturated_views, "/projections", largest, kLargestShareAtMaximum, view,
                      "/projections: expected a few pixels at the maximum of a view, found " + std::to_string(count) +
                          " of " + std::to_string(facts.size()) + " views with many at exactly the same, " +
                          percent(largest) + " of the pixels of view " + std::to_string(view) + " at " +
                          rounded_text(facts[static_cast<std::size_t>(view)].high) +
                          " (saturated or clipped values?)"});
}

/// False where no view shows anything.
bool find_constant(const std::vector<ViewFacts>& facts, std::vector<Finding>& findings) {
  int count = 0, first = -1, shown = 0;
  const float strongest =
      std::max_element(facts.begin(), facts.end(), [](const auto& x, const auto& y) { return x.high < y.high; })->high;
  bool filled = false;  // whether the last view with something to see shows enough, so that the next shows something
  for (std::size_t v = 0; v < facts.size(); ++v) {
    const ViewFacts& f = facts[v];
    if (f.pixels > 1 && !f.constant()) {
      ++shown;
      filled = f.not_zero >= kFewestPixelsSeen && f.high >= kFaintestView * strongest;
    }
    if (!f.constant() || (f.low == 0 && !filled)) continue;  // zero: contrast not yet there, washed out or hardly seen
    if (count++ == 0) first = static_cast<int>(v);
  }
  const int views = static_cast<int>(facts.size());
  if (shown == 0) {
    findings.push_back({Implausibility::no_contrast, "/projections", static_cast<double>(views), 0, -1,
                        "/projections: expected views that show vessels, found " + std::to_string(views) +
                            " views with one value everywhere, " + rounded_text(facts.front().low) +
                            " in view 0 (images that were never written?)"});
    return false;
  }
  if (count == 0) return true;
  findings.push_back({Implausibility::constant_views, "/projections", static_cast<double>(count), 0, first,
                      "/projections: expected views that show vessels or noise, found " + views_text(count, first) +
                          ", with one value everywhere, " + rounded_text(facts[static_cast<std::size_t>(first)].low) +
                          " (lost frames?)"});
  return true;
}

void find_duplicates(const Acquisition& a, const std::vector<ViewFacts>& facts, std::vector<Finding>& findings) {
  std::vector<int> order(facts.size());
  std::iota(order.begin(), order.end(), 0);
  const auto bits = [&](int view) { return facts[static_cast<std::size_t>(view)].bits; };
  std::stable_sort(order.begin(), order.end(), [&](int x, int y) { return bits(x) < bits(y); });
  int count = 0, view = -1, earlier = -1;
  for (std::size_t i = 1; i < order.size(); ++i) {
    const int x = order[i - 1], y = order[i];
    const ViewFacts& f = facts[static_cast<std::size_t>(x)];
    if (bits(x) != bits(y) || f.constant() || f.not_zero < kFewestPixelsSeen) continue;
    const auto image = a.projection(x), other = a.projection(y);
    if (std::memcmp(image.data(), other.data(), image.size_bytes()) != 0) continue;
    // The two ends of a closed circle show a phantom without noise alike.
    const bool ends = std::min(x, y) == 0 && std::max(x, y) == a.num_views() - 1;
    if (ends && same_pose(a.poses[static_cast<std::size_t>(x)], a.poses[static_cast<std::size_t>(y)])) continue;
    ++count;
    if (view < 0 || y < view) {
      view = y;
      earlier = x;
    }
  }
  if (count == 0) return;
  findings.push_back({Implausibility::duplicate_views, "/projections", static_cast<double>(count), 0, view,
                      "/projections: expected another image in every view, found " + std::to_string(count) +
                          (count == 1 ? " view that repeats" : " views that repeat") + " another bit by bit, as view " +
                          std::to_string(view) + " does view " + std::to_string(earlier) +
                          " (frames written or read twice?)"});
}

void find_empty(const std::vector<ViewFacts>& facts, std::vector<Finding>& findings) {
  const auto is_empty = [](const ViewFacts& f) { return f.pixels == 0; };
  const auto first = std::find_if(facts.begin(), facts.end(), is_empty);
  if (first == facts.end()) return;
  const int count = static_cast<int>(std::count_if(first, facts.end(), is_empty)),
            view = static_cast<int>(first - facts.begin());
  findings.push_back({Implausibility::few_valid_pixels, "/valid", 1, kLargestShareInvalid, view,
                      "/valid: expected pixels that count in every view, found " + views_text(count, view) +
                          ", without any (a lost frame, counts of 0?)"});
}

void find_invalid(const Acquisition& a, const std::vector<ViewFacts>& facts, std::vector<Finding>& findings) {
  std::size_t valid = 0;
  for (const ViewFacts& f : facts) valid += f.pixels;
  const double share = 1 - static_cast<double>(valid) / static_cast<double>(facts.size() * a.detector.num_pixels());
  if (share < kLargestShareInvalid) return find_empty(facts, findings);
  findings.push_back({Implausibility::few_valid_pixels, "/valid", share, kLargestShareInvalid, -1,
                      "/valid: expected most pixels to count, found " + percent(share) +
                          " that do not (a mask the wrong way round, counts of 0?)"});
}

}  // namespace

std::optional<ImageLevels> find_in_images(const Acquisition& a, std::vector<Finding>& findings) {
  const std::vector<ViewFacts> facts = facts_of_views(a);
  find_invalid(a, facts, findings);
  std::vector<float> values = sample(a);
  if (values.empty()) return std::nullopt;  // no valid pixel
  if (!find_constant(facts, findings)) return std::nullopt;
  find_duplicates(a, facts, findings);
  const ImageLevels levels = levels_of(std::move(values));
  if (levels.background <= kLargestLineIntegral) find_range(facts, findings);
  if (!find_levels(a, levels, findings)) return std::nullopt;
  find_saturated(a, facts, levels, findings);
  return levels;
}

}  // namespace dsasrgs::plausible
