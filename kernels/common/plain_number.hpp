// SPDX-License-Identifier: Apache-2.0
#pragma once
// Numbers as messages show them.

#include <charconv>
#include <cmath>
#include <string>
#include <type_traits>

namespace dsasrgs {

/// A whole number without a point or an exponent, any other with nine digits at most: "1200", "0.0213", "nan".
template <class T>
requires std::is_arithmetic_v<T> std::string plain_number(T value) {
  if constexpr (std::is_integral_v<T>) {
    return std::to_string(value);
  } else {
    constexpr double kMostWhole = 1e15;
    char text[32];
    const auto v = static_cast<double>(value);
    const bool whole = std::abs(v) < kMostWhole && v == std::floor(v);
    const auto end = whole ? std::to_chars(text, text + sizeof text, static_cast<long long>(v))
                           : std::to_chars(text, text + sizeof text, v, std::chars_format::general, 9);
    return {text, end.ptr};
  }
}

}  // namespace dsasrgs
