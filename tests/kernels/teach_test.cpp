// SPDX-License-Identifier: Apache-2.0
#include "teach/teach.hpp"

#include <catch2/catch.hpp>

#include "dsasrgs/error.hpp"
#include "elementwise/elementwise.hpp"
#include "oracle/ssim_oracle.hpp"
#include "oracle/teach_oracle.hpp"
#include "ssim/ssim.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/random_values.hpp"
#include "teach/teach_math.hpp"

using namespace dsasrgs;

namespace {

std::vector<float> richness_on(Context ctx, int width, int height, const std::vector<float>& image) {
  const auto in = Buffer<float>::from_host(ctx, image);
  Buffer<float> out(ctx, image.size());
  texture_richness(ctx, {width, height}, in, out);
  return out.to_host(ctx);
}

/// One view, its weights and the loss gradient.
struct TeachCase {
  std::vector<float> super_resolved, upsampled, similarity, richness, grad;
  std::vector<float> given;  // empty: eq. 6
  std::vector<float> weights{1.3f, -0.7f};
  ConfidenceCentre centre{0.4f, 0.25f};

  explicit TeachCase(std::size_t n, std::uint32_t seed = 1)
      : super_resolved(test::random_values<float>(n, 0, 1, seed)),
        upsampled(test::random_values<float>(n, 0, 1, seed + 1)),
        similarity(test::random_values<float>(n, -1, 1, seed + 2)),
        richness(test::random_values<float>(n, 0, 1, seed + 3)),
        grad(test::random_values<float>(n, -0.5f, 1, seed + 4)) {}
};

struct Result {
  std::vector<float> teach, confidence, grad_weights;
};

/// With the confidence, which is what is taught of a label of ones over zeros.
Result run_on(Context ctx, const TeachCase& v, float initial_gradient = 0) {
  const auto put = [&](const std::vector<float>& host) { return Buffer<float>::from_host(ctx, host); };
  const auto super_resolved = put(v.super_resolved), upsampled = put(v.upsampled), similarity = put(v.similarity),
             richness = put(v.richness), given = put(v.given), weights = put(v.weights), grad = put(v.grad);
  const TeachInput input{super_resolved, upsampled, similarity, richness, given};
  auto teach = put(std::vector<float>(v.super_resolved.size(), 7)),
       confidence = put(std::vector<float>(v.super_resolved.size(), 7)),
       grad_weights = put({initial_gradient, -initial_gradient});
  TeachScratch scratch;
  teach_forward(ctx, input, v.centre, weights, teach);
  const auto ones = put(std::vector<float>(v.super_resolved.size(), 1)),
             zeros = put(std::vector<float>(v.super_resolved.size(), 0));
  teach_forward(ctx, {ones, zeros, similarity, richness, given}, v.centre, weights, confidence);
  teach_backward(ctx, input, v.centre, weights, grad, scratch, grad_weights);
  return {teach.to_host(ctx), confidence.to_host(ctx), grad_weights.to_host(ctx)};
}
Result run(const TeachCase& v, float initial_gradient = 0) { return run_on(test::make_context(), v, initial_gradient); }

std::vector<double> teach_in_double(const TeachCase& v, double alpha, double beta) {
  return test::teach_oracle(v.super_resolved, v.upsampled, v.similarity, v.richness, alpha, beta,
                            static_cast<double>(v.centre.similarity), static_cast<double>(v.centre.richness));
}

/// d⟨g, I_teach⟩/d(α, β) by central differences.
std::vector<double> oracle_gradient(const TeachCase& v) {
  return test::numeric_gradient(
      [&](const std::vector<double>& w) { return test::inner_product(v.grad, teach_in_double(v, w[0], w[1])); },
      {v.weights.begin(), v.weights.end()}, 1e-5);
}

std::vector<double> as_double(const std::vector<float>& v) { return {v.begin(), v.end()}; }

}  // namespace

TEST_CASE("teach: a ramp is everywhere as rich, a flat image nowhere", "[teach]") {
  const int w = 20, h = 12;
  std::vector<float> ramp, flat(w * h, 0.3f);
  for (int i = 0; i < w * h; ++i) ramp.push_back(0.25f * static_cast<float>(i % w) - 0.5f * static_cast<float>(i / w));
  // The magnitude inside is √(0.25² + 0.5²), as the window's weights make a slope of 1 into 1; less at the border.
  CHECK(sobel_magnitude(EdgeRepeated<float>{ramp.data(), w, h}, 5, 9) == Approx(std::sqrt(0.3125)));
  const auto t = richness_on(test::make_context(), w, h, ramp);
  for (int r = 3; r < h - 3; ++r)
    for (int c = 3; c < w - 3; ++c) CHECK(t[r * w + c] == Approx(1).epsilon(1e-6));
  CHECK(t[0] < 0.9f);
  CHECK(richness_on(test::make_context(), w, h, flat) == std::vector<float>(w * h, 0));
}

