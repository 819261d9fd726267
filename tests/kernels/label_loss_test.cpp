// SPDX-License-Identifier: Apache-2.0
#include "label_loss/label_loss.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "dsasrgs/error.hpp"
#include "label_loss/label_loss_math.hpp"
#include "oracle/label_loss_oracle.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/random_values.hpp"

using namespace dsasrgs;

namespace {

/// ŷ, s (empty: none) and y, [N,H,W] each.
struct LossCase {
  int images = 1;
  std::size_t pixels = 0;
  std::vector<float> sharp, log_error, target;
  float error_weight = 0.3f;

  /// Random, errors of 0.01 to 0.6 in both directions.
  static LossCase random(int images, std::size_t pixels, float least_s, float most_s, std::uint32_t seed) {
    LossCase v{images, pixels, {}, {}, {}};
    const std::size_t n = static_cast<std::size_t>(images) * pixels;
    v.target = test::random_values<float>(n, 0, 1, seed);
    v.log_error = test::random_values<float>(n, least_s, most_s, seed + 1);
    v.sharp = test::random_values<float>(n, 0.01f, 0.6f, seed + 2);
    for (std::size_t i = 0; i < n; ++i) v.sharp[i] = v.target[i] + (i % 3 == 0 ? -v.sharp[i] : v.sharp[i]);
    return v;
  }
};

struct Result {
  LabelLossSums sums;
  std::vector<float> sharp, log_error;  ///< gradients
};

Result run_on(Context ctx, const LossCase& v) {
  const bool with_error = !v.log_error.empty();
  const auto pixels = static_cast<std::ptrdiff_t>(v.pixels);
  std::vector<float> prediction;
  for (std::ptrdiff_t image = 0; image < v.images; ++image)
    for (const std::vector<float>* channel : {&v.sharp, &v.log_error})
      if (!channel->empty())
        prediction.insert(prediction.end(), channel->begin() + image * pixels, channel->begin() + (image + 1) * pixels);
  const auto on_device = Buffer<float>::from_host(ctx, prediction), target = Buffer<float>::from_host(ctx, v.target);
  auto gradient = Buffer<float>::from_host(ctx, std::vector<float>(prediction.size(), 7));  // is overwritten
  const LabelLossShape shape{v.images, v.pixels, with_error, v.error_weight};
  Result r{label_loss(ctx, shape, on_device, target, gradient), {}, {}};
  const auto all = gradient.to_host(ctx);
  for (auto at = all.begin(); at != all.end();)
    for (std::vector<float>* channel : {&r.sharp, &r.log_error})
      if (channel == &r.sharp || with_error) {
        channel->insert(channel->end(), at, at + pixels);
        at += pixels;
      }
  return r;
}
Result run(const LossCase& v) { return run_on(test::make_context(), v); }

std::vector<double> as_double(const std::vector<float>& v) { return {v.begin(), v.end()}; }

/// e of every pixel.
std::vector<double> errors_of(const LossCase& v) {
  std::vector<double> e;
  for (std::size_t i = 0; i < v.sharp.size(); ++i)
    e.push_back(std::abs(static_cast<double>(v.sharp[i]) - static_cast<double>(v.target[i])));
  return e;
}

bool same_bits(const Result& a, const Result& b) {
  return a.sums.l1 == b.sums.l1 && a.sums.error == b.sums.error && a.sharp == b.sharp && a.log_error == b.log_error;
}

}  // namespace

TEST_CASE("label_loss: two images by hand", "[label_loss]") {
  // Errors 1/2, 0; 1/4, 2 with exp(s) = 1, e, 1, e²: a quarter of the sums, derivatives of κ/4.
  LossCase v{2, 2, {1, 3, 0.25f, -1}, {0, 1, 0, 2}, {0.5f, 3, 0.5f, 1}, 0.5f};
  const Result r = run(v);
  CHECK(r.sums.l1 == 2.75 / 4);
  CHECK(r.sums.error == Approx((0.5 + 1 + 0.25 + 2 * std::exp(-2.0) + 2) / 4).epsilon(1e-7));
  CHECK(r.sharp == std::vector<float>{0.25f, 0, -0.25f, -0.25f});  // 0 where they are equal
  CHECK(test::max_difference(r.log_error,
                             std::vector<double>{0.0625, 0.125, 0.09375, 0.125 * (1 - 2 * std::exp(-2.0))}) < 1e-8);
}

