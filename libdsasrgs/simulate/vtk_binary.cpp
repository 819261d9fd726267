// SPDX-License-Identifier: Apache-2.0
// Legacy VTK files in binary form. The format:
// https://docs.vtk.org/en/latest/vtk_file_formats/vtk_legacy_file_format.html
#include <algorithm>
#include <charconv>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/checks.hpp"
#include "common/host_vector.hpp"
#include "dsasrgs/error.hpp"
#include "files/byte_stream.hpp"
#include "files/number_array.hpp"
#include "files/text_lines.hpp"
#include "simulate/polylines.hpp"

namespace dsasrgs {

namespace {

/// VTK's names of types; legacy files are big-endian.
NumberType legacy_type(std::string_view name) {
  using Kind = NumberType::Kind;
  static const std::map<std::string_view, NumberType> kTypes{
      {"unsigned_char", {Kind::whole, 1, true}},  {"char", {Kind::integer, 1, true}},
      {"unsigned_short", {Kind::whole, 2, true}}, {"short", {Kind::integer, 2, true}},
      {"unsigned_int", {Kind::whole, 4, true}},   {"int", {Kind::integer, 4, true}},
      {"unsigned_long", {Kind::whole, 8, true}},  {"long", {Kind::integer, 8, true}},
      {"vtktypeint64", {Kind::integer, 8, true}}, {"vtkIdType", {Kind::integer, 4, true}},
      {"float", {Kind::real, 4, true}},           {"double", {Kind::real, 8, true}}};
  const auto found = kTypes.find(name);
  return found == kTypes.end() ? NumberType{} : found->second;
}

class BinaryVtk {
 public:
  BinaryVtk(std::string name, std::string_view bytes) : name_(std::move(name)), rest_(bytes), size_(bytes.size()) {}

  Polylines read() {
    for (int line = 0; line < 3; ++line) take_line();  // version, title, BINARY
    while (!rest_.empty()) section(words_of(take_line()));
    Polylines p;
    add_polylines(name_, points_, ends_, connectivity_, radii_, p);
    return p;
  }

 private:
  using Line = std::vector<std::string_view>;

  [[noreturn]] void fail(std::string_view field, std::string_view expected, std::string_view found) const {
    throw BadInput(name_, "byte " + std::to_string(size_ - rest_.size()) + ": " + std::string(field), expected,
                   found.substr(0, 40));
  }
  std::string_view take_line() {
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
  }
  std::size_t count(const Line& line, std::size_t i) const {
    std::size_t value = 0;
    const std::string_view word = i < line.size() ? line[i] : std::string_view();
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc{} || end != word.data() + word.size()) fail(line[0], "a number of things", word);
    return value;
  }
  /// Numbers and the end of their line, to `values` or left out.
  void numbers(std::string_view field, NumberType type, std::size_t how_many, std::vector<double>* values) {
    if (type.kind == NumberType::Kind::none) fail(field, "a type of numbers such as float", "another");
    const auto bytes = static_cast<std::size_t>(type.bytes);
    if (how_many > rest_.size() / bytes)
      fail(field, std::to_string(how_many) + " numbers", std::to_string(rest_.size() / bytes));
    if (values != nullptr) append_numbers(type, rest_.data(), how_many, *values);
    rest_.remove_prefix(how_many * bytes);
    if (rest_.starts_with('\n')) rest_.remove_prefix(1);
  }
  void numbers(std::string_view field, std::string_view type, std::size_t how_many, std::vector<double>* values) {
    numbers(field, legacy_type(type), how_many, values);
  }

  void section(const Line& line) {
    if (line.empty()) return;
    const std::string_view key = line[0];
    if (key == "DATASET") return;
    if (key == "POINTS" && line.size() == 3) {
      numbers(key, line[2], size_product(3, count(line, 1)), points_.empty() ? &points_ : nullptr);
    } else if (key == "LINES" || key == "CELLS" || key == "VERTICES" || key == "POLYGONS" || key == "TRIANGLE_STRIPS") {
      cells(line, ends_.empty() && (key == "LINES" || key == "CELLS"));
    } else if (key == "CELL_TYPES") {
      numbers(key, "int", count(line, 1), nullptr);
    } else if (key == "METADATA") {
      while (!rest_.empty() && !take_line().empty()) {
      }
    } else if (key == "POINT_DATA" || key == "CELL_DATA") {
      of_points_ = key == "POINT_DATA";
      things_ = count(line, 1);
    } else if (key == "FIELD") {
      for (std::size_t arrays = count(line, 2); arrays > 0; --arrays) field_array();
    } else {
      attribute(line);
    }
  }

