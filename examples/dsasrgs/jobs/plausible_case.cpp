#include "jobs/plausible_case.hpp"

#include <cstdio>
#include <string>

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
  if (quiet) return;
  for (const Finding& finding : findings)
    std::fprintf(stderr, "warning: %s: %s\n", acquisition.name.c_str(), finding.message.c_str());
}

}  // namespace dsasrgs::program
