// SPDX-License-Identifier: Apache-2.0
#include "dsasrgs/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "common/plain_number.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "evaluate/windowed_ssim.hpp"
#include "require_finite.hpp"

namespace dsasrgs {
namespace {

// A pair after the checks: clipped at 0, in double; 0 where a pixel does not count.
struct CheckedPair {
  std::vector<double> rendered, reference;
  std::vector<std::uint8_t> valid;
  std::size_t width = 0, height = 0, num_valid = 0;
};

CheckedPair check_pair(const char* op, const ImagePair& pair) {
  const auto fail = [&](const std::string& message) { throw InvalidArgument(std::string(op) + ": " + message); };
  const auto check_size = [&](const char* what, std::size_t expected, std::size_t found) {
    if (expected != found)
      fail(std::string(what) + ": expected " + std::to_string(expected) + " elements, found " + std::to_string(found));
  };
  if (pair.width_px < 1 || pair.height_px < 1)
    fail("image: expected a size of at least 1 × 1 px, found " + std::to_string(pair.width_px) + " × " +
         std::to_string(pair.height_px));
  CheckedPair checked;
  checked.width = static_cast<std::size_t>(pair.width_px);
  checked.height = static_cast<std::size_t>(pair.height_px);
  const std::size_t num_pixels = checked.width * checked.height;
  check_size("rendered", num_pixels, pair.rendered.size());
  check_size("reference", num_pixels, pair.reference.size());
  if (!pair.valid.empty()) check_size("valid", num_pixels, pair.valid.size());

  checked.valid.assign(num_pixels, 1);
  if (!pair.valid.empty())
    std::transform(pair.valid.begin(), pair.valid.end(), checked.valid.begin(), [](auto v) { return v != 0; });
  const auto clip = [&](const char* what, std::span<const float> image) {
    std::vector<double> values(num_pixels, 0.0);
    for (std::size_t i = 0; i < num_pixels; ++i) {
      if (!checked.valid[i]) continue;
      if (!std::isfinite(image[i]))
        fail(std::string(what) + ": " + pixel_name(i, pair.width_px) + ": expected a finite number, found " +
             std::to_string(image[i]));
      values[i] = std::max(0.0, static_cast<double>(image[i]));
    }
    return values;
  };
  checked.rendered = clip("rendered", pair.rendered);
  checked.reference = clip("reference", pair.reference);
  checked.num_valid = static_cast<std::size_t>(std::count(checked.valid.begin(), checked.valid.end(), 1));
  if (checked.num_valid == 0) fail("valid: expected at least one valid pixel, found none");
  return checked;
}

void check_window(const char* op, const CheckedPair& pair) {
  if (pair.width < kSsimWindow || pair.height < kSsimWindow)
    throw InvalidArgument(std::string(op) + ": image: expected at least " + std::to_string(kSsimWindow) + " × " +
                          std::to_string(kSsimWindow) + " px (the SSIM window), found " + std::to_string(pair.width) +
                          " × " + std::to_string(pair.height));
}

// Maps the valid pixels of an image onto [0,1].
void normalize_min_max(const std::vector<std::uint8_t>& valid, std::vector<double>& image) {
  double low = std::numeric_limits<double>::infinity(), high = 0;
  for (std::size_t i = 0; i < image.size(); ++i) {
    if (!valid[i]) continue;
    low = std::min(low, image[i]);
    high = std::max(high, image[i]);
  }
  for (std::size_t i = 0; i < image.size(); ++i)
    image[i] = valid[i] && high > low ? (image[i] - low) / (high - low) : 0.0;
}

ImageScore score(const CheckedPair& pair, double range) {
  double sum_squares = 0;
  for (std::size_t i = 0; i < pair.valid.size(); ++i) {
    const double d = pair.rendered[i] - pair.reference[i];  // both 0 where the pixel does not count
    sum_squares += d * d;
  }
  ImageScore result;
  result.psnr_db = 10 * std::log10(range * range / (sum_squares / static_cast<double>(pair.num_valid)));
  SsimExtent extent;
  extent.size_x = static_cast<int>(pair.width);
  extent.size_y = static_cast<int>(pair.height);
  const auto load = [&](int, double* rendered, double* reference, double* left_out) {
    std::copy(pair.rendered.begin(), pair.rendered.end(), rendered);
    std::copy(pair.reference.begin(), pair.reference.end(), reference);
    std::transform(pair.valid.begin(), pair.valid.end(), left_out, [](auto v) { return v ? 0.0 : 1.0; });
  };
  result.ssim = mean_windowed_ssim(extent, load, range);
  return result;
}

void add_scaled(const double* in, std::size_t n, double factor, double* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] += factor * in[i];
}

// Separable convolution with a symmetric Gaussian, zero outside the image.
std::vector<double> convolve(const std::vector<double>& image, std::size_t width, const std::vector<double>& half) {
  const std::size_t height = image.size() / width;
  std::vector<double> rows(image.size(), 0.0), out(image.size(), 0.0);
  for (std::size_t y = 0; y < height; ++y) {
    const double* in = image.data() + y * width;
    double* row = rows.data() + y * width;
    add_scaled(in, width, half[0], row);
    for (std::size_t k = 1; k < std::min(half.size(), width); ++k) {
      add_scaled(in, width - k, half[k], row + k);
      add_scaled(in + k, width - k, half[k], row);
    }
  }
  for (std::size_t y = 0; y < height; ++y) {
    double* row = out.data() + y * width;
    add_scaled(rows.data() + y * width, width, half[0], row);
    for (std::size_t k = 1; k < half.size(); ++k) {
      if (y >= k) add_scaled(rows.data() + (y - k) * width, width, half[k], row);
      if (y + k < height) add_scaled(rows.data() + (y + k) * width, width, half[k], row);
    }
  }
  return out;
}

}  // namespace