TEST_CASE("label_loss: the error part is least where exp(s) is the error", "[label_loss]") {
  LossCase v = LossCase::random(1, 500, 0, 1, 3);
  const std::vector<double> e = errors_of(v);
  for (std::size_t i = 0; i < e.size(); ++i) v.log_error[i] = static_cast<float>(std::log(e[i]));
  const Result least = run(v);
  CHECK(test::max_difference(least.log_error, std::vector<double>(500, 0)) < 1e-6 / 500);
  for (const float step : {-0.1f, 0.1f}) {
    LossCase beside = v;
    for (float& s : beside.log_error) s += step;
    const Result r = run(beside);
    CHECK(r.sums.error > least.sums.error + 0.004);  // 1 + s rises by cosh(0.1) − 1 or so
    for (const float g : r.log_error) CHECK(g * step > 0);
  }
}

TEST_CASE("label_loss: beyond the bounds s is the bound, and its derivative is passed on", "[label_loss]") {
  const float inf = INFINITY;
  LossCase v{1, 8, {}, {-9, -9.5f, -1e30f, -inf, 2, 2.5f, 1e30f, inf}, std::vector<float>(8, 0.5f), 0.8f};
  v.sharp.assign(8, 1);  // e = 1/2
  const double low = 0.5 * std::exp(9.0), high = 0.5 * std::exp(-2.0);
  const Result r = run(v);
  CHECK(r.sums.error == Approx((low - 9 + high + 2) / 2).epsilon(1e-6));
  for (int i = 0; i < 8; ++i) {
    CHECK(r.log_error[i] == Approx(0.1 * (1 - (i < 4 ? low : high))).epsilon(1e-6));
    CHECK(r.log_error[i] == r.log_error[i < 4 ? 0 : 4]);
  }
  CHECK(r.log_error[3] < 0);  // descending, a value too low rises
  CHECK(r.log_error[7] > 0);  // and one too high falls
  v.sharp.assign(8, 0.5f);    // e = 0: every s falls, and ŷ is where it should be
  const Result exact = run(v);
  CHECK(exact.log_error == std::vector<float>(8, 0.8f / 8));
  CHECK(exact.sharp == std::vector<float>(8, 0));
  CHECK(exact.sums.l1 == 0);
  CHECK(exact.sums.error == -3.5);
}

TEST_CASE("label_loss: sums and gradients agree with the double oracle", "[label_loss]") {
  // One pixel; images that are not whole vectors, chunks and blocks; more pixels than a sum has threads.
  const auto [images, pixels] =
      GENERATE(table<int, std::size_t>({{1, 1}, {7, 1}, {3, 31}, {2, 513}, {3, 16385}, {1, 75013}}));
  CAPTURE(images, pixels);
  const LossCase v = LossCase::random(images, pixels, -11, 4, 20);
  const Result r = run(v);
  const std::vector<double> e = errors_of(v), s = as_double(v.log_error);
  const auto expected = test::label_loss_oracle(as_double(v.sharp), s, as_double(v.target), e);
  // ŷ − y is rounded once; the terms are, beside the exponential's 1e-7, three times.
  CHECK(r.sums.l1 == Approx(expected.l1).epsilon(6e-8));
  CHECK(r.sums.error == Approx(expected.error).epsilon(4e-7));
  std::vector<double> sharp, log_error;
  const auto n = static_cast<double>(e.size());
  for (std::size_t i = 0; i < e.size(); ++i) {
    sharp.push_back((v.sharp[i] > v.target[i] ? 1 : -1) / n);
    log_error.push_back(static_cast<double>(v.error_weight) / n * (1 - e[i] / std::exp(std::clamp(s[i], -9.0, 2.0))));
  }
  CHECK(test::relative_l2(r.sharp, sharp) < 1e-7);
  CHECK(test::relative_l2(r.log_error, log_error) < 5e-7);
}