TEST_CASE("teach: with almost no structure the percentile is 0 and what there is counts in full", "[teach]") {
  const int w = 70, h = 60;
  std::vector<float> image(w * h, 0);
  image[0] = 1;  // smoothed, its edges cover 16 of the 4200 pixels: less than 1 %
  const auto t = richness_on(test::make_context(), w, h, image);
  const auto expected = test::texture_richness_oracle(image, w, h);
  CHECK(test::max_difference(t, expected) == 0);
  CHECK(t[0] == 1);
  CHECK(t[w * h - 1] == 0);
}

TEST_CASE("teach: texture richness agrees with the double oracle", "[teach]") {
  const auto [w, h] = GENERATE(table<int, int>({{1, 1}, {1, 7}, {9, 1}, {2, 3}, {10, 10}, {37, 29}, {64, 33}}));
  CAPTURE(w, h);
  const auto image = test::random_values<float>(static_cast<std::size_t>(w) * h, 0, 2, 5);
  const auto expected = test::texture_richness_oracle(image, w, h);
  CHECK(test::max_difference(richness_on(test::make_context(), w, h, image), expected) < 2e-6);
  CHECK(percentile_99_index(image.size()) == (99 * image.size() + 99) / 100 - 1);
}

TEST_CASE("teach: the derivative of a pixel agrees with central differences", "[teach]") {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    const auto v = test::random_values<double>(7, -2, 2, seed);
    const auto numeric = test::numeric_gradient(
        [&](const std::vector<double>& w) {
          return v[4] * teach_of(confidence_of(ConfidenceWeights<double>{w[0], w[1]}, v[2], v[3]), v[5], v[6]);
        },
        {v[0], v[1]}, 1e-5);
    const auto g = teach_vjp(ConfidenceWeights<double>{v[0], v[1]}, v[2], v[3], v[5], v[6], v[4]);
    CHECK(g.similarity == Approx(numeric[0]).epsilon(1e-6));
    CHECK(g.richness == Approx(numeric[1]).epsilon(1e-6));
  }
}

TEST_CASE("teach: confidence as printed is at least one half, the centred form can reject", "[teach]") {
  TeachCase v(400);
  v.similarity = test::random_values<float>(400, 0, 1, 30);
  v.weights = {1, 1};
  v.centre = {};
  for (const float c : run(v).confidence) CHECK(c >= 0.5f);
  v.centre = {0.9f, 0.9f};
  const auto centred = run(v).confidence;
  CHECK(*std::min_element(centred.begin(), centred.end()) < 0.25f);
  v.weights = {0, 0};
  const Result half = run(v);
  for (std::size_t i = 0; i < 400; ++i) {
    CHECK(half.confidence[i] == 0.5f);
    CHECK(half.teach[i] == Approx(0.5 * (v.super_resolved[i] + v.upsampled[i])));
  }
}

TEST_CASE("teach: reference and gradients agree with the double oracle", "[teach]") {
  const std::size_t n = GENERATE(1u, 31u, 257u, 75013u);
  CAPTURE(n);
  const TeachCase v(n, 9);
  const Result r = run(v);
  const auto expected = teach_in_double(v, static_cast<double>(v.weights[0]), static_cast<double>(v.weights[1]));
  CHECK(test::max_difference(r.teach, expected) < 3e-7);
  CHECK(test::relative_l2(r.grad_weights, oracle_gradient(v)) < 1e-5);
}

TEST_CASE("teach: gradients keep their digits where confidence is saturated", "[teach]") {
  TeachCase v(500, 12);
  v.weights = {30, 25};
  v.similarity = test::random_values<float>(500, 0.9f, 1, 13);
  v.richness = test::random_values<float>(500, 0.8f, 1, 14);
  CHECK(test::relative_l2(run(v).grad_weights,
                          test::numeric_gradient(
                              [&](const std::vector<double>& w) {  // of C − 1, which the differences can resolve
                                double sum = 0;
                                for (std::size_t i = 0; i < 500; ++i) {
                                  const double x = w[0] * static_cast<double>(v.similarity[i] - v.centre.similarity) +
                                                   w[1] * static_cast<double>(v.richness[i] - v.centre.richness);
                                  sum -=
                                      static_cast<double>(v.grad[i]) *
                                      (static_cast<double>(v.super_resolved[i]) - static_cast<double>(v.upsampled[i])) /
                                      (1 + std::exp(x));
                                }
                                return sum;
                              },
                              {30, 25}, 1e-6)) < 2e-5);
}

