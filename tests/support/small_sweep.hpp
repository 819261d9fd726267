// SPDX-License-Identifier: Apache-2.0
#pragma once
// A sweep small enough to be simulated many times.

#include <numeric>
#include <vector>

#include "dsasrgs/simulator.hpp"

namespace dsasrgs::test {

inline SimulationOptions small_sweep() {
  SimulationOptions options;
  options.sweep.num_views = 3;
  options.sweep.arc_rad = 1.2;
  options.detector = {32, 32, 9.6, 9.6};
  options.volume = {32, 32, 32, {5, 5, 5}, {-80, -80, -80}};
  options.num_train_views = 2;
  return options;
}

inline double mean(const std::vector<float>& v) {
  return std::accumulate(v.begin(), v.end(), 0.0, [](double s, float x) { return s + static_cast<double>(x); }) /
         static_cast<double>(v.size());
}

}  // namespace dsasrgs::test
