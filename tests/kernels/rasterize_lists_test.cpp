// SPDX-License-Identifier: Apache-2.0
// Long tile lists, steady state, and the CUDA kernels against the CPU.

#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "common/submission.hpp"
#include "dsasrgs/error.hpp"
#include "oracle/rasterize_oracle.hpp"
#include "rasterize/rasterize.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/random_values.hpp"
#include "support/raster_gaussians.hpp"

namespace dsasrgs::test {

TEST_CASE("rasterize: a tile with thousands of Gaussians equals a brute-force sum", "[rasterize]") {
  Context ctx = make_context();
  const int width = 40, height = 23;
  const Gaussians k = random_gaussians(5000, width, height, 21);
  const auto image = render(ctx, k, width, height);
  const RasterOracle oracle = rasterize_oracle(k.oracle(), width, height, kBorder);
  double worst = 0, largest = 0;
  for (std::size_t p = 0; p < image.size(); ++p) {
    worst = std::max(worst, std::abs(image[p] - oracle.image[p]) - 1.01 * oracle.slack[p]);
    largest = std::max(largest, std::abs(oracle.image[p]));
  }
  CHECK(largest > 10);
  CHECK(worst < 1e-4 * largest);
  CHECK(relative_l2(image, oracle.image) < 1e-3);
}

TEST_CASE("rasterize: Gaussians that outgrow the lists are all drawn", "[rasterize]") {
  Context ctx = make_context();
  const int width = 100, height = 83;
  const std::size_t n = 701, pixels = 100 * 83;
  Gaussians small, large;
  const auto u = random_values<double>(4 * n, 0, 1, 14);
  for (std::size_t i = 0; i < n; ++i) {
    const double* r = u.data() + 4 * i;
    small.add(width * r[0], height * r[1], 0.6, 0.4, 3 * r[2], r[3] - 0.3, width, height);
    large.add(width * r[0], height * r[1], 30, 9, 3 * r[2], r[3] - 0.3, width, height);
  }
  const GaussiansOnDevice small_d(ctx, small), large_d(ctx, large);
  RasterizeScratch scratch;
  const auto draw = [&](const GaussiansOnDevice& d) {
    Buffer<float> image(ctx, pixels);
    rasterize_forward(ctx, d.input(width, height), scratch, image);
    return image.to_host(ctx);
  };
  const auto pairs = [&] {  // that the last pass asked for
    unsigned long long count = 0;
    copy_bytes_to_host(ctx, &count, scratch.num_pairs().data(), scratch.num_pairs().size() * sizeof(count));
    return static_cast<std::size_t>(count);
  };
  const bool fixed_lists = ctx.backend() == Backend::cuda;
  CHECK(scratch.num_pairs().empty());
  const auto first = draw(small_d), grown = draw(large_d);
  CHECK(scratch.num_pairs().size() == (fixed_lists ? 1 : 0));
  const std::size_t asked_for = pairs();
  if (fixed_lists) CHECK(asked_for > scratch.capacity());
  Context cpu = Context::cpu(1);
  CHECK(relative_l2(grown, render(cpu, large, width, height)) < 1e-5);
  CHECK(draw(small_d) == first);  // as small as before: the lists hold them again

  // What was noticed is mended: by the pass that overflows, or by any other that is told how many pairs there will be.
  const auto fresh = render(ctx, large, width, height);
  scratch.refit = true;
  CHECK(draw(large_d) == fresh);
  if (!fixed_lists) return;
  CHECK(pairs() == asked_for);
  CHECK(scratch.capacity() >= asked_for + asked_for / 2);
  CHECK_FALSE(scratch.refit);
  scratch.refit = true;
  CHECK(draw(small_d) == first);
  CHECK(scratch.capacity() < asked_for);
  scratch.refit = true;
  scratch.least_pairs = asked_for;
  CHECK(draw(small_d) == first);
  CHECK(scratch.capacity() >= asked_for + asked_for / 2);
  CHECK(scratch.least_pairs == 0);
  Submission submission;  // the lists are large enough now: no more waiting, and the same bits
  Buffer<float> image(ctx, pixels);
  submission.run(ctx, true, [&] { rasterize_forward(ctx, large_d.input(width, height), scratch, image); });
  CHECK(image.to_host(ctx) == fresh);
}

TEST_CASE("rasterize: boxes that are looked at beforehand change no bit, and serve one pass", "[rasterize]") {
  Context ctx = make_context();
  const int width = 100, height = 83;
  const GaussiansOnDevice d(ctx, random_gaussians(333, width, height, 15)),
      other(ctx, random_gaussians(333, width, height, 16)), fewer(ctx, random_gaussians(200, width, height, 17));
  RasterizeScratch scratch, plain;
  Buffer<float> image(ctx, 100 * 83);
  const auto drawn = [&](const GaussiansOnDevice& k, RasterizeScratch& s) {
    rasterize_forward(ctx, k.input(width, height), s, image);
    return image.to_host(ctx);
  };
  const auto prepare = [&](const GaussiansOnDevice& k) {
    rasterize_prepare(ctx, width, height, k.input(width, height).box, scratch);
  };
  prepare(d);
  CHECK(drawn(d, scratch) == drawn(d, plain));
  CHECK(drawn(other, scratch) == drawn(other, plain));
  prepare(d);
  CHECK(drawn(fewer, scratch) == drawn(fewer, plain));  // not those: they are looked at by the pass itself
  prepare(other);
  Submission submission;
  submission.run(ctx, true, [&] { rasterize_forward(ctx, other.input(width, height), scratch, image); });
  CHECK(image.to_host(ctx) == drawn(other, plain));
  CHECK_NOTHROW(rasterize_prepare(ctx, width, height, {}, scratch));
  CHECK_THROWS_AS(rasterize_prepare(ctx, 0, height, {}, scratch), InvalidArgument);
}

TEST_CASE("rasterize: once warmed up a step neither waits nor allocates", "[rasterize]") {
  Context ctx = make_context();
  const int width = 100, height = 83;
  const std::size_t n = 333;
  const Gaussians k = random_gaussians(n, width, height, 15);
  const GaussiansOnDevice d(ctx, k);
  Buffer<float> image(ctx, 100 * 83), mean(ctx, 2 * n), conic(ctx, 3 * n), amplitude(ctx, n);
  RasterizeScratch scratch;
  const auto step = [&] {
    rasterize_forward(ctx, d.input(width, height), scratch, image);
    rasterize_backward(ctx, d.input(width, height), image.view(), GradientMode::overwrite, {mean, conic, amplitude});
  };
  step();
  const auto expected_image = image.to_host(ctx), expected_gradient = mean.to_host(ctx);
  zero_bytes(ctx, image.data(), image.size() * sizeof(float));
  Submission submission;
  submission.run(ctx, true, step);  // a captured body that waits or allocates throws
  CHECK(image.to_host(ctx) == expected_image);
  CHECK(mean.to_host(ctx) == expected_gradient);
}

TEST_CASE("rasterize: CUDA agrees with the CPU", "[rasterize][parity]") {
  Context cpu = Context::cpu(1), ctx = make_context();
  const int width = 171, height = 133;
  for (const std::size_t n : {0, 1, 1503}) {
    Gaussians k;
    const auto u = random_values<double>(6 * n, 0, 1, 16);
    for (std::size_t i = 0; i < n; ++i) {  // as wide as the pixel's footprint leaves them, or wider
      const double* r = u.data() + 6 * i;
      const double sigma = 0.3 * std::pow(i % 50 == 0 ? 100.0 : 15.0, r[2]);
      k.add(width * (1.2 * r[0] - 0.1), height * (1.2 * r[1] - 0.1), sigma, std::max(0.3, sigma * r[3]), 6.3 * r[4],
            r[5] - 0.3, width, height);
    }
    const auto oracle = k.oracle();
    const auto upstream = random_values(static_cast<std::size_t>(width * height), -1.0f, 1.0f, 17);
    std::vector<double> slack(n);  // of a Gaussian, from pixels within rounding of its cut-off
    for_each_pair(oracle, width, height, kBorder, [&](std::size_t i, int, int, double q, bool borderline, bool) {
      if (borderline) slack[i] += std::exp(-0.5 * q);
    });
    // Pixels and Gaussians without such pairs agree to rounding, the others up to those pairs.
    const auto clear = [](const std::vector<float>& values, const std::vector<double>& loose, std::size_t per) {
      std::vector<float> kept;
      for (std::size_t i = 0; i < values.size(); ++i)
        if (loose[i / per] == 0) kept.push_back(values[i]);
      return kept;
    };
    const auto image_a = render(cpu, k, width, height), image_b = render(ctx, k, width, height);
    const auto pixel_slack = rasterize_oracle(oracle, width, height, kBorder).slack;
    CHECK(relative_l2(clear(image_b, pixel_slack, 1), clear(image_a, pixel_slack, 1)) < 5e-6);
    double worst = 0;
    for (std::size_t p = 0; p < image_a.size(); ++p)
      worst = std::max(worst, double(std::abs(image_b[p] - image_a[p])) - 1.01 * pixel_slack[p]);
    CHECK(worst < 1e-4);
    CHECK(relative_l2(image_b, image_a) < 1e-3);

    const Gradients a = backward(cpu, k, width, height, upstream), b = backward(ctx, k, width, height, upstream);
    CHECK(relative_l2(clear(b.mean, slack, 2), clear(a.mean, slack, 2)) < 1e-5);
    CHECK(relative_l2(clear(b.conic, slack, 3), clear(a.conic, slack, 3)) < 1e-5);
    CHECK(relative_l2(clear(b.amplitude, slack, 1), clear(a.amplitude, slack, 1)) < 1e-5);
    worst = 0;
    for (std::size_t i = 0; i < n; ++i)
      worst = std::max(worst, double(std::abs(b.amplitude[i] - a.amplitude[i])) - 1.01 * slack[i]);
    CHECK(worst < 2e-4);
    CHECK(relative_l2(b.mean, a.mean) < 1e-3);
    CHECK(relative_l2(b.conic, a.conic) < 1e-3);
    CHECK(relative_l2(b.amplitude, a.amplitude) < 1e-3);
  }
}

}  // namespace dsasrgs::test
