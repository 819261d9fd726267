// SPDX-License-Identifier: Apache-2.0
// Runs of DICOM files as one acquisition. Free of DCMTK.

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <initializer_list>
#include <map>
#include <numeric>
#include <string>
#include <system_error>
#include <utility>

#include "common/host_vector.hpp"
#include "common/plain_number.hpp"
#include "dsasrgs/error.hpp"
#include "import/dicom_run.hpp"
#include "import/dicom_views.hpp"
#include "import/imported_case.hpp"
#include "number_text.hpp"

namespace dsasrgs {

namespace {

/// Files as they are named; of a folder those that are DICOM, by name.
std::vector<std::filesystem::path> files_of(const std::vector<std::filesystem::path>& sources, ImportedCase& imported) {
  std::vector<std::filesystem::path> files;
  for (const std::filesystem::path& source : sources) {
    std::error_code error;
    if (!std::filesystem::is_directory(source, error)) {
      files.push_back(source);
      continue;
    }
    std::vector<std::filesystem::path> in_folder;
    int others = 0;
    for (const auto& entry : std::filesystem::directory_iterator(source, error)) {
      std::error_code ignored;
      if (entry.is_directory(ignored))
        imported.warnings.push_back(source.string() + ": expected files, found the folder " +
                                    entry.path().filename().string() + " too, which is not looked into");
      if (!entry.is_regular_file(ignored)) continue;
      if (::access(entry.path().c_str(), R_OK) != 0)
        throw IoError(entry.path().string() + ": cannot read: " + std::generic_category().message(errno));
      const bool dicom = is_dicom_file(entry.path());
      const std::string extension = entry.path().extension().string();
      if (!dicom && (extension == ".dcm" || extension == ".DCM" || extension == ".ima"))
        imported.warnings.push_back(entry.path().string() +
                                    ": expected a DICOM file, as its name says, found another, which is left out");
      if (dicom && entry.path().filename() != "DICOMDIR")
        in_folder.push_back(entry.path());
      else
        ++others;
    }
    if (error) throw IoError(source.string() + ": cannot read: " + error.message());
    if (in_folder.empty()) throw BadInput(source.string(), "folder", "DICOM files", "none");
    if (others > 0)
      imported.found.push_back("other files in " + source.string() + ", left alone: " + std::to_string(others));
    std::sort(in_folder.begin(), in_folder.end());
    files.insert(files.end(), in_folder.begin(), in_folder.end());
  }
  if (files.empty()) throw InvalidArgument("import_dicom: sources: expected at least one file or folder, found none");
  return files;
}

/// Its views would stand twice in the acquisition.
void refuse_repeated(const std::vector<std::filesystem::path>& files) {
  std::map<std::pair<dev_t, ino_t>, std::filesystem::path> seen;
  for (const std::filesystem::path& file : files) {
    struct stat facts {};
    if (::stat(file.c_str(), &facts) != 0) continue;  // whoever reads it says why
    const auto [before, is_new] = seen.emplace(std::pair{facts.st_dev, facts.st_ino}, file);
    if (!is_new)
      throw BadInput(file.string(), "file", "each file once",
                     before->second == file ? "it named twice" : "it named as " + before->second.string() + " too");
  }
}

/// What is left of a run when its views are made.
struct RunFacts {
  std::string name, uid;
  std::optional<double> start_s;
  int instance = 0;
  double step_s = 0, last_s = 0;
  std::size_t first_view = 0, num_views = 0;
  std::vector<double> table_tags;
};

std::string file_name(const std::string& path) { return std::filesystem::path(path).filename().string(); }

/// When each run begins: on the files' clock, or else one after the other.
std::vector<double> starts_s(const std::vector<RunFacts>& runs, ImportedCase& imported) {
  std::vector<double> start_s(runs.size(), 0);
  if (std::all_of(runs.begin(), runs.end(), [](const RunFacts& r) { return r.start_s.has_value(); })) {
    for (std::size_t i = 0; i < runs.size(); ++i) start_s[i] = *runs[i].start_s;
    return start_s;
  }
  std::vector<std::size_t> order(runs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t i, std::size_t j) { return runs[i].instance < runs[j].instance; });
  double next_s = 0;
  for (const std::size_t i : order) {
    start_s[i] = next_s;
    next_s += runs[i].last_s + (runs[i].step_s > 0 ? runs[i].step_s : 1);
  }
  if (runs.size() > 1)
    imported.warnings.push_back(imported.acquisition.name +
                                ": times: expected acquisition dates and times in all files, found files without: one "
                                "is taken to follow the other (tags.start_s gives them by hand)");
  return start_s;
}

/// Times on one clock from 0 on, and views in their order.
void order_views(const std::vector<RunFacts>& runs, ImportedCase& imported) {
  Acquisition& a = imported.acquisition;
  const std::vector<double> start_s = starts_s(runs, imported);
  const double clock_s = *std::min_element(start_s.begin(), start_s.end());
  for (std::size_t i = 0; i < runs.size(); ++i)
    for (std::size_t v = 0; v < runs[i].num_views; ++v) a.poses[runs[i].first_view + v].time_s += start_s[i] - clock_s;
  std::vector<std::size_t> views(a.poses.size());
  std::iota(views.begin(), views.end(), std::size_t{0});
  std::stable_sort(views.begin(), views.end(),
                   [&](std::size_t i, std::size_t j) { return a.poses[i].time_s < a.poses[j].time_s; });
  reorder_views(a, views, &imported.log_masks);
  const double first_s = a.poses.front().time_s;
  for (Pose& pose : a.poses) pose.time_s -= first_s;
}

/// XA files do not say where the table was, but a maker's own tags may say that it moved.
void warn_of_table(const std::vector<RunFacts>& runs, std::vector<std::string>& warnings) {
  constexpr std::size_t kVertical = 0, kLongitudinal = 1, kLateral = 2;
  for (const RunFacts& run : runs) {
    const std::vector<double>& from = runs.front().table_tags;
    if (run.table_tags.empty() || from.empty() || run.table_tags == from) continue;
    const auto moved = [&](std::size_t axis) { return rounded_text(run.table_tags[axis] - from[axis]); };
    warnings.push_back(run.name + ": table: expected where it was for " + file_name(runs.front().name) +
                       ", found that it moved by the maker's tags: perhaps tags.table_mm = " + moved(kLateral) + "," +
                       moved(kVertical) + "," + moved(kLongitudinal) + " by hand");
  }
}

/// Copies of a file, as collections of files have them; a maker that gives all files one number is as likely.
void warn_of_copies(const std::vector<RunFacts>& runs, std::vector<std::string>& warnings) {
  std::map<std::string, std::string> seen;
  std::string first;
  std::size_t count = 0;
  for (const RunFacts& run : runs) {
    const auto [before, is_new] = seen.emplace(run.uid, run.name);
    if (is_new || run.uid.empty()) continue;
    if (count++ == 0)
      first = run.name + ": (0008,0018) SOPInstanceUID: expected another in each file, found that of " +
              before->second + " (a copy, whose views count twice?)";
  }
  if (count > 0) warnings.push_back(first + (count > 1 ? ", and " + std::to_string(count - 1) + " more like it" : ""));
}

/// What was given by hand of times and has no effect.
void warn_of_unheeded_times(const DicomImportOptions& options, bool single_frames, std::size_t num_files,
                            ImportedCase& imported) {
  const auto given = [&](const auto& field) {
    return field(options.tags) || std::any_of(options.tags_of.begin(), options.tags_of.end(),
                                              [&](const auto& one) { return field(one.second); });
  };
  const auto warn = [&](const char* name, const char* why) {
    imported.warnings.push_back(imported.acquisition.name + ": tags." + name + " has no effect: " + why);
  };
  if (num_files == 1 && given([](const DicomTags& t) { return t.start_s.has_value(); }))
    warn("start_s", "it puts files on one clock, and there is one file");
  if (!single_frames) return;
  if (given([](const DicomTags& t) { return t.frame_time_ms.has_value(); }))
    warn("frame_time_ms", "every file is one frame");
  if (given([](const DicomTags& t) { return !t.primary_increment_deg.empty() || !t.secondary_increment_deg.empty(); }))
    warn("primary_increment_deg or tags.secondary_increment_deg", "every file is one frame");
}

/// The tags of what became the geometry, or what was given by hand for them.
FileNames names_of_geometry(const DicomImportOptions& options) {
  const auto name = [&](const auto& given, const char* by_hand, const char* tag) {
    const bool is_given = given(options.tags) || std::any_of(options.tags_of.begin(), options.tags_of.end(),
                                                             [&](const auto& one) { return given(one.second); });
    return is_given ? "tags." + std::string(by_hand) : std::string(tag);
  };
  const auto angle = [&](std::optional<double> DicomTags::*field, const char* by_hand, const char* tag) {
    return name([&](const DicomTags& t) { return (t.*field).has_value(); }, by_hand, tag);
  };
  FileNames names;
  names.angles = angle(&DicomTags::primary_deg, "primary_deg", "(0018,1510) PositionerPrimaryAngle") + ", " +
                 angle(&DicomTags::secondary_deg, "secondary_deg", "(0018,1511) PositionerSecondaryAngle");
  names.source = angle(&DicomTags::sod_mm, "sod_mm", "(0018,1111) DistanceSourceToPatient");
  names.detector = angle(&DicomTags::sdd_mm, "sdd_mm", "(0018,1110) DistanceSourceToDetector");
  names.pitch = name([](const DicomTags& t) { return t.pixel_spacing_mm.has_value(); }, "pixel_spacing_mm",
                     "(0018,1164) ImagerPixelSpacing");
  return names;
}

struct AngleRange {
  double least = 1e9, most = -1e9;
  void add(double angle) {
    least = std::min(least, angle);
    most = std::max(most, angle);
  }
  std::string text() const { return range_text(least, most) + " degrees"; }
};

void require_options(const DicomImportOptions& options) {
  const auto refuse = [](const std::string& field, const std::string& expected, const std::string& found) {
    throw InvalidArgument("import_dicom: " + field + ": expected " + expected + ", found " + found);
  };
  constexpr int kMostBin = 64;
  if (options.bin < 1 || options.bin > kMostBin) refuse("bin", "1 to 64", std::to_string(options.bin));
  if (options.first_frame < 1) refuse("first_frame", "1 or more", std::to_string(options.first_frame));
  if (options.last_frame && *options.last_frame < options.first_frame)
    refuse("last_frame", std::to_string(options.first_frame) + " or more", std::to_string(*options.last_frame));
  if (options.mask_run && options.subtraction == DicomSubtraction::background)
    refuse("mask_run", "none beside options.subtraction background", "one");
  if (options.keep_masks && options.subtraction == DicomSubtraction::background)
    refuse("keep_masks", "masks, and so none of options.subtraction background", "both");
  if (options.duration_s)
    refuse("duration_s", "none: DICOM files have times (tags.frame_time_ms and tags.start_s give others)", "one");
  const auto refuse_unheeded = [&](const DicomTags& tags) {
    const char* const beside =
        options.mask_run ? "none beside options.mask_run" : "none beside options.subtraction background";
    if (!options.mask_run && options.subtraction == DicomSubtraction::mask) return;
    if (!tags.mask_frames.empty()) refuse("tags.mask_frames", beside, "some");
    if (tags.mask_shift_px) refuse("tags.mask_shift_px", beside, "one");
  };
  // Of other values the file says what they may be; what is wrong with these would show far from here.
  const auto require_near = [&](const char* name, double most, std::initializer_list<double> values) {
    for (const double value : values)
      if (!(std::abs(value) <= most)) refuse(name, "numbers within " + plain_number(most), plain_number(value));
  };
  const auto check_values = [&](const DicomTags& tags) {
    constexpr double kMostTime_s = 1e9;
    if (tags.table_mm)
      require_near("tags.table_mm", kMostDicomLength_mm, {tags.table_mm->x, tags.table_mm->y, tags.table_mm->z});
    for (const auto& [name, value] :
         {std::pair{"tags.isocenter_px", &tags.isocenter_px}, {"tags.mask_shift_px", &tags.mask_shift_px}})
      if (*value) require_near(name, DicomExtents::kMostSide, {(*value)->x, (*value)->y});
    if (tags.start_s) require_near("tags.start_s", kMostTime_s, {*tags.start_s});
  };
  const auto check = [&](const DicomTags& tags) {
    refuse_unheeded(tags);
    check_values(tags);
  };
  check(options.tags);
  for (const auto& one : options.tags_of) check(one.second);
}

}  // namespace

