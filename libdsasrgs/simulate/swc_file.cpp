// SPDX-License-Identifier: Apache-2.0
// Reading SWC files.
#include <algorithm>
#include <string>
#include <unordered_map>

#include "common/checks.hpp"
#include "common/host_vector.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/simulator.hpp"
#include "files/text_lines.hpp"

namespace dsasrgs {

namespace {

constexpr std::size_t kFields = 7;
constexpr std::size_t kMostCharacters = 1 << 16;  // of a line before its comment
constexpr const char* kFieldNames = "7 (id type x y z radius parent)";

struct SwcRow {
  VesselNode node;
  long long id = 0, parent = -1;
  std::size_t line = 0;
};

[[noreturn]] void refuse(const std::filesystem::path& path, const SwcRow& row, const char* field, const char* expected,
                         const std::string& found) {
  throw BadInput(path.string(), "line " + std::to_string(row.line) + ": " + field, expected, found);
}

/// Nodes ordered so that every parent comes before its children; otherwise in the order of the file.
VesselTree parents_first(const std::filesystem::path& path, const std::vector<SwcRow>& rows) {
  std::unordered_map<long long, std::size_t> row_of;
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (!row_of.emplace(rows[i].id, i).second)
      refuse(path, rows[i], "id", "an id not used before", std::to_string(rows[i].id));
  enum class State : char { waiting, on_path, placed };
  std::vector<State> state(rows.size(), State::waiting);
  std::vector<int> index(rows.size(), -1);
  VesselTree tree;
  std::vector<std::size_t> upstream;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    upstream.clear();
    for (std::size_t r = i; state[r] != State::placed;) {
      if (state[r] == State::on_path)
        refuse(path, rows[r], "parent", "a chain of parents that ends at an inlet", "a cycle");
      state[r] = State::on_path;
      upstream.push_back(r);
      if (rows[r].parent < 0) break;
      const auto parent = row_of.find(rows[r].parent);
      if (parent == row_of.end())
        refuse(path, rows[r], "parent", "the id of another node or -1", std::to_string(rows[r].parent));
      r = parent->second;
    }
    for (; !upstream.empty(); upstream.pop_back()) {
      const std::size_t r = upstream.back();
      VesselNode node = rows[r].node;
      node.parent = rows[r].parent < 0 ? -1 : index[row_of[rows[r].parent]];
      index[r] = static_cast<int>(tree.nodes.size());
      state[r] = State::placed;
      tree.nodes.push_back(node);
    }
  }
  return tree;
}

/// The fields of a line: between semicolons, else between commas where nothing but commas stands between them, else
/// between blanks. So a decimal comma is no separator, and where commas separate there are 7 fields exactly.
std::vector<std::string_view> swc_fields(const TextLines& lines, std::string_view text) {
  const auto has_blank = [](std::string_view field) { return words_of(field).size() > 1; };
  for (const char separator : {';', ','}) {
    if (text.find(separator) == std::string_view::npos) continue;
    std::vector<std::string_view> fields = fields_between(text, separator);
    if (std::any_of(fields.begin(), fields.end(), has_blank)) continue;
    if (fields.size() != kFields) lines.refuse("fields", kFieldNames, std::to_string(fields.size()));
    return fields;
  }
  std::vector<std::string_view> fields = words_of(text);
  if (!fields.empty() && fields.size() < kFields) lines.refuse("fields", kFieldNames, std::to_string(fields.size()));
  return fields;
}

double swc_radius(const TextLines& lines, std::string_view word, double min_radius_mm) {
  const double radius = lines.number("radius", word);
  if (min_radius_mm == 0 && radius == 0)
    lines.refuse("radius", "a positive length (a smallest radius, min_radius_mm, would stand in for it)", word);
  if (!(radius >= 0)) lines.refuse("radius", "a positive length", word);
  if (radius < min_radius_mm) return min_radius_mm;
  if (!is_length(radius)) lines.refuse("radius", "1e-6 to 1e9 mm", word);
  return radius;
}

std::vector<SwcRow> read_rows(const std::filesystem::path& path, double min_radius_mm) {
  TextLines lines(path);
  std::vector<SwcRow> rows;
  for (std::string text; lines.next(text);) {
    if (const auto comment = text.find('#'); comment != std::string::npos) text.resize(comment);
    if (text.size() > kMostCharacters) lines.refuse("fields", kFieldNames, text);
    const std::vector<std::string_view> fields = swc_fields(lines, text);
    if (fields.empty()) continue;
    SwcRow row;
    row.line = lines.line();
    row.id = lines.whole_number("id", fields[0]);
    if (row.id < 0) lines.refuse("id", "0 or more", fields[0]);
    lines.whole_number("type", fields[1]);
    row.node.position_mm = {lines.coordinate("x", fields[2]), lines.coordinate("y", fields[3]),
                            lines.coordinate("z", fields[4])};
    row.node.radius_mm = swc_radius(lines, fields[5], min_radius_mm);
    row.parent = lines.whole_number("parent", fields[6]);
    rows.push_back(row);
  }
  if (rows.empty()) throw BadInput(path.string(), "nodes", "at least one line id type x y z radius parent", "none");
  return rows;
}

}  // namespace

VesselTree read_swc(const std::filesystem::path& path, double min_radius_mm) try {
  require_field(min_radius_mm == 0 || is_length(min_radius_mm), "min_radius_mm", "0, or 1e-6 to 1e9 mm", min_radius_mm);
  std::error_code ignored;  // the reader says what is wrong with the file
  return with_host_memory(std::filesystem::file_size(path, ignored),
                          [&] { return parents_first(path, read_rows(path, min_radius_mm)); });
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