TEST_CASE("teach: the exponential in single precision keeps its digits and does not hide NaN", "[teach]") {
  double worst = 0;
  for (int k = -85999; k <= 85999; ++k) {
    const float x = 1e-3f * static_cast<float>(k), e = exp_minus_abs(x);
    const double expected = std::exp(-std::abs(static_cast<double>(x)));
    worst = std::max(worst, std::abs(static_cast<double>(e) - expected) / expected);
  }
  CHECK(worst < 1.2e-7);
  CHECK(exp_minus_abs(0.0f) == 1);
  CHECK(exp_minus_abs(1e30f) == exp_minus_abs(-86.0f));
  CHECK(std::isnan(exp_minus_abs(NAN)));
  TeachCase v(40, 3);
  v.weights = {NAN, 1};
  const Result r = run(v);
  for (const float c : r.confidence) CHECK(std::isnan(c));
  CHECK(std::isnan(r.grad_weights[1]));
}

TEST_CASE("teach: the gradient of the weights is added", "[teach]") {
  const TeachCase v(300, 4);
  const Result once = run(v), added = run(v, 0.5f);
  CHECK(added.grad_weights[0] == 0.5f + once.grad_weights[0]);
  CHECK(added.grad_weights[1] == -0.5f + once.grad_weights[1]);
}

TEST_CASE("teach: a given confidence replaces the formula and has no gradient", "[teach]") {
  TeachCase v(130, 6);
  v.given = test::random_values<float>(130, 0, 1, 40);
  v.given[0] = 0;
  v.given[1] = 1;
  v.similarity.clear();
  v.richness.clear();
  v.weights.clear();
  const Result r = run(v, 0.25f);
  CHECK(r.confidence == v.given);
  CHECK(r.teach[0] == v.upsampled[0]);
  CHECK(r.teach[1] == v.super_resolved[1]);
  for (std::size_t i = 0; i < 130; ++i)
    CHECK(r.teach[i] == Approx(v.given[i] * v.super_resolved[i] + (1 - v.given[i]) * v.upsampled[i]).margin(1e-7));
  CHECK(r.grad_weights == std::vector<float>{0.25f, -0.25f});
}

TEST_CASE("teach: an empty image is nothing", "[teach]") {
  const Result r = run(TeachCase(0), 1);
  CHECK(r.teach.empty());
  CHECK(r.grad_weights == std::vector<float>{1, -1});
}

TEST_CASE("teach: with roles swapped the image loss gives its gradient with respect to the target", "[teach]") {
  const int w = 19, h = 14;
  const bool masked = GENERATE(false, true);
  const double lambda = GENERATE(0.0, 0.2, 1.0);
  CAPTURE(masked, lambda);
  const TeachCase v(w * h, 21);
  const auto rendered_host = test::random_values<float>(w * h, 0, 1, 22);
  std::vector<std::uint8_t> valid_host;
  if (masked) {
    valid_host.assign(w * h, 1);
    for (std::size_t i = 2; i < valid_host.size(); i += 9) valid_host[i] = 0;
  }
  const Result forward = run(v);
  Context ctx = test::make_context();
  const auto rendered = Buffer<float>::from_host(ctx, rendered_host),
             teach = Buffer<float>::from_host(ctx, forward.teach);
  const auto valid = Buffer<std::uint8_t>::from_host(ctx, valid_host);
  ImageLossShape shape;
  shape.width_px = w;
  shape.height_px = h;
  shape.ssim_weight = static_cast<float>(lambda);
  const ImageLossInput swapped{teach, rendered, valid, count_valid(ctx, valid)};
  ImageLossSaved saved;
  Buffer<float> grad_teach(ctx, w * h);
  image_loss_forward(ctx, shape, swapped, saved);
  image_loss_backward(ctx, shape, swapped, saved, 1, GradientMode::overwrite, grad_teach);
  const auto gradient = grad_teach.to_host(ctx);

  // The oracle has the rendered image first and the target second.
  const auto loss = [&](const std::vector<double>& target) {
    return test::image_loss_oracle(as_double(rendered_host), target, valid_host, w, h, lambda).total;
  };
  CHECK(image_loss_value(ctx, saved).total == Approx(loss(as_double(forward.teach))).epsilon(2e-6));
  const auto numeric = test::numeric_gradient(loss, as_double(forward.teach), 1e-6);
  CHECK(test::relative_l2(gradient, numeric) < 2e-5);
  if (lambda == 0) {  // L1 alone: the sign of target − rendered over the number of pixels
    const double count = masked ? static_cast<double>(swapped.num_valid) : w * h;
    for (int i = 0; i < w * h; ++i)
      CHECK(gradient[i] == Approx(masked && valid_host[i] == 0          ? 0
                                  : forward.teach[i] > rendered_host[i] ? 1 / count
                                                                        : -1 / count));
  }

  // And through I_teach to α and β.
  TeachCase chained = v;
  chained.grad = gradient;
  const auto numeric_weights = test::numeric_gradient(
      [&](const std::vector<double>& weights) { return loss(teach_in_double(v, weights[0], weights[1])); },
      as_double(v.weights), 1e-6);
  CHECK(test::relative_l2(run(chained).grad_weights, numeric_weights) < 1e-4);
}

