// SPDX-License-Identifier: Apache-2.0
// The Mask Module and what hides pixels (PS3.3 C.7.6.10, C.7.6.11, C.8.7.3), as the file says it.

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "common/plain_number.hpp"
#include "dsasrgs/error.hpp"
#include "import/dicom_parts.hpp"

namespace dsasrgs {

namespace {

/// Frame numbers; from 1 or not is looked at when the subtraction is planned.
std::vector<int> frame_numbers(const DicomDataset& file, DcmItem& item, const DcmTagKey& tag) {
  std::vector<int> frames;
  for (const double number : file.numbers(item, tag)) {
    if (number < 1 || number > 1e6 || number != static_cast<int>(number))
      file.refuse(tag, "frames from 1 on", plain_number(number));
    frames.push_back(static_cast<int>(number));
  }
  return frames;
}

/// A frame that stands twice, which would count twice in the mean.
std::optional<int> repeated(std::vector<int> frames) {
  std::sort(frames.begin(), frames.end());
  const auto found = std::adjacent_find(frames.begin(), frames.end());
  if (found == frames.end()) return std::nullopt;
  return *found;
}

Vec2d shift_of(const DicomDataset& file, DcmItem& item) {
  const std::vector<double> shift = file.numbers(item, DCM_MaskSubPixelShift);
  constexpr double kFar = 1e5;
  if (shift.empty()) return {};
  if (shift.size() != 2 || std::abs(shift[0]) > kFar || std::abs(shift[1]) > kFar)
    file.refuse(DCM_MaskSubPixelShift, "two values, vertical and horizontal pixels", std::to_string(shift.size()));
  return {shift[1], shift[0]};
}

std::optional<DicomMask> mask_of(const DicomDataset& file, DcmItem& item, int num_frames) {
  const std::string operation = file.text(item, DCM_MaskOperation);
  DicomMask mask;
  if (operation == "NONE" || operation.empty()) return std::nullopt;
  if (operation == "AVG_SUB")
    mask.operation = DicomMask::Operation::average;
  else if (operation == "TID")
    mask.operation = DicomMask::Operation::difference;
  else if (operation == "REV_TID")
    mask.operation = DicomMask::Operation::reversed_difference;
  else
    file.refuse(DCM_MaskOperation, "NONE, AVG_SUB, TID or REV_TID", operation);
  const std::vector<int> ends = frame_numbers(file, item, DCM_ApplicableFrameRange);
  if (ends.size() % 2 != 0)
    file.refuse(DCM_ApplicableFrameRange, "pairs of frames", std::to_string(ends.size()) + " numbers");
  for (std::size_t i = 0; i < ends.size(); i += 2) mask.ranges.push_back({ends[i], ends[i + 1]});
  if (mask.operation == DicomMask::Operation::reversed_difference && ends.empty())
    file.refuse(DCM_ApplicableFrameRange, "the range that REV_TID is for", "no such tag");
  if (mask.operation == DicomMask::Operation::average) {
    mask.mask_frames = frame_numbers(file, item, DCM_MaskFrameNumbers);
    if (mask.mask_frames.empty()) file.refuse(DCM_MaskFrameNumbers, "the frames of the mask", "none");
    if (const auto twice = repeated(mask.mask_frames))
      file.refuse(DCM_MaskFrameNumbers, "each frame once", std::to_string(*twice) + " twice");
  }
  constexpr int kShort = 32767;
  mask.contrast_averaging = file.integer(item, DCM_ContrastFrameAveraging, 1, num_frames).value_or(1);
  mask.offset = file.integer(item, DCM_TIDOffset, -kShort, kShort).value_or(1);
  mask.shift_px = shift_of(file, item);
  mask.id = file.integer(item, DCM_SubtractionItemID, 0, 2 * kShort + 1);
  return mask;
}

struct ShutterTags {
  DcmTagKey shape, left, right, upper, lower, center, radius, vertices;
};
const ShutterTags kShutter{DCM_ShutterShape,
                           DCM_ShutterLeftVerticalEdge,
                           DCM_ShutterRightVerticalEdge,
                           DCM_ShutterUpperHorizontalEdge,
                           DCM_ShutterLowerHorizontalEdge,
                           DCM_CenterOfCircularShutter,
                           DCM_RadiusOfCircularShutter,
                           DCM_VerticesOfThePolygonalShutter};
const ShutterTags kCollimator{DCM_CollimatorShape,
                              DCM_CollimatorLeftVerticalEdge,
                              DCM_CollimatorRightVerticalEdge,
                              DCM_CollimatorUpperHorizontalEdge,
                              DCM_CollimatorLowerHorizontalEdge,
                              DCM_CenterOfCircularCollimator,
                              DCM_RadiusOfCircularCollimator,
                              DCM_VerticesOfThePolygonalCollimator};

DicomShutter shutter_of(const DicomDataset& file, DcmItem& item, const ShutterTags& tags) {
  DicomShutter shutter;
  const std::vector<std::string> shapes = file.texts(item, tags.shape);
  const auto has = [&](std::string_view shape) {
    return std::find(shapes.begin(), shapes.end(), shape) != shapes.end();
  };
  const auto number = [&](const DcmTagKey& tag) {
    const std::optional<double> found = file.number(item, tag);
    if (!found) file.refuse(tag, "a number, as the shape asks for", "no such tag");
    return *found;
  };
  if (has("RECTANGULAR"))
    shutter.edges = {number(tags.left), number(tags.right), number(tags.upper), number(tags.lower)};
  if (has("CIRCULAR")) {
    const std::vector<double> center = file.numbers(item, tags.center);
    if (center.size() != 2) file.refuse(tags.center, "row and column", std::to_string(center.size()) + " numbers");
    shutter.circle = {center[0], center[1], number(tags.radius)};
  }
  if (has("POLYGONAL")) {
    shutter.polygon = file.numbers(item, tags.vertices);
    constexpr std::size_t kTriangle = 6, kMostCorners = 1024;
    if (shutter.polygon.size() % 2 != 0 || shutter.polygon.size() < kTriangle || shutter.polygon.size() > kMostCorners)
      file.refuse(tags.vertices, "rows and columns of 3 to 512 corners",
                  std::to_string(shutter.polygon.size()) + " numbers");
  }
  return shutter;
}

void warn_of_unknown_shape(const DicomDataset& file, DcmItem& item, const DcmTagKey& tag, DicomRun& run) {
  constexpr std::array<std::string_view, 4> kShapes{"RECTANGULAR", "CIRCULAR", "POLYGONAL", "BITMAP"};
  for (const std::string& shape : file.texts(item, tag)) {
    if (shape.empty() || std::find(kShapes.begin(), kShapes.end(), shape) != kShapes.end()) continue;
    const std::string warning = run.name + ": " + tag_name(tag) + " is " + shape +
                                ": expected RECTANGULAR, CIRCULAR, POLYGONAL or BITMAP: what it hides counts";
    if (std::find(run.warnings.begin(), run.warnings.end(), warning) == run.warnings.end())
      run.warnings.push_back(warning);
  }
}

}  // namespace

void read_masks(const DicomDataset& file, const DicomTags& tags, DicomRun& run) {
  if (!tags.mask_frames.empty()) {
    if (const auto twice = repeated(tags.mask_frames))
      throw BadInput(run.name, "tags.mask_frames", "each frame once", std::to_string(*twice) + " twice");
    DicomMask mask;
    mask.mask_frames = tags.mask_frames;
    mask.by_hand = true;
    run.masks.push_back(std::move(mask));
  } else {
    for (DcmItem* const item : file.items(file.root(), DCM_MaskSubtractionSequence))
      if (auto mask = mask_of(file, *item, static_cast<int>(run.frames.size()))) run.masks.push_back(std::move(*mask));
  }
  if (tags.mask_shift_px) {
    for (DicomMask& mask : run.masks) mask.shift_px = *tags.mask_shift_px;
    return;
  }
  for (std::size_t f = 0; f < run.frames.size(); ++f)
    for (DcmItem* const item : file.group_items(f, DCM_FramePixelShiftSequence))
      if (const auto id = file.integer(*item, DCM_SubtractionItemID, 0, 65535))
        run.frames[f].mask_shifts.emplace_back(*id, shift_of(file, *item));
}

void read_shutters(const DicomDataset& file, DicomRun& run) {
  const auto add = [&](DicomFrame& frame, DcmItem& item, const ShutterTags& tags) {
    warn_of_unknown_shape(file, item, tags.shape, run);
    DicomShutter shutter = shutter_of(file, item, tags);
    if (!shutter.is_empty()) frame.shutters.push_back(std::move(shutter));
  };
  for (std::size_t f = 0; f < run.frames.size(); ++f) {
    DicomFrame& frame = run.frames[f];
    if (f == 0 || file.is_per_frame(DCM_FrameDisplayShutterSequence) ||
        file.is_per_frame(DCM_CollimatorShapeSequence)) {
      add(frame, file.root(), kShutter);
      add(frame, file.root(), kCollimator);
      for (DcmItem* const item : file.group_items(f, DCM_FrameDisplayShutterSequence)) add(frame, *item, kShutter);
      for (DcmItem* const item : file.group_items(f, DCM_CollimatorShapeSequence)) add(frame, *item, kCollimator);
    } else {
      frame.shutters = run.frames.front().shutters;
    }
  }
}

void hide_behind_bitmap(const DicomDataset& file, DicomRun& run) {
  OFString shapes;
  DcmItem& root = file.root();
  if (root.findAndGetOFStringArray(DCM_ShutterShape, shapes).bad() || shapes.find("BITMAP") == OFString_npos) return;
  constexpr Uint16 kRows = 0x0010, kColumns = 0x0011, kData = 0x3000;
  const auto group = static_cast<Uint16>(file.integer(root, DCM_ShutterOverlayGroup, 0x6000, 0x60ff).value_or(0x6000));
  const DcmTagKey data(group, kData);
  const auto refuse = [&](const std::string& found) {
    file.refuse(data, "the shutter's overlay, a bit for each pixel", found);
  };
  if (file.number(root, DcmTagKey(group, kRows)) != run.rows ||
      file.number(root, DcmTagKey(group, kColumns)) != run.columns)
    refuse("another size than the image's");
  DcmElement* element = nullptr;
  const std::size_t pixels = static_cast<std::size_t>(run.rows) * static_cast<std::size_t>(run.columns);
  constexpr std::size_t kByte = 8;
  if (root.findAndGetElement(data, element).bad() || element == nullptr || element->getLength() > file.file_bytes() ||
      element->getLength() < (pixels + kByte - 1) / kByte)
    refuse("fewer bits");
  const Uint16* words = nullptr;
  const Uint8* bytes = nullptr;
  if (root.findAndGetUint16Array(data, words).bad() && root.findAndGetUint8Array(data, bytes).bad())
    refuse("none that can be read");
  for (std::size_t i = 0; i < pixels; ++i) {
    const int bit = words != nullptr ? words[i / 16] >> (i % 16) & 1 : bytes[i / kByte] >> (i % kByte) & 1;
    if (bit == 0) continue;
    const int row = static_cast<int>(i) / run.columns / run.bin, column = static_cast<int>(i) % run.columns / run.bin;
    if (row < run.height() && column < run.width())
      run.valid[static_cast<std::size_t>(row) * static_cast<std::size_t>(run.width()) +
                static_cast<std::size_t>(column)] = 0;
  }
}

}  // namespace dsasrgs
