// SPDX-License-Identifier: Apache-2.0
// Acquisitions, and what is said of those that are read.
#include "bundle.hpp"
#include "dsasrgs/fingerprint.hpp"
#include "dsasrgs/io.hpp"
#include "dsasrgs/plausibility.hpp"
#include "dsasrgs/splits.hpp"
#include "harness.hpp"

using namespace dsasrgs;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::read_bundle(data, size, [] {
    const Acquisition a = read_acquisition(fuzz::hdf5_file());
    implausibilities(a);
    measurement_fingerprint(a, all_views(a));
  });
  return 0;
}
