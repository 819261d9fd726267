// SPDX-License-Identifier: Apache-2.0
#pragma once
// What walks the fields of a configuration (config_fields.hpp, network/network_config.cpp): to check, write and read
// them.

// As in examples/study/toml_table.hpp. Streams, which toml++ would take, say for want of memory that a number is none.
#define TOML_FLOAT_CHARCONV 1
#include <toml++/toml.h>

#include <cmath>
#include <locale>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "common/plain_number.hpp"
#include "config_fields.hpp"
#include "config_names.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "number_text.hpp"

namespace dsasrgs {

/// Keeps the dotted name of the section being walked.
class SectionWalker {
 protected:
  std::string full(const char* name) const { return prefix_ + name; }
  template <class Body>
  void inside(const char* name, Body&& body) {
    const std::string outer = prefix_;
    prefix_ += std::string(name) + ".";
    body();
    prefix_ = outer;
  }

 private:
  std::string prefix_;
};

/// Checks that every number is within its range and every name is one.
class FieldChecker : public SectionWalker {
 public:
  explicit FieldChecker(std::string_view source) : source_(source) {}
  template <class Body>
  void section(const char* name, Body&& body) {
    inside(name, body);
  }
  template <class T>
  void field(const char* name, const T& value, Range range) {
    const auto v = static_cast<double>(value);
    if (!(v >= range.low && v <= range.high))
      throw BadInput(source_, full(name),
                     "a number from " + plain_number(range.low) + " to " + plain_number(range.high),
                     plain_number(value));
  }
  void field(const char* name, const Decay& d) {
    for (const double v : {d.first, d.last})
      if (!(v >= 0 && std::isfinite(v)))
        throw BadInput(source_, full(name), "two finite numbers of 0 or more", plain_number(v));
  }
  template <class E>
  requires std::is_enum_v<E>
  void field(const char* name, const E& value) {
    if (!has_name(value))
      throw BadInput(source_, full(name), name_list(value), "the number " + std::to_string(static_cast<int>(value)));
  }
  template <class T>
  void field(const char*, const T&) {}

 private:
  std::string source_;
};

/// Writes every field as TOML.
class FieldWriter : public SectionWalker {
 public:
  template <class Body>
  void section(const char* name, Body&& body) {
    inside(name, [&] {
      const std::string full_name = full("");
      out_ << "\n[" << full_name.substr(0, full_name.size() - 1) << "]\n";
      body();
    });
  }
  template <class T>
  void field(const char* name, const T& value, Range) {
    field(name, value);
  }
  void field(const char* name, int v) { out_ << name << " = " << v << '\n'; }
  void field(const char* name, std::int64_t v) { out_ << name << " = " << v << '\n'; }
  void field(const char* name, double v) { out_ << name << " = " << number_text(v) << '\n'; }
  void field(const char* name, bool v) { out_ << name << " = " << (v ? "true" : "false") << '\n'; }
  void field(const char* name, const std::string& v) { out_ << name << " = " << toml::value<std::string>(v) << '\n'; }
  void field(const char* name, const Decay& d) {
    out_ << name << " = [" << number_text(d.first) << ", " << number_text(d.last) << "]\n";
  }
  template <class E>
  requires std::is_enum_v<E>
  void field(const char* name, E v) {
    if (!has_name(v))
      throw InvalidArgument("to_toml: " + full(name) + ": expected " + name_list(v) + ", found the number " +
                            std::to_string(static_cast<int>(v)));
    for (const auto& n : names_of(v))
      if (n.value == v) out_ << name << " = \"" << n.name << "\"\n";
  }
  std::string text() const { return out_.str(); }

 private:
  /// An application's locale must not group digits in a file, nor may a part be left out for want of memory.
  static std::ostringstream classic_stream() {
    std::ostringstream stream;
    stream.imbue(std::locale::classic());
    stream.exceptions(std::ios::badbit);
    return stream;
  }
  std::ostringstream out_ = classic_stream();
};

inline std::string describe_toml(const toml::node& node) {
  std::ostringstream text;
  text.imbue(std::locale::classic());
  node.visit([&](const auto& n) { text << n; });
  return text.str();
}

/// Reads the fields present in a TOML table; what it has not met at the end is unknown.
class FieldReader : public SectionWalker {
 public:
  FieldReader(const toml::table& root, std::string_view source) : source_(source) { tables_.push_back(&root); }

