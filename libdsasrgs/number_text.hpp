#pragma once
// Numbers in messages and configurations.

#include <array>
#include <charconv>
#include <cstdio>
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

/// Three digits.
inline std::string rounded_text(double v) {
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%.3g", v);
  return text.data();
}

}  // namespace dsasrgs
