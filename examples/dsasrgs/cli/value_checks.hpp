#pragma once
// What an option's value must be, checked before the job begins.

#include <CLI/CLI.hpp>
#include <cmath>
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

/// An option that was given must not go unheeded because its value is empty (an unset variable of a script).
inline CLI::Validator not_empty() {
  return {[](std::string& text) { return std::string(text.empty() ? "expected a value, found an empty one" : ""); },
          ""};
}

}  // namespace dsasrgs::program
