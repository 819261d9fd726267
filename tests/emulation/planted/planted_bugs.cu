// SPDX-License-Identifier: Apache-2.0
// Kernels with a bug each, to show that the emulation catches what it promises to. What only a sanitizer can see is run
// by tests/emulation/crash_test.sh.

#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>

#include "common/launch.cuh"
#include "dsasrgs/buffer.hpp"
#include "execution.hpp"
#include "support/context.hpp"

using namespace dsasrgs;
using Catch::Matchers::Contains;

namespace {

using dsasrgs::cuda::launch;

/// Sum of a block's values with shuffles, shared memory and a barrier: correct.
__global__ void block_sum(const float* in, float* out, std::size_t n) {
  __shared__ float of_warp[32];
  const std::size_t i = cuda::thread_index();
  const float sum = cuda::sum_over_lanes(i < n ? in[i] : 0.0f);
  if (cuda::lane_index() == 0) of_warp[threadIdx.x / 32] = sum;
  __syncthreads();
  if (threadIdx.x == 0) {
    float total = 0;
    for (unsigned w = 0; w < blockDim.x / 32; ++w) total += of_warp[w];
    atomicAdd(out, total);
  }
}

__global__ void barrier_in_a_branch(int* out) {
  if (threadIdx.x < 40) __syncthreads();
  out[threadIdx.x] = 1;
}
__global__ void two_barriers(int* out) {
  if (threadIdx.x % 2 == 0)
    __syncthreads();
  else
    __syncthreads();
  out[threadIdx.x] = 1;
}
__global__ void shuffle_after_return(int* out) {
  if (threadIdx.x == 7) return;
  out[threadIdx.x] = __shfl_down_sync(0xffffffffu, static_cast<int>(threadIdx.x), 1);
}
__global__ void shuffles_in_two_branches(int* out) {
  if (threadIdx.x < 16)
    out[threadIdx.x] = __shfl_xor_sync(0xffffffffu, 1, 1);
  else
    out[threadIdx.x] = __shfl_xor_sync(0xffffffffu, 2, 1);
}
/// Lane 0 reads from a lane that is not in the mask.
__global__ void shuffle_from_outside_the_mask(float* out) {
  if (threadIdx.x < 16) out[threadIdx.x] = __shfl_sync(0xffffu, 1.0f, 20);
}
__global__ void write_at(int* out, std::size_t index) {
  if (cuda::thread_index() == 0) out[index] = 1;
}
/// Every block writes the same element without an atomic.
__global__ void race_between_blocks(int* out) {
  if (threadIdx.x == 0) out[0] += 1;
}
/// Reads what another thread wrote without waiting for it.
__global__ void missing_barrier(int* out) {
  __shared__ int values[64];
  values[threadIdx.x] = static_cast<int>(threadIdx.x);
  out[threadIdx.x] = values[63 - threadIdx.x];
}
__global__ void shared_out_of_bounds(int* out, unsigned index) {
  __shared__ int values[64];
  values[index + threadIdx.x] = 1;
  __syncthreads();
  out[threadIdx.x] = values[threadIdx.x];
}
__global__ void dynamic_shared_out_of_bounds(int* out, unsigned index) {
  int* values = cuda::dynamic_shared<int>();
  values[index + threadIdx.x] = 1;
  __syncthreads();
  out[threadIdx.x] = values[threadIdx.x];
}

/// What a launch of one block of 64 threads reports.
template <class Kernel, class... Arguments>
std::string error_of(Context& ctx, Kernel kernel, Arguments... arguments) {
  try {
    launch(ctx, "planted", {dim3(1), dim3(64)}, kernel, arguments...);
  } catch (const CudaError& e) {
    return e.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("emulation: a block reduction gives the right sum in both orders", "[emulation]") {
  Context ctx = Context::cuda();
  constexpr std::size_t n = 1000;
  const auto in = Buffer<float>::from_host(ctx, std::vector<float>(n, 0.5f));
  for (const auto order : {emulation::Order::forward, emulation::Order::reverse}) {
    emulation::set_order(order);
    auto out = Buffer<float>::zeros(ctx, 1);
    launch(ctx, "block_sum", cuda::one_thread_each(n), block_sum, in.data(), out.data(), n);
    CHECK(out.to_host(ctx)[0] == 500.0f);
  }
  emulation::set_order(emulation::Order::forward);
}

TEST_CASE("emulation: divergent barriers and collectives are errors", "[emulation]") {
  Context ctx = Context::cuda();
  auto out = Buffer<int>::zeros(ctx, 64);
  CHECK_THAT(error_of(ctx, barrier_in_a_branch, out.data()),
             Contains("planted") && Contains("divergent barrier") && Contains("have returned"));
  CHECK_THAT(error_of(ctx, two_barriers, out.data()), Contains("divergent barrier") && Contains("thread 1"));
  CHECK_THAT(error_of(ctx, shuffle_after_return, out.data()), Contains("lane 7") && Contains("has returned"));
  CHECK_THAT(error_of(ctx, shuffles_in_two_branches, out.data()), Contains("different warp collectives"));
  // The device is usable afterwards.
  CHECK(error_of(ctx, write_at, out.data(), std::size_t{3}) == "no error");
  CHECK(out.to_host(ctx)[3] == 1);
}

TEST_CASE("emulation: a shuffle from outside the mask spoils the result", "[emulation]") {
  Context ctx = Context::cuda();
  auto out = Buffer<float>::zeros(ctx, 64);
  launch(ctx, "planted", {dim3(1), dim3(32)}, shuffle_from_outside_the_mask, out.data());
  CHECK(std::isnan(out.to_host(ctx)[0]));
}

TEST_CASE("emulation: new device memory is NaN, and copies check their sides", "[emulation]") {
  Context ctx = Context::cuda();
  Buffer<float> fresh(ctx, 5);
  CHECK(std::isnan(fresh.to_host(ctx)[4]));
  float host[6] = {};
  CHECK_THROWS_AS(copy_bytes_to_host(ctx, host, host, 4), CudaError);
  CHECK_THROWS_AS(copy_bytes_to_host(ctx, host, fresh.data(), sizeof host), CudaError);  // one element too many
}

TEST_CASE("emulation: waiting and allocating are errors while a graph is captured", "[emulation]") {
  Context ctx = Context::cuda();
  auto out = Buffer<int>::zeros(ctx, 64);
  cudaStream_t stream = cuda::stream_of(ctx);
  REQUIRE(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal) == cudaSuccess);
  CHECK_THROWS_AS(ctx.synchronize(), CudaError);
  CHECK_THROWS_AS(Buffer<int>(ctx, 3), CudaError);
  launch(ctx, "write_at", {dim3(1), dim3(32)}, write_at, out.data(), std::size_t{5});
  cudaGraph_t graph = nullptr;
  REQUIRE(cudaStreamEndCapture(stream, &graph) == cudaSuccess);
  CHECK(out.to_host(ctx)[5] == 0);  // recorded, not run
  cudaGraphExec_t executable = nullptr;
  REQUIRE(cudaGraphInstantiate(&executable, graph, 0) == cudaSuccess);
  REQUIRE(cudaGraphLaunch(executable, stream) == cudaSuccess);
  CHECK(out.to_host(ctx)[5] == 1);
  cudaGraphExecDestroy(executable);
  cudaGraphDestroy(graph);
}

// Hidden cases: each must stop the process (a segmentation fault of the guard, or a sanitizer's report), which
// tests/emulation/crash_test.sh checks one by one.
TEST_CASE("crash: host code reads device memory", "[.crash_guard]") {
  Context ctx = Context::cuda();
  auto out = Buffer<int>::zeros(ctx, 64);
  volatile int value = out.data()[0];
  (void)value;
}
TEST_CASE("crash: global write out of bounds", "[.crash_guard][.crash_address]") {
  Context ctx = Context::cuda();
  auto out = Buffer<int>::zeros(ctx, 64);
  error_of(ctx, write_at, out.data(), std::size_t{64});
}
TEST_CASE("crash: shared write out of bounds", "[.crash_undefined]") {
  Context ctx = Context::cuda();
  auto out = Buffer<int>::zeros(ctx, 64);
  error_of(ctx, shared_out_of_bounds, out.data(), 1u);
}
TEST_CASE("crash: dynamic shared write out of bounds", "[.crash_address]") {
  Context ctx = Context::cuda();
  auto out = Buffer<int>::zeros(ctx, 64);
  launch(ctx, "planted", {dim3(1), dim3(64), 64 * sizeof(int)}, dynamic_shared_out_of_bounds, out.data(), 1u);
}
TEST_CASE("crash: race between blocks", "[.crash_thread]") {
  Context ctx = Context::cuda();
  auto out = Buffer<int>::zeros(ctx, 64);
  launch(ctx, "planted", {dim3(3), dim3(64)}, race_between_blocks, out.data());
}
TEST_CASE("crash: missing barrier", "[.crash_thread]") {
  Context ctx = Context::cuda();
  auto out = Buffer<int>::zeros(ctx, 64);
  error_of(ctx, missing_barrier, out.data());
}
