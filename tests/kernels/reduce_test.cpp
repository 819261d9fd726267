#include "reduce/reduce.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "dsasrgs/error.hpp"
#include "oracle/reduce_oracle.hpp"
#include "support/context.hpp"
#include "support/random_values.hpp"

namespace dsasrgs {
namespace {

using Catch::Matchers::Contains;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInfinity = std::numeric_limits<float>::infinity();

struct Pair {
  std::vector<float> rendered, reference;
  std::vector<std::uint8_t> valid;
};

/// n pixels, a third of them below 0 and a fifth left out.
Pair random_pair(std::size_t n) {
  Pair p{test::random_values(n, -0.5f, 1.0f, 1), test::random_values(n, -0.4f, 0.9f, 2), {}};
  for (std::size_t i = 0; i < n; ++i) p.valid.push_back(i % 5 == 3 ? 0 : static_cast<std::uint8_t>(1 + i % 3));
  return p;
}

ImageStatistics run(Context& ctx, const Pair& p) {
  return image_statistics(ctx, Buffer<float>::from_host(ctx, p.rendered), Buffer<float>::from_host(ctx, p.reference),
                          Buffer<std::uint8_t>::from_host(ctx, p.valid));
}

std::vector<double> numbers_of(const auto& s) {
  return {static_cast<double>(s.count),
          static_cast<double>(s.non_finite),
          s.rendered_min,
          s.rendered_max,
          s.reference_min,
          s.reference_max,
          s.squared_error,
          s.rendered,
          s.reference,
          s.rendered_squared,
          s.reference_squared,
          s.product};
}

/// Largest relative difference of any number.
double difference(const auto& found, const auto& expected) {
  const std::vector<double> a = numbers_of(found), b = numbers_of(expected);
  double worst = 0;
  for (std::size_t k = 0; k < a.size(); ++k)
    if (a[k] != b[k]) worst = std::max(worst, std::abs(a[k] / b[k] - 1));
  return worst;
}

}  // namespace

TEST_CASE("reduce: statistics of a few pixels, by hand", "[reduce]") {
  Context ctx = test::make_context();
  const ImageStatistics s = run(ctx, {{3, -1, 2, 100, 5}, {1, 4, -7, 100, 5}, {1, 9, 1, 0, 1}});
  // (3,1), (0,4), (2,0), (5,5)
  CHECK(s.count == 4);
  CHECK(s.non_finite == 0);
  CHECK(s.rendered_min == 0);
  CHECK(s.rendered_max == 5);
  CHECK(s.reference_min == 0);
  CHECK(s.reference_max == 5);
  CHECK(s.squared_error == 4 + 16 + 4);
  CHECK(s.rendered == 10);
  CHECK(s.reference == 10);
  CHECK(s.rendered_squared == 9 + 4 + 25);
  CHECK(s.reference_squared == 1 + 16 + 25);
  CHECK(s.product == 3 + 25);
}

TEST_CASE("reduce: statistics agree with sums in long double", "[reduce]") {
  Context ctx = test::make_context();
  for (const std::size_t n : {1, 255, 257, 16384, 70001}) {
    Pair p = random_pair(n);
    CAPTURE(n);
    CHECK(difference(run(ctx, p), test::oracle_image_statistics(p.rendered, p.reference, p.valid)) < 1e-13);
    p.valid.clear();  // all count
    CHECK(difference(run(ctx, p), test::oracle_image_statistics(p.rendered, p.reference, p.valid)) < 1e-13);
  }
  // Nothing clipped, every value different.
  Pair p = random_pair(5000);
  for (std::size_t i = 0; i < 5000; ++i) {
    p.rendered[i] = 1 + 1e-4f * static_cast<float>((i * 7919) % 5000);
    p.reference[i] = 2 + p.rendered[i];
  }
  CHECK(difference(run(ctx, p), test::oracle_image_statistics(p.rendered, p.reference, p.valid)) < 1e-13);
}

TEST_CASE("reduce: values that are not finite are counted and left out", "[reduce]") {
  Context ctx = test::make_context();
  Pair p = random_pair(1000);
  p.rendered[0] = kNan;
  p.rendered[10] = kInfinity;
  p.reference[500] = -kInfinity;
  p.rendered[501] = p.reference[501] = kNan;
  p.rendered[503] = kNan;  // not valid
  const ImageStatistics s = run(ctx, p);
  CHECK(s.non_finite == 4);
  CHECK(s.count == 796);
  CHECK(difference(s, test::oracle_image_statistics(p.rendered, p.reference, p.valid)) < 1e-13);
}

TEST_CASE("reduce: with no pixel there is nothing", "[reduce]") {
  Context ctx = test::make_context();
  for (const Pair& p : {Pair{}, Pair{{1, 2}, {3, 4}, {0, 0}}, Pair{{kNan}, {1}, {}}}) {
    const ImageStatistics s = run(ctx, p);
    CHECK(s.count == 0);
    CHECK(s.rendered_min == kInfinity);
    CHECK(s.rendered_max == 0);
    CHECK(s.product + s.squared_error + s.rendered + s.reference + s.rendered_squared + s.reference_squared == 0);
  }
}

TEST_CASE("reduce: sums have the same bits from run to run and for any number of threads", "[reduce]") {
  const Pair p = random_pair(70001);
  Context one = test::make_context(1), three = test::make_context(3);
  const std::vector<double> first = numbers_of(run(one, p));
  CHECK(numbers_of(run(one, p)) == first);
  CHECK(numbers_of(run(three, p)) == first);
}

TEST_CASE("reduce: images that do not fit are refused", "[reduce]") {
  Context ctx = test::make_context();
  CHECK_THROWS_AS(run(ctx, {{1, 2}, {1}, {}}), InvalidArgument);
  CHECK_THROWS_WITH(run(ctx, {{1, 2}, {1}, {}}), Contains("image_statistics: reference: expected 2 elements, found 1"));
  CHECK_THROWS_WITH(run(ctx, {{1, 2}, {1, 2}, {1}}), Contains("valid: expected 2 elements, found 1"));
}

TEST_CASE("reduce: CUDA agrees with the CPU", "[reduce][parity]") {
  Context cpu = Context::cpu(1), other = test::make_context();
  if (other.backend() == Backend::cpu) {
    WARN("this run is on the CPU");
    return;
  }
  for (const std::size_t n : {0, 1, 300, 300001}) {
    const Pair p = random_pair(n);
    CAPTURE(n);
    CHECK(difference(run(other, p), run(cpu, p)) < 1e-12);
  }
}

}  // namespace dsasrgs
