// SPDX-License-Identifier: Apache-2.0
// Compressed NIfTI files, damaged as they lie on disk.
#include "nifti.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dsasrgs::fuzz::read_volume("v.nii.gz", dsasrgs::fuzz::text_of(data, size));
  return 0;
}
