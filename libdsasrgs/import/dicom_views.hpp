// SPDX-License-Identifier: Apache-2.0
#pragma once
// Views of runs. Free of DCMTK.

#include <cstdint>
#include <span>
#include <vector>

#include "import/dicom_run.hpp"

namespace dsasrgs {

/// Where source and detector were for a frame of a run, in patient LPS; its time is that of the frame.
Pose pose_of(const DicomRun&, const DicomFrame&);

/// Makes views of runs, one after the other, and adds them to the acquisition.
class ViewMaker {
 public:
  ViewMaker(const DicomImportOptions& options, ImportedCase& imported) : options_(options), imported_(imported) {}

  /// `mask_run`: null where the run has masks of its own. Times of the poses are since the run's first frame.
  void add(const DicomRun&, const DicomRun* mask_run);

 private:
  void require_same_detector(const DicomRun&);
  /// All [H,W]; the mask's logarithm only where masks are kept, else empty.
  struct View {
    std::vector<float> line_integral, log_mask;
    std::vector<std::uint8_t> valid;
  };
  void subtract(const DicomRun&, const DicomRun* mask_run, const SubtractedFrame&, View&);
  void add_view(const DicomRun&, int frame, const View&);

  const DicomImportOptions& options_;
  ImportedCase& imported_;
  // Of the last view: most have the same again.
  std::vector<float> mask_;
  std::vector<int> mask_frames_;
  Vec2d mask_shift_px_;
  std::vector<DicomShutter> shutters_;
  std::vector<std::uint8_t> not_hidden_;
};

}  // namespace dsasrgs
