// SPDX-License-Identifier: Apache-2.0
// Reading the polylines of VTK files; the text form of legacy ones.
#include <limits>
#include <string>

#include "common/checks.hpp"
#include "common/host_vector.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/simulator.hpp"
#include "files/text_lines.hpp"
#include "simulate/earlier_points.hpp"
#include "simulate/polylines.hpp"

namespace dsasrgs {

namespace {

/// Words of a file, wherever its lines end.
class Words {
 public:
  explicit Words(TextLines& lines) : lines_(lines) {}
  /// The next word, good until the next call; false at the end of the file.
  bool next(std::string_view& word) {
    for (word = next_word(text_, at_); word.empty(); word = next_word(text_, at_)) {
      if (!lines_.next(text_)) return false;
      at_ = 0;
    }
    return true;
  }
  std::string_view expect(const char* field, const char* expected) {
    std::string_view word;
    if (!next(word)) lines_.refuse(field, expected, "the end of the file");
    return word;
  }
  double coordinate(const char* field) { return lines_.coordinate(field, expect(field, "a number")); }
  std::size_t count(const char* field) { return as_count(field, expect(field, "a number")); }
  std::size_t as_count(const char* field, std::string_view word) {
    const long long value = lines_.whole_number(field, word);
    if (value < 0 || value > std::numeric_limits<int>::max()) lines_.refuse(field, "0 to 2147483647", word);
    return static_cast<std::size_t>(value);
  }
  const TextLines& lines() const { return lines_; }

 private:
  TextLines& lines_;
  std::string text_;
  std::size_t at_ = 0;
};

void read_point_of_line(Words& words, std::string_view word, Polylines& p) {
  const std::size_t point = words.as_count("polylines", word);
  if (point >= p.points.size())
    words.lines().refuse("polylines", "a point index below " + std::to_string(p.points.size()), word);
  p.point.push_back(static_cast<int>(point));
}

/// CELLS or LINES: each line its number of points and their indices; since version 5 of the format the ends of the
/// lines (OFFSETS) and then all indices (CONNECTIVITY).
void read_lines(Words& words, Polylines& p) {
  constexpr const char* kField = "polylines";
  const std::size_t count = words.count(kField), size = words.count(kField);
  if (count == 0) return;
  const std::string_view first = words.expect(kField, "a number");
  if (first != "OFFSETS") {
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t points = i == 0 ? words.as_count(kField, first) : words.count(kField);
      for (std::size_t k = 0; k < points; ++k) read_point_of_line(words, words.expect(kField, "a number"), p);
      p.end.push_back(p.point.size());
    }
    return;
  }
  words.expect("OFFSETS", "a type");
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t offset = words.count("OFFSETS"), least = p.end.empty() ? 0 : p.end.back();
    const bool ok = i == 0 ? offset == 0 : offset >= least && offset <= size;
    if (!ok)
      words.lines().refuse("OFFSETS",
                           i == 0 ? "0 first" : std::to_string(least) + " to " + std::to_string(size) + ", ascending",
                           std::to_string(offset));
    if (i > 0) p.end.push_back(offset);
  }
  if (const std::string_view word = words.expect("CONNECTIVITY", "CONNECTIVITY"); word != "CONNECTIVITY")
    words.lines().refuse("CONNECTIVITY", "CONNECTIVITY after the offsets", word);
  words.expect("CONNECTIVITY", "a type");
  if (const std::size_t last = p.end.empty() ? 0 : p.end.back(); last != size)
    words.lines().refuse("OFFSETS", std::to_string(size) + ", the number of indices, last", std::to_string(last));
  for (std::size_t k = 0; k < size; ++k) read_point_of_line(words, words.expect("CONNECTIVITY", "a number"), p);
}

