// SPDX-License-Identifier: Apache-2.0
// Networks.
#include "bundle.hpp"
#include "dsasrgs/super_resolver.hpp"
#include "harness.hpp"

using namespace dsasrgs;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Context ctx = Context::cpu(1);
  fuzz::read_bundle(data, size, [] { SuperResolver::open(ctx, fuzz::hdf5_file()); });
  return 0;
}