  template <class Body>
  void section(const char* name, Body&& body) {
    known_.insert(full(name));
    const toml::table* table = nullptr;
    if (tables_.back() != nullptr) {
      if (const toml::node* node = tables_.back()->get(name)) {
        table = node->as_table();
        if (table == nullptr) throw BadInput(source_, full(name), "a table", describe_toml(*node));
      }
    }
    tables_.push_back(table);
    inside(name, body);
    tables_.pop_back();
  }
  template <class T>
  void field(const char* name, T& value, Range) {
    field(name, value);
  }
  template <class T>
  void field(const char* name, T& value) {
    known_.insert(full(name));
    if (tables_.back() == nullptr) return;
    if (const toml::node* node = tables_.back()->get(name)) read(name, *node, value);
  }
  /// Throws for names in the file that no field has.
  void reject_unknown(const toml::table& table, const std::string& prefix = "") const {
    for (const auto& [key, node] : table) {
      const std::string name = prefix + std::string(key.str());
      if (!known_.contains(name)) throw BadInput(source_, name, "one of " + known_in(prefix), "an unknown name");
      if (const toml::table* inner = node.as_table()) reject_unknown(*inner, name + ".");
    }
  }

 private:
  /// Fields and sections directly under a prefix such as "field.grid3d.".
  std::string known_in(const std::string& prefix) const {
    std::string list;
    for (const std::string& name : known_)
      if (name.starts_with(prefix) && name.find('.', prefix.size()) == std::string::npos)
        list += (list.empty() ? "" : ", ") + name.substr(prefix.size());
    return list;
  }
  void read(const char* name, const toml::node& node, int& value) {
    std::int64_t wide = 0;
    read(name, node, wide);
    if (wide != static_cast<int>(wide))
      throw BadInput(source_, full(name), "an integer within 32 bits", describe_toml(node));
    value = static_cast<int>(wide);
  }
  void read(const char* name, const toml::node& node, std::int64_t& value) {
    if (!node.is_integer()) throw BadInput(source_, full(name), "an integer", describe_toml(node));
    value = *node.value<std::int64_t>();
  }
  void read(const char* name, const toml::node& node, double& value) {
    if (!node.is_number()) throw BadInput(source_, full(name), "a number", describe_toml(node));
    value = *node.value<double>();
  }
  void read(const char* name, const toml::node& node, bool& value) {
    if (!node.is_boolean()) throw BadInput(source_, full(name), "true or false", describe_toml(node));
    value = *node.value<bool>();
  }
  void read(const char* name, const toml::node& node, std::string& value) {
    if (!node.is_string()) throw BadInput(source_, full(name), "a string", describe_toml(node));
    value = *node.value<std::string>();
  }
  void read(const char* name, const toml::node& node, Decay& value) {
    const toml::array* pair = node.as_array();
    if (pair == nullptr || pair->size() != 2 || !(*pair)[0].is_number() || !(*pair)[1].is_number())
      throw BadInput(source_, full(name), "[first, last], two numbers", describe_toml(node));
    value = {*(*pair)[0].value<double>(), *(*pair)[1].value<double>()};
  }
  template <class E>
  requires std::is_enum_v<E>
  void read(const char* name, const toml::node& node, E& value) {
    const auto text = node.value_exact<std::string>();
    for (const auto& n : names_of(value))
      if (text && *text == n.name) {
        value = n.value;
        return;
      }
    throw BadInput(source_, full(name), name_list(value), describe_toml(node));
  }

  std::string source_;
  std::vector<const toml::table*> tables_;
  std::set<std::string> known_;
};

/// Throws BadInput naming the line.
inline toml::table parse_toml(std::string_view text, const std::string& source) {
  require_parsable_toml(text, source);
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& e) {
    throw BadInput(source, "line " + std::to_string(e.source().begin.line), "TOML", std::string(e.description()));
  }
}

}  // namespace dsasrgs
