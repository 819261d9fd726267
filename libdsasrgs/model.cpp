// SPDX-License-Identifier: Apache-2.0
#include "dsasrgs/model.hpp"

#include <algorithm>
#include <cmath>

#include "dsasrgs/error.hpp"

namespace dsasrgs {

float TimeRange::model_time(double time_s) const {
  if (std::isnan(time_s) || std::isnan(first_s) || std::isnan(last_s))
    throw InvalidArgument("TimeRange::model_time: expected a time and a range that are numbers, found NaN");
  if (!(last_s > first_s)) return 0;
  // Halves, so that no difference of two doubles overflows.
  return static_cast<float>(std::clamp((time_s / 2 - first_s / 2) / (last_s / 2 - first_s / 2), 0.0, 1.0));
}

}  // namespace dsasrgs
