// SPDX-License-Identifier: Apache-2.0
// What a context does to the process's other CUDA code, which is nothing: on two emulated devices, with streams, graphs
// and pinned memory of its own and of a caller.

#include <array>
#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

#include "common/launch.cuh"
#include "common/submission.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "execution.hpp"

using namespace dsasrgs;
using Catch::Matchers::Contains;

namespace {

__global__ void add_one(float* values, std::size_t n) {
  if (const std::size_t i = cuda::thread_index(); i < n) values[i] += 1;
}

int current_device() {
  int device = -1;
  REQUIRE(cudaGetDevice(&device) == cudaSuccess);
  return device;
}

/// Runs each thing a context is used for, and asks after each which device is current.
void use_all(Context& ctx, int current) {
  REQUIRE(current_device() == current);
  const auto unchanged = [&](const char* after) {
    INFO("after " << after);
    REQUIRE(current_device() == current);
  };
  auto values = Buffer<float>::from_host(ctx, std::vector<float>(100, 1.0f));
  unchanged("from_host");
  cuda::launch(ctx, "add_one", cuda::one_thread_each(100), add_one, values.data(), values.size());
  unchanged("launch");
  Submission submission;
  for (int step = 0; step < 2; ++step) {
    submission.run(ctx, true, [&] {
      cuda::launch(ctx, "add_one", cuda::one_thread_each(100), add_one, values.data(), values.size());
    });
    unchanged("a graph");
  }
  {
    Mailbox mailbox(ctx, sizeof(float));
    unchanged("pinned memory");
    mailbox.post(ctx, std::array{Mailbox::Letter{0, values.data(), sizeof(float)}});
    unchanged("post");
    ctx.synchronize();
    unchanged("synchronize");
    CHECK(*static_cast<const float*>(mailbox.data()) == 4);
  }
  unchanged("release of pinned memory");
  CHECK(values.to_host(ctx) == std::vector<float>(100, 4.0f));
  unchanged("to_host");
  CHECK(Buffer<float>::zeros(ctx, 3).to_host(ctx) == std::vector<float>(3, 0.0f));
  unchanged("zeros");
  values = Buffer<float>();
  unchanged("release");
  CHECK_THROWS_AS(Buffer<float>(ctx, std::size_t{1} << 60), OutOfMemory);
  unchanged("a failed allocation");
}

}  // namespace

TEST_CASE("cuda context: the current device is the caller's, whichever the context has", "[emulation][context]") {
  for (const int of_context : {0, 1})
    for (const int current : {0, 1}) {
      REQUIRE(cudaSetDevice(current) == cudaSuccess);
      {
        Context ctx = Context::cuda({.device = of_context});
        CHECK(ctx.device() == of_context);
        use_all(ctx, current);
        std::thread([&] { use_all(ctx, 0); }).join();  // a thread begins with device 0
      }
      CHECK(current_device() == current);
    }
  REQUIRE(cudaSetDevice(0) == cudaSuccess);
}

TEST_CASE("cuda context: streams, pools and memory are on its device and end with it", "[emulation][context]") {
  for (const int device : {0, 1}) {
    const emulation::Device before = emulation::device(device), other = emulation::device(1 - device);
    {
      Context ctx = Context::cuda(device);
      const Buffer<float> buffer(ctx, 10);
      CHECK(emulation::device(device).streams == before.streams + 1);
      CHECK(emulation::device(device).pools == before.pools + 1);
      CHECK(emulation::device(device).blocks == before.blocks + 1);
      CHECK(emulation::device(1 - device).blocks == other.blocks);
    }
    CHECK(emulation::device(device).streams == before.streams);
    CHECK(emulation::device(device).pools == before.pools);
    CHECK(emulation::device(device).blocks == before.blocks);
  }
}

