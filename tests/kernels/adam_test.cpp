// SPDX-License-Identifier: Apache-2.0
#include "adam/adam.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

#include "adam/adam_math.hpp"
#include "dsasrgs/error.hpp"
#include "oracle/adam_oracle.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/random_values.hpp"

using namespace dsasrgs;

namespace {

/// Parameters with their optimiser state where the context lives.
struct Entries {
  explicit Entries(Context& ctx, const std::vector<float>& start)
      : p(Buffer<float>::from_host(ctx, start)),
        m(Buffer<float>::zeros(ctx, start.size())),
        v(Buffer<float>::zeros(ctx, start.size())) {}
  void update(Context& ctx, const AdamStep& step, const std::vector<float>& gradient) {
    g = Buffer<float>::from_host(ctx, gradient);
    adam_update(ctx, step, {p, g, m, v});
  }
  Buffer<float> p, m, v, g;
};

std::vector<double> as_double(const std::vector<float>& x) { return {x.begin(), x.end()}; }

/// Random gradients of very different sizes, a third of them exactly zero.
std::vector<float> gradients(std::size_t n, std::uint32_t seed) {
  auto g = test::random_values<float>(n, -1, 1, seed);
  for (std::size_t i = 0; i < n; ++i) g[i] *= i % 3 == 0 ? 1e-6f : (i % 3 == 1 ? 100.0f : 0.0f);
  return g;
}

}  // namespace

TEST_CASE("adam: the first step moves every entry by lr against the sign of its gradient", "[adam]") {
  Context ctx = test::make_context();
  const std::vector<float> start{0.5f, 0.25f, -0.125f, 0.0f}, g{3.0f, -1e-7f, 1e6f, -2.0f};
  Entries e(ctx, start);
  AdamStep step;
  step.learning_rate = 0.01f;
  e.update(ctx, step, g);
  const auto p = e.p.to_host(ctx), m = e.m.to_host(ctx), v = e.v.to_host(ctx);
  for (std::size_t i = 0; i < g.size(); ++i) {
    CHECK(p[i] == Approx(start[i] - std::copysign(0.01f, g[i])).epsilon(1e-6));
    CHECK(m[i] == Approx(0.1 * g[i]).epsilon(1e-6));
    CHECK(v[i] == Approx(0.001 * double(g[i]) * g[i]).epsilon(2e-5));  // 1 − 0.999f is not 0.001
  }
}

TEST_CASE("adam: agrees with the double oracle over many steps, dense and sparse, with and without decay", "[adam]") {
  Context ctx = test::make_context();
  for (const AdamMode mode : {AdamMode::dense, AdamMode::sparse})
    for (const float decay : {0.0f, 0.05f})
      for (const std::size_t n : {std::size_t{1}, std::size_t{31}, std::size_t{40001}}) {
        INFO("n " << n << ", decay " << decay << ", sparse " << (mode == AdamMode::sparse));
        const auto start = test::random_values<float>(n, -1, 1, 11);
        Entries e(ctx, start);
        AdamStep step;
        step.learning_rate = 0.02f;
        step.weight_decay = decay;
        step.mode = mode;
        oracle::Adam reference{step.learning_rate,
                               step.beta1,
                               step.beta2,
                               step.epsilon,
                               decay,
                               as_double(start),
                               std::vector<double>(n),
                               std::vector<double>(n)};
        for (int t = 1; t <= 12; ++t) {
          const auto g = gradients(n, 100 + t);
          step.step = t;
          e.update(ctx, step, g);
          reference.step(as_double(g), mode == AdamMode::sparse);
        }
        CHECK(test::max_difference(e.p.to_host(ctx), reference.theta) < 2e-6);
        CHECK(test::relative_l2(e.m.to_host(ctx), reference.m) < 1e-6);
        CHECK(test::relative_l2(e.v.to_host(ctx), reference.v) < 1e-6);
      }
}

