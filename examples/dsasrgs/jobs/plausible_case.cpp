#include "jobs/plausible_case.hpp"

#include <string>

#include "cli/progress.hpp"
#include "cli/usage_error.hpp"

namespace dsasrgs::program {

void warn_or_refuse(const Acquisition& acquisition, const std::vector<Finding>& findings, bool strict, bool quiet) {
  if (findings.empty()) return;
  if (strict) {
    std::string all = acquisition.name + ": --strict: expected nothing implausible, found " +
                      std::to_string(findings.size()) + (findings.size() == 1 ? " finding" : " findings");
    for (const Finding& finding : findings) all += (&finding == &findings.front() ? ": " : "; ") + finding.message;
    throw UsageError(all);
  }
  for (const Finding& finding : findings) print_warning(quiet, acquisition.name + ": " + finding.message);
}

}  // namespace dsasrgs::program
