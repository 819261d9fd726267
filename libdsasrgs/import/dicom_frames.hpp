// SPDX-License-Identifier: Apache-2.0
#pragma once
// Stored pixels of frames, decoded. Known to the sources that see DCMTK only.

#include <dcmtk/dcmdata/dcfcache.h>

#include <cstddef>
#include <string>
#include <vector>

#include "import/dicom_run.hpp"
#include "import/dicom_tags.hpp"
#include "import/dicom_values.hpp"

namespace dsasrgs {

/// Frames one after the other, from the first on.
class DicomFrames {
 public:
  /// Throws BadInput where there are no pixels, or not as many.
  DicomFrames(const DicomDataset&, const DicomExtents&, const StoredBits&);

  const StoredBits& bits() const { return bits_; }

  /// Stored values [H,W] of the next frame, from StoredBits::least() on, as indices from 0. Throws BadInput where the
  /// frame is damaged or of another size or depth than the data set says.
  void read(std::vector<int>& indices);

 private:
  enum class Coding { none, jpeg, rle };
  void require_coded_size();
  void require_one_picture(Uint32 first) const;
  void require_all_read() const;
  void require_stored_bits(int word) const;
  [[noreturn]] void refuse_frame(const std::string& found) const;

  const DicomDataset& file_;
  StoredBits bits_;
  int rows_, columns_;
  int overlays_ = 0;                // bits of a word that are no value's
  std::size_t num_frames_, bytes_;  // of a frame
  Coding coding_ = Coding::none;
  DcmPixelData* pixels_ = nullptr;
  DcmPixelSequence* fragments_ = nullptr;
  std::vector<Uint16> buffer_;
  DcmFileCache cache_;
  std::size_t frame_ = 0;
  Uint32 fragment_ = 0;  // 0: DCMTK looks for it
};

}  // namespace dsasrgs
