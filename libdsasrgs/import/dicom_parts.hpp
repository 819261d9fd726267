// SPDX-License-Identifier: Apache-2.0
#pragma once
// The parts of a file's description, one reader each. Known to the sources that see DCMTK only.

#include "import/dicom_run.hpp"
#include "import/dicom_tags.hpp"

namespace dsasrgs {

/// Distances, angles, pixel spacing, where the isocentre is projected, and warnings of what is not followed. What
/// `tags` say by hand counts instead of the file.
void read_geometry(const DicomDataset&, const DicomTags&, DicomRun&);

/// DicomFrame::time_s, start_s and instance.
void read_times(const DicomDataset&, const DicomTags&, DicomRun&);

/// Mask Subtraction Sequence and shifts of single frames.
void read_masks(const DicomDataset&, const DicomTags&, DicomRun&);

/// Shutters and collimators of each frame.
void read_shutters(const DicomDataset&, DicomRun&);
/// Clears pixels of `valid` that a bitmap shutter hides.
void hide_behind_bitmap(const DicomDataset&, DicomRun&);

}  // namespace dsasrgs
