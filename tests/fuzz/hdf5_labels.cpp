// SPDX-License-Identifier: Apache-2.0
// Pseudo-labels of a small acquisition.
#include "bundle.hpp"
#include "dsasrgs/pseudo_labels.hpp"
#include "harness.hpp"
#include "support/small_acquisition.hpp"

using namespace dsasrgs;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Acquisition a = test::small_acquisition();
  fuzz::read_bundle(data, size, [] {
    const PseudoLabels labels = PseudoLabels::open(fuzz::hdf5_file(), a);
    labels.check_all();
    if (labels.has_false_vessel_mask())
      for (const int view : labels.views()) labels.read_false_vessel_mask(view);
  });
  return 0;
}
