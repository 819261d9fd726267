// SPDX-License-Identifier: Apache-2.0
#include "jobs/plausible_case.hpp"

#include <string>

#include "cli/progress.hpp"
#include "cli/usage_error.hpp"

namespace dsasrgs::program {

void warn_or_refuse(const std::string& name, const std::vector<std::string>& warnings, bool strict, bool quiet) {
  if (warnings.empty()) return;
  if (strict) {
    std::string all = name + ": --strict: expected nothing implausible, found " + std::to_string(warnings.size()) +
                      (warnings.size() == 1 ? " finding" : " findings");
    for (const std::string& warning : warnings)
      all += (&warning == &warnings.front() ? ": " : "; ") +
             (warning.starts_with(name + ": ") ? warning.substr(name.size() + 2) : warning);
    throw UsageError(all);
  }
  for (const std::string& warning : warnings) print_warning(quiet, warning);
}

void warn_or_refuse(const Acquisition& acquisition, const std::vector<Finding>& findings, bool strict, bool quiet) {
  std::vector<std::string> warnings;
  warnings.reserve(findings.size());
  for (const Finding& finding : findings) warnings.push_back(acquisition.name + ": " + finding.message);
  warn_or_refuse(acquisition.name, warnings, strict, quiet);
}

}  // namespace dsasrgs::program
