// SPDX-License-Identifier: Apache-2.0
// Checkpoints of a network's training.
#include "bundle.hpp"
#include "harness.hpp"
#include "network/network_training.hpp"

using namespace dsasrgs;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::read_bundle(data, size, [] { read_network_checkpoint(fuzz::hdf5_file()); });
  return 0;
}
