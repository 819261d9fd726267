// SPDX-License-Identifier: Apache-2.0
#pragma once
// JSON files whose fields are asked for by name.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "dsasrgs/math.hpp"

namespace dsasrgs {

/// An object of a JSON file. What throws is BadInput that names the file and the field.
class JsonFields {
 public:
  /// Reads a file of at most 256 MiB. Throws IoError where it is no regular file.
  explicit JsonFields(const std::filesystem::path&);

  bool has(const std::string& name) const { return object_.contains(name) && !object_.at(name).is_null(); }
  double number(const std::string& name) const;
  double number(const std::string& name, double otherwise) const { return has(name) ? number(name) : otherwise; }
  /// A whole number of 1 to 2^20: a side or a count.
  int side(const std::string& name) const;
  std::string text(const std::string& name) const;
  /// A list of `count` finite numbers.
  std::vector<double> numbers(const std::string& name, std::size_t count) const;
  /// A list of `count` sides.
  std::vector<int> sides(const std::string& name, std::size_t count) const;
  /// Rows of `width` numbers: a list of lists, or one list (or, where `width` is 1, number) for all, repeated `count`
  /// times; without the field `otherwise`, or (where that is empty) refused.
  std::vector<std::vector<double>> rows(const std::string& name, std::size_t width, std::size_t count,
                                        const std::vector<double>& otherwise) const;
  /// An object in it, or the objects of a list in it.
  JsonFields object(const std::string& name) const;
  std::vector<JsonFields> objects(const std::string& name) const;
  /// How long a list is.
  std::size_t length(const std::string& name) const { return list(name).size(); }
  /// The elements' own lists, if they have such: how many numbers one of them is, else 1.
  std::size_t width(const std::string& name) const;

  [[noreturn]] void refuse(const std::string& name, const std::string& expected, const std::string& found) const;
  const std::string& file() const { return file_; }

 private:
  JsonFields(std::string file, std::string at, nlohmann::json object)
      : file_(std::move(file)), at_(std::move(at)), object_(std::move(object)) {}
  const nlohmann::json& value(const std::string& name) const;
  const nlohmann::json& list(const std::string& name) const;
  double finite(const std::string& name, const nlohmann::json& value) const;

  std::string file_, at_;  ///< at_: where the object is, such as "scanner."
  nlohmann::json object_;
};

}  // namespace dsasrgs
