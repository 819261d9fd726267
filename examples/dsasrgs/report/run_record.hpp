// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the text files of a run folder say, in the words of the report's page.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace dsasrgs::program {

struct RunRecord {
  bool finished = false;          ///< metrics.json is there
  std::string config;             ///< config.toml as it is
  std::string case_file;          ///< as metrics.json names it; empty: it does not
  nlohmann::ordered_json run;     ///< what was run: steps, Gaussians, seconds, ...; null for a partial run
  nlohmann::ordered_json scores;  ///< means and rows of views; null for a partial run
  nlohmann::ordered_json log;     ///< the columns of log.csv, thinned to what a plot can show; null: there is none
  std::string command;            ///< that makes the run again, as the run recorded it; else empty
};

/// Reads config.toml (required), log.csv and metrics.json. Only fields that are known are taken. Throws UsageError for
/// a folder that holds no run; BadInput for files that are too large, or are not what their names say; IoError.
RunRecord read_run_record(const std::filesystem::path& folder);

}  // namespace dsasrgs::program
