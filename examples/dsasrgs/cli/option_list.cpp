// SPDX-License-Identifier: Apache-2.0
#include "cli/option_list.hpp"

#include <charconv>
#include <limits>

#include "cli/value_checks.hpp"

namespace dsasrgs::program {

namespace {

template <class T>
constexpr bool kIsOptional = false;
template <class T>
constexpr bool kIsOptional<std::optional<T>> = true;
template <class T>
constexpr bool kIsVector = false;
template <class T>
constexpr bool kIsVector<std::vector<T>> = true;

std::string text_of(bool value) { return value ? "true" : "false"; }
std::string text_of(const std::string& value) { return value; }
template <class Number>
requires std::is_arithmetic_v<Number> std::string text_of(Number value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};  // the shortest text that gives the same number
}
template <class List>
requires requires(const List& list) { list.begin(); }
std::string text_of(const List& list) {
  std::string text;
  for (const auto& value : list) text += (text.empty() ? "" : " ") + text_of(value);
  return text;
}

template <class T>
constexpr bool kIsList = kIsVector<T>;
template <class T>
constexpr bool kIsList<std::optional<T>> = kIsList<T>;
template <class T, std::size_t n>
constexpr bool kIsList<std::array<T, n>> = true;

/// Whether the field is of numbers with a fraction.
template <class Field>
constexpr bool kIsReal = std::is_same_v<Field, double>;
template <class T>
constexpr bool kIsReal<std::optional<T>> = kIsReal<T>;
template <class T>
constexpr bool kIsReal<std::vector<T>> = kIsReal<T>;
template <class T, std::size_t n>
constexpr bool kIsReal<std::array<T, n>> = kIsReal<T>;

CLI::Validator number_within(const NumberRange& range) {
  return {[range](std::string& text) {
            double value = 0;
            if (CLI::detail::lexical_cast(text, value) && range.holds(value)) return std::string();
            return "expected " + range.words() + ", found " + text;
          },
          ""};
}

template <class Field>
CLI::Option* add_option(CLI::App& sub, const Option& option, Field& field) {
  if constexpr (std::is_same_v<Field, bool>) {
    return sub.add_flag("--" + option.name, field, option.help);
  } else {
    CLI::Option* added = sub.add_option("--" + option.name, field, option.help);
    if constexpr (kIsVector<Field>) added->expected(1, option.most_values);
    if constexpr (kIsReal<Field>) added->check(number_within(option.range));
    if constexpr (std::is_same_v<Field, std::string>) added->check(not_empty());
    if constexpr (kIsList<Field>) added->delimiter(',');  // 64,64 as well as 64 64
    if constexpr (!kIsOptional<Field>) added->capture_default_str();
    return added;
  }
}

}  // namespace

std::string NumberRange::words() const {
  const bool from = std::isfinite(low), to = std::isfinite(high);
  if (!from && !to) return "a finite number";
  if (!to) return above_low ? "a number above " + text_of(low) : "a number of " + text_of(low) + " or more";
  return (above_low ? "a number above " + text_of(low) + " and at most " : "a number of " + text_of(low) + " to ") +
         text_of(high);
}

void add_options(CLI::App& sub, const OptionList& list) {
  for (const Option& option : list) {
    CLI::Option* added = std::visit([&](auto* field) { return add_option(sub, option, *field); }, option.field);
    if (!option.group.empty()) added->group(option.group);
    if (!option.choices.empty()) added->check(CLI::IsMember(option.choices));
    if (option.least && option.most)
      added->check(CLI::Range(*option.least, *option.most));
    else if (option.least == 0)
      added->check(option.name == "threads" ? thread_count() : not_negative());
    else if (option.least)
      added->check(CLI::Range(*option.least, std::numeric_limits<int>::max()));
  }
}

std::vector<std::string> given_options(const CLI::App& subcommand, const OptionList& list) {
  std::vector<std::string> names;
  for (const Option& option : list)
    if (subcommand.count("--" + option.name) > 0) names.push_back(option.name);
  return names;
}

std::map<std::string, std::string> option_texts(const OptionList& list) {
  std::map<std::string, std::string> texts;
  for (const Option& option : list) {
    if (!option.in_content) continue;
    std::visit(
        [&](const auto* field) {
          if constexpr (kIsOptional<std::remove_cvref_t<decltype(*field)>>) {
            if (field->has_value()) texts[option.name] = text_of(**field);
          } else {
            texts[option.name] = text_of(*field);
          }
        },
        option.field);
  }
  return texts;
}

}  // namespace dsasrgs::program