  /// Up to version 4 of the format each line's number of points and their indices, later OFFSETS and CONNECTIVITY.
  void cells(const Line& line, bool wanted) {
    const std::size_t first = count(line, 1), second = count(line, 2);
    if (!rest_.starts_with("OFFSETS")) {
      std::vector<double> mixed;
      numbers(line[0], "int", second, &mixed);
      if (wanted) split_cells(mixed, first);
      return;
    }
    const Line offsets = words_of(take_line());
    std::vector<double> ends;
    numbers("OFFSETS", offsets.size() > 1 ? offsets[1] : "", first, &ends);
    const Line connectivity = words_of(take_line());
    if (connectivity.size() != 2 || connectivity[0] != "CONNECTIVITY")
      fail("CONNECTIVITY", "CONNECTIVITY after the offsets", connectivity.empty() ? "none" : connectivity[0]);
    std::vector<double> indices;
    numbers("CONNECTIVITY", connectivity[1], second, &indices);
    if (!wanted || ends.empty()) return;
    if (ends.front() != 0) fail("OFFSETS", "0 first", "another number");
    ends_.assign(ends.begin() + 1, ends.end());
    connectivity_ = std::move(indices);
  }

  void split_cells(const std::vector<double>& mixed, std::size_t lines) {
    std::size_t at = 0;
    for (std::size_t i = 0; i < lines; ++i) {
      const double points = at < mixed.size() ? mixed[at++] : -1;
      if (!(points >= 0 && points <= static_cast<double>(mixed.size() - at)))
        fail("polylines", "a number of points, and as many indices", "others");
      connectivity_.insert(connectivity_.end(), mixed.begin() + static_cast<std::ptrdiff_t>(at),
                           mixed.begin() + static_cast<std::ptrdiff_t>(at) + static_cast<std::ptrdiff_t>(points));
      at += static_cast<std::size_t>(points);
      ends_.push_back(static_cast<double>(connectivity_.size()));
    }
  }

  void field_array() {
    Line line = words_of(take_line());
    while (line.empty() || line[0] == "METADATA") {  // of the array before it
      if (rest_.empty()) fail("FIELD", "an array", "the end of the file");
      if (!line.empty())
        while (!rest_.empty() && !take_line().empty()) {
        }
      line = words_of(take_line());
    }
    if (line.size() != 4) fail("FIELD", "name, components, number and type of an array", line[0]);
    const std::size_t components = count(line, 1), tuples = count(line, 2);
    if (line[3] == "string") fail("FIELD", "numbers", "texts");
    const bool wanted = of_points_ && is_radius_name(line[0]) && components == 1 && radii_.empty();
    numbers(line[0], line[3], size_product(components, tuples), wanted ? &radii_ : nullptr);
  }

  /// What POINT_DATA and CELL_DATA hold beside fields.
  void attribute(const Line& line) {
    const std::string_view key = line[0];
    if (key == "SCALARS" && line.size() >= 3) {
      const std::size_t components = line.size() > 3 ? count(line, 3) : 1;
      const std::string name(line[1]), type(line[2]);
      if (rest_.starts_with("LOOKUP_TABLE")) take_line();
      const bool wanted = of_points_ && is_radius_name(name) && components == 1 && radii_.empty();
      numbers(name, type, size_product(components, things_), wanted ? &radii_ : nullptr);
    } else if ((key == "VECTORS" || key == "NORMALS") && line.size() == 3) {
      numbers(key, line[2], size_product(3, things_), nullptr);
    } else if (key == "TENSORS" && line.size() == 3) {
      numbers(key, line[2], size_product(9, things_), nullptr);
    } else if (key == "TEXTURE_COORDINATES" && line.size() == 4) {
      numbers(key, line[3], size_product(count(line, 2), things_), nullptr);
    } else if (key == "LOOKUP_TABLE" && line.size() == 3) {
      numbers(key, "unsigned_char", size_product(4, count(line, 2)), nullptr);
    } else if (key == "GLOBAL_IDS" || key == "PEDIGREE_IDS") {
      numbers(key, line.size() > 2 ? line[2] : "", things_, nullptr);
    } else {
      fail("section", "one of VTK's, such as POINTS and LINES", key);
    }
  }

  std::string name_;
  std::string_view rest_;
  std::size_t size_ = 0;
  bool of_points_ = false;  ///< the attributes that follow
  std::size_t things_ = 0;  ///< how many points, or cells, have them
  std::vector<double> points_, ends_, connectivity_, radii_;
};

}  // namespace

Polylines read_binary_vtk(const std::filesystem::path& path) {
  ByteReader file(path);
  return with_host_memory([&] {
    std::string bytes(file.max_size(), '\0');
    bytes.resize(file.read(bytes.data(), bytes.size()));
    return BinaryVtk(file.name(), bytes).read();
  });
}

}  // namespace dsasrgs