TEST_CASE("adam: the formula of one entry agrees with the oracle in double", "[adam]") {
  AdamStep step;
  step.weight_decay = 0.01f;
  step.step = 1;
  oracle::Adam reference{step.learning_rate, step.beta1, step.beta2, step.epsilon, step.weight_decay, {0.7}, {0}, {0}};
  double p = 0.7, m = 0, v = 0;
  for (int t = 1; t <= 5; ++t) {
    step.step = t;
    adam_entry(adam_coefficients<double>(step), std::cos(double(t)), p, m, v);
    reference.step({std::cos(double(t))}, false);
  }
  CHECK(p == Approx(reference.theta[0]).epsilon(1e-13));
  CHECK(m == Approx(reference.m[0]).epsilon(1e-13));
  CHECK(v == Approx(reference.v[0]).epsilon(1e-13));
}

TEST_CASE("adam: the gradient is zero afterwards in both modes", "[adam]") {
  Context ctx = test::make_context();
  for (const AdamMode mode : {AdamMode::dense, AdamMode::sparse}) {
    Entries e(ctx, std::vector<float>(1003, 1.0f));
    AdamStep step;
    step.mode = mode;
    e.update(ctx, step, gradients(1003, 5));
    CHECK(e.g.to_host(ctx) == std::vector<float>(1003, 0.0f));
  }
}

TEST_CASE("adam: an entry that never saw a gradient stays exactly where it is", "[adam]") {
  Context ctx = test::make_context();
  const auto start = test::random_values<float>(77, -1, 1, 3);
  for (const AdamMode mode : {AdamMode::dense, AdamMode::sparse}) {
    Entries e(ctx, start);
    AdamStep step;
    step.mode = mode;
    e.update(ctx, step, std::vector<float>(77, 0.0f));
    CHECK(e.p.to_host(ctx) == start);
  }
}

TEST_CASE("adam: without a new gradient dense keeps moving and decaying, sparse holds value and moments", "[adam]") {
  Context ctx = test::make_context();
  const std::vector<float> start(40, 1.0f), none(40, 0.0f);
  AdamStep step;
  step.weight_decay = 0.1f;
  for (const AdamMode mode : {AdamMode::dense, AdamMode::sparse}) {
    Entries e(ctx, start);
    step.mode = mode;
    step.step = 1;
    e.update(ctx, step, std::vector<float>(40, 2.0f));
    const auto p = e.p.to_host(ctx), m = e.m.to_host(ctx), v = e.v.to_host(ctx);
    step.step = 2;
    e.update(ctx, step, none);
    const bool same = e.p.to_host(ctx) == p && e.m.to_host(ctx) == m && e.v.to_host(ctx) == v;
    CHECK(same == (mode == AdamMode::sparse));
  }
}

TEST_CASE("adam: gradients whose square underflows neither explode nor leave subnormal moments", "[adam]") {
  Context ctx = test::make_context();
  const std::vector<float> tiny{1e-45f, -1e-38f, 1e-30f, -1e-23f, 1e-22f, 1e-21f,
                                1e-20f, 3e-19f,  2e-18f, 4e-18f,  1e-17f};
  for (const float epsilon : {1e-15f, 1e-30f, 0.0f}) {
    Entries e(ctx, std::vector<float>(tiny.size(), 0.0f));
    AdamStep step;
    step.learning_rate = 1;
    step.epsilon = epsilon;
    for (int t = 1; t <= 20; ++t) {
      step.step = t;
      const auto before = e.p.to_host(ctx);
      e.update(ctx, step, tiny);
      const auto p = e.p.to_host(ctx), m = e.m.to_host(ctx), v = e.v.to_host(ctx);
      for (std::size_t i = 0; i < tiny.size(); ++i) {
        INFO("epsilon " << epsilon << ", step " << t << ", gradient " << tiny[i]);
        CHECK(std::abs(p[i] - before[i]) <= 1.001f);  // a constant gradient: at most lr
        for (const float moment : {m[i], v[i]}) CHECK((moment == 0 || std::isnormal(moment)));
        CHECK((m[i] == 0) == (v[i] == 0));
      }
    }
    const auto p = e.p.to_host(ctx);
    CHECK(p[0] == 0);
    CHECK(p[6] == 0);                                             // 1e-20: flushed
    if (epsilon == 0) CHECK(p[10] == Approx(-20).epsilon(1e-4));  // 1e-17: a full step each time
  }
}

