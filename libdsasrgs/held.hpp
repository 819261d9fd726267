// SPDX-License-Identifier: Apache-2.0
#pragma once
// The state of an object that can be moved from.

#include <memory>
#include <string>

#include "dsasrgs/error.hpp"

namespace dsasrgs {

/// What `object` holds. Throws InvalidArgument where it was moved from.
template <class T>
T& held(const std::unique_ptr<T>& state, const char* object) {
  if (state == nullptr)
    throw InvalidArgument(std::string(object) + ": expected one that was not moved from, found one that was");
  return *state;
}

}  // namespace dsasrgs
