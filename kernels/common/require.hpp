#pragma once
// Precondition checks of operators: one line that names the operator, the argument, what was expected and what was
// given.

#include <cstddef>
#include <string>
#include <type_traits>

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
      message += std::to_string(part);
    else
      message += part;
  };
  (add(parts), ...);
  throw InvalidArgument(message);
}

/// Throws InvalidArgument("op: what: expected E elements, found F") unless they agree.
inline void require_size(const char* op, const char* what, std::size_t expected, std::size_t found) {
  require(expected == found, op, what, ": expected ", expected, " elements, found ", found);
}

}  // namespace dsasrgs
