// SPDX-License-Identifier: Apache-2.0
// When frames were taken (PS3.3 C.7.6.5, C.7.6.16.2.2).

#include <chrono>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <string_view>

#include "common/plain_number.hpp"
#include "dsasrgs/error.hpp"
#include "import/dicom_parts.hpp"
#include "number_text.hpp"

namespace dsasrgs {

namespace {

/// Seconds since some day of a date YYYYMMDD and a time HHMMSS.FFFFFF, which may end early; the time zone is left out.
std::optional<double> seconds_of(std::string_view date, std::string_view time) {
  const auto digits = [](std::string_view text, std::size_t at, std::size_t count, int otherwise) {
    if (text.size() < at + count) return otherwise;
    int value = 0;
    for (const char c : text.substr(at, count)) {
      if (c < '0' || c > '9') return -1;
      value = 10 * value + (c - '0');
    }
    return value;
  };
  constexpr int kLastHour = 23, kLastMinute = 59, kLastSecond = 60;
  const int hour = digits(time, 0, 2, -1), minute = digits(time, 2, 2, 0), second = digits(time, 4, 2, 0);
  if (hour < 0 || hour > kLastHour || minute < 0 || minute > kLastMinute || second < 0 || second > kLastSecond)
    return std::nullopt;
  double fraction = 0, place = 0.1;
  if (time.size() > 6 && time[6] == '.')
    for (std::size_t i = 7; i < time.size() && time[i] >= '0' && time[i] <= '9'; ++i, place /= 10)
      fraction += place * (time[i] - '0');
  double days = 0;
  if (!date.empty()) {
    const int year = digits(date, 0, 4, -1), month = digits(date, 4, 2, -1), day = digits(date, 6, 2, -1);
    const std::chrono::year_month_day found{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                            std::chrono::day(static_cast<unsigned>(day))};
    if (year < 0 || month < 0 || day < 0 || !found.ok()) return std::nullopt;
    days = static_cast<double>(std::chrono::sys_days(found).time_since_epoch().count());
  }
  return ((days * 24 + hour) * 60 + minute) * 60 + second + fraction;
}

std::optional<double> seconds_of(std::string_view date_time) {
  constexpr std::size_t kDate = 8;
  if (date_time.size() < kDate) return std::nullopt;
  return seconds_of(date_time.substr(0, kDate), date_time.substr(kDate));
}

std::optional<double> told_start(const DicomDataset& file, DicomRun& run) {
  const auto text = [&](const DcmTagKey& tag) { return file.text(file.root(), tag); };
  const auto told = [&](const DcmTagKey& tag, bool is_there, const std::optional<double>& start) {
    if (is_there && !start)  // what it says is a date of a patient's
      run.warnings.push_back(run.name + ": " + tag_name(tag) +
                             ": expected YYYYMMDDHHMMSS.FFFFFF, or the part of it that it is for, found another text, "
                             "which is left out");
    return start;
  };
  const std::string date_time = text(DCM_AcquisitionDateTime);
  if (const auto start = told(DCM_AcquisitionDateTime, !date_time.empty(), seconds_of(date_time))) return start;
  const std::string acquired = text(DCM_AcquisitionTime), content = text(DCM_ContentTime);
  if (const auto start = told(DCM_AcquisitionTime, !acquired.empty(), seconds_of(text(DCM_AcquisitionDate), acquired)))
    return start;
  return told(DCM_ContentTime, !content.empty(), seconds_of(text(DCM_ContentDate), content));
}

/// A tag of single frames that some of them lack.
struct MissingTime {
  DcmTagKey tag;
  std::size_t frame = 0;
};

/// Times of Enhanced frames, and by which tag; none where not all of them tell one.
std::optional<DcmTagKey> read_frame_times(const DicomDataset& file, DicomRun& run,
                                          std::optional<MissingTime>& missing) {
  for (const DcmTagKey& tag : {DCM_FrameReferenceDateTime, DCM_FrameAcquisitionDateTime}) {
    std::vector<double> times;
    for (std::size_t f = 0; f < run.frames.size(); ++f) {
      const std::vector<DcmItem*> content = file.group_items(f, DCM_FrameContentSequence);
      const std::string text = content.empty() ? std::string() : file.text(*content.front(), tag);
      if (text.empty()) break;
      const auto time = seconds_of(text);
      if (!time)
        file.refuse(tag, "YYYYMMDDHHMMSS.FFFFFF of each frame", "another text for frame " + std::to_string(f + 1));
      times.push_back(*time);
    }
    if (times.size() < run.frames.size()) {
      if (!times.empty() && !missing) missing = MissingTime{tag, times.size()};
      continue;
    }
    for (std::size_t f = 0; f < times.size(); ++f) {
      if (f > 0 && times[f] < times[f - 1])
        file.refuse(tag, "times that do not fall", "an earlier one for frame " + std::to_string(f + 1));
      run.frames[f].time_s = times[f] - times.front();
    }
    run.start_s = times.front();
    return tag;
  }
  return std::nullopt;
}

/// Whether Frame Increment Pointer (0028,0009) names a tag, or nothing.
bool points_at(const DicomDataset& file, const DcmTagKey& tag) {
  DcmElement* element = nullptr;
  if (file.root().findAndGetElement(DCM_FrameIncrementPointer, element).bad()) return true;
  auto* const pointer = dynamic_cast<DcmAttributeTag*>(element);
  DcmTagKey found;
  if (pointer == nullptr || pointer->getTagVal(found, 0).bad()) return true;
  return found == tag;
}

void warn_of_two_times(const std::vector<double>& vector, double time_ms, bool by_vector, DicomRun& run) {
  constexpr double kRounding = 0.01;
  if (vector.size() < 2) return;
  const double mean = std::accumulate(vector.begin() + 1, vector.end(), 0.0) / static_cast<double>(vector.size() - 1);
  if (std::abs(mean - time_ms) <= kRounding * time_ms) return;
  run.warnings.push_back(run.name + ": " + tag_name(DCM_FrameTimeVector) + ": expected steps of " +
                         plain_number(time_ms) + " ms, as " + tag_name(DCM_FrameTime) + " says, found " +
                         rounded_text(mean) + " ms on average: the " + (by_vector ? "former" : "latter") +
                         " is taken (tags.frame_time_ms gives another)");
}

/// From each frame to the next, and what says so.
struct FrameSteps {
  std::vector<double> ms;  ///< empty where nothing tells them
  DcmTagKey tag = DCM_FrameTime;
  std::optional<double> rate = {};  ///< what the tag says, where it is frames in a second
};

FrameSteps told_steps(const DicomDataset& file, const DicomTags& tags, DicomRun& run) {
  constexpr double kMillisecond = 1000;
  const std::size_t num_frames = run.frames.size();
  const auto even = [&](double ms) { return std::vector<double>(num_frames, ms); };
  if (tags.frame_time_ms) return {even(*tags.frame_time_ms)};
  std::vector<double> vector = file.numbers(file.root(), DCM_FrameTimeVector);
  const std::optional<double> time = file.number(file.root(), DCM_FrameTime);
  const bool by_vector = !vector.empty() && (!time || points_at(file, DCM_FrameTimeVector));
  if (time) warn_of_two_times(vector, *time, by_vector, run);
  if (by_vector) {
    if (vector.size() != num_frames)
      file.refuse(DCM_FrameTimeVector, std::to_string(num_frames) + " values, one for each frame",
                  std::to_string(vector.size()));
    return {vector, DCM_FrameTimeVector};
  }
  if (time) return {even(*time)};
  for (const DcmTagKey& tag : {DCM_CineRate, DCM_RecommendedDisplayFrameRate})
    if (const std::optional<double> rate = file.number(file.root(), tag); rate && *rate > 0) {
      run.warnings.push_back(run.name + ": no time between frames: " + tag_name(tag) + ", " + plain_number(*rate) +
                             " in a second, stands for it");
      return {even(kMillisecond / *rate), tag, rate};
    }
  return {};
}

/// Throws where a step cannot be, by what says it.
void require_step(const DicomDataset& file, const DicomTags& tags, const FrameSteps& steps, std::size_t frame) {
  constexpr double kMillisecond = 1000, kMostStep = 600'000;  // no run of an injection waits ten minutes
  const double ms = steps.ms[frame];
  if (ms >= 0 && ms <= kMostStep) return;
  const std::string expected = "milliseconds between frames, 0 to " + plain_number(kMostStep);
  if (tags.frame_time_ms) throw BadInput(file.name(), "tags.frame_time_ms", expected, plain_number(ms));
  if (steps.rate)
    file.refuse(steps.tag, "frames in a second, at least " + rounded_text(kMillisecond / kMostStep),
                plain_number(*steps.rate));
  const bool is_vector = steps.tag == DCM_FrameTimeVector;
  file.refuse(steps.tag, expected,
              plain_number(ms) + (is_vector ? " for frame " + std::to_string(frame + 1) : std::string()));
}

}  // namespace

void read_times(const DicomDataset& file, const DicomTags& tags, DicomRun& run) {
  constexpr double kMillisecond = 1000;
  run.instance = file.integer(file.root(), DCM_InstanceNumber, std::numeric_limits<int>::min() + 1,
                              std::numeric_limits<int>::max())
                     .value_or(0);
  std::optional<MissingTime> missing;
  std::optional<DcmTagKey> by = tags.frame_time_ms ? std::nullopt : read_frame_times(file, run, missing);
  const bool by_frame = by.has_value();
  if (!by_frame) {
    run.start_s = tags.start_s ? tags.start_s : told_start(file, run);
    const FrameSteps steps = told_steps(file, tags, run);
    by = steps.tag;
    if (steps.ms.empty() && run.frames.size() > 1 && missing)
      file.refuse(missing->tag, "a time for each frame, or the time between them by hand (tags.frame_time_ms)",
                  "none for frame " + std::to_string(missing->frame + 1));
    if (steps.ms.empty() && run.frames.size() > 1)
      file.refuse(DCM_FrameTime, "milliseconds between frames, or them by hand (tags.frame_time_ms)", "no such tag");
    double time_s = 0;
    for (std::size_t f = 1; f < run.frames.size(); ++f) {  // the first of a vector is 0, whatever it says
      require_step(file, tags, steps, f);
      run.frames[f].time_s = time_s += steps.ms[f] / kMillisecond;
    }
  }
  if (run.frames.size() > 1 && run.frames.back().time_s == 0)
    run.warnings.push_back(run.name + ": " + (tags.frame_time_ms ? "tags.frame_time_ms" : tag_name(*by)) + " is " +
                           (by_frame ? "the same for all" : "0") + ": all frames are of one moment" +
                           (tags.frame_time_ms ? "" : " (tags.frame_time_ms gives another time between them)"));
  if (tags.start_s) run.start_s = tags.start_s;
}

}  // namespace dsasrgs
