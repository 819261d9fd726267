// SPDX-License-Identifier: Apache-2.0
#pragma once
// What stored values mean (PS3.3 C.8.7.1.1.2, C.8.19.6.4, C.11.1). Known to the sources that see DCMTK only.

#include <vector>

#include "import/dicom_run.hpp"
#include "import/dicom_tags.hpp"

namespace dsasrgs {

/// How pixels lie in their words.
struct StoredBits {
  int allocated = 16, stored = 16, high = 15;
  bool is_signed = false;

  int least() const { return is_signed ? -(1 << (stored - 1)) : 0; }
  int most() const { return is_signed ? (1 << (stored - 1)) - 1 : (1 << stored) - 1; }
};

/// Values of pixels by what is stored.
struct ValueMap {
  DicomIntensity intensity = DicomIntensity::linear;
  std::vector<float> values;  ///< of StoredBits::least(), least() + 1, …: counts, or logarithms of them
};

/// What stored values of a frame (from 0) become; says in `run` what was done. Throws BadInput where nothing tells
/// counts from the values.
ValueMap value_map(const DicomDataset&, const DicomTags&, const StoredBits&, std::size_t frame, DicomRun& run);
/// Whether frames have maps of their own.
bool has_value_map_per_frame(const DicomDataset&);

}  // namespace dsasrgs