TEST_CASE("teach: same bits for 1 and 2 threads", "[teach]") {
  const TeachCase v(70001, 15);
  const Result a = run_on(Context::cpu(1), v), b = run_on(Context::cpu(2), v);
  CHECK(a.teach == b.teach);
  CHECK(a.confidence == b.confidence);
  CHECK(a.grad_weights == b.grad_weights);
  const auto image = test::random_values<float>(151 * 83, 0, 1, 16);
  CHECK(richness_on(Context::cpu(1), 151, 83, image) == richness_on(Context::cpu(2), 151, 83, image));
}

TEST_CASE("teach: CUDA agrees with the CPU", "[teach][parity]") {
  const auto [w, h] = GENERATE(table<int, int>({{1, 1}, {5, 3}, {131, 75}, {301, 251}}));
  CAPTURE(w, h);
  const auto n = static_cast<std::size_t>(w) * static_cast<std::size_t>(h);
  const TeachCase v(n, 17);
  const Result cpu = run_on(Context::cpu(1), v), cuda = run(v), again = run(v);
  CHECK(test::relative_l2(cuda.teach, cpu.teach) < 2e-7);
  CHECK(test::relative_l2(cuda.confidence, cpu.confidence) < 3e-7);
  CHECK(test::relative_l2(cuda.grad_weights, cpu.grad_weights) < 5e-6);
  CHECK(cuda.grad_weights == again.grad_weights);
  const auto cpu_richness = richness_on(Context::cpu(1), w, h, v.super_resolved);
  const auto cuda_richness = richness_on(test::make_context(), w, h, v.super_resolved);
  CHECK(test::relative_l2(cuda_richness, cpu_richness) < 1e-6);
  CHECK(test::max_difference(cuda_richness, cpu_richness) < 5e-6);
}

TEST_CASE("teach: arguments are checked", "[teach]") {
  Context ctx = test::make_context();
  auto image = Buffer<float>::zeros(ctx, 12), small = Buffer<float>::zeros(ctx, 11), two = Buffer<float>::zeros(ctx, 2);
  CHECK_THROWS_AS(texture_richness(ctx, {0, 3}, image, image), InvalidArgument);
  CHECK_THROWS_AS(texture_richness(ctx, {4, -3}, image, image), InvalidArgument);
  CHECK_THROWS_AS(texture_richness(ctx, {4, 3}, small, image), InvalidArgument);
  CHECK_THROWS_AS(texture_richness(ctx, {4, 3}, image, small), InvalidArgument);
  const View<const float> i = image, s = small;
  TeachScratch scratch;
  const auto check = [&](const TeachInput& in, View<const float> weights) {
    CHECK_THROWS_AS(teach_forward(ctx, in, {}, weights, image), InvalidArgument);
    CHECK_THROWS_AS(teach_backward(ctx, in, {}, weights, image, scratch, two), InvalidArgument);
  };
  check({s, i, i, i, {}}, two);
  check({i, s, i, i, {}}, two);
  check({i, i, s, i, {}}, two);
  check({i, i, i, s, {}}, two);
  check({i, i, i, i, {}}, small);
  check({i, i, {}, {}, s}, two);
  const TeachInput in{i, i, i, i, {}};
  CHECK_THROWS_AS(teach_forward(ctx, in, {}, two, small), InvalidArgument);
  CHECK_THROWS_AS(teach_backward(ctx, in, {}, two, small, scratch, two), InvalidArgument);
  CHECK_THROWS_AS(teach_backward(ctx, in, {}, two, image, scratch, small), InvalidArgument);
}
