// Reading vessel trees: SWC, and the polylines of legacy VTK files.
#include <charconv>
#include <cmath>
#include <fstream>
#include <limits>
#include <locale>
#include <sstream>
#include <string>
#include <unordered_map>

#include "common/require.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/simulator.hpp"

namespace dsasrgs {

namespace {

std::ifstream open(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path)) throw IoError(path.string() + ": cannot be opened for reading");
  return file;
}

[[noreturn]] void refuse(const std::filesystem::path& path, std::size_t line, const std::string& field,
                         const std::string& expected, const std::string& found) {
  throw BadInput(path.string(), "line " + std::to_string(line) + ": " + field, expected, found);
}

template <class T>
T parse(const std::filesystem::path& path, std::size_t line, const char* field, const std::string& text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  bool ok = error == std::errc{} && end == text.data() + text.size();
  if constexpr (std::is_floating_point_v<T>) ok = ok && std::isfinite(value);
  if (!ok) refuse(path, line, field, std::is_floating_point_v<T> ? "a finite number" : "a whole number", text);
  return value;
}

struct SwcRow {
  VesselNode node;
  long long id = 0, parent = -1;
  std::size_t line = 0;
};

/// Nodes ordered so that every parent comes before its children; otherwise in the order of the file.
VesselTree parents_first(const std::filesystem::path& path, const std::vector<SwcRow>& rows) {
  std::unordered_map<long long, std::size_t> row_of;
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (!row_of.emplace(rows[i].id, i).second)
      refuse(path, rows[i].line, "id", "an id not used before", std::to_string(rows[i].id));
  enum class State : char { waiting, on_path, placed };
  std::vector<State> state(rows.size(), State::waiting);
  std::vector<int> index(rows.size(), -1);
  VesselTree tree;
  std::vector<std::size_t> upstream;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    upstream.clear();
    for (std::size_t r = i; state[r] != State::placed;) {
      if (state[r] == State::on_path)
        refuse(path, rows[r].line, "parent", "a chain of parents that ends at an inlet", "a cycle");
      state[r] = State::on_path;
      upstream.push_back(r);
      if (rows[r].parent < 0) break;
      const auto parent = row_of.find(rows[r].parent);
      if (parent == row_of.end())
        refuse(path, rows[r].line, "parent", "the id of another node or -1", std::to_string(rows[r].parent));
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

/// Words of a text file with the line each is on.
class Words {
 public:
  explicit Words(const std::filesystem::path& path) : path_(path), file_(open(path)) {}
  /// The rest of the next line; false at the end of the file.
  bool next_line(std::string& text) {
    words_.clear();
    if (!std::getline(file_, text)) return false;
    ++line_;
    return true;
  }
  /// The next word; false at the end of the file.
  bool next(std::string& word) {
    while (!(words_ >> word)) {
      std::string text;
      if (!next_line(text)) return false;
      words_ = std::istringstream(text);
      words_.imbue(std::locale::classic());
    }
    return true;
  }
  std::string expect(const char* field, const char* expected) {
    std::string word;
    if (!next(word)) refuse(path_, line_, field, expected, "the end of the file");
    return word;
  }
  template <class T>
  T number(const char* field) {
    const std::string word = expect(field, "a number");
    return parse<T>(path_, line_, field, word);
  }
  std::size_t line() const { return line_; }

 private:
  std::filesystem::path path_;
  std::ifstream file_;
  std::istringstream words_;
  std::size_t line_ = 0;
};

}  // namespace

VesselTree read_swc(const std::filesystem::path& path) {
  std::ifstream file = open(path);
  std::vector<SwcRow> rows;
  std::string text;
  for (std::size_t line = 1; std::getline(file, text); ++line) {
    if (const auto comment = text.find('#'); comment != std::string::npos) text.resize(comment);
    std::istringstream words(text);
    words.imbue(std::locale::classic());
    std::vector<std::string> fields;
    for (std::string word; words >> word;) fields.push_back(word);
    if (fields.empty()) continue;
    if (fields.size() != 7)
      refuse(path, line, "fields", "7 (id type x y z radius parent)", std::to_string(fields.size()));
    SwcRow row;
    row.line = line;
    row.id = parse<long long>(path, line, "id", fields[0]);
    if (row.id < 0) refuse(path, line, "id", "0 or more", fields[0]);
    parse<long long>(path, line, "type", fields[1]);
    row.node.position_mm = {parse<double>(path, line, "x", fields[2]), parse<double>(path, line, "y", fields[3]),
                            parse<double>(path, line, "z", fields[4])};
    row.node.radius_mm = parse<double>(path, line, "radius", fields[5]);
    if (!(row.node.radius_mm > 0)) refuse(path, line, "radius", "a positive length", fields[5]);
    row.parent = parse<long long>(path, line, "parent", fields[6]);
    rows.push_back(row);
  }
  if (file.bad()) throw IoError(path.string() + ": reading failed");
  if (rows.empty()) throw BadInput(path.string(), "nodes", "at least one line id type x y z radius parent", "none");
  return parents_first(path, rows);
}

VesselTree read_vtk_centerlines(const std::filesystem::path& path, double radius_mm, double join_mm) {
  require(std::isfinite(radius_mm) && radius_mm > 0, "read_vtk_centerlines",
          "radius_mm: expected a positive length, found " + std::to_string(radius_mm));
  require(join_mm >= 0, "read_vtk_centerlines", "join_mm: expected 0 or more, found " + std::to_string(join_mm));
  Words words(path);
  std::string text;
  if (!words.next_line(text) || text.rfind("# vtk DataFile", 0) != 0)
    refuse(path, 1, "header", "# vtk DataFile Version …", text.substr(0, 40));
  words.next_line(text);
  if (const std::string format = words.expect("format", "ASCII"); format != "ASCII")
    refuse(path, words.line(), "format", "ASCII", format);

  std::vector<Vec3d> points;
  std::vector<std::vector<std::size_t>> lines;
  for (std::string word; lines.empty() && words.next(word);) {
    if (word == "POINTS") {
      const auto count = words.number<unsigned>("POINTS");
      words.expect("POINTS", "a type");
      for (unsigned i = 0; i < count; ++i) {
        const double x = words.number<double>("POINTS"), y = words.number<double>("POINTS");
        points.push_back({x, y, words.number<double>("POINTS")});
      }
    } else if (word == "CELLS" || word == "LINES") {
      const auto count = words.number<unsigned>("polylines");
      words.number<unsigned>("polylines");
      for (unsigned i = 0; i < count; ++i) {
        std::vector<std::size_t> line;
        const auto size = words.number<unsigned>("polylines");
        for (unsigned k = 0; k < size; ++k) {
          line.push_back(words.number<unsigned>("polylines"));
          if (line.back() >= points.size())
            refuse(path, words.line(), "polylines", "a point index below " + std::to_string(points.size()),
                   std::to_string(line.back()));
        }
        lines.push_back(line);
      }
    }
  }
  VesselTree tree;
  for (const auto& line : lines) {
    int up = -1;
    double nearest = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < tree.nodes.size() && !line.empty(); ++i) {
      const double d = length(tree.nodes[i].position_mm - points[line.front()]);
      if (d <= join_mm && d < nearest) {
        nearest = d;
        up = static_cast<int>(i);
      }
    }
    for (const std::size_t p : line) {
      tree.nodes.push_back({points[p], radius_mm, up});
      up = static_cast<int>(tree.nodes.size()) - 1;
    }
  }
  if (tree.nodes.empty()) throw BadInput(path.string(), "polylines", "POINTS and CELLS or LINES", "none");
  return tree;
}

}  // namespace dsasrgs
