// SPDX-License-Identifier: Apache-2.0
#pragma once
// How the scores tell their caller how far they are, and stop when it asks for that.

#include <string>

#include "dsasrgs/error.hpp"
#include "dsasrgs/progress.hpp"

namespace dsasrgs {

/// Throws Cancelled when the callback says so; an empty one never does.
inline void report_progress(const ProgressCallback& progress, const ProgressReport& report) {
  if (progress && !progress(report))
    throw Cancelled(std::string(report.stage) + ": stopped after " + std::to_string(report.done) + " of " +
                    std::to_string(report.total) + " " + report.unit + ", as the caller asked");
}

/// The same progress under the name of another stage.
inline ProgressCallback with_stage(const char* stage, const ProgressCallback& progress) {
  if (!progress) return {};
  return [&progress, stage](ProgressReport report) {
    report.stage = stage;
    return progress(report);
  };
}

}  // namespace dsasrgs
