// SPDX-License-Identifier: Apache-2.0
// Checkpoints of a reconstruction.
#include "bundle.hpp"
#include "dsasrgs/context.hpp"
#include "harness.hpp"
#include "train/checkpoint.hpp"

using namespace dsasrgs;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Context ctx = Context::cpu(1);
  fuzz::read_bundle(data, size, [] { read_checkpoint(ctx, fuzz::hdf5_file()); });
  return 0;
}