TEST_CASE("cuda context: a caller's stream is used and survives", "[emulation][context]") {
  REQUIRE(cudaSetDevice(1) == cudaSuccess);
  cudaStream_t stream = nullptr;
  REQUIRE(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) == cudaSuccess);
  REQUIRE(cudaSetDevice(0) == cudaSuccess);
  const int streams = emulation::device(1).streams;
  {
    Context ctx = Context::cuda({.device = 1, .stream = stream});
    CHECK(ctx.stream() == stream);
    use_all(ctx, 0);
  }
  CHECK(emulation::device(1).streams == streams);
  CHECK(cudaStreamSynchronize(stream) == cudaSuccess);
  CHECK_THROWS_WITH(Context::cuda({.device = 0, .stream = stream}), Contains("device 0") && Contains("device 1"));
  CHECK_THROWS_AS(Context::cuda({.device = 0, .stream = cudaStreamLegacy}), InvalidArgument);
  REQUIRE(cudaStreamDestroy(stream) == cudaSuccess);
}

TEST_CASE("cuda context: a device without memory pools or kernels is not available", "[emulation][context]") {
  emulation::device(1).memory_pools = false;
  CHECK_THROWS_WITH(Context::cuda(1), Contains("device 1") && Contains("no memory pools"));
  emulation::device(1).memory_pools = true;
  emulation::device(1).kernel_image = false;
  CHECK_THROWS_AS(Context::cuda(1), BackendUnavailable);
  CHECK_THROWS_WITH(Context::cuda(1), Contains("device 1") && Contains("no kernels"));
  emulation::device(1).kernel_image = true;
  CHECK_THROWS_AS(Context::cuda(emulation::kDevices), BackendUnavailable);
  CHECK(current_device() == 0);
  Context usable = Context::cuda(1);
}

TEST_CASE("cuda context: allocating or freeing while a graph is captured is an error", "[emulation][context]") {
  Context ctx = Context::cuda();
  auto values = Buffer<float>::zeros(ctx, 100);
  const auto add = [&] {
    cuda::launch(ctx, "add_one", cuda::one_thread_each(100), add_one, values.data(), values.size());
  };
  const std::size_t blocks = emulation::device(0).blocks;
  Submission submission;
  CHECK_THROWS_WITH(submission.run(ctx, true,
                                   [&] {
                                     add();
                                     const Buffer<float> made(ctx, 3);
                                   }),
                    Contains("captured") && Contains("12 bytes"));
  Buffer<float> old(ctx, 5);
  CHECK_THROWS_WITH(submission.run(ctx, true,
                                   [&] {
                                     add();
                                     old = Buffer<float>();
                                   }),
                    Contains("freed") && Contains("captured"));
  CHECK(emulation::device(0).blocks == blocks);                 // nothing is lost
  CHECK(values.to_host(ctx) == std::vector<float>(100, 0.0f));  // and nothing was run
  submission.run(ctx, true, add);
  CHECK(values.to_host(ctx) == std::vector<float>(100, 1.0f));
}

TEST_CASE("cuda context: pinned memory is not freed while a copy is on its way to it", "[emulation][context]") {
  Context ctx = Context::cuda();
  const auto values = Buffer<float>::zeros(ctx, 4);
  {
    Mailbox mailbox(ctx, 16);
    mailbox.post(ctx, std::array{Mailbox::Letter{0, values.data(), 16}});
  }
  CHECK(emulation::device(0).early_frees == 0);
}

TEST_CASE("cuda context: memory freed while a caller captures the stream is freed afterwards", "[emulation][context]") {
  cudaStream_t stream = nullptr;
  REQUIRE(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) == cudaSuccess);
  {
    Context ctx = Context::cuda({.stream = stream});
    const std::size_t blocks = emulation::device(0).blocks;
    Buffer<float> buffer(ctx, 5);
    REQUIRE(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal) == cudaSuccess);
    buffer = Buffer<float>();
    cudaGraph_t graph = nullptr;
    REQUIRE(cudaStreamEndCapture(stream, &graph) == cudaSuccess);
    cudaGraphDestroy(graph);
    buffer = Buffer<float>(ctx, 7);
    CHECK(emulation::device(0).blocks == blocks + 1);
  }
  REQUIRE(cudaStreamDestroy(stream) == cudaSuccess);
}
