// SPDX-License-Identifier: Apache-2.0
#include "dsasrgs/context.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "support/context.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using namespace dsasrgs::test;

// Buffers, reconstructors and renderers keep its address.
static_assert(!std::is_move_constructible_v<Context> && !std::is_move_assignable_v<Context>);
static_assert(!std::is_copy_constructible_v<Context> && !std::is_copy_assignable_v<Context>);

TEST_CASE("context: may be used by one thread after another", "[context]") {
  Context ctx = make_context();
  auto buffer = Buffer<float>::zeros(ctx, 1000);
  std::vector<float> seen;
  std::thread([&] {
    buffer = Buffer<float>::from_host(ctx, std::vector<float>(1000, 2.0f));
    seen = buffer.to_host(ctx);
  }).join();
  CHECK(seen == std::vector<float>(1000, 2.0f));
  CHECK(buffer.to_host(ctx) == seen);
}

TEST_CASE("context: says where it is", "[context]") {
  Context cpu = Context::cpu(3);
  CHECK(cpu.threads() == 3);
  CHECK(cpu.device() == -1);
  CHECK(cpu.stream() == nullptr);
  require_error<InvalidArgument>([] { Context::cpu(-1); }, {"threads", "found -1"});
  require_error<InvalidArgument>([] { Context::cpu(100000); }, {"threads", "0 (all) to 1024", "found 100000"});
  if (selected_backend() == Backend::cpu) return;
  Context cuda = make_context();
  CHECK(cuda.device() == 0);
  CHECK(cuda.stream() != nullptr);
  CHECK_THROWS_AS(Context::cuda(1000), BackendUnavailable);
  CHECK_THROWS_AS(Context::cuda(-1), BackendUnavailable);
}