/// Of an array of POINT_DATA whose name was just read: behind SCALARS, or in a FIELD.
void read_radii(Words& words, bool is_scalars, Polylines& p) {
  constexpr const char* kField = "radii";
  std::size_t count = p.points.size();
  if (is_scalars) {
    words.expect(kField, "a type");
    std::string_view word = words.expect(kField, "LOOKUP_TABLE");
    if (word == "1") word = words.expect(kField, "LOOKUP_TABLE");
    if (word != "LOOKUP_TABLE") words.lines().refuse(kField, "one number for each point", word);
    words.expect(kField, "the name of a table");
  } else {
    const std::size_t components = words.count(kField), tuples = words.count(kField);
    if (components != 1 || tuples != count)
      words.lines().refuse(kField, "one number for each of " + std::to_string(count) + " points",
                           std::to_string(components) + " for each of " + std::to_string(tuples));
    words.expect(kField, "a type");
  }
  for (; count > 0; --count) {
    const std::string_view word = words.expect(kField, "a number");
    const double radius = words.lines().number(kField, word);
    if (!is_length(radius)) words.lines().refuse(kField, "1e-6 to 1e9 mm", word);
    p.radius_mm.push_back(radius);
  }
}

Polylines read_text_vtk(TextLines& lines) {
  Words words(lines);
  Polylines p;
  bool of_points = false, is_scalars = false;
  for (std::string_view word; words.next(word);) {
    if (word == "POINTS" && p.points.empty()) {
      const std::size_t count = words.count("POINTS");
      words.expect("POINTS", "a type");
      for (std::size_t i = 0; i < count; ++i) {
        const double x = words.coordinate("POINTS"), y = words.coordinate("POINTS");
        p.points.push_back({x, y, words.coordinate("POINTS")});
      }
    } else if ((word == "CELLS" || word == "LINES") && p.end.empty()) {
      read_lines(words, p);
    } else if (word == "POINT_DATA" || word == "CELL_DATA") {
      of_points = word == "POINT_DATA";
    } else if (of_points && is_radius_name(word) && p.radius_mm.empty()) {
      read_radii(words, is_scalars, p);
    } else {
      is_scalars = word == "SCALARS";
    }
  }
  return p;
}

Polylines read_polylines(const std::filesystem::path& path) {
  Polylines p;
  TextLines lines(path);
  std::string text;
  lines.next(text);
  if (text.starts_with("<")) {
    p = read_vtp(path);
  } else {
    if (!text.starts_with("# vtk DataFile")) lines.refuse("header", "# vtk DataFile Version …, or <VTKFile …", text);
    lines.next(text);  // the title
    lines.next(text);
    const std::vector<std::string_view> format = words_of(text);
    if (format.size() != 1 || (format[0] != "ASCII" && format[0] != "BINARY"))
      lines.refuse("format", "ASCII or BINARY", text);
    p = format[0] == "ASCII" ? read_text_vtk(lines) : read_binary_vtk(path);
  }
  if (p.point.empty()) throw BadInput(path.string(), "polylines", "points and lines of them", "none");
  return p;
}

VesselTree joined(const Polylines& p, double radius_mm, double join_mm) {
  std::vector<Vec3d> positions;
  positions.reserve(p.point.size());
  for (const int point : p.point) positions.push_back(p.points[static_cast<std::size_t>(point)]);
  VesselTree tree;
  tree.nodes.reserve(positions.size());
  const EarlierPoints earlier(positions);
  for (const std::size_t end : p.end) {
    const std::size_t begin = tree.nodes.size();
    int up = begin < end ? earlier.nearest(positions[begin], begin, join_mm) : -1;
    for (std::size_t i = begin; i < end; ++i) {
      const auto point = static_cast<std::size_t>(p.point[i]);
      tree.nodes.push_back({positions[i], p.radius_mm.empty() ? radius_mm : p.radius_mm[point], up});
      up = static_cast<int>(i);
    }
  }
  return tree;
}

}  // namespace

VesselTree read_vtk_centerlines(const std::filesystem::path& path, double radius_mm, double join_mm) try {
  require_field(is_length(radius_mm), "radius_mm", "1e-6 to 1e9 mm", radius_mm);
  require_field(join_mm >= 0, "join_mm", "0 or more", join_mm);
  std::error_code ignored;  // the reader says what is wrong with the file
  return with_host_memory(std::filesystem::file_size(path, ignored),
                          [&] { return joined(read_polylines(path), radius_mm, join_mm); });
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
