// SPDX-License-Identifier: Apache-2.0
#include "rasterize/rasterize.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "dsasrgs/error.hpp"
#include "oracle/rasterize_oracle.hpp"
#include "rasterize/rasterize_math.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/random_values.hpp"
#include "support/raster_gaussians.hpp"

namespace dsasrgs::test {

TEST_CASE("rasterize: one round Gaussian has its closed-form values", "[rasterize]") {
  Context ctx = make_context();
  Gaussians k;
  k.add(20.5, 10.5, 2, 2, 0, 0.75, 64, 48);
  const auto image = render(ctx, k, 64, 48);
  CHECK(image[10 * 64 + 20] == Approx(0.75).epsilon(1e-6));
  CHECK(image[10 * 64 + 21] == Approx(0.75 * std::exp(-0.125)).epsilon(1e-6));
  CHECK(image[13 * 64 + 16] == Approx(0.75 * std::exp(-25.0 / 8)).epsilon(1e-6));
  CHECK(image[10 * 64 + 27] == Approx(0.75 * std::exp(-49.0 / 8)).epsilon(2e-6));  // on the cut-off: 7 px = 3.5σ
  CHECK(image[11 * 64 + 27] == 0);                                                 // just beyond
  CHECK(image[0] == 0);
}

TEST_CASE("rasterize: the image equals a brute-force sum in double", "[rasterize]") {
  Context ctx = make_context();
  // Widths around the vector lengths, heights around the band height.
  const int sizes[][2] = {{97, 65}, {64, 32}, {1, 1}, {3, 40}, {15, 33}, {16, 31}, {17, 64}, {130, 70}};
  for (const auto& [width, height] : sizes) {
    const Gaussians k = random_gaussians(400, width, height, static_cast<std::uint32_t>(width));
    const auto image = render(ctx, k, width, height);
    const RasterOracle oracle = rasterize_oracle(k.oracle(), width, height, kBorder);
    double worst = 0;
    for (std::size_t p = 0; p < image.size(); ++p)
      worst = std::max(worst, std::abs(image[p] - oracle.image[p]) - 1.01 * oracle.slack[p]);
    CHECK(worst < 5e-5);  // of amplitudes up to 0.7, a hundred or more of them in a pixel
    CHECK(relative_l2(image, oracle.image) < 1e-3);
  }
}

TEST_CASE("rasterize: Gaussians hundreds of pixels wide keep float's digits in every pixel and gradient",
          "[rasterize]") {
  Context ctx = make_context();
  // Rows of up to fifty vectors, where all but every eighth vector follow from their neighbour.
  const int width = 800, height = 40;
  const auto upstream = random_values<float>(static_cast<std::size_t>(width) * height, -1, 1, 9);
  double pixel = 0, gradient = 0;
  for (const double sigma : {17.0, 60.0, 150.0, 400.0})
    for (const double angle : {0.0, 0.4, 1.5, 3.0}) {
      CAPTURE(sigma, angle);
      Gaussians k;
      k.add(391.3, 21.7, sigma, 0.4 * sigma, angle, 0.8, width, height);
      const auto image = render(ctx, k, width, height);
      const double x = k.mean[0], y = k.mean[1], a = k.amplitude[0];
      double sums[6] = {};
      for (int row = 0; row < height; ++row)
        for (int column = 0; column < width; ++column) {
          const double dx = column + 0.5 - x, dy = row + 0.5 - y;
          const double q = k.conic[0] * dx * dx + 2 * k.conic[1] * dx * dy + k.conic[2] * dy * dy;
          const std::size_t at = static_cast<std::size_t>(row) * width + static_cast<std::size_t>(column);
          const double g = image[at] != 0 ? std::exp(-0.5 * q) : 0;  // which pixels count is the next case's
          if (std::abs(q - 12.25) > 12.25 * kBorder) REQUIRE((image[at] != 0) == (q < 12.25));
          if (image[at] != 0) pixel = std::max(pixel, std::abs(image[at] / (a * g) - 1));
          const double term = g * upstream[at];
          const double moments[] = {term, term * dx, term * dy, term * dx * dx, term * dx * dy, term * dy * dy};
          for (int m = 0; m < 6; ++m) sums[m] += moments[m];
        }
      const Gradients found = backward(ctx, k, width, height, upstream);
      const std::vector<double> conic{-0.5 * a * sums[3], -a * sums[4], -0.5 * a * sums[5]};
      gradient = std::max({gradient, relative_l2(found.conic, conic), std::abs(found.amplitude[0] / sums[0] - 1)});
    }
  CAPTURE(pixel, gradient);
  CHECK(pixel < 1e-5);  // of distances from a mean that float holds to 3e-5 px
  CHECK(gradient < 1e-5);
}

TEST_CASE("rasterize: pixels inside the cut-off, and no others, count in both passes", "[rasterize]") {
  Context ctx = make_context();
  const int width = 90, height = 75;
  Gaussians k = random_gaussians(60, width, height, 3);
  for (float& a : k.amplitude) a = 1;
  for (std::size_t i = 0; i < k.amplitude.size(); ++i) {
    Gaussians one;
    one.mean = {k.mean[2 * i], k.mean[2 * i + 1]};
    one.conic = {k.conic[3 * i], k.conic[3 * i + 1], k.conic[3 * i + 2]};
    one.amplitude = {1};
    one.box = {k.box[i]};
    const auto image = render(ctx, one, width, height);
    int wrong = 0;
    double sum = 0;
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) {
        const float v = image[static_cast<std::size_t>(y * width + x)];
        const double q = one.oracle()[0].mahalanobis2(x, y);
        sum += static_cast<double>(v);
        if (q < 12.25 * (1 - kBorder) && !(v > 0)) ++wrong;
        if (q > 12.25 * (1 + kBorder) && v != 0) ++wrong;
      }
    CHECK(wrong == 0);
    // With a constant upstream gradient the amplitude's gradient is the sum of the very same pixels.
    const Gradients g = backward(ctx, one, width, height, std::vector<float>(image.size(), 1.0f));
    CHECK(g.amplitude[0] == Approx(sum).epsilon(1e-5).margin(1e-6));
  }
}

