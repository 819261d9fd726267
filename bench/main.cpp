// SPDX-License-Identifier: Apache-2.0
// CUDA may only be asked which devices there are once main() has begun, so benchmarks are registered here.

#include <benchmark/benchmark.h>

#include "measure.hpp"

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  dsasrgs::bench::AtStart::run();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
