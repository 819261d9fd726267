// SPDX-License-Identifier: Apache-2.0
// What a device may do in another order, later or twice must not change a bit of what is learnt.

#include <array>
#include <catch2/catch.hpp>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include "common/launch.cuh"
#include "common/submission.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/reconstructor.hpp"
#include "execution.hpp"
#include "support/small_case.hpp"
#include "support/temporary_folder.hpp"
#include "support/tiny_run.hpp"

using namespace dsasrgs;
using Catch::Matchers::Contains;
using cuda::launch;

namespace {

/// Puts the emulated devices back to what they do by themselves.
struct AsUsual {
  ~AsUsual() {
    emulation::set_order(emulation::Order::forward);
    emulation::set_deferred(false);
    emulation::poison_static_shared(false);
    emulation::fail_graph_updates(0);
  }
};

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// The model file of a training on the device, as bytes.
std::string trained(const Acquisition& acquisition, const Config& config,
                    std::shared_ptr<const PseudoLabels> labels = {}) {
  const test::TemporaryFolder folder;
  Context ctx = Context::cuda();
  Reconstructor reconstructor(ctx, acquisition, config, std::move(labels));
  reconstructor.run();
  write_model(ctx, folder / "model.h5", reconstructor.model());
  return bytes_of(folder / "model.h5");
}

/// Several blocks of Gaussians, captured steps, and all kinds of density events.
Config eventful_config() {
  Config config = test::small_config(8);
  config.density_control.every = 3;
  config.density_control.first_step = 1;
  config.density_control.last_step = 8;
  config.residual_split.enabled = config.residual_births.enabled = true;
  config.residual_split.every = 4;
  config.residual_births.every = 5;
  config.residual_split.first_step = config.residual_births.first_step = 1;
  return config;
}

/// The same bits as by default, whatever `train` does.
void same_bits_in_any_order(const std::function<std::string()>& train) {
  const AsUsual afterwards;
  const std::string usual = train();
  {
    INFO("the last thread and block first");
    const AsUsual again;
    emulation::set_order(emulation::Order::reverse);
    CHECK((train() == usual));
  }
  {
    INFO("threads and blocks shuffled, shared memory NaN, work as late as it may be");
    const AsUsual again;
    emulation::set_order(emulation::Order::shuffled, 7);
    emulation::set_deferred(true);
    emulation::poison_static_shared(true);
    CHECK((train() == usual));
  }
  INFO("updates of the graph fail, work as late as it may be");
  emulation::fail_graph_updates(2);
  emulation::set_deferred(true);
  CHECK((train() == usual));
}

__global__ void last_block_wins(int* out) {
  if (threadIdx.x == 0) *out = static_cast<int>(blockIdx.x);
}
__global__ void last_thread_wins(int* out) { *out = static_cast<int>(threadIdx.x); }
/// log[0] counts, and the numbers follow.
__global__ void append(int* log, int what) { log[++log[0]] = what; }
__global__ void add_one(float* values) { atomicAdd(values + threadIdx.x % 4, 1.0f); }
__global__ void first_shared(float* out) {
  const float* values = cuda::dynamic_shared<float>();
  if (threadIdx.x == 0) out[blockIdx.x] = values[0];
  __syncthreads();
  cuda::dynamic_shared<float>()[threadIdx.x] = 1;
}
__global__ void first_static_shared(float* out) {
  __shared__ float values[32];
  if (threadIdx.x == 0) out[blockIdx.x] = values[0];
  __syncthreads();
  values[threadIdx.x] = 1;
}

}  // namespace

TEST_CASE("emulation: a training has the same bits in any order", "[emulation][order]") {
  Context cpu = Context::cpu();
  const Acquisition acquisition = test::small_simulation(cpu).acquisition;
  same_bits_in_any_order([&] { return trained(acquisition, eventful_config()); });
}

TEST_CASE("emulation: a training with labels and total variation has the same bits in any order",
          "[emulation][order]") {
  Context cpu = Context::cpu();
  const test::TinyRun run(cpu);
  same_bits_in_any_order([&] { return trained(run.acquisition, run.config, run.labels); });
}

TEST_CASE("emulation: orders are another for what depends on them", "[emulation][order]") {
  const AsUsual afterwards;
  Context ctx = Context::cuda();
  auto out = Buffer<int>::zeros(ctx, 1);
  const auto last = [&](auto kernel, unsigned blocks) {
    launch(ctx, "planted", {dim3(blocks), dim3(64)}, kernel, out.data());
    return out.to_host(ctx)[0];
  };
  CHECK(last(last_thread_wins, 1) == 63);
  emulation::set_order(emulation::Order::reverse);
  CHECK(last(last_thread_wins, 1) == 0);
  emulation::set_order(emulation::Order::shuffled, 3);
  bool differs = false;
  for (int i = 0; i < 20; ++i) differs = last(last_block_wins, 40) != last(last_block_wins, 40) || differs;
  CHECK(differs);
}

