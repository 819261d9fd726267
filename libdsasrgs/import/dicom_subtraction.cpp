// SPDX-License-Identifier: Apache-2.0
// Masks: which frames, and how they are subtracted (PS3.3 C.7.6.10). Free of DCMTK.

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "import/dicom_run.hpp"
#include "percentile.hpp"

namespace dsasrgs {

namespace {

constexpr float kNotThere = std::numeric_limits<float>::quiet_NaN();

bool is_in_ranges(const DicomMask& mask, int frame) {
  return std::any_of(mask.ranges.begin(), mask.ranges.end(),
                     [&](const auto& range) { return frame >= range[0] && frame <= range[1]; });
}

/// The mask's frames of a contrast frame; empty where the item is not for it. All from 1.
std::vector<int> mask_frames_of(const DicomMask& mask, int frame, int num_frames) {
  if (!mask.ranges.empty() && !is_in_ranges(mask, frame)) return {};
  switch (mask.operation) {
    case DicomMask::Operation::average:
      if (mask.ranges.empty() && frame > num_frames - mask.contrast_averaging + 1) return {};
      return mask.mask_frames;
    case DicomMask::Operation::difference: {
      const int other = frame - mask.offset;
      if (mask.ranges.empty() && (other < 1 || other > num_frames)) return {};
      return {other};
    }
    case DicomMask::Operation::reversed_difference: {
      const int first = mask.ranges.front()[0];
      return {first - mask.offset - (frame - first)};
    }
  }
  return {};
}

void require_frames(const DicomRun& run, const DicomMask& mask, const std::vector<int>& frames, int of) {
  const int last = static_cast<int>(run.frames.size());
  for (const int frame : frames)
    if (frame < 1 || frame > last)
      throw BadInput(run.name, mask.by_hand ? "tags.mask_frames" : "(0028,6100) MaskSubtractionSequence",
                     "frames 1 to " + std::to_string(last) + " for frame " + std::to_string(of), std::to_string(frame));
}

void require_ranges(const DicomRun& run) {
  const int last = static_cast<int>(run.frames.size());
  for (const DicomMask& mask : run.masks)
    for (const auto& [from, to] : mask.ranges)
      if (from < 1 || from > to || to > last)
        throw BadInput(run.name, "(0028,6102) ApplicableFrameRange",
                       "ranges within frames 1 to " + std::to_string(last) + ", or tags.mask_frames by hand",
                       std::to_string(from) + " to " + std::to_string(to));
}

/// The view that an item makes of a frame; frames from 0 of those from 1.
SubtractedFrame subtracted(const DicomRun& run, const DicomMask& mask, int frame, const std::vector<int>& of_mask) {
  SubtractedFrame view;
  view.frame = frame - 1;
  for (int f = frame; f < frame + mask.contrast_averaging; ++f) view.contrast.push_back(f - 1);
  for (const int f : of_mask) view.mask.push_back(f - 1);
  view.mask_shift_px = mask.shift_px;
  for (const auto& [id, shift] : run.frames[static_cast<std::size_t>(view.frame)].mask_shifts)
    if (mask.id == id) view.mask_shift_px = shift;
  return view;
}

bool is_same(const SubtractedFrame& a, const SubtractedFrame& b) {
  return a.contrast == b.contrast && a.mask == b.mask && a.mask_shift_px.x == b.mask_shift_px.x &&
         a.mask_shift_px.y == b.mask_shift_px.y;
}

/// Mean of frames [H,W] in what they are stored as, counts or logarithms.
std::vector<float> mean_of(const DicomRun& run, const std::vector<int>& frames) {
  std::vector<float> mean = host_vector<float>(run.num_pixels());
  const double share = 1.0 / static_cast<double>(frames.size());
  for (std::size_t i = 0; i < mean.size(); ++i) {
    double sum = 0;
    for (const int frame : frames) sum += static_cast<double>(run.frame(frame)[i]);
    mean[i] = static_cast<float>(sum * share);
  }
  return mean;
}

/// The image moved by `shift` pixels, bilinear; NaN where nothing is known.
std::vector<float> shifted(const std::vector<float>& image, int width, int height, Vec2d shift) {
  if (shift.x == 0 && shift.y == 0) return image;
  std::vector<float> moved = host_vector<float>(image.size(), kNotThere);
  for (int row = 0; row < height; ++row)
    for (int column = 0; column < width; ++column) {
      const double x = column - shift.x, y = row - shift.y;
      if (!(x >= 0 && y >= 0 && x <= width - 1 && y <= height - 1)) continue;
      const int left = std::min(static_cast<int>(x), std::max(width - 2, 0));
      const int up = std::min(static_cast<int>(y), std::max(height - 2, 0));
      const double right = x - left, down = y - up;
      const auto at = [&](int r, int c, double weight) {
        return weight == 0 ? 0 : weight * static_cast<double>(image[static_cast<std::size_t>(r) * width + c]);
      };
      const double value = at(up, left, (1 - right) * (1 - down)) + at(up, left + 1, right * (1 - down)) +
                           at(up + 1, left, (1 - right) * down) + at(up + 1, left + 1, right * down);
      moved[static_cast<std::size_t>(row) * width + column] = static_cast<float>(value);
    }
  return moved;
}

/// ln of the intensity, NaN where there is none.
double logarithm(const DicomRun& run, float value) {
  const auto v = static_cast<double>(value);
  if (run.intensity == DicomIntensity::logarithmic) return v;
  return v > 0 ? std::log(v) : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

std::vector<SubtractedFrame> plan_subtraction(const DicomRun& run) {
  require_ranges(run);
  const int num_frames = static_cast<int>(run.frames.size());
  constexpr std::size_t kMostAveraged = std::size_t{1} << 18;  // a run of 500 frames, each of 500
  std::size_t averaged = 0;
  std::vector<SubtractedFrame> plan;
  for (int frame = 1; frame <= num_frames; ++frame) {
    std::optional<SubtractedFrame> view;
    for (const DicomMask& mask : run.masks) {
      const std::vector<int> of_mask = mask_frames_of(mask, frame, num_frames);
      if (of_mask.empty()) continue;
      averaged += of_mask.size() + static_cast<std::size_t>(mask.contrast_averaging);
      if (averaged > kMostAveraged)
        throw BadInput(run.name, "(0028,6100) MaskSubtractionSequence",
                       "at most " + std::to_string(kMostAveraged) + " frames to average, of all views together",
                       "more");
      SubtractedFrame found = subtracted(run, mask, frame, of_mask);
      if (view && !is_same(*view, found))
        throw BadInput(run.name, "(0028,6100) MaskSubtractionSequence",
                       "one mask for each frame, or tags.mask_frames by hand",
                       "items that say different ones of frame " + std::to_string(frame));
      if (view) continue;
      require_frames(run, mask, of_mask, frame);
      require_frames(run, mask, {frame, frame + mask.contrast_averaging - 1}, frame);
      if (std::find(of_mask.begin(), of_mask.end(), frame) != of_mask.end()) break;  // nothing would be left of it
      view = std::move(found);
    }
    if (view) plan.push_back(std::move(*view));
  }
  return plan;
}

std::vector<float> mask_image(const DicomRun& masks, const SubtractedFrame& view) {
  return shifted(mean_of(masks, view.mask), masks.width(), masks.height(),
                 {view.mask_shift_px.x / masks.bin, view.mask_shift_px.y / masks.bin});
}

void subtract_frames(const DicomRun& run, const std::vector<int>& contrast, const DicomRun& masks,
                     std::span<const float> mask, std::span<float> line_integral, std::span<float> log_mask,
                     std::span<std::uint8_t> valid) {
  const std::vector<float> fill = mean_of(run, contrast);
  for (std::size_t i = 0; i < fill.size(); ++i) {
    const double of_mask = logarithm(masks, mask[i]), value = of_mask - logarithm(run, fill[i]);
    if (!std::isfinite(value)) valid[i] = 0;
    line_integral[i] = valid[i] != 0 ? static_cast<float>(value) : 0.0f;
    if (!log_mask.empty()) log_mask[i] = valid[i] != 0 ? static_cast<float>(of_mask) : 0.0f;
  }
}

void subtract_background(const DicomRun& run, int frame, std::span<float> line_integral,
                         std::span<std::uint8_t> valid) {
  const std::span<const float> fill = run.frame(frame);
  std::vector<double> known;
  known.reserve(fill.size());
  for (std::size_t i = 0; i < fill.size(); ++i) {
    if (!std::isfinite(logarithm(run, fill[i]))) valid[i] = 0;
    if (valid[i] != 0) known.push_back(logarithm(run, fill[i]));
  }
  const double background = known.empty() ? 0 : percentile(known, 0.5);
  for (std::size_t i = 0; i < fill.size(); ++i)
    line_integral[i] = valid[i] != 0 ? static_cast<float>(background - logarithm(run, fill[i])) : 0.0f;
}

}  // namespace dsasrgs
