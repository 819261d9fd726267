// SPDX-License-Identifier: Apache-2.0
#include "import/json_file.hpp"

#include <cmath>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/host_vector.hpp"
#include "dsasrgs/error.hpp"
#include "files/byte_stream.hpp"

namespace dsasrgs {

namespace {

constexpr std::size_t kMostJsonBytes = std::size_t{1} << 28;
constexpr int kMostJsonSide = 1 << 20;

std::string shown_json(const nlohmann::json& value) {
  if (value.is_structured()) return value.is_array() ? "a list" : "an object";
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).substr(0, 40);
}

/// No deeper than any file of these formats: the JSON library's objects are destroyed recursively in places.
void require_shallow(const std::string& name, std::string_view text) {
  constexpr int kDeepest = 64;
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && (text[i] == '[' || text[i] == '{')) {
      if (++depth > kDeepest)
        throw BadInput(name, "file", "lists and objects at most 64 deep", "deeper ones at byte " + std::to_string(i));
    } else if (!quoted && (text[i] == ']' || text[i] == '}')) {
      --depth;
    }
  }
}

/// The JSON library keeps one of two values of the same name, and does not say so.
class EachNameOnce {
 public:
  explicit EachNameOnce(std::string file) : file_(std::move(file)) {}
  bool operator()(int, nlohmann::json::parse_event_t event, const nlohmann::json& parsed) {
    if (event == nlohmann::json::parse_event_t::object_start) names_.emplace_back();
    if (event == nlohmann::json::parse_event_t::object_end) names_.pop_back();
    if (event != nlohmann::json::parse_event_t::key) return true;
    const auto name = parsed.get<std::string>();
    if (!names_.back().insert(name).second) throw BadInput(file_, name.substr(0, 40), "one value", "two in one object");
    return true;
  }

 private:
  std::string file_;
  std::vector<std::set<std::string>> names_;  // of the objects that are open
};

}  // namespace

JsonFields::JsonFields(const std::filesystem::path& path) {
  ByteReader reader(path);
  file_ = reader.name();
  if (reader.max_size() > kMostJsonBytes)
    throw BadInput(file_, "file", "at most 2^28 bytes of JSON", std::to_string(reader.max_size()));
  with_host_memory(reader.max_size(), [&] {
    std::string text(reader.max_size(), '\0');
    text.resize(reader.read(text.data(), text.size()));
    require_shallow(file_, text);
    try {
      EachNameOnce each_name_once(file_);
      object_ = nlohmann::json::parse(text, std::ref(each_name_once));
    } catch (const nlohmann::json::parse_error& e) {
      throw BadInput(file_, "byte " + std::to_string(e.byte), "JSON", "something else");
    } catch (const nlohmann::json::exception&) {
      throw BadInput(file_, "file", "JSON with numbers of double precision", "others");
    }
  });
  if (!object_.is_object()) throw BadInput(file_, "file", "a JSON object", shown_json(object_));
}

void JsonFields::refuse(const std::string& name, const std::string& expected, const std::string& found) const {
  throw BadInput(file_, at_ + name, expected, found);
}

const nlohmann::json& JsonFields::value(const std::string& name) const {
  if (!has(name)) refuse(name, "a value", "none");
  return object_.at(name);
}

const nlohmann::json& JsonFields::list(const std::string& name) const {
  const nlohmann::json& found = value(name);
  if (!found.is_array()) refuse(name, "a list", shown_json(found));
  return found;
}

double JsonFields::finite(const std::string& name, const nlohmann::json& found) const {
  if (!found.is_number() || !std::isfinite(found.get<double>())) refuse(name, "a finite number", shown_json(found));
  return found.get<double>();
}

double JsonFields::number(const std::string& name) const { return finite(name, value(name)); }

int JsonFields::side(const std::string& name) const {
  const double found = number(name);
  if (!(found >= 1 && found <= kMostJsonSide) || found != std::floor(found))
    refuse(name, "a whole number of 1 to 1048576", shown_json(value(name)));
  return static_cast<int>(found);
}

std::string JsonFields::text(const std::string& name) const {
  const nlohmann::json& found = value(name);
  if (!found.is_string()) refuse(name, "a text", shown_json(found));
  return found.get<std::string>();
}

std::vector<double> JsonFields::numbers(const std::string& name, std::size_t count) const {
  const nlohmann::json& found = list(name);
  if (found.size() != count) refuse(name, std::to_string(count) + " numbers", std::to_string(found.size()));
  std::vector<double> numbers;
  for (const nlohmann::json& number : found) numbers.push_back(finite(name, number));
  return numbers;
}

std::vector<int> JsonFields::sides(const std::string& name, std::size_t count) const {
  std::vector<int> sides;
  for (const double number : numbers(name, count)) {
    if (!(number >= 1 && number <= kMostJsonSide) || number != std::floor(number))
      refuse(name, "whole numbers of 1 to 1048576", std::to_string(number));
    sides.push_back(static_cast<int>(number));
  }
  return sides;
}

std::size_t JsonFields::width(const std::string& name) const {
  const nlohmann::json& found = list(name);
  return !found.empty() && found.front().is_array() ? found.front().size() : 1;
}

std::vector<std::vector<double>> JsonFields::rows(const std::string& name, std::size_t width, std::size_t count,
                                                  const std::vector<double>& otherwise) const {
  std::vector<std::vector<double>> rows;
  const auto row_of = [&](const nlohmann::json& found) {
    std::vector<double> row;
    if (found.is_array())
      for (const nlohmann::json& number : found) row.push_back(finite(name, number));
    else
      row.push_back(finite(name, found));
    if (row.size() != width)
      refuse(name, "rows of " + std::to_string(width) + (width == 1 ? " number" : " numbers"),
             "one of " + std::to_string(row.size()));
    return row;
  };
  if (!has(name) && otherwise.size() == width) return std::vector<std::vector<double>>(count, otherwise);
  const nlohmann::json& found = value(name);
  const bool is_list_of_rows = found.is_array() && (width == 1 || (!found.empty() && found.front().is_array()));
  if (!is_list_of_rows) return std::vector<std::vector<double>>(count, row_of(found));
  for (const nlohmann::json& row : found) rows.push_back(row_of(row));
  if (rows.size() == 1) rows.resize(count, rows.front());
  if (rows.size() != count)
    refuse(name, "1 or " + std::to_string(count) + " rows, one a view", std::to_string(rows.size()));
  return rows;
}

JsonFields JsonFields::object(const std::string& name) const {
  const nlohmann::json& found = value(name);
  if (!found.is_object()) refuse(name, "an object", shown_json(found));
  return {file_, at_ + name + ".", found};
}

std::vector<JsonFields> JsonFields::objects(const std::string& name) const {
  std::vector<JsonFields> objects;
  for (const nlohmann::json& found : list(name)) {
    if (!found.is_object()) refuse(name, "objects", shown_json(found));
    objects.push_back({file_, at_ + name + "[" + std::to_string(objects.size()) + "].", found});
  }
  return objects;
}

}  // namespace dsasrgs