TEST_CASE("rasterize: the VJP from moments equals central differences in double", "[rasterize]") {
  for (std::uint32_t seed = 0; seed < 10; ++seed) {
    const auto r = random_values<double>(6, 0, 1, seed);
    const std::vector<double> x{5 + r[0], 5 + r[1], 0.1 + r[2], 0.2 * r[3] - 0.1, 0.1 + r[4], 0.5 + r[5]};
    const auto upstream = random_values<double>(100, -1, 1, 50 + seed);
    const auto each_pixel = [&](const std::vector<double>& at, auto&& visit) {
      const GaussianFootprint<double> k = gaussian_footprint(at[0], at[1], at[2], at[3], at[4]);
      for (int j = 0; j < 10; ++j) {
        const FootprintRow<double> row = footprint_row(k, j + 0.5);
        for (int i = 0; i < 10; ++i) {
          const double t = i + 0.5 - row.center_x;
          visit(upstream[static_cast<std::size_t>(10 * j + i)] * std::exp2(k.along_row * t * t + row.exponent),
                i + 0.5 - at[0], row.dy);
        }
      }
    };
    const auto f = [&](const std::vector<double>& at) {
      double sum = 0;
      each_pixel(at, [&](double w, double, double) { sum += at[5] * w; });
      return sum;
    };
    FootprintMoments<double> m{};
    each_pixel(x, [&](double w, double dx, double dy) {
      m = {m.w + w, m.wx + w * dx, m.wy + w * dy, m.wxx + w * dx * dx, m.wxy + w * dx * dy, m.wyy + w * dy * dy};
    });
    const auto g = footprint_vjp(m, x[2], x[3], x[4], x[5]);
    CHECK(relative_l2(std::vector<double>{g.mean_x, g.mean_y, g.conic_xx, g.conic_xy, g.conic_yy, g.amplitude},
                      numeric_gradient(f, x)) < 1e-8);
  }
}

