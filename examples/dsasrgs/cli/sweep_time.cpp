// SPDX-License-Identifier: Apache-2.0
#include "cli/sweep_time.hpp"

#include <algorithm>

#include "cli/progress.hpp"
#include "cli/terminal_text.hpp"

namespace dsasrgs::program {

void warn_outside_sweep(const Model& model, const std::vector<double>& times_s, bool quiet) {
  const double first = model.time.first_s, last = model.time.last_s;
  for (const double t : times_s)
    if (t < first || t > last)
      print_warning(quiet, "--time: expected " + number_text(first) + " to " + number_text(last) +
                               " s, the span of the sweep, found " + number_text(t) + ": shown as at " +
                               number_text(t < first ? first : last) + " s");
}

double within_sweep(const Model& model, double time_s) {
  return std::clamp(time_s, model.time.first_s, model.time.last_s);
}

}  // namespace dsasrgs::program
