// SPDX-License-Identifier: Apache-2.0
#include "import/dicom_run.hpp"

#include <array>
#include <fstream>
#include <string>
#include <string_view>

#include "dsasrgs/error.hpp"
#include "import/dicom_parts.hpp"
#include "import/dicom_pixels.hpp"
#include "import/dicom_stack.hpp"
#include "import/dicom_tags.hpp"
#include "import/imported_case.hpp"

namespace dsasrgs {

namespace {

/// What is given by hand for this file alone counts before what is given for all.
template <class T>
void override_with(std::optional<T>& all, const std::optional<T>& one) {
  if (one) all = one;
}
template <class T>
void override_with(T& all, const T& one) {
  if (one != T{}) all = one;
}

DicomTags tags_of(const std::filesystem::path& path, const DicomImportOptions& options) {
  DicomTags tags = options.tags;
  const auto own = options.tags_of.find(path.filename().string());
  if (own == options.tags_of.end()) return tags;
  const DicomTags& t = own->second;
  override_with(tags.sod_mm, t.sod_mm);
  override_with(tags.sdd_mm, t.sdd_mm);
  override_with(tags.primary_deg, t.primary_deg);
  override_with(tags.secondary_deg, t.secondary_deg);
  override_with(tags.primary_increment_deg, t.primary_increment_deg);
  override_with(tags.secondary_increment_deg, t.secondary_increment_deg);
  override_with(tags.pixel_spacing_mm, t.pixel_spacing_mm);
  override_with(tags.frame_time_ms, t.frame_time_ms);
  override_with(tags.start_s, t.start_s);
  override_with(tags.relationship, t.relationship);
  override_with(tags.sign, t.sign);
  override_with(tags.log_scale, t.log_scale);
  override_with(tags.mask_frames, t.mask_frames);
  override_with(tags.mask_shift_px, t.mask_shift_px);
  override_with(tags.table_mm, t.table_mm);
  override_with(tags.isocenter_px, t.isocenter_px);
  override_with(tags.mirror_columns, t.mirror_columns);
  override_with(tags.mirror_rows, t.mirror_rows);
  override_with(tags.saturation, t.saturation);
  return tags;
}

DicomRun read_run(const std::filesystem::path& path, const DicomImportOptions& options) {
  const DicomTags tags = tags_of(path, options);
  const DicomDataset file(path);
  DicomRun run;
  run.name = file.name();
  run.bin = options.bin;
  read_pixel_header(file, run);
  if (run.width() < 1 || run.height() < 1)
    throw BadInput(run.name, "bin", "at most the image's sides", std::to_string(options.bin));
  read_geometry(file, tags, run);
  read_times(file, tags, run);
  read_masks(file, tags, run);
  read_shutters(file, run);
  read_pixels(file, tags, options.stop, run);
  hide_behind_bitmap(file, run);
  if (file.text(file.root(), DCM_BurnedInAnnotation) == "YES")
    run.warnings.push_back(run.name + ": " + tag_name(DCM_BurnedInAnnotation) +
                           " is YES: text that never changes does not count, other text does");
  return run;
}

}  // namespace

bool is_dicom_file(const std::filesystem::path& path) {
  constexpr std::size_t kPreamble = 128, kMark = 4;
  std::array<char, kPreamble + kMark> start{};
  std::ifstream file(path, std::ios::binary);
  file.read(start.data(), start.size());
  return file.good() && std::string_view(start.data() + kPreamble, kMark) == "DICM";
}

DicomRun read_dicom_run(const std::filesystem::path& path, const DicomImportOptions& options) {
  DicomRun run;
  require_regular_file(path);
  if (!is_dicom_file(path))
    throw BadInput(path.string(), "file", "\"DICM\" after 128 bytes (dcmconv makes such files of data sets alone)",
                   "something else");
  read_on_deep_stack(path, [&] { run = read_run(path, options); });
  return run;
}

}  // namespace dsasrgs