TEST_CASE("rasterize: the footprint of a thin slanted Gaussian keeps float's accuracy", "[rasterize]") {
  double worst_factor = 0, worst_outline = 0;
  for (std::uint32_t seed = 0; seed < 2000; ++seed) {
    const auto r = random_values<double>(3, 0, 1, seed);
    Gaussians k;
    k.add(0, 0, 30 * r[0] + 1, 0.1 + 0.2 * r[1], 6.3 * r[2], 1, 1, 1);
    const float *c = k.conic.data(), no = 0;
    const double xx = c[0], xy = c[1], yy = c[2], det = xx * yy - xy * xy;  // exact products
    const double factor = static_cast<double>(gaussian_footprint(no, no, c[0], c[1], c[2]).across_rows);
    worst_factor = std::max(worst_factor, std::abs(factor / (kLog2ExpMinusHalf * det / xx) - 1));
    const double falloff = static_cast<double>(footprint_outline(c[0], c[1], c[2]).falloff);
    worst_outline = std::max(worst_outline, std::abs(falloff / (det / (yy * yy)) - 1));
  }
  CHECK(worst_factor < 3e-7);
  CHECK(worst_outline < 3e-7);
}

TEST_CASE("rasterize: gradients equal brute-force sums in double", "[rasterize]") {
  Context ctx = make_context();
  const int sizes[][2] = {{97, 65}, {3, 40}, {16, 31}};
  for (const auto& size : sizes) {
    const int width = size[0], height = size[1];
    const Gaussians k = random_gaussians(400, width, height, 11);
    const auto upstream = random_values(static_cast<std::size_t>(width * height), -1.0f, 1.0f, 12);
    const Gradients g = backward(ctx, k, width, height, upstream);
    const auto oracle = k.oracle();
    std::vector<double> mean(800), conic(1200), amplitude(400), slack(400);
    for_each_pair(
        oracle, width, height, kBorder, [&](std::size_t i, int x, int y, double q, bool borderline, bool inside) {
          const double w = std::exp(-0.5 * q) * static_cast<double>(upstream[static_cast<std::size_t>(y * width + x)]);
          if (borderline) slack[i] += std::abs(w);
          if (!inside) return;
          const RasterGaussian& o = oracle[i];
          const double dx = x + 0.5 - o.mean_x, dy = y + 0.5 - o.mean_y;
          amplitude[i] += w;
          mean[2 * i] += o.amplitude * w * (o.conic_xx * dx + o.conic_xy * dy);
          mean[2 * i + 1] += o.amplitude * w * (o.conic_xy * dx + o.conic_yy * dy);
          conic[3 * i] -= 0.5 * o.amplitude * w * dx * dx;
          conic[3 * i + 1] -= o.amplitude * w * dx * dy;
          conic[3 * i + 2] -= 0.5 * o.amplitude * w * dy * dy;
        });
    double worst = 0;
    for (std::size_t i = 0; i < 400; ++i)
      worst = std::max(worst, std::abs(g.amplitude[i] - amplitude[i]) - 1.01 * slack[i]);
    CHECK(worst < 1e-4);
    CHECK(relative_l2(g.mean, mean) < 2e-3);
    CHECK(relative_l2(g.conic, conic) < 2e-3);
    CHECK(relative_l2(g.amplitude, amplitude) < 1e-3);
  }
}

TEST_CASE("rasterize: the amplitude's VJP is the adjoint of the image", "[rasterize]") {
  Context ctx = make_context();
  const int width = 211, height = 133;
  const Gaussians k = random_gaussians(1500, width, height, 5);
  const auto y = random_values(static_cast<std::size_t>(width * height), -1.0f, 1.0f, 6);
  const double image_side = inner_product(render(ctx, k, width, height), y);
  const double kernel_side = inner_product(k.amplitude, backward(ctx, k, width, height, y).amplitude);
  double scale = 0;  // what the sums are made of
  for (const float v : render(ctx, k, width, height)) scale += std::abs(static_cast<double>(v));
  CHECK(std::abs(image_side - kernel_side) < 1e-7 * scale);
  CHECK(std::abs(image_side) > 1e-4 * scale);
}

