// SPDX-License-Identifier: Apache-2.0
#pragma once
// Texture richness and teaching reference in double, windows written out and the percentile by sorting.

#include <algorithm>
#include <cmath>
#include <vector>

namespace dsasrgs::test {

inline std::vector<double> texture_richness_oracle(const std::vector<float>& image, int width, int height) {
  const auto correlate = [&](const std::vector<double>& in, const std::vector<std::vector<double>>& window) {
    const int radius = static_cast<int>(window.size()) / 2;
    std::vector<double> out;
    for (int r = 0; r < height; ++r)
      for (int c = 0; c < width; ++c) {
        double sum = 0;
        for (int i = -radius; i <= radius; ++i)
          for (int j = -radius; j <= radius; ++j)
            sum += window[radius + i][radius + j] *
                   in[std::clamp(r + i, 0, height - 1) * width + std::clamp(c + j, 0, width - 1)];
        out.push_back(sum);
      }
    return out;
  };
  const std::vector<double> in(image.begin(), image.end());
  const auto gx = correlate(in, {{-0.125, 0, 0.125}, {-0.25, 0, 0.25}, {-0.125, 0, 0.125}});
  const auto gy = correlate(in, {{-0.125, -0.25, -0.125}, {0, 0, 0}, {0.125, 0.25, 0.125}});
  std::vector<double> magnitude(in.size());
  for (std::size_t i = 0; i < in.size(); ++i) magnitude[i] = std::hypot(gx[i], gy[i]);
  const double tap[5] = {1, 4, 6, 4, 1};
  std::vector<std::vector<double>> binomial(5, std::vector<double>(5));
  for (int i = 0; i < 5; ++i)
    for (int j = 0; j < 5; ++j) binomial[i][j] = tap[i] * tap[j] / 256;
  auto smooth = correlate(magnitude, binomial);
  auto sorted = smooth;
  std::sort(sorted.begin(), sorted.end());
  const double percentile = sorted[(99 * sorted.size() + 99) / 100 - 1];
  for (double& v : smooth) v = percentile > 0 ? std::min(v / percentile, 1.0) : (v > 0 ? 1.0 : 0.0);
  return smooth;
}

/// I_teach of one view, eqs. 6 and 7.
inline std::vector<double> teach_oracle(const std::vector<float>& super_resolved, const std::vector<float>& upsampled,
                                        const std::vector<float>& similarity, const std::vector<float>& richness,
                                        double alpha, double beta, double s0, double t0) {
  std::vector<double> teach;
  for (std::size_t i = 0; i < super_resolved.size(); ++i) {
    const double s = static_cast<double>(similarity[i]) - s0, t = static_cast<double>(richness[i]) - t0;
    const double c = 0.5 + 0.5 * std::tanh((alpha * s + beta * t) / 2);
    teach.push_back(c * static_cast<double>(super_resolved[i]) + (1 - c) * static_cast<double>(upsampled[i]));
  }
  return teach;
}

}  // namespace dsasrgs::test
