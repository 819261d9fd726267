// SPDX-License-Identifier: Apache-2.0
#pragma once
// What an option's value must be, checked before the job begins.

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>

#include "dsasrgs/most_threads.hpp"

namespace dsasrgs::program {

/// A finite number above 0 (CLI::PositiveNumber lets NaN pass).
inline CLI::Validator positive_finite() {
  return {[](std::string& text) {
            double value = 0;
            if (CLI::detail::lexical_cast(text, value) && std::isfinite(value) && value > 0) return std::string();
            return "expected a positive number, found " + text;
          },
          "POSITIVE"};
}

/// A number within two others (CLI::Range lets NaN pass).
inline CLI::Validator number_between(double low, double high) {
  return {[low, high](std::string& text) {
            double value = 0;
            if (CLI::detail::lexical_cast(text, value) && value >= low && value <= high) return std::string();
            return "expected a number of " + CLI::detail::to_string(low) + " to " + CLI::detail::to_string(high) +
                   ", found " + text;
          },
          ""};
}

/// A whole number of 0 or more (CLI::NonNegativeNumber names the largest double in its message, and numbers beyond 64
/// bits become the largest one).
inline CLI::Validator not_negative() {
  return {[](std::string& text) {
            std::uint64_t value = 0;
            const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
            if (error == std::errc{} && end == text.data() + text.size()) return std::string();
            return "expected an integer of 0 or more, found " + text;
          },
          "NONNEGATIVE"};
}

/// A whole number of 1 or more.
inline CLI::Validator positive_integer() {
  return {[](std::string& text) {
            int value = 0;
            const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
            if (error == std::errc{} && end == text.data() + text.size() && value > 0) return std::string();
            return "expected an integer of 1 to 2147483647, found " + text;
          },
          "POSITIVE"};
}

/// The number of CPU threads: 0 (all) or at most what the library starts.
inline CLI::Validator thread_count() {
  return {[](std::string& text) {
            int value = -1;
            const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
            if (error == std::errc{} && end == text.data() + text.size() && value >= 0 && value <= kMostThreads)
              return std::string();
            return "expected an integer of 0 (all) to " + std::to_string(kMostThreads) + ", found " + text;
          },
          ""};
}

/// An option that was given must not go unheeded because its value is empty (an unset variable of a script).
inline CLI::Validator not_empty() {
  return {[](std::string& text) { return std::string(text.empty() ? "expected a value, found an empty one" : ""); },
          ""};
}

/// Why a file that the user named cannot be read: empty, or "expected a file, found …".
inline std::string no_file(const std::string& name) {
  if (name.empty()) return "expected a value, found an empty one";
  std::error_code error;
  const auto status = std::filesystem::status(name, error);
  if (std::filesystem::is_directory(status)) return "expected a file, found a folder: " + name;
  if (!std::filesystem::exists(status))
    return "expected a file, found none: " + name +
           (error && error != std::errc::no_such_file_or_directory ? " (" + error.message() + ")" : "");
  return "";
}

/// A folder that is there.
inline CLI::Validator existing_folder() {
  return {[](std::string& text) -> std::string {
            if (text.empty()) return "expected a folder, found an empty name";
            std::error_code error;
            const auto status = std::filesystem::status(text, error);
            if (std::filesystem::is_directory(status)) return "";
            return std::string("expected a folder, found ") +
                   (std::filesystem::exists(status) ? "a file: " : "none: ") + text;
          },
          ""};
}

/// A file that is there.
inline CLI::Validator existing_file() {
  return {[](std::string& text) { return no_file(text); }, ""};
}

}  // namespace dsasrgs::program
