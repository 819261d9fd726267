// SPDX-License-Identifier: Apache-2.0
#include "study/toml_table.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "dsasrgs/no_such_file.hpp"

namespace dsasrgs::program {

namespace {

void collect_assignments(const toml::table& table, const std::string& prefix, std::vector<std::string>& list) {
  for (const auto& [key, node] : table) {
    const std::string name = prefix + std::string(key.str());
    if (const toml::table* inner = node.as_table())
      collect_assignments(*inner, name + ".", list);
    else
      list.push_back(name + "=" + toml_text(node));
  }
}

}  // namespace

std::string toml_text(const toml::node& node) {
  std::ostringstream text;
  node.visit([&](const auto& n) { text << n; });
  if (text.str().empty()) return node.is_array() ? "[]" : "{}";  // toml++ writes nothing for what is empty
  return text.str();
}

toml::table parse_toml_file(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) throw NoSuchFile(path.string() + ": expected a file, found a folder");
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file && !std::filesystem::exists(path, error)) throw NoSuchFile(path.string() + ": expected a file, found none");
  if (!file) throw IoError(path.string() + ": cannot be opened for reading");
  require_parsable_toml(text.str(), path.string());
  try {
    return toml::parse(text.str());
  } catch (const toml::parse_error& e) {
    throw BadInput(path.string(), "line " + std::to_string(e.source().begin.line), "TOML",
                   std::string(e.description()));
  }
}

void TomlTable::refuse(const std::string& name, const std::string& expected, const std::string& found) const {
  throw BadInput(file_, field(name), expected, found);
}

const toml::node* TomlTable::find(const char* name) {
  known_.insert(name);
  return table_->get(name);
}

std::string TomlTable::text(const char* name) {
  const toml::node* node = find(name);
  if (node == nullptr) refuse(name, "a string", "none");
  const auto value = node->value_exact<std::string>();
  if (!value || value->empty()) refuse(name, "a string that is not empty", toml_text(*node));
  return *value;
}

std::string TomlTable::text(const char* name, const std::string& fallback) {
  known_.insert(name);
  return has(name) ? text(name) : fallback;
}

double TomlTable::number(const char* name, double fallback) {
  const toml::node* node = find(name);
  if (node == nullptr) return fallback;
  const auto value = node->value<double>();
  if (!node->is_number() || !value || !std::isfinite(*value)) refuse(name, "a finite number", toml_text(*node));
  return *value;
}

bool TomlTable::flag(const char* name, bool fallback) {
  const toml::node* node = find(name);
  if (node == nullptr) return fallback;
  if (!node->is_boolean()) refuse(name, "true or false", toml_text(*node));
  return *node->value<bool>();
}

std::vector<std::int64_t> TomlTable::integers(const char* name) {
  std::vector<std::int64_t> list;
  const toml::array* items = array(name);
  if (items == nullptr) return list;
  for (const toml::node& item : *items) {
    const auto value = item.value_exact<std::int64_t>();
    if (!value) refuse(name, "integers", toml_text(item));
    list.push_back(*value);
  }
  return list;
}

std::vector<std::string> TomlTable::texts(const char* name) {
  const toml::node* node = find(name);
  if (node == nullptr) return {};
  if (!node->is_array()) return {text(name)};
  std::vector<std::string> list;
  for (const toml::node& item : *node->as_array()) {
    const auto value = item.value_exact<std::string>();
    if (!value || value->empty()) refuse(name, "strings", toml_text(item));
    if (std::find(list.begin(), list.end(), *value) != list.end()) refuse(name, "each once", *value + " twice");
    list.push_back(*value);
  }
  return list;
}

const toml::array* TomlTable::array(const char* name) {
  const toml::node* node = find(name);
  if (node == nullptr) return nullptr;
  if (!node->is_array()) refuse(name, "an array", toml_text(*node));
  return node->as_array();
}

std::optional<TomlTable> TomlTable::table(const char* name) {
  const toml::node* node = find(name);
  if (node == nullptr) return std::nullopt;
  if (!node->is_table()) refuse(name, "a table", toml_text(*node));
  return TomlTable(*node->as_table(), file_, field(name) + ".");
}

std::vector<TomlTable> TomlTable::tables(const char* name) {
  std::vector<TomlTable> list;
  const toml::array* items = array(name);
  if (items == nullptr) return list;
  for (std::size_t i = 0; i < items->size(); ++i) {
    const toml::table* item = items->get(i)->as_table();
    const std::string at = std::string(name) + "[" + std::to_string(i) + "]";
    if (item == nullptr) refuse(at, "a table", toml_text(*items->get(i)));
    list.emplace_back(*item, file_, field(at) + ".");
  }
  return list;
}

std::vector<std::string> TomlTable::assignments(const char* name) {
  std::vector<std::string> list;
  if (const auto inner = table(name)) collect_assignments(inner->raw(), "", list);
  return list;
}

void TomlTable::reject_unknown() const {
  for (const auto& [key, node] : *table_)
    if (!known_.contains(std::string(key.str()))) {
      std::string names;
      for (const std::string& n : known_) names += (names.empty() ? "" : ", ") + n;
      refuse(std::string(key.str()), "one of " + names, "an unknown name");
    }
}

}  // namespace dsasrgs::program
