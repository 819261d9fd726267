// SPDX-License-Identifier: Apache-2.0
#include "common/parallel.hpp"

#include <catch2/catch.hpp>
#include <limits>
#include <stdexcept>
#include <vector>

#include "support/context.hpp"

using namespace dsasrgs;

TEST_CASE("parallel: every index is visited once and blocks cover the range", "[parallel]") {
  for (const int threads : {1, 2, 5}) {
    const Context ctx = Context::cpu(threads);
    std::vector<int> visits(1001, 0);
    parallel_for(ctx, visits.size(), [&](std::size_t i) { ++visits[i]; });
    parallel_blocks(ctx, visits.size(), 64, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) ++visits[i];
    });
    CHECK(visits == std::vector<int>(1001, 2));
  }
}

TEST_CASE("parallel: an exception reaches the caller", "[parallel]") {
  for (const int threads : {1, 2})
    CHECK_THROWS_AS(parallel_for(Context::cpu(threads), 100,
                                 [](std::size_t i) {
                                   if (i == 57) throw std::runtime_error("57");
                                 }),
                    std::runtime_error);
}

TEST_CASE("parallel: subnormal numbers are zero inside loops and as before outside", "[parallel]") {
  volatile float tiny = std::numeric_limits<float>::min();
  for (const int threads : {1, 2}) {
    std::vector<float> halves(8, 1);
    parallel_for(Context::cpu(threads), halves.size(), [&](std::size_t i) { halves[i] = tiny * 0.5f; });
#if defined(__SSE2__)
    CHECK(halves == std::vector<float>(8, 0));
#endif
    CHECK(tiny * 0.5f > 0);
  }
}
