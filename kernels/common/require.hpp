// SPDX-License-Identifier: Apache-2.0
#pragma once
// Precondition checks of operators: one line that names the operator, the argument, what was expected and what was
// given.

#include <cstddef>
#include <string>
#include <type_traits>

#include "common/plain_number.hpp"
#include "dsasrgs/error.hpp"

namespace dsasrgs {

/// Throws InvalidArgument("op: parts…") unless ok. The parts, texts and numbers, are put together only then: a check
/// that holds allocates nothing.
template <class... Parts>
void require(bool ok, const char* op, const Parts&... parts) {
  if (ok) return;
  std::string message = std::string(op) + ": ";
  const auto add = [&message](const auto& part) {
    if constexpr (std::is_arithmetic_v<std::decay_t<decltype(part)>>)
      message += plain_number(part);
    else
      message += part;
  };
  (add(parts), ...);
  throw InvalidArgument(message);
}

/// Throws InvalidArgument("field: expected …, found …") unless ok, for what a user of the program names: a field or an
/// option, without the function that looks at it.
template <class T>
void require_field(bool ok, const std::string& field, const char* expected, T found) {
  if (!ok) throw InvalidArgument(field + ": expected " + expected + ", found " + plain_number(found));
}

/// Throws InvalidArgument("op: what: expected E elements, found F") unless they agree.
inline void require_size(const char* op, const char* what, std::size_t expected, std::size_t found) {
  require(expected == found, op, what, ": expected ", expected, " elements, found ", found);
}

}  // namespace dsasrgs