ImageScore score_4drgs(const ImagePair& pair) try {
  CheckedPair checked = check_pair("score_4drgs", pair);
  check_window("score_4drgs", checked);
  normalize_min_max(checked.valid, checked.rendered);
  normalize_min_max(checked.valid, checked.reference);
  return score(checked, 1.0);
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

ImageScore score_fixed(const ImagePair& pair, double range) try {
  if (!(range >= std::numeric_limits<float>::min()) || range > std::numeric_limits<float>::max())  // it is squared
    throw InvalidArgument("score_fixed: range: expected a positive number within those of float, found " +
                          plain_number(range));
  const CheckedPair checked = check_pair("score_fixed", pair);
  check_window("score_fixed", checked);
  return score(checked, range);
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

double fixed_range(std::span<const float> references, std::span<const std::uint8_t> valid) {
  if (!valid.empty() && (valid.size() > references.size() || references.size() % valid.size() != 0))
    throw InvalidArgument("fixed_range: valid: expected " + std::to_string(references.size()) +
                          " elements or those of one image, found " + std::to_string(valid.size()));
  double range = 0;
  for (std::size_t i = 0; i < references.size(); ++i) {
    if (!valid.empty() && valid[i % valid.size()] == 0) continue;
    if (!std::isfinite(references[i]))
      throw InvalidArgument("fixed_range: references: element " + std::to_string(i) +
                            ": expected a finite number, found " + std::to_string(references[i]));
    range = std::max(range, static_cast<double>(references[i]));
  }
  if (!(range > 0)) throw InvalidArgument("fixed_range: references: expected a positive valid value, found none");
  return range;
}

double highpass_correlation(const ImagePair& pair, double sigma_px) try {
  if (!(sigma_px > 0) || !std::isfinite(sigma_px))
    throw InvalidArgument("highpass_correlation: sigma_px: expected a positive number, found " +
                          std::to_string(sigma_px));
  const CheckedPair checked = check_pair("highpass_correlation", pair);
  // Beyond the image's longer side there is nothing to blur with.
  const double reach = std::min(std::ceil(4 * sigma_px), static_cast<double>(std::max(checked.width, checked.height)));
  std::vector<double> half_kernel(static_cast<std::size_t>(reach) + 1);
  for (std::size_t k = 0; k < half_kernel.size(); ++k) {
    const double r = static_cast<double>(k) / sigma_px;
    half_kernel[k] = std::exp(-0.5 * r * r);
  }
  const std::vector<double> weight = convolve({checked.valid.begin(), checked.valid.end()}, checked.width, half_kernel);
  const std::size_t num_pixels = checked.valid.size();
  const double num_valid = static_cast<double>(checked.num_valid);

  // High-passed and freed of its mean, 0 where a pixel does not count; empty when only rounding is left.
  const auto highpass = [&](const std::vector<double>& image) {
    std::vector<double> detail = convolve(image, checked.width, half_kernel);
    double mean = 0, largest = 0;
    for (std::size_t i = 0; i < num_pixels; ++i) {
      detail[i] = checked.valid[i] ? image[i] - detail[i] / weight[i] : 0.0;
      mean += detail[i] / num_valid;
      largest = std::max(largest, image[i]);
    }
    double energy = 0;
    for (std::size_t i = 0; i < num_pixels; ++i) {
      if (checked.valid[i]) detail[i] -= mean;
      energy += detail[i] * detail[i];
    }
    constexpr double kRounding = 1e-12;
    if (!(std::sqrt(energy / num_valid) > kRounding * largest)) detail.clear();
    return detail;
  };
  const std::vector<double> a = highpass(checked.rendered), b = highpass(checked.reference);
  if (a.empty() || b.empty()) return std::numeric_limits<double>::quiet_NaN();
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < num_pixels; ++i) {
    ab += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  return ab / std::sqrt(aa * bb);
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
