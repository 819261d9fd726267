// SPDX-License-Identifier: Apache-2.0
#pragma once
// The options of a job as a list: the command line and a study's tables read the same names into the same fields.

#include <CLI/CLI.hpp>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace dsasrgs::program {

/// The field that an option fills. Optional ones have no default; a vector takes from one value to Option::most_values.
using OptionField = std::variant<bool*, int*, std::uint64_t*, double*, std::string*, std::optional<std::uint64_t>*,
                                 std::optional<double>*, std::array<int, 2>*, std::array<double, 3>*,
                                 std::optional<std::array<int, 3>>*, std::optional<std::array<double, 3>>*,
                                 std::vector<int>*, std::vector<double>*>;

/// What a number has to be: finite always, and within these ends.
struct NumberRange {
  double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
  bool above_low = false;  ///< `low` itself is not in it

  bool holds(double value) const {
    return std::isfinite(value) && value >= low && value <= high && !(above_low && value == low);
  }
  /// Such as "a number of 0 or more".
  std::string words() const;
};

struct Option {
  std::string name;  ///< as on the command line, without "--"
  OptionField field;
  std::string help, group;
  std::optional<int> least = {}, most = {};  ///< of an integer
  NumberRange range = {};                    ///< of a number that is none
  std::vector<std::string> choices = {};     ///< of a text; empty: any
  int most_values = 1;                       ///< of a vector
  bool in_content = true;                    ///< what is made depends on it (on "threads" and "quiet" nothing does)

  Option& at_least(int low) { return least = low, *this; }
  Option& between(int low, int high) { return least = low, most = high, *this; }
  Option& positive() { return range = {0, std::numeric_limits<double>::infinity(), true}, *this; }
  Option& not_negative() { return range = {0, std::numeric_limits<double>::infinity(), false}, *this; }
  Option& within(double low, double high) { return range = {low, high, false}, *this; }
  Option& above(double low, double high) { return range = {low, high, true}, *this; }
  Option& one_of(std::vector<std::string> texts) { return choices = std::move(texts), *this; }
  Option& up_to_values(int number) { return most_values = number, *this; }
  Option& not_in_content() { return in_content = false, *this; }
};

class OptionList {
 public:
  /// Options that follow stand below this heading of --help; empty: below the first one.
  void group(std::string name) { group_ = std::move(name); }
  /// The field must outlive the list and all that is made from it.
  template <class Field>
  Option& add(std::string name, Field& field, std::string help) {
    return options_.emplace_back(Option{std::move(name), &field, std::move(help), group_});
  }

  auto begin() const { return options_.begin(); }
  auto end() const { return options_.end(); }

 private:
  std::string group_;
  std::vector<Option> options_;
};

/// Adds them to a subcommand.
void add_options(CLI::App& subcommand, const OptionList&);
/// Names of those that were given there, in the order of the list.
std::vector<std::string> given_options(const CLI::App& subcommand, const OptionList&);

/// The name of an option that was given and that nothing heeds, and what it goes with; no name: none.
struct UnheededOption {
  std::string name, goes_with;
};

/// What was asked for, by name, as text that is the same on every machine (numbers with all their digits): only options
/// that the content depends on and that have a value.
std::map<std::string, std::string> option_texts(const OptionList&);

}  // namespace dsasrgs::program