TEST_CASE("rasterize: the same bits for 1 and 2 threads and for rows of another image height", "[rasterize]") {
  Context one = make_context(1), two = make_context(2);
  const int width = 173, height = 150;
  const Gaussians k = random_gaussians(3000, width, height, 8);
  const auto image = render(one, k, width, height);
  CHECK(image == render(two, k, width, height));
  const auto upstream = random_values(image.size(), -1.0f, 1.0f, 9);
  CHECK(backward(one, k, width, height, upstream) == backward(two, k, width, height, upstream));

  // A narrower and lower image cuts vectors and bands elsewhere; the pixels both have must not change.
  const int narrow = 150, low = 77;
  Gaussians cropped = k;
  for (PixelBox& b : cropped.box) b = {b.x_begin, b.y_begin, std::min(b.x_end, narrow), std::min(b.y_end, low)};
  const auto part = render(one, cropped, narrow, low);
  int different = 0;
  for (int y = 0; y < low; ++y)
    for (int x = 0; x < narrow; ++x)
      different += part[static_cast<std::size_t>(y * narrow + x)] != image[static_cast<std::size_t>(y * width + x)];
  CHECK(different == 0);
}

TEST_CASE("rasterize: gradients are added or overwritten as asked", "[rasterize]") {
  Context ctx = make_context();
  const Gaussians k = random_gaussians(333, 60, 50, 4);
  const auto upstream = random_values(60 * 50, -1.0f, 1.0f, 9);
  const Gradients g = backward(ctx, k, 60, 50, upstream, GradientMode::overwrite, 5.0f);
  const Gradients added = backward(ctx, k, 60, 50, upstream, GradientMode::accumulate, 5.0f);
  const auto plus_five = [](std::vector<float> v) {
    for (float& x : v) x += 5.0f;
    return v;
  };
  CHECK(added.mean == plus_five(g.mean));
  CHECK(added.conic == plus_five(g.conic));
  CHECK(added.amplitude == plus_five(g.amplitude));
}

TEST_CASE("rasterize: empty boxes and zero amplitudes add nothing; a zero amplitude still has a gradient",
          "[rasterize]") {
  Context ctx = make_context();
  Gaussians k;
  k.add(10, 10, 2, 1, 0.3, 1, 40, 40);
  k.add(10, 10, 2, 1, 0.3, 0, 40, 40);
  k.box[0] = {5, 5, 5, 9};
  for (const float v : render(ctx, k, 40, 40)) REQUIRE(v == 0);
  const Gradients g = backward(ctx, k, 40, 40, std::vector<float>(1600, 1.0f));
  CHECK(g.amplitude[0] == 0);
  CHECK(g.mean[0] == 0);
  CHECK(g.conic[0] == 0);
  CHECK(g.amplitude[1] == Approx(2 * 3.14159265 * 2 * 1).epsilon(5e-3));  // the Gaussian's mass
  CHECK(g.mean[2] == 0);
}

TEST_CASE("rasterize: no Gaussians give a black image, and wrong sizes are refused", "[rasterize]") {
  Context ctx = make_context();
  for (const float v : render(ctx, {}, 33, 21)) REQUIRE(v == 0);
  CHECK_NOTHROW(backward(ctx, {}, 33, 21, std::vector<float>(33 * 21)));

  const Gaussians k = random_gaussians(3, 20, 10, 1);
  const GaussiansOnDevice d(ctx, k);
  Buffer<float> image(ctx, 200), mean(ctx, 6), conic(ctx, 9), amplitude(ctx, 3);
  RasterizeScratch scratch;
  const auto refused = [&](auto&& change) {
    RasterizeInput in = d.input(20, 10);
    change(in);
    CHECK_THROWS_AS(rasterize_forward(ctx, in, scratch, image), InvalidArgument);
    CHECK_THROWS_AS(rasterize_backward(ctx, in, image.view(), GradientMode::overwrite, {mean, conic, amplitude}),
                    InvalidArgument);
  };
  refused([](RasterizeInput& in) { in.mean_px = in.mean_px.subview(0, 5); });
  refused([](RasterizeInput& in) { in.conic = in.conic.subview(0, 8); });
  refused([](RasterizeInput& in) { in.amplitude = in.amplitude.subview(0, 2); });
  refused([](RasterizeInput& in) { in.box = in.box.subview(0, 2); });
  refused([](RasterizeInput& in) { in.width_px = 21; });
  refused([](RasterizeInput& in) { in.height_px = 0; });
  CHECK_THROWS_AS(rasterize_backward(ctx, d.input(20, 10), image.view(), GradientMode::overwrite,
                                     {mean.view().subview(0, 5), conic, amplitude}),
                  InvalidArgument);
}

}  // namespace dsasrgs::test
