// SPDX-License-Identifier: Apache-2.0
#pragma once
// The image loss in double, with the 11 × 11 window applied directly at every pixel and two-pass (centred) moments.

#include <cmath>
#include <cstdint>
#include <vector>

namespace dsasrgs::test {

struct ImageLossOracle {
  double total = 0, l1 = 0, ssim = 0, mean = 0;
  std::vector<double> map;
};

/// An empty `valid` means all valid.
inline ImageLossOracle image_loss_oracle(const std::vector<double>& x, const std::vector<double>& y,
                                         const std::vector<std::uint8_t>& valid, int width, int height, double lambda,
                                         double unit = 1, double ssim_range = 1) {
  const double range = ssim_range * unit, c1 = 1e-4 * range * range, c2 = 9e-4 * range * range;
  const auto inside = [&](int r, int c) {
    return r >= 0 && c >= 0 && r < height && c < width && (valid.empty() || valid[r * width + c]);
  };
  double window[11][11], sum = 0;
  for (int i = 0; i < 11; ++i)
    for (int j = 0; j < 11; ++j) sum += window[i][j] = std::exp(-((i - 5) * (i - 5) + (j - 5) * (j - 5)) / 4.5);
  ImageLossOracle result;
  result.map.assign(x.size(), 0.0);
  double count = 0;
  for (int r = 0; r < height; ++r)
    for (int c = 0; c < width; ++c) {
      if (!inside(r, c)) continue;
      const auto moment = [&](auto&& f) {
        double m = 0;
        for (int i = 0; i < 11; ++i)
          for (int j = 0; j < 11; ++j) {
            const int rr = r + i - 5, cc = c + j - 5, p = rr * width + cc;
            m += window[i][j] / sum * (inside(rr, cc) ? f(x[p], y[p]) : f(0.0, 0.0));
          }
        return m;
      };
      const double mx = moment([](double a, double) { return a; }), my = moment([](double, double b) { return b; });
      const double vx = moment([&](double a, double) { return (a - mx) * (a - mx); });
      const double vy = moment([&](double, double b) { return (b - my) * (b - my); });
      const double vxy = moment([&](double a, double b) { return (a - mx) * (b - my); });
      const double s = (2 * mx * my + c1) * (2 * vxy + c2) / ((mx * mx + my * my + c1) * (vx + vy + c2));
      result.map[r * width + c] = s;
      result.ssim += s;
      result.l1 += std::abs(x[r * width + c] - y[r * width + c]) / unit;
      result.mean += x[r * width + c] / unit;
      ++count;
    }
  result.ssim /= count;
  result.l1 /= count;
  result.mean /= count;
  result.total = (1 - lambda) * result.l1 + lambda * (1 - result.ssim);
  return result;
}

}  // namespace dsasrgs::test
