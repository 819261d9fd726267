// SPDX-License-Identifier: Apache-2.0
#pragma once
// 2D Gaussians for the rasteriser's tests, made on the host and drawn by the selected backend.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "oracle/rasterize_oracle.hpp"
#include "rasterize/rasterize.hpp"
#include "support/random_values.hpp"

namespace dsasrgs::test {

/// Relative width in d² of what counts as within rounding of the cut-off.
constexpr double kBorder = 1e-3;

/// 2D Gaussians as arrays, with boxes that are the exact bounds of their ellipses.
struct Gaussians {
  std::vector<float> mean, conic, amplitude;
  std::vector<PixelBox> box;

  void add(double x, double y, double sigma_long, double sigma_short, double angle, double a, int width, int height) {
    const double c = std::cos(angle), s = std::sin(angle);
    const double p = 1 / (sigma_long * sigma_long), q = 1 / (sigma_short * sigma_short);
    for (const double v : {x, y}) mean.push_back(static_cast<float>(v));
    for (const double v : {p * c * c + q * s * s, (p - q) * c * s, p * s * s + q * c * c})
      conic.push_back(static_cast<float>(v));
    amplitude.push_back(static_cast<float>(a));
    const double rx = 3.5 * std::hypot(sigma_long * c, sigma_short * s),
                 ry = 3.5 * std::hypot(sigma_long * s, sigma_short * c);
    const auto first = [](double v, int size) {
      return static_cast<int>(std::clamp(std::ceil(v - 0.5), 0.0, double(size)));
    };
    const auto end = [](double v, int size) {
      return static_cast<int>(std::clamp(std::floor(v - 0.5) + 1, 0.0, double(size)));
    };
    box.push_back({first(x - rx, width), first(y - ry, height), end(x + rx, width), end(y + ry, height)});
  }
  std::vector<RasterGaussian> oracle() const {
    std::vector<RasterGaussian> out;
    for (std::size_t i = 0; i < amplitude.size(); ++i)
      out.push_back(
          {mean[2 * i], mean[2 * i + 1], conic[3 * i], conic[3 * i + 1], conic[3 * i + 2], amplitude[i], box[i]});
    return out;
  }
};

/// Gaussians from a tenth of a pixel to larger than the image, thin and round, of both signs, some beside the image.
inline Gaussians random_gaussians(std::size_t n, int width, int height, std::uint32_t seed) {
  const auto u = random_values<double>(6 * n, 0, 1, seed);
  Gaussians k;
  for (std::size_t i = 0; i < n; ++i) {
    const double* r = u.data() + 6 * i;
    const double sigma = 0.15 * std::pow(i % 50 == 0 ? 300.0 : 30.0, r[2]);
    k.add(width * (1.2 * r[0] - 0.1), height * (1.2 * r[1] - 0.1), sigma, sigma * (0.1 + 0.9 * r[3]), 6.3 * r[4],
          r[5] - 0.3, width, height);
  }
  return k;
}

struct GaussiansOnDevice {
  GaussiansOnDevice(Context& ctx, const Gaussians& k)
      : mean(Buffer<float>::from_host(ctx, k.mean)),
        conic(Buffer<float>::from_host(ctx, k.conic)),
        amplitude(Buffer<float>::from_host(ctx, k.amplitude)),
        box(Buffer<PixelBox>::from_host(ctx, k.box)) {}
  RasterizeInput input(int width, int height) const { return {width, height, mean, conic, amplitude, box}; }
  Buffer<float> mean, conic, amplitude;
  Buffer<PixelBox> box;
};

inline std::vector<float> render(Context& ctx, const Gaussians& k, int width, int height) {
  const GaussiansOnDevice d(ctx, k);
  RasterizeScratch scratch;
  const std::size_t pixels = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  auto image = Buffer<float>::from_host(ctx, std::vector<float>(pixels, 77.0f));  // must be overwritten
  rasterize_forward(ctx, d.input(width, height), scratch, image);
  return image.to_host(ctx);
}

struct Gradients {
  std::vector<float> mean, conic, amplitude;
  bool operator==(const Gradients&) const = default;
};
inline Gradients backward(Context& ctx, const Gaussians& k, int width, int height, const std::vector<float>& upstream,
                          GradientMode mode = GradientMode::overwrite, float start = 5.0f) {
  const GaussiansOnDevice d(ctx, k);
  const std::size_t n = k.amplitude.size();
  auto mean = Buffer<float>::from_host(ctx, std::vector<float>(2 * n, start));
  auto conic = Buffer<float>::from_host(ctx, std::vector<float>(3 * n, start));
  auto amplitude = Buffer<float>::from_host(ctx, std::vector<float>(n, start));
  rasterize_backward(ctx, d.input(width, height), Buffer<float>::from_host(ctx, upstream).view(), mode,
                     {mean, conic, amplitude});
  return {mean.to_host(ctx), conic.to_host(ctx), amplitude.to_host(ctx)};
}

}  // namespace dsasrgs::test
