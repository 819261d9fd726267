// SPDX-License-Identifier: Apache-2.0
#include "import/dicom_remote.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "common/host_vector.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "files/hdf5_messages.hpp"
#include "files/reading_dialogue.hpp"

namespace dsasrgs {

namespace {

bool is_finite(Vec2d v) { return std::isfinite(v.x) && std::isfinite(v.y); }

template <class Range>
bool all_finite(const Range& numbers) {
  return std::all_of(numbers.begin(), numbers.end(), [](double number) { return std::isfinite(number); });
}

bool is_shutter(const DicomShutter& s) {
  return (!s.edges || all_finite(*s.edges)) && (!s.circle || all_finite(*s.circle)) && all_finite(s.polygon) &&
         s.polygon.size() % 2 == 0;
}

bool is_frame(const DicomFrame& f) {
  return f.sod_mm > 0 && f.sdd_mm > f.sod_mm && f.sdd_mm <= kMostDicomLength_mm &&
         std::abs(f.primary_deg) <= kMostDicomAngle_deg && std::abs(f.secondary_deg) <= kMostDicomAngle_deg &&
         is_finite(f.isocenter_px) && f.time_s >= 0 && std::isfinite(f.time_s) &&
         std::all_of(f.shutters.begin(), f.shutters.end(), is_shutter) &&
         std::all_of(f.mask_shifts.begin(), f.mask_shifts.end(),
                     [](const auto& shift) { return is_finite(shift.second); });
}

/// Numbers of frames are small enough to be added; whether there are such frames is looked at when a mask is used.
bool is_mask(const DicomMask& m) {
  const auto is_number = [](int frame) { return std::abs(static_cast<double>(frame)) <= 1 << 20; };
  return std::all_of(m.mask_frames.begin(), m.mask_frames.end(), is_number) &&
         std::all_of(m.ranges.begin(), m.ranges.end(),
                     [&](const auto& range) { return is_number(range[0]) && is_number(range[1]); }) &&
         m.contrast_averaging >= 1 && is_number(m.contrast_averaging) && is_number(m.offset) && is_finite(m.shift_px) &&
         (m.operation != DicomMask::Operation::reversed_difference || !m.ranges.empty()) &&
         (m.operation != DicomMask::Operation::average || !m.mask_frames.empty());
}

/// What every run that was read is, in the terms of those that use it.
bool is_run(const DicomRun& run) {
  constexpr std::size_t kTableAxes = 3;
  return run.pixel_spacing_mm.x > 0 && run.pixel_spacing_mm.y > 0 && run.pixel_spacing_mm.x <= kMostDicomLength_mm &&
         run.pixel_spacing_mm.y <= kMostDicomLength_mm && std::all_of(run.frames.begin(), run.frames.end(), is_frame) &&
         std::all_of(run.masks.begin(), run.masks.end(), is_mask) && std::isfinite(run.start_s.value_or(0)) &&
         std::isfinite(run.table_mm.x) && std::isfinite(run.table_mm.y) && std::isfinite(run.table_mm.z) &&
         (run.table_tags.empty() || run.table_tags.size() == kTableAxes) && all_finite(run.table_tags) &&
         run.valid.size() == run.num_pixels() &&
         std::all_of(run.valid.begin(), run.valid.end(), [](std::uint8_t valid) { return valid <= 1; });
}

}  // namespace

DicomRun read_dicom_run_through(const std::vector<std::string>& command, const InputFile& file,
                                const DicomQuestion& question, const std::stop_token& stop) try {
  ReadingDialogue dialogue(command, file, question.name, {"the DICOM library (DCMTK)", "a DICOM file"});
  MessageWriter asked;
  asked(question);
  Request request;
  request.question = Question::dicom;
  request.object_bytes = static_cast<std::uint32_t>(asked.bytes.size());
  dialogue.ask(std::string(reinterpret_cast<const char*>(&request), sizeof request) + asked.bytes, "file", 0);

  const auto require = [&](bool ok) {
    if (!ok) dialogue.fail("an answer that is none");
  };
  DicomExtents extents;
  const std::string head = dialogue.answer(kMaxFactsBytes);
  MessageReader reader(head);
  reader(extents.rows, extents.columns, extents.frames);
  require(reader.complete() && extents.can_be_in(file.size()) && extents.rows >= question.bin &&
          extents.columns >= question.bin);
  DicomRun run;
  run.name = question.name;
  run.bin = question.bin;
  run.rows = extents.rows;
  run.columns = extents.columns;
  dialogue.allow(static_cast<std::size_t>(extents.frames) * run.rows * run.columns * sizeof(float));
  const auto frames = static_cast<std::size_t>(extents.frames);
  std::vector<float> values, frame = host_vector<float>(run.num_pixels());
  with_host_memory(frames * run.num_pixels() * sizeof(float), [&] { values.reserve(frames * run.num_pixels()); });
  for (std::size_t f = 0; f < frames; ++f) {
    if (stop.stop_requested()) throw Cancelled("import of DICOM: stopped, as the caller asked");
    dialogue.read_values(std::as_writable_bytes(std::span(frame)));
    require(std::none_of(frame.begin(), frame.end(), [](float value) { return std::isinf(value); }));
    values.insert(values.end(), frame.begin(), frame.end());
  }
  // Frames with a polygon each of as many corners as may be, and what the file's texts became.
  constexpr std::size_t kMostOfFrame = 16384, kMostTextOfByte = 16;
  const std::string rest = dialogue.answer(run.num_pixels() + frames * kMostOfFrame + kMostTextOfByte * file.size() +
                                           (std::size_t{1} << 20));
  MessageReader facts(rest);
  facts(run);
  require(facts.complete() && run.rows == extents.rows && run.columns == extents.columns &&
          run.frames.size() == frames && is_run(run));
  run.values = std::move(values);
  return run;
} catch (const ReadingRefusal& refusal) {
  throw_refusal(question.name, refusal);
}

}  // namespace dsasrgs
