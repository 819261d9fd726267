#include "cli/sweep_time.hpp"

#include <cstdio>

namespace dsasrgs::program {

void warn_outside_sweep(const Model& model, const std::vector<double>& times_s, bool quiet) {
  if (quiet) return;
  const double first = model.time.first_s, last = model.time.last_s;
  for (const double t : times_s)
    if (t < first || t > last)
      std::fprintf(stderr, "warning: --time: expected %g to %g s, the span of the sweep, found %g: shown as at %g s\n",
                   first, last, t, t < first ? first : last);
}

}  // namespace dsasrgs::program