TEST_CASE("adam: a step stays within the documented bound whatever the history of gradients", "[adam]") {
  Context ctx = test::make_context();
  Entries e(ctx, std::vector<float>(16, 0.0f));
  AdamStep step;
  step.learning_rate = 1;
  const double decay = 0.999 / 0.9;  // the gradients that reach the bound grow by β2/β1 a step
  for (int t = 1; t <= 300; ++t) {
    step.step = t;
    const auto before = e.p.to_host(ctx);
    e.update(ctx, step, std::vector<float>(16, static_cast<float>(1e-12 * std::pow(decay, t))));
    const double moved = std::abs(e.p.to_host(ctx)[3] - before[3]);
    CHECK(moved <= 7.3);
    const double bound =
        0.1 / std::sqrt(0.001 * (1 - 0.81 / 0.999)) * std::sqrt(1 - std::pow(0.999, t)) / (1 - std::pow(0.9, t));
    CHECK(moved <= 1.001 * bound);
    if (t == 300) CHECK(moved == Approx(bound).epsilon(1e-2));
  }
}

TEST_CASE("adam: moments left alone decay to zero, not to a stuck subnormal", "[adam]") {
  Context ctx = test::make_context();
  Entries e(ctx, std::vector<float>(20, 0.0f));
  AdamStep step;
  step.beta2 = 0.95f;
  for (int t = 1; t <= 2500; ++t) {
    step.step = t;
    e.update(ctx, step, std::vector<float>(20, t == 1 ? 1e-6f : 0.0f));
  }
  CHECK(e.m.to_host(ctx) == std::vector<float>(20, 0.0f));
  CHECK(e.v.to_host(ctx) == std::vector<float>(20, 0.0f));
}

TEST_CASE("adam: a NaN gradient shows in the parameter", "[adam]") {
  Context ctx = test::make_context();
  Entries e(ctx, std::vector<float>(3, 0.0f));
  e.update(ctx, AdamStep{}, {0.0f, std::numeric_limits<float>::quiet_NaN(), 1.0f});
  const auto p = e.p.to_host(ctx);
  CHECK(p[0] == 0);
  CHECK(std::isnan(p[1]));
  CHECK(p[2] == Approx(-1e-3));
}

TEST_CASE("adam: same bits for 1 and 2 threads, and wherever an entry stands", "[adam]") {
  const std::size_t n = 3 * 16384 + 7;
  const auto start = test::random_values<float>(n, -1, 1, 1), g = gradients(n, 2);
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 2}) {
    Context ctx = test::make_context(threads);
    Entries e(ctx, start);
    for (int t = 1; t <= 3; ++t) {
      AdamStep step;
      step.step = t;
      e.update(ctx, step, g);
    }
    results.push_back(e.p.to_host(ctx));
  }
  CHECK(std::memcmp(results[0].data(), results[1].data(), n * sizeof(float)) == 0);

  Context ctx = test::make_context();
  Entries last(ctx, {start[n - 1]});
  for (int t = 1; t <= 3; ++t) {
    AdamStep step;
    step.step = t;
    last.update(ctx, step, {g[n - 1]});
  }
  CHECK(last.p.to_host(ctx)[0] == results[0][n - 1]);
}