TEST_CASE("emulation: branches of a graph come in any order, their end after both", "[emulation][order][graph]") {
  const AsUsual afterwards;
  Context ctx = Context::cuda();
  auto log = Buffer<int>::zeros(ctx, 5);
  const auto note = [&](int what) { launch(ctx, "note", {dim3(1), dim3(1)}, append, log.data(), what); };
  const auto branches = [&] {
    note(1);
    side_by_side(
        ctx, [&] { note(2); }, [&] { note(3); });
    note(4);
  };
  const auto run = [&](bool capture) {
    zero_bytes(ctx, log.data(), log.size() * sizeof(int));
    Submission submission;
    submission.run(ctx, capture, branches);
    return log.to_host(ctx);
  };
  const std::vector<int> in_order{4, 1, 2, 3, 4}, swapped{4, 1, 3, 2, 4};
  CHECK(run(true) == in_order);  // no branch was made before: none now
  emulation::set_order(emulation::Order::reverse);
  CHECK(run(false) == in_order);
  CHECK(run(true) == swapped);
  emulation::set_order(emulation::Order::forward);
  CHECK(run(true) == in_order);
  CHECK(emulation::device(0).graph_nodes == 4);
  emulation::set_order(emulation::Order::shuffled, 5);
  bool differs = false;
  for (int i = 0; i < 20; ++i) {
    const std::vector<int> found = run(true);
    REQUIRE((found == in_order || found == swapped));
    differs = differs || found == swapped;
  }
  CHECK(differs);
  // A body that throws leaves the context usable, and nothing is run.
  CHECK_THROWS_AS(Submission().run(ctx, true,
                                   [&] {
                                     side_by_side(
                                         ctx, [&] { note(2); },
                                         [&] {
                                           note(3);
                                           throw InvalidArgument("planted");
                                         });
                                   }),
                  InvalidArgument);
  emulation::set_order(emulation::Order::forward);
  CHECK(run(true) == in_order);
}

TEST_CASE("emulation: a capture must not end before its branches are joined", "[emulation][graph]") {
  Context ctx = Context::cuda();
  auto log = Buffer<int>::zeros(ctx, 5);
  cudaStream_t first = nullptr, second = nullptr;
  cudaEvent_t event = nullptr;
  REQUIRE(cudaStreamCreateWithFlags(&first, cudaStreamNonBlocking) == cudaSuccess);
  REQUIRE(cudaStreamCreateWithFlags(&second, cudaStreamNonBlocking) == cudaSuccess);
  REQUIRE(cudaEventCreateWithFlags(&event, cudaEventDisableTiming) == cudaSuccess);
  const auto captured = [&](bool join) {
    REQUIRE(cudaStreamBeginCapture(first, cudaStreamCaptureModeThreadLocal) == cudaSuccess);
    REQUIRE(cudaEventRecord(event, first) == cudaSuccess);
    REQUIRE(cudaStreamWaitEvent(second, event, 0) == cudaSuccess);
    cudaLaunchConfig_t config{dim3(1), dim3(1), 0, second};
    REQUIRE(cudaLaunchKernelEx(&config, append, log.data(), 1) == cudaSuccess);
    if (join) {
      REQUIRE(cudaEventRecord(event, second) == cudaSuccess);
      REQUIRE(cudaStreamWaitEvent(first, event, 0) == cudaSuccess);
    }
    cudaGraph_t graph = nullptr;
    const cudaError_t ended = cudaStreamEndCapture(first, &graph);
    CHECK((graph != nullptr) == join);
    cudaGraphDestroy(graph);
    return ended;
  };
  CHECK(captured(true) == cudaSuccess);
  CHECK(captured(false) == cudaErrorStreamCaptureUnjoined);
  cudaGetLastError();
  CHECK(captured(true) == cudaSuccess);
  cudaEventDestroy(event);
  cudaStreamDestroy(first);
  cudaStreamDestroy(second);
}

#if defined(NDEBUG)  // else launch() waits for every kernel
TEST_CASE("emulation: deferred work is done when somebody waits, and pinned memory is NaN until then",
          "[emulation][order]") {
  const AsUsual afterwards;
  emulation::set_deferred(true);
  Context ctx = Context::cuda();
  auto values = Buffer<float>::zeros(ctx, 4);
  Mailbox mailbox(ctx, 4 * sizeof(float));
  const auto* arrived = static_cast<const float*>(mailbox.data());
  launch(ctx, "add_one", {dim3(1), dim3(32)}, add_one, values.data());
  mailbox.post(ctx, std::array{Mailbox::Letter{0, values.data(), 4 * sizeof(float)}});
  CHECK(std::isnan(arrived[0]));
  launch(ctx, "add_one", {dim3(1), dim3(32)}, add_one, values.data());
  ctx.synchronize();
  CHECK(arrived[0] == 8);  // as it was when it was posted
  CHECK(values.to_host(ctx)[3] == 16);
}

