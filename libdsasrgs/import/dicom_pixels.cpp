// SPDX-License-Identifier: Apache-2.0
#include "import/dicom_pixels.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "common/plain_number.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "import/dicom_frames.hpp"
#include "number_text.hpp"

namespace dsasrgs {

namespace {

constexpr int kByte = 8;

StoredBits stored_bits(const DicomDataset& file) {
  constexpr int kWord = 16;
  DcmItem& root = file.root();
  StoredBits bits;
  bits.allocated = file.integer(root, DCM_BitsAllocated, kByte, kWord).value_or(kWord);
  if (bits.allocated != kByte && bits.allocated != kWord)
    file.refuse(DCM_BitsAllocated, "8 or 16", std::to_string(bits.allocated));
  bits.stored = file.integer(root, DCM_BitsStored, 1, bits.allocated).value_or(bits.allocated);
  bits.high = file.integer(root, DCM_HighBit, bits.stored - 1, bits.allocated - 1).value_or(bits.stored - 1);
  bits.is_signed = file.integer(root, DCM_PixelRepresentation, 0, 1).value_or(0) == 1;
  return bits;
}

/// Pixels that are as dark or bright as any and the same in all frames: text, borders, defects. Their neighbours that
/// do not change either are text's smoothed edges.
class Unchanging {
 public:
  Unchanging(int rows, int columns)
      : columns_(columns), first_(host_vector<int>(static_cast<std::size_t>(rows) * columns)) {
    same_ = host_vector<std::uint8_t>(first_.size(), 1);
  }

  void add(const std::vector<int>& indices) {
    for (std::size_t i = 0; i < indices.size(); ++i) {
      if (count_ == 0) first_[i] = indices[i];
      if (indices[i] != first_[i]) same_[i] = 0;
    }
    const auto [least, most] = std::minmax_element(indices.begin(), indices.end());
    least_ = count_ == 0 ? *least : std::min(least_, *least);
    most_ = count_ == 0 ? *most : std::max(most_, *most);
    ++count_;
  }

  /// Clears `valid` [H,W] of bin × bin pixels; returns how many stored pixels that were.
  std::size_t hide(int bin, std::vector<std::uint8_t>& valid) const {
    constexpr int kFewestFrames = 8;  // of fewer, noise can be the same
    if (count_ < kFewestFrames || least_ == most_) return 0;
    std::size_t hidden = 0;
    const int rows = static_cast<int>(same_.size() / static_cast<std::size_t>(columns_));
    for (int row = 0; row < rows; ++row)
      for (int column = 0; column < columns_; ++column) {
        if (same_[at(row, column)] == 0 || !is_by_extreme(row, column, rows)) continue;
        ++hidden;
        const int r = row / bin, c = column / bin;
        if (r < rows / bin && c < columns_ / bin)
          valid[static_cast<std::size_t>(r) * static_cast<std::size_t>(columns_ / bin) + static_cast<std::size_t>(c)] =
              0;
      }
    return hidden;
  }

 private:
  std::size_t at(int row, int column) const {
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(columns_) + static_cast<std::size_t>(column);
  }
  bool is_by_extreme(int row, int column, int rows) const {
    for (int r = std::max(row - 1, 0); r <= std::min(row + 1, rows - 1); ++r)
      for (int c = std::max(column - 1, 0); c <= std::min(column + 1, columns_ - 1); ++c)
        if (same_[at(r, c)] != 0 && (first_[at(r, c)] == least_ || first_[at(r, c)] == most_)) return true;
    return false;
  }

