// SPDX-License-Identifier: Apache-2.0
// Pictures and a table of their poses.

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numbers>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/checks.hpp"
#include "common/host_vector.hpp"
#include "common/plain_number.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/image.hpp"
#include "dsasrgs/import.hpp"
#include "dsasrgs/io.hpp"
#include "files/file_suffix.hpp"
#include "files/text_lines.hpp"
#include "import/imported_case.hpp"
#include "import/tiff_file.hpp"

namespace dsasrgs {

namespace {

constexpr std::size_t kMostRows = 1 << 20;           // views of an acquisition
constexpr std::size_t kMostRowCharacters = 1 << 16;  // of a line

struct TableRow {
  std::string file, mask;
  Pose pose;
  std::size_t line = 0;
};

/// Columns by name. Throws BadInput for names that are not known, or twice.
class Columns {
 public:
  Columns(const TextLines& lines, const std::vector<std::string>& names, char separator) : separator_(separator) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      std::string name = names[i];
      std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
      if (!is_known(name)) lines.refuse("columns", "names of columns such as file, time_s and primary_deg", name);
      if (!index_.emplace(std::move(name), i).second) lines.refuse("columns", "each name once", names[i]);
    }
    count_ = names.size();
  }

  bool has(const std::string& name) const { return index_.count(name) != 0; }
  void require(const TextLines& lines, const std::string& name) const {
    if (!has(name)) lines.refuse("columns", "a column " + name, "none");
  }
  /// No column goes unheeded.
  void require_one_kind_of_pose(const TextLines& lines, bool is_free) const {
    for (const auto& [name, index] : index_)
      if (name != "file" && name != "mask" && name != "time_s" && is_of_free_pose(name) != is_free)
        lines.refuse("columns",
                     is_free ? "those of free poses beside source_x_mm" : "source_x_mm beside those of free poses",
                     name);
  }
  std::vector<std::string> fields(const TextLines& lines, std::string_view text) const {
    std::vector<std::string> fields = quoted_fields(lines, text, separator_);
    if (fields.size() != count_)
      lines.refuse("fields", std::to_string(count_) + ", as the first line has names", std::to_string(fields.size()));
    return fields;
  }
  const std::string& word(const std::vector<std::string>& fields, const std::string& name) const {
    return fields[index_.at(name)];
  }
  double number(const TextLines& lines, const std::vector<std::string>& fields, const std::string& name,
                std::optional<double> otherwise) const {
    if (has(name)) return lines.number(name, word(fields, name));
    const bool has_option = name == "sod_mm" || name == "sdd_mm";
    if (!otherwise)
      lines.refuse("columns", "a column " + name + (has_option ? ", or options." + name + " for all views" : ""),
                   "none");
    return *otherwise;
  }

 private:
  static bool is_of_free_pose(const std::string& name) {
    return name.starts_with("source_") || name.starts_with("center_") || name.starts_with("u_") ||
           name.starts_with("v_");
  }
  static bool is_known(const std::string& name) {
    static constexpr std::array kNames{
        "file",        "mask",        "time_s",      "primary_deg", "secondary_deg", "sod_mm",      "sdd_mm",
        "offset_u_mm", "offset_v_mm", "source_x_mm", "source_y_mm", "source_z_mm",   "center_x_mm", "center_y_mm",
        "center_z_mm", "u_x",         "u_y",         "u_z",         "v_x",           "v_y",         "v_z"};
    return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
  }

  std::map<std::string, std::size_t> index_;
  std::size_t count_ = 0;
  char separator_;
};

Pose carm_row(const TextLines& lines, const Columns& columns, const std::vector<std::string>& fields,
              const ImageImportOptions& options, double& largest_angle_rad) {
  constexpr double kDegreeInRadians = std::numbers::pi / 180;
  CArmView view;
  view.sod_mm = columns.number(lines, fields, "sod_mm", options.sod_mm);
  view.sdd_mm = columns.number(lines, fields, "sdd_mm", options.sdd_mm);
  view.primary_rad = columns.number(lines, fields, "primary_deg", {}) * kDegreeInRadians;
  view.secondary_rad = columns.number(lines, fields, "secondary_deg", 0.0) * kDegreeInRadians;
  view.offset_u_mm = columns.number(lines, fields, "offset_u_mm", 0.0);
  view.offset_v_mm = columns.number(lines, fields, "offset_v_mm", 0.0);
  largest_angle_rad = std::max({largest_angle_rad, std::abs(view.primary_rad), std::abs(view.secondary_rad)});
  constexpr double kTurn = 2 * std::numbers::pi;
  const auto check = [&](bool ok, const char* name, const char* expected, double found) {
    if (!ok) lines.refuse(name, expected, plain_number(found));
  };
  check(view.sod_mm > 0, "sod_mm", "a positive length", view.sod_mm);
  check(view.sdd_mm > view.sod_mm, "sdd_mm", "more than sod_mm", view.sdd_mm);
  check(std::abs(view.primary_rad) <= 2 * kTurn, "primary_deg", "at most 720 degrees",
        view.primary_rad / kDegreeInRadians);
  check(std::abs(view.secondary_rad) <= kTurn, "secondary_deg", "at most 360 degrees",
        view.secondary_rad / kDegreeInRadians);
  return carm_pose(view, 0);
}

