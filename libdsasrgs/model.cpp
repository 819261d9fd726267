#include "dsasrgs/model.hpp"

#include <algorithm>

namespace dsasrgs {

float TimeRange::model_time(double time_s) const {
  if (!(last_s > first_s)) return 0;
  return static_cast<float>(std::clamp((time_s - first_s) / (last_s - first_s), 0.0, 1.0));
}

}  // namespace dsasrgs
