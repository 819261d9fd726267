// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a child does that reads a picture or a DICOM file as a whole (files/reading_server.hpp).

#include <string_view>

#include "files/reading_server.hpp"

namespace dsasrgs {

/// Answers the one question there is: what `message` (DicomQuestion) asks. First rows, columns and frames, then each
/// frame's values, then the run without them.
void serve_dicom(const ServedFile&, std::string_view message);
/// The same of a TIFF file, of which `message` is the name: width and height, and then the pixels.
void serve_tiff(const ServedFile&, std::string_view message);

}  // namespace dsasrgs