Pose free_row(const TextLines& lines, const Columns& columns, const std::vector<std::string>& fields) {
  const auto vector = [&](const std::string& name, const std::string& unit) {
    return Vec3d{columns.number(lines, fields, name + "_x" + unit, {}),
                 columns.number(lines, fields, name + "_y" + unit, {}),
                 columns.number(lines, fields, name + "_z" + unit, {})};
  };
  return {vector("source", "_mm"), vector("center", "_mm"), vector("u", ""), vector("v", ""), 0};
}

/// The next line that says something, without its comment: what begins with # at its start or behind a blank, but not
/// between quotes. False at the end of the file.
bool next_row(TextLines& lines, std::string& text) {
  while (lines.next(text)) {
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '"') quoted = !quoted;
      if (text[i] == '#' && !quoted && (i == 0 || text[i - 1] == ' ' || text[i - 1] == '\t')) text.resize(i);
    }
    if (!words_of(text).empty()) return true;
  }
  return false;
}

std::vector<TableRow> read_table(const std::filesystem::path& path, const ImageImportOptions& options, FileSays& says) {
  require_regular_file(path);
  TextLines lines(path);
  std::string text;
  if (!next_row(lines, text))
    throw BadInput(path.string(), "columns", "a line with names of columns such as file, time_s and primary_deg",
                   lines.line() == 0 ? "an empty file" : "no line but blank ones and comments");
  if (text.size() > kMostRowCharacters) lines.refuse("columns", "names of columns", text);
  const auto present = [&](char c) { return text.find(c) != std::string::npos; };
  const char separator = present('\t') ? '\t' : present(';') ? ';' : ',';
  const Columns columns(lines, quoted_fields(lines, text, separator), separator);
  columns.require(lines, "file");
  if (columns.has("mask") && !options.grey.intensity)
    lines.refuse("columns", "no mask for grey values that are no counts (options.grey.intensity says that they are)",
                 "mask");
  const bool is_free = columns.has("source_x_mm");
  columns.require_one_kind_of_pose(lines, is_free);
  for (const auto& [name, given] : {std::pair{"sod_mm", options.sod_mm}, {"sdd_mm", options.sdd_mm}})
    if (given && (is_free || columns.has(name)))
      lines.refuse("columns", std::string("no ") + (is_free ? "free poses" : name) + " beside options." + name,
                   is_free ? "source_x_mm" : name);
  says.has_times = columns.has("time_s");
  if (says.has_times && options.duration_s) lines.refuse("columns", "no time_s beside options.duration_s", "time_s");
  std::vector<TableRow> rows;
  while (next_row(lines, text)) {
    if (text.size() > kMostRowCharacters) lines.refuse("fields", "at most 65536 characters", text);
    const std::vector<std::string> fields = columns.fields(lines, text);
    TableRow row;
    row.line = lines.line();
    row.file = columns.word(fields, "file");
    if (columns.has("mask")) row.mask = columns.word(fields, "mask");
    if (row.file.empty()) lines.refuse("file", "a picture", "none");
    row.pose =
        is_free ? free_row(lines, columns, fields) : carm_row(lines, columns, fields, options, says.largest_angle_rad);
    row.pose.time_s = columns.number(lines, fields, "time_s", 0.0);
    rows.push_back(std::move(row));
    if (rows.size() > kMostRows) lines.refuse("views", "at most 1048576", "more");
  }
  if (rows.empty()) throw BadInput(path.string(), "views", "at least one line below the names of columns", "none");
  return rows;
}

Image read_picture(const std::filesystem::path& path) {
  require_regular_file(path);
  const std::string suffix = path.extension().string();
  if (has_suffix(path, ".png")) return read_png(path);
  if (has_suffix(path, ".tif") || has_suffix(path, ".tiff")) return read_tiff(path);
  throw BadInput(path.string(), "file", "a picture named .png, .tif or .tiff", suffix.empty() ? "no suffix" : suffix);
}

void require_picture_size(const std::filesystem::path& path, const Image& image, const Detector& detector) {
  if (image.width_px != detector.width_px || image.height_px != detector.height_px)
    throw BadInput(
        path.string(), "size",
        std::to_string(detector.width_px) + " x " + std::to_string(detector.height_px) + ", as the first picture",
        std::to_string(image.width_px) + " x " + std::to_string(image.height_px));
}

