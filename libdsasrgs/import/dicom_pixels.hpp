// SPDX-License-Identifier: Apache-2.0
#pragma once
// Pixel data. Known to the sources that see DCMTK only.

#include <functional>
#include <memory>
#include <span>

#include "import/dicom_frames.hpp"
#include "import/dicom_run.hpp"
#include "import/dicom_tags.hpp"

namespace dsasrgs {

/// Fills rows, columns and an empty entry of `frames` for each frame. Throws BadInput unless they are greyscale of 8 or
/// 16 bits, and as many as the file has.
std::unique_ptr<DicomFrames> read_pixel_header(const DicomDataset&, DicomRun&);

/// Gives every frame to `add`: decoded, through the modality LUT, binned [H,W]. Fills `valid` and `intensity`.
void read_pixels(const DicomDataset&, DicomFrames&, const DicomTags&, const std::stop_token&,
                 const std::function<void(std::span<const float>)>& add, DicomRun&);

}  // namespace dsasrgs
