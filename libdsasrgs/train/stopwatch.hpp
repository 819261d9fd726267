// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where the time of a training run goes.

#include <chrono>

namespace dsasrgs {

/// Adds the wall seconds of body() to a sum.
template <class Body>
void timed(double& seconds, Body&& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace dsasrgs