  int columns_;
  std::vector<int> first_;
  std::vector<std::uint8_t> same_;
  int least_ = 0, most_ = 0, count_ = 0;
};

/// Means of bin × bin values; NaN where one of them is.
void bin_frame(const std::vector<int>& indices, const std::vector<float>& value_of, const DicomRun& run,
               float* binned) {
  const int bin = run.bin;
  for (int row = 0; row < run.height(); ++row)
    for (int column = 0; column < run.width(); ++column) {
      double sum = 0;
      for (int r = row * bin; r < (row + 1) * bin; ++r)
        for (int c = column * bin; c < (column + 1) * bin; ++c)
          sum += static_cast<double>(value_of[static_cast<std::size_t>(
              indices[static_cast<std::size_t>(r) * static_cast<std::size_t>(run.columns) +
                      static_cast<std::size_t>(c)])]);
      *binned++ = static_cast<float>(sum / (bin * bin));
    }
}

}  // namespace

std::unique_ptr<DicomFrames> read_pixel_header(const DicomDataset& file, DicomRun& run) {
  DcmItem& root = file.root();
  const auto side = [&](const DcmTagKey& tag) {
    const std::optional<int> found = file.integer(root, tag, 1, DicomExtents::kMostSide);
    if (!found) file.refuse(tag, "1 to 65535", "no such tag");
    return *found;
  };
  run.rows = side(DCM_Rows);
  run.columns = side(DCM_Columns);
  const int frames = file.integer(root, DCM_NumberOfFrames, 1, DicomExtents::kMostFrames).value_or(1);
  if (const int samples = file.integer(root, DCM_SamplesPerPixel, 1, 4).value_or(1); samples != 1)
    file.refuse(DCM_SamplesPerPixel, "1: greyscale, whose values tell the X-ray intensity",
                std::to_string(samples) + ", a picture in colour");
  if (!file.text(root, DCM_PhotometricInterpretation).starts_with("MONOCHROME"))
    file.refuse(DCM_PhotometricInterpretation, "MONOCHROME1 or MONOCHROME2",
                file.text(root, DCM_PhotometricInterpretation));
  if (const std::size_t items = file.num_per_frame(); items != 0 && items != static_cast<std::size_t>(frames))
    file.refuse(DCM_PerFrameFunctionalGroupsSequence, std::to_string(frames) + " items, one for each frame",
                std::to_string(items));
  const DicomExtents extents{run.rows, run.columns, frames};
  if (!extents.can_be_in(file.file_bytes()))
    file.refuse(DCM_NumberOfFrames,
                "no more pixels than a file of " + std::to_string(file.file_bytes()) + " bytes holds",
                std::to_string(frames) + " x " + std::to_string(run.rows) + " x " + std::to_string(run.columns));
  auto pixels = std::make_unique<DicomFrames>(file, extents, stored_bits(file));
  run.frames.resize(static_cast<std::size_t>(frames));
  return pixels;
}

void read_pixels(const DicomDataset& file, DicomFrames& frames, const DicomTags& tags, const std::stop_token& stop,
                 const std::function<void(std::span<const float>)>& add, DicomRun& run) {
  const StoredBits bits = frames.bits();
  // Memory for images is taken when there is one: a damaged file may claim any size.
  std::vector<int> indices;
  std::vector<float> binned;
  std::optional<Unchanging> unchanging;
  const bool per_frame = has_value_map_per_frame(file);
  ValueMap map;
  std::size_t at_most = 0;
  for (std::size_t frame = 0; frame < run.frames.size(); ++frame) {
    if (stop.stop_requested()) throw Cancelled("import of DICOM: stopped, as the caller asked");
    if (frame == 0 || per_frame) {
      const DicomIntensity before = map.intensity;
      map = value_map(file, tags, bits, frame, run);
      if (frame > 0 && map.intensity != before)
        file.refuse(DCM_PixelIntensityRelationship, "the same for all frames",
                    "another for frame " + std::to_string(frame + 1));
      if (tags.saturation)
        for (int stored = bits.least(); stored <= bits.most(); ++stored)
          if (stored >= *tags.saturation)
            map.values[static_cast<std::size_t>(stored - bits.least())] = std::numeric_limits<float>::quiet_NaN();
    }
    frames.read(indices);
    if (frame == 0) {
      binned = host_vector<float>(run.num_pixels());
      run.valid = host_vector<std::uint8_t>(run.num_pixels(), 1);
      unchanging.emplace(run.rows, run.columns);
    }
    unchanging->add(indices);
    at_most += static_cast<std::size_t>(std::count(indices.begin(), indices.end(), bits.most() - bits.least()));
    bin_frame(indices, map.values, run, binned.data());
    add(binned);
  }
  run.intensity = map.intensity;
  if (const std::size_t hidden = unchanging->hide(run.bin, run.valid); hidden > 0)
    run.found.push_back(
        "pixels that never change, at the darkest or brightest value (burnt-in text, borders, defects): " +
        std::to_string(hidden));
  constexpr double kManySaturated = 0.005;
  const double share = static_cast<double>(at_most) / static_cast<double>(indices.size() * run.frames.size());
  if (!tags.saturation && run.intensity == DicomIntensity::linear && share > kManySaturated)
    run.warnings.push_back(run.name + ": " + rounded_text(100 * share) + " % of the pixels are at the largest value, " +
                           std::to_string(bits.most()) +
                           ": if the detector is saturated there, give tags.saturation by hand");
}

}  // namespace dsasrgs