TEST_CASE("label_loss: the formulas agree with central differences", "[label_loss]") {
  const auto values = test::random_values<double>(200, -1, 1, 5);
  for (std::size_t i = 0; i + 1 < values.size(); i += 2) {
    const double d = values[i], s = -3.5 + 5.4 * values[i + 1];  // within the bounds
    const auto l1 = test::numeric_gradient([](const std::vector<double>& x) { return std::abs(x[0]); }, {d}, 1e-7);
    CHECK(l1_derivative(d) == Approx(l1[0]).epsilon(1e-7));
    const double e = std::abs(d);
    const auto error =
        test::numeric_gradient([e](const std::vector<double>& x) { return log_error_term(e, x[0]).value; }, {s}, 1e-6);
    CHECK(log_error_term(e, s).derivative == Approx(error[0]).epsilon(1e-7).margin(1e-8));
  }
}

TEST_CASE("label_loss: gradients agree with central differences of the oracle", "[label_loss]") {
  const LossCase v = LossCase::random(2, 53, -8.9f, 1.9f, 40);
  const Result r = run(v);
  const std::vector<double> e = errors_of(v), target = as_double(v.target), s = as_double(v.log_error);
  const auto kappa = static_cast<double>(v.error_weight);
  // e stays what it is while ŷ moves.
  const auto by_sharp = test::numeric_gradient(
      [&](const std::vector<double>& sharp) {
        const auto means = test::label_loss_oracle(sharp, s, target, e);
        return means.l1 + kappa * means.error;
      },
      as_double(v.sharp), 1e-5);
  const auto by_log_error = test::numeric_gradient(
      [&](const std::vector<double>& log_error) {
        const auto means = test::label_loss_oracle(as_double(v.sharp), log_error, target, e);
        return means.l1 + kappa * means.error;
      },
      s, 1e-6);
  CHECK(test::relative_l2(r.sharp, by_sharp) < 1e-6);
  CHECK(test::relative_l2(r.log_error, by_log_error) < 1e-6);
}

TEST_CASE("label_loss: s changes nothing about the sharp image, nor does its absence", "[label_loss]") {
  LossCase v = LossCase::random(3, 20011, -3, 1, 60);
  const Result first = run(v);
  v.log_error = test::random_values<float>(v.sharp.size(), -12, 5, 61);
  const Result other = run(v);
  v.log_error.clear();
  const Result alone = run(v);
  CHECK(first.sharp == other.sharp);
  CHECK(first.sharp == alone.sharp);
  CHECK((first.sums.l1 == other.sums.l1 && first.sums.l1 == alone.sums.l1));
  CHECK(first.sums.error != other.sums.error);
  CHECK(alone.sums.error == 0);
  CHECK(alone.log_error.empty());
}

TEST_CASE("label_loss: NaN shows, where it is", "[label_loss]") {
  LossCase v = LossCase::random(1, 40, -3, 1, 70);
  v.log_error[3] = NAN;
  const Result error = run(v);
  CHECK(std::isfinite(error.sums.l1));
  CHECK(std::isnan(error.sums.error));
  for (int i = 0; i < 40; ++i) CHECK((std::isfinite(error.sharp[i]) && std::isnan(error.log_error[i]) == (i == 3)));
  v.log_error[3] = 0;
  v.sharp[5] = NAN;
  const Result sharp = run(v);
  CHECK(std::isnan(sharp.sums.l1));
  CHECK(std::isnan(sharp.sums.error));
  for (int i = 0; i < 40; ++i)
    CHECK((std::isnan(sharp.sharp[i]) == (i == 5) && std::isnan(sharp.log_error[i]) == (i == 5)));
}

