// SPDX-License-Identifier: Apache-2.0
// Buffer, View and std::span: who owns what, and what must not compile.
#include "dsasrgs/buffer.hpp"

#include <catch2/catch.hpp>
#include <cstdint>
#include <filesystem>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "dsasrgs/dsasrgs.hpp"
#include "support/context.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using namespace dsasrgs::test;

namespace {

// Context memory is never taken for host memory, nor the other way round.
static_assert(!std::is_constructible_v<std::span<const float>, Buffer<float>&>);
#ifndef __clang__  // which prefers the constructor of the span, of which the deleted conversion makes GCC not sure
static_assert(!std::is_convertible_v<View<float>&, std::span<const float>>);
static_assert(!std::is_convertible_v<const View<const float>&, std::span<const float>>);
#endif
static_assert(!std::is_constructible_v<View<const float>, std::span<const float>>);
static_assert(!std::is_constructible_v<View<const float>, std::vector<float>&>);
static_assert(std::is_convertible_v<Buffer<float>&, View<float>>);
static_assert(std::is_convertible_v<View<float>, View<const float>>);
static_assert(!std::is_convertible_v<View<const float>, View<float>>);
static_assert(!std::is_copy_constructible_v<Buffer<float>> && !std::is_copy_assignable_v<Buffer<float>>);

template <class Image>
concept png = requires(Image& image) {
  write_png(std::filesystem::path(), image, 1, 1, GreyWindow{});
};
static_assert(png<std::vector<float>> && png<std::span<const float>>);
static_assert(!png<Buffer<float>>);
#ifndef __clang__
static_assert(!png<View<const float>>);
#endif

}  // namespace

TEST_CASE("buffer: one that was moved from is empty, and the other has what it had", "[buffer]") {
  Context ctx = make_context();
  auto a = Buffer<float>::from_host(ctx, {1, 2, 3});
  Buffer<float> b(std::move(a));
  CHECK(a.size() == 0);  // NOLINT(bugprone-use-after-move): this is what is asked
  CHECK(a.data() == nullptr);
  CHECK(b.to_host(ctx) == std::vector<float>{1, 2, 3});
  auto c = Buffer<float>::from_host(ctx, {9});
  c = std::move(b);
  CHECK(b.size() == 0);  // NOLINT(bugprone-use-after-move)
  CHECK(c.to_host(ctx) == std::vector<float>{1, 2, 3});
  Buffer<float>& same = c;
  c = std::move(same);
  CHECK(c.to_host(ctx) == std::vector<float>{1, 2, 3});
}

TEST_CASE("buffer: an allocation that cannot be had is OutOfMemory with the amount", "[buffer]") {
  Context ctx = make_context();
  // More than a size can say: 2^62 floats are 2^64 bytes.
  require_error<OutOfMemory>([&] { Buffer<float>(ctx, std::size_t{1} << 62); },
                             {"memory", "4611686018427387904 elements of 4 bytes"});
  require_error<OutOfMemory>([] { host_vector<double>(SIZE_MAX); }, {"host memory", "elements of 8 bytes"});
  Buffer<float> resized(ctx, 5);
  CHECK_THROWS_AS(resized.resize(ctx, std::size_t{1} << 62), OutOfMemory);
  CHECK(resized.size() == 0);       // what it held is freed first
#if !defined(__SANITIZE_ADDRESS__)  // which ends the process where operator new would throw
  require_error<OutOfMemory>([&] { Buffer<float>(ctx, std::size_t{1} << 60); },
                             {"memory", "4611686018427387904 bytes"});
  require_error<OutOfMemory>([] { host_vector<double>(std::size_t{1} << 58); }, {"host memory", "2305843009213693952"});
#endif
}