TEST_CASE("adam: arrays together become what each becomes by itself", "[adam]") {
  Context ctx = test::make_context();
  // More than one launch takes, of all sizes, two of them empty, each with an update of its own.
  std::vector<Entries> together, alone;
  std::vector<AdamArray> arrays;
  std::vector<std::vector<float>> given;
  for (std::uint32_t i = 0; i < 71; ++i) {
    const std::size_t n = i % 40 == 7 ? 0 : i == 50 ? 40001 : 1 + 37 * i % 1030;
    const auto start = test::random_values<float>(n, -1, 1, 200 + i);
    together.emplace_back(ctx, start);
    alone.emplace_back(ctx, start);
    given.push_back(gradients(n, 300 + i));
  }
  for (int t = 1; t <= 2; ++t) {
    arrays.clear();
    for (std::size_t i = 0; i < together.size(); ++i) {
      AdamStep step;
      step.step = t + static_cast<int>(i % 5);
      step.learning_rate = 0.01f * static_cast<float>(1 + i);
      step.weight_decay = i % 3 == 0 ? 0.05f : 0.0f;
      step.mode = i % 2 == 0 ? AdamMode::sparse : AdamMode::dense;
      together[i].g = Buffer<float>::from_host(ctx, given[i]);
      arrays.push_back({step, {together[i].p, together[i].g, together[i].m, together[i].v}});
      alone[i].update(ctx, step, given[i]);
    }
    adam_update(ctx, arrays);
  }
  for (std::size_t i = 0; i < together.size(); ++i) {
    CAPTURE(i);
    CHECK(together[i].p.to_host(ctx) == alone[i].p.to_host(ctx));
    CHECK(together[i].m.to_host(ctx) == alone[i].m.to_host(ctx));
    CHECK(together[i].v.to_host(ctx) == alone[i].v.to_host(ctx));
    CHECK(together[i].g.to_host(ctx) == std::vector<float>(given[i].size(), 0.0f));
  }
  CHECK_NOTHROW(adam_update(ctx, std::span<const AdamArray>()));
}

TEST_CASE("adam: a gradient in fixed point is that in floats, and is left zero", "[adam]") {
  Context ctx = test::make_context();
  const float unit = 0x1p-40f;
  const auto fixed_unit = Buffer<float>::from_host(ctx, {unit});
  for (const AdamMode mode : {AdamMode::dense, AdamMode::sparse})
    for (const std::size_t n : {std::size_t{1}, std::size_t{4}, std::size_t{4099}}) {
      CAPTURE(n, mode == AdamMode::sparse);
      const auto start = test::random_values<float>(n, -1, 1, 11);
      Entries expected(ctx, start), found(ctx, start);
      std::vector<long long> sums;
      std::vector<float> floats;
      const auto random = test::random_values<double>(n, -1, 1, 12);
      for (std::size_t i = 0; i < n; ++i) {
        sums.push_back(
            i % 32 / 4 % 3 == 2 || i % 5 == 3 ? 0 : std::llrint(std::ldexp(random[i], static_cast<int>(i % 61))));
        floats.push_back(static_cast<float>(std::ldexp(static_cast<double>(sums[i]), -40)));
      }
      AdamStep step;
      step.mode = mode;
      step.weight_decay = 0.01f;
      auto fixed = Buffer<long long>::from_host(ctx, sums);
      const auto update = [&] {
        adam_update(ctx, step, {found.p, WaitingGradient(fixed.view(), fixed_unit.view()), found.m, found.v});
      };
      if (ctx.backend() == Backend::cpu) {
        CHECK_THROWS_AS(update(), InvalidArgument);
        continue;
      }
      update();
      expected.update(ctx, step, floats);
      CHECK(found.p.to_host(ctx) == expected.p.to_host(ctx));
      CHECK(found.m.to_host(ctx) == expected.m.to_host(ctx));
      CHECK(found.v.to_host(ctx) == expected.v.to_host(ctx));
      CHECK(fixed.to_host(ctx) == std::vector<long long>(n, 0));
      // A sum that is not finite, and what may have been added to it.
      for (const long long added : {0ll, 1ll << 61, -(1ll << 61)}) {
        sums.assign(n, 1ll << 61);
        sums[n / 2] = static_cast<long long>(static_cast<unsigned long long>(fixed_point::kNotFinite) +
                                             static_cast<unsigned long long>(added));
        fixed = Buffer<long long>::from_host(ctx, sums);
        found = Entries(ctx, start);
        update();
        const auto p = found.p.to_host(ctx);
        for (std::size_t i = 0; i < n; ++i) CHECK(std::isnan(p[i]) == (i == n / 2));
      }
    }
}