TEST_CASE("emulation: a failure of deferred work is told by the wait", "[emulation][order]") {
  const AsUsual afterwards;
  emulation::set_deferred(true);
  Context ctx = Context::cuda();
  auto out = Buffer<float>::zeros(ctx, 64);
  launch(
      ctx, "planted", {dim3(1), dim3(64)},
      +[](float* v) {
        if (threadIdx.x == 0) __syncthreads();
        v[threadIdx.x] = 1;
      },
      out.data());
  CHECK_THROWS_WITH(ctx.synchronize(), Contains("divergent barrier"));
}
#endif

TEST_CASE("emulation: shared memory starts as NaN for each block", "[emulation]") {
  Context ctx = Context::cuda();
  auto out = Buffer<float>::zeros(ctx, 20);
  launch(ctx, "first_shared", {dim3(20), dim3(32), 32 * sizeof(float)}, first_shared, out.data());
  for (const float v : out.to_host(ctx)) CHECK(std::isnan(v));
  // That of a fixed size does where it is asked for; else a block finds what another of its thread left.
  const AsUsual afterwards;
  for (const bool poisoned : {true, false, true}) {
    emulation::poison_static_shared(poisoned);
    launch(ctx, "first_static_shared", {dim3(20), dim3(32)}, first_static_shared, out.data());
    const std::vector<float> found = out.to_host(ctx);
    CHECK(std::all_of(found.begin(), found.end(), [&](float v) { return std::isnan(v); }) == poisoned);
  }
}

TEST_CASE("emulation: launches are held to a device's limits", "[emulation]") {
  Context ctx = Context::cuda();
  auto out = Buffer<float>::zeros(ctx, 64);
  CHECK_THROWS_AS(launch(ctx, "planted", {dim3(1), dim3(1, 1, 65)}, add_one, out.data()), CudaError);
  // launch() asks for more than 48 KiB; a launch that has not asked is refused.
  cudaLaunchConfig_t config{dim3(1), dim3(32), 48 * 1024 + 4, cuda::stream_of(ctx)};
  CHECK(cudaLaunchKernelEx(&config, first_shared, out.data()) == cudaErrorInvalidValue);
  cudaGetLastError();
  CHECK_NOTHROW(launch(ctx, "planted", {dim3(1), dim3(32), 48 * 1024 + 4}, first_shared, out.data()));
}

TEST_CASE("emulation: additions are counted by address", "[emulation]") {
  Context ctx = Context::cuda();
  auto values = Buffer<float>::zeros(ctx, 4);
  emulation::start_counting_atomics();
  launch(ctx, "add_one", {dim3(3), dim3(34)}, add_one, values.data());
  const emulation::AtomicCounts counts = emulation::counted_atomics();
  CHECK(counts.additions == 3 * 34);
  CHECK(counts.addresses == 4);
  CHECK(counts.most == 3 * 9);
}

TEST_CASE("a training's stages are timed on the device, and it stays as it is", "[emulation][graph]") {
  Context cpu = Context::cpu(), ctx = Context::cuda();
  const Acquisition acquisition = test::small_simulation(cpu).acquisition;
  const Config config = test::small_config(20);
  Reconstructor timed(ctx, acquisition, config), other(ctx, acquisition, config);
  REQUIRE(timed.stage_seconds().front().first == "submitting steps");
  timed.time_stages_on_device(true);
  for (int i = 0; i < 3; ++i) timed.step();
  const auto stages = timed.stage_seconds();
  REQUIRE(stages.front().first == "field forward");
  for (const auto& [name, seconds] : stages) {
    CAPTURE(name);
    CHECK((seconds > 0) == (name != "total variation"));
  }
  timed.time_stages_on_device(false);
  for (int i = 0; i < 3; ++i) timed.step();
  for (int i = 0; i < 6; ++i) other.step();
  CHECK(timed.stage_seconds().front().first == "submitting steps");
  CHECK(timed.model().cloud.position_mm.to_host(ctx) == other.model().cloud.position_mm.to_host(ctx));
}

TEST_CASE("a captured step has few nodes and allocates nothing", "[emulation][graph]") {
  Context cpu = Context::cpu(), ctx = Context::cuda();
  const Acquisition acquisition = test::small_simulation(cpu).acquisition;
  Config config = test::small_config(20);
  config.density_control.first_step = 20;
  Reconstructor reconstructor(ctx, acquisition, config);
  for (int i = 0; i < 4; ++i) reconstructor.step();
  const std::size_t allocations = emulation::device(0).allocations;
  for (int i = 0; i < 4; ++i) reconstructor.step();
  CHECK(emulation::device(0).allocations == allocations);
  CAPTURE(emulation::device(0).graph_nodes);
  CHECK(emulation::device(0).graph_nodes <= 23);
  CHECK(emulation::device(0).graph_nodes > 20);  // there was a graph
}