TEST_CASE("label_loss: the exponential in single precision keeps its digits", "[label_loss]") {
  double worst = 0;
  for (int k = -86000; k <= 88000; ++k) {
    const float x = 1e-3f * static_cast<float>(k);
    const double expected = std::exp(static_cast<double>(x));
    worst = std::max(worst, std::abs(static_cast<double>(exp_within_range(x)) - expected) / expected);
  }
  CHECK(worst < 1.2e-7);
}

TEST_CASE("label_loss: same bits for 1, 2 and 3 threads", "[label_loss]") {
  const LossCase v = LossCase::random(3, 40001, -11, 4, 80);
  const Result one = run_on(Context::cpu(1), v);
  CHECK(same_bits(one, run_on(Context::cpu(2), v)));
  CHECK(same_bits(one, run_on(Context::cpu(3), v)));
}

TEST_CASE("label_loss: CUDA agrees with the CPU", "[label_loss][parity]") {
  const auto [images, pixels] = GENERATE(table<int, std::size_t>({{1, 1}, {7, 1}, {3, 301}, {2, 40009}}));
  CAPTURE(images, pixels);
  LossCase v = LossCase::random(images, pixels, -11, 4, 90);
  const Result cpu = run_on(Context::cpu(1), v), cuda = run(v);
  // Emulated, a pixel has the same bits and the sums in double differ in order alone. A GPU fuses multiply-adds: each
  // exponential is within 1.2e-7 of the true one, so that two are within 2.4e-7, and one rounding less follows. The
  // sum of the second part is nearly all e·exp(−s′) with these values, which cancels nothing.
  CHECK(cuda.sharp == cpu.sharp);
  CHECK(cuda.sums.l1 == Approx(cpu.sums.l1).epsilon(1e-12));
  CHECK(test::relative_l2(cuda.log_error, cpu.log_error) < 5e-7);
  CHECK(cuda.sums.error == Approx(cpu.sums.error).epsilon(5e-7));
  CHECK(same_bits(cuda, run(v)));
  v.log_error.clear();
  const Result cpu_alone = run_on(Context::cpu(1), v), cuda_alone = run(v);
  CHECK(cuda_alone.sharp == cpu_alone.sharp);
  CHECK(cuda_alone.sums.l1 == Approx(cpu_alone.sums.l1).epsilon(1e-12));
}

TEST_CASE("label_loss: arguments are checked", "[label_loss]") {
  Context ctx = test::make_context();
  auto six = Buffer<float>::zeros(ctx, 6), twelve = Buffer<float>::zeros(ctx, 12);
  const LabelLossShape with{2, 3, true, 0.1f}, without{2, 3, false, 0.1f};
  CHECK_NOTHROW(label_loss(ctx, with, twelve, six, twelve));
  CHECK_NOTHROW(label_loss(ctx, without, six, six, six));
  CHECK_THROWS_AS(label_loss(ctx, with, six, six, twelve), InvalidArgument);
  CHECK_THROWS_AS(label_loss(ctx, with, twelve, twelve, twelve), InvalidArgument);
  CHECK_THROWS_AS(label_loss(ctx, with, twelve, six, six), InvalidArgument);
  CHECK_THROWS_AS(label_loss(ctx, without, twelve, six, six), InvalidArgument);
  CHECK_THROWS_AS(label_loss(ctx, without, six, six, twelve), InvalidArgument);
  const View<float> none;
  CHECK_THROWS_AS(label_loss(ctx, {2, 0, true, 0.1f}, none, none, none), InvalidArgument);
  CHECK_THROWS_AS(label_loss(ctx, {0, 3, true, 0.1f}, none, none, none), InvalidArgument);
  CHECK_THROWS_AS(label_loss(ctx, {-2, 3, true, 0.1f}, twelve, six, twelve), InvalidArgument);
  // A product that overflows is not taken for 0.
  CHECK_THROWS_AS(label_loss(ctx, {4, SIZE_MAX / 4 + 1, false, 0.1f}, none, none, none), InvalidArgument);
}
