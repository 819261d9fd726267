#pragma once
// Precondition checks of operators: one line that names the operator, the argument, what was expected and what was
// given.

#include <cstddef>
#include <string>

#include "dsasrgs/error.hpp"

namespace dsasrgs {

/// Throws InvalidArgument("op: what: expected E elements, found F") unless they agree.
inline void require_size(const char* op, const char* what, std::size_t expected, std::size_t found) {
  if (expected != found)
    throw InvalidArgument(std::string(op) + ": " + what + ": expected " + std::to_string(expected) +
                          " elements, found " + std::to_string(found));
}

/// Throws InvalidArgument("op: message") unless ok.
inline void require(bool ok, const char* op, const std::string& message) {
  if (!ok) throw InvalidArgument(std::string(op) + ": " + message);
}

}  // namespace dsasrgs
