// SPDX-License-Identifier: Apache-2.0
#pragma once
// A table of a TOML file that is read field by field, with errors that name file and field.

// As in libdsasrgs/config_walkers.hpp.
#define TOML_FLOAT_CHARCONV 1
#include <toml++/toml.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace dsasrgs::program {

/// Parses a file. Throws IoError, and BadInput naming the line.
toml::table parse_toml_file(const std::filesystem::path&);

/// Every read marks its field as known; reject_unknown() then finds what was misspelt. The toml::table must outlive it.
/// All reads throw BadInput for another type; those without default for a missing field too.
class TomlTable {
 public:
  TomlTable(const toml::table& table, std::string file, std::string prefix = "")
      : table_(&table), file_(std::move(file)), prefix_(std::move(prefix)) {}

  bool has(const char* name) const { return table_->contains(name); }
  std::string text(const char* name);
  std::string text(const char* name, const std::string& fallback);
  double number(const char* name, double fallback);
  bool flag(const char* name, bool fallback);
  std::vector<std::int64_t> integers(const char* name);  ///< an array; missing: empty
  std::vector<std::string> texts(const char* name);      ///< one string or an array of different ones; missing: empty
  const toml::array* array(const char* name);            ///< missing: null
  std::optional<TomlTable> table(const char* name);
  std::vector<TomlTable> tables(const char* name);  ///< of [[name]]; missing: none
  /// Leaves of a nested table as "outer.inner=value", for apply_setting; missing: none.
  std::vector<std::string> assignments(const char* name);

  const toml::table& raw() const { return *table_; }
  std::string field(const std::string& name) const { return prefix_ + name; }
  [[noreturn]] void refuse(const std::string& name, const std::string& expected, const std::string& found) const;
  void reject_unknown() const;

 private:
  const toml::node* find(const char* name);

  const toml::table* table_;
  std::string file_, prefix_;
  std::set<std::string> known_;
};

/// A value as TOML writes it.
std::string toml_text(const toml::node&);

}  // namespace dsasrgs::program
