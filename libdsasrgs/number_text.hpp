// SPDX-License-Identifier: Apache-2.0
#pragma once
// Numbers in configurations and, with three digits, in warnings; common/plain_number.hpp writes those of errors.

#include <array>
#include <charconv>
#include <cmath>
#include <string>

namespace dsasrgs {

/// The shortest text that reads back as the same number.
inline std::string number_text(double v) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), v);
  std::string s(text.data(), end.ptr);
  // TOML tells integers and floats apart by their look.
  if (s.find_first_of(".en") == std::string::npos) s += ".0";
  return s;
}

/// Three digits for a reader: "1200", "14.6", "0.0213".
inline std::string rounded_text(double value) {
  char text[32];
  const double size = std::abs(value);
  constexpr double kRounding = 1e-12;
  if (size < kRounding) return "0";
  const auto end = size >= 1000 && size < 1e9
                       ? std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, 0).ptr
                       : std::to_chars(text, text + sizeof text, value, std::chars_format::general, 3).ptr;
  return {text, end};
}

}  // namespace dsasrgs