TEST_CASE("adam: CUDA agrees with the CPU", "[adam][parity]") {
  Context cpu = Context::cpu(1), cuda = test::make_context();
  for (const AdamMode mode : {AdamMode::dense, AdamMode::sparse})
    for (const std::size_t n : {std::size_t{0}, std::size_t{1}, std::size_t{4099}}) {
      INFO("n " << n << ", sparse " << (mode == AdamMode::sparse));
      const auto start = test::random_values<float>(n, -1, 1, 11);
      Entries expected(cpu, start), found(cuda, start);
      AdamStep step;
      step.mode = mode;
      step.weight_decay = 0.01f;
      for (int t = 1; t <= 4; ++t) {
        step.step = t;
        const auto g = gradients(n, 40 + t);
        expected.update(cpu, step, g);
        found.update(cuda, step, g);
      }
      CHECK(test::relative_l2(found.p.to_host(cuda), expected.p.to_host(cpu)) < 1e-6);
      CHECK(test::relative_l2(found.m.to_host(cuda), expected.m.to_host(cpu)) < 1e-6);
      CHECK(test::relative_l2(found.v.to_host(cuda), expected.v.to_host(cpu)) < 1e-6);
      CHECK(found.g.to_host(cuda) == expected.g.to_host(cpu));
      // A view that does not begin at a multiple of 16 bytes, as entries of a larger array may.
      if (n < 2) continue;
      const auto tail = [n](Context& ctx, Entries& e, const std::vector<float>& g) {
        e.g = Buffer<float>::from_host(ctx, g);
        const auto from_second = [n](Buffer<float>& b) { return b.view().subview(1, n - 1); };
        adam_update(ctx, AdamStep{}, {from_second(e.p), from_second(e.g), from_second(e.m), from_second(e.v)});
      };
      tail(cpu, expected, gradients(n, 50));
      tail(cuda, found, gradients(n, 50));
      CHECK(test::relative_l2(found.p.to_host(cuda), expected.p.to_host(cpu)) < 1e-6);
      CHECK(found.g.to_host(cuda) == expected.g.to_host(cpu));
    }
}

TEST_CASE("adam: nothing to do for no entries, and each documented error", "[adam]") {
  Context ctx = test::make_context();
  CHECK_NOTHROW(adam_update(ctx, AdamStep{}, AdamState{}));
  auto a = Buffer<float>::zeros(ctx, 4), b = Buffer<float>::zeros(ctx, 3);
  CHECK_THROWS_AS(adam_update(ctx, AdamStep{}, {a, b, a, a}), InvalidArgument);
  CHECK_THROWS_AS(adam_update(ctx, AdamStep{}, {a, a, b, a}), InvalidArgument);
  CHECK_THROWS_AS(adam_update(ctx, AdamStep{}, {a, a, a, b}), InvalidArgument);
  const auto rejects = [&](auto change) {
    AdamStep step;
    change(step);
    CHECK_THROWS_AS(adam_update(ctx, step, {a, a, a, a}), InvalidArgument);
  };
  rejects([](AdamStep& s) { s.step = 0; });
  rejects([](AdamStep& s) { s.beta1 = 1; });
  rejects([](AdamStep& s) { s.beta2 = -0.1f; });
  rejects([](AdamStep& s) { s.epsilon = -1e-8f; });
}
