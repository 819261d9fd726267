// SPDX-License-Identifier: Apache-2.0
#pragma once
// Pixel data. Known to the sources that see DCMTK only.

#include "import/dicom_run.hpp"
#include "import/dicom_tags.hpp"

namespace dsasrgs {

/// Fills rows, columns and an empty entry of `frames` for each frame. Throws BadInput unless they are greyscale of 8 or
/// 16 bits, and no more than the file can hold.
void read_pixel_header(const DicomDataset&, DicomRun&);

/// Fills `values`, `valid` and `intensity`: every frame decoded, through the modality LUT, binned.
void read_pixels(const DicomDataset&, const DicomTags&, const std::stop_token&, DicomRun&);

}  // namespace dsasrgs
