// SPDX-License-Identifier: Apache-2.0
#include "label_trust.hpp"

#include <algorithm>
#include <cmath>

#include "common/host_vector.hpp"
#include "dsasrgs/resample.hpp"
#include "percentile.hpp"

namespace dsasrgs {

std::vector<float> label_consistency(std::span<const float> label, std::span<const float> measured,
                                     std::span<const std::uint8_t> valid, const Detector& detector, int scale,
                                     double unit) {
  constexpr double kNormalMedian = 0.6745;  // of |x|, x standard normal
  constexpr double kHalfTrusted = 3;        // standard deviations
  constexpr double kLeastDeviation = 0.002;
  const std::vector<float> averaged = bin_image(label, detector, scale);
  HostVector<double> sizes;
  for (std::size_t p = 0; p < averaged.size(); ++p)
    if (valid.empty() || valid[p] != 0) sizes.push_back(std::abs(static_cast<double>(averaged[p]) - measured[p]));
  if (sizes.empty()) return std::vector<float>(label.size(), 1.0f);
  const double deviation = std::max(percentile(sizes, 0.5) / kNormalMedian, kLeastDeviation * unit);
  std::vector<float> trust(label.size());
  const auto width = static_cast<std::size_t>(detector.width_px), s = static_cast<std::size_t>(scale);
  for (std::size_t i = 0; i < trust.size(); ++i) {
    const std::size_t p = i / (width * s) / s * width + i % (width * s) / s;
    const double r = (static_cast<double>(averaged[p]) - measured[p]) / (kHalfTrusted * deviation);
    trust[i] = static_cast<float>(1 / (1 + r * r));
  }
  return trust;
}

}  // namespace dsasrgs