/// Line integrals of one view at the end of the acquisition's.
void add_view(ImportedCase& imported, const std::filesystem::path& folder, const TableRow& row, const GreyValues& grey,
              std::size_t& not_positive) {
  Acquisition& a = imported.acquisition;
  const Image image = read_picture(folder / row.file);
  if (a.projections.empty()) {
    a.detector.width_px = image.width_px;
    a.detector.height_px = image.height_px;
  }
  require_picture_size(folder / row.file, image, a.detector);
  const std::size_t begin = a.projections.size(), pixels = image.values.size();
  a.projections.resize(begin + pixels);
  float* const out = a.projections.data() + begin;
  if (!grey.intensity) {
    std::transform(image.values.begin(), image.values.end(), out,
                   [&](float g) { return static_cast<float>(grey.slope * static_cast<double>(g) + grey.intercept); });
    return;
  }
  std::vector<float> mask;
  if (row.mask.empty()) {
    if (!grey.white)
      throw BadInput(a.name, "line " + std::to_string(row.line) + ": mask",
                     "a picture of counts without contrast, or one number of them (options.grey.white)", "none");
    mask.assign(pixels, static_cast<float>(*grey.white));
  } else {
    Image picture = read_picture(folder / row.mask);
    require_picture_size(folder / row.mask, picture, a.detector);
    mask = std::move(picture.values);
  }
  a.valid.resize(begin + pixels);
  not_positive += subtract_counts(mask.data(), image.values.data(), pixels, out, a.valid.data() + begin);
}

/// A picture under two poses is mostly a slip in a table that was made by copying lines.
void warn_of_repeated(const std::filesystem::path& table, const std::vector<TableRow>& rows,
                      std::vector<std::string>& warnings) {
  std::map<std::string, std::size_t> line_of;
  std::string first;
  std::size_t count = 0;
  for (const TableRow& row : rows) {
    const auto [before, is_new] =
        line_of.emplace(std::filesystem::path(row.file).lexically_normal().string(), row.line);
    if (is_new) continue;
    if (count++ == 0)
      first = row.file + " in lines " + std::to_string(before->second) + " and " + std::to_string(row.line);
  }
  if (count > 0)
    warnings.push_back(table.string() + ": file: expected another picture in each line, found " + first +
                       (count > 1 ? ", and " + std::to_string(count - 1) + " more lines like it" : ""));
}

}  // namespace

ImportedCase import_images(const std::filesystem::path& folder, const std::filesystem::path& table,
                           const ImageImportOptions& options) try {
  require_field(is_length(options.pitch_u_mm), "pitch_u_mm", "1e-6 to 1e9 mm", options.pitch_u_mm);
  require_field(is_length(options.pitch_v_mm), "pitch_v_mm", "1e-6 to 1e9 mm", options.pitch_v_mm);
  const GreyValues& grey = options.grey;
  require_field(std::isfinite(grey.slope) && grey.slope != 0, "slope", "a finite number that is not 0", grey.slope);
  require_field(std::isfinite(grey.intercept), "intercept", "a finite number", grey.intercept);
  const bool is_line = grey.slope != 1 || grey.intercept != 0;
  if (grey.intensity && is_line)
    throw InvalidArgument(
        "slope: expected with grey values that are no counts, found intensity beside slope or intercept");
  if (grey.white && !grey.intensity) throw InvalidArgument("white: expected with intensity, found without");
  if (grey.white) require_field(*grey.white > 0 && std::isfinite(*grey.white), "white", "positive counts", *grey.white);

  FileSays says;
  ImportedCase imported;
  std::vector<TableRow> rows = read_table(table, options, says);
  if (grey.white && std::ranges::none_of(rows, [](const TableRow& row) { return row.mask.empty(); }))
    throw InvalidArgument("white: expected a view without a mask picture, found one for each");
  warn_of_repeated(table, rows, imported.warnings);
  std::stable_sort(rows.begin(), rows.end(),
                   [](const TableRow& a, const TableRow& b) { return a.pose.time_s < b.pose.time_s; });
  Acquisition& a = imported.acquisition;
  a.name = table.string();
  a.detector = {0, 0, options.pitch_u_mm, options.pitch_v_mm};
  std::size_t not_positive = 0;
  with_host_memory([&] {
    for (const TableRow& row : rows) {
      add_view(imported, folder, row, grey, not_positive);
      a.poses.push_back(row.pose);
    }
  });
  if (not_positive == 0) a.valid.clear();
  const auto column_or_option = [](const char* name, const std::optional<double>& option) {
    return (option ? "options." : "column ") + std::string(name);
  };
  says.names = {"columns of the poses", column_or_option("sod_mm", options.sod_mm),
                column_or_option("sdd_mm", options.sdd_mm), "options.pitch_u_mm", ""};
  imported.found.push_back("pictures: " + std::to_string(rows.size()) + " in " + folder.string());
  finish_import(imported, options, says);
  return imported;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
