#pragma once
// What an option's value must be, checked before the job begins.

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>

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

/// An option that was given must not go unheeded because its value is empty (an unset variable of a script).
inline CLI::Validator not_empty() {
  return {[](std::string& text) { return std::string(text.empty() ? "expected a value, found an empty one" : ""); },
          ""};
}

}  // namespace dsasrgs::program