ImportedCase import_dicom(const std::vector<std::filesystem::path>& sources, const DicomImportOptions& options) try {
  require_options(options);
  ImportedCase imported;
  const std::vector<std::filesystem::path> files = files_of(sources, imported);
  refuse_repeated(files);
  for (const auto& one : options.tags_of)
    if ((!options.mask_run || options.mask_run->filename() != one.first) &&
        std::none_of(files.begin(), files.end(), [&](const auto& file) { return file.filename() == one.first; }))
      throw InvalidArgument("import_dicom: options.tags_of: expected names of files that are read, found " + one.first);
  Acquisition& a = imported.acquisition;
  a.name = sources.front().string();
  std::optional<DicomRun> mask_run;
  if (options.mask_run) mask_run = read_dicom_run(*options.mask_run, options);
  ViewMaker views(options, imported);
  std::vector<RunFacts> runs;
  AngleRange primary, secondary;
  std::size_t num_frames = 0;
  for (const std::filesystem::path& file : files) {
    const DicomRun run = read_dicom_run(file, options);
    for (const std::string& line : run.found)
      imported.found.push_back(files.size() == 1 ? line : file_name(run.name) + ": " + line);
    imported.warnings.insert(imported.warnings.end(), run.warnings.begin(), run.warnings.end());
    RunFacts facts{run.name,       run.uid, run.start_s,   run.instance, 0, run.frames.back().time_s,
                   a.poses.size(), 0,       run.table_tags};
    views.add(run, mask_run ? &*mask_run : nullptr);
    facts.num_views = a.poses.size() - facts.first_view;
    if (run.frames.size() > 1) facts.step_s = facts.last_s / static_cast<double>(run.frames.size() - 1);
    runs.push_back(std::move(facts));
    num_frames += run.frames.size();
    for (const DicomFrame& frame : run.frames) {
      primary.add(frame.primary_deg);
      secondary.add(frame.secondary_deg);
    }
  }
  imported.found.insert(imported.found.begin(),
                        {"files: " + std::to_string(files.size()) + ", frames: " + std::to_string(num_frames),
                         "positioner primary angle (LAO positive): " + primary.text(),
                         "positioner secondary angle (cranial positive): " + secondary.text()});
  mask_run.reset();  // its memory is needed soon
  warn_of_unheeded_times(options, num_frames == runs.size(), runs.size(), imported);
  order_views(runs, imported);
  warn_of_table(runs, imported.warnings);
  warn_of_copies(runs, imported.warnings);
  if (std::find(a.valid.begin(), a.valid.end(), std::uint8_t{0}) == a.valid.end()) a.valid.clear();
  FileSays says;
  says.has_times = true;
  says.names = names_of_geometry(options);
  finish_import(imported, options, says);
  return imported;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
