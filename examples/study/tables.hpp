// SPDX-License-Identifier: Apache-2.0
#pragma once
// The numbers of a study, together: one table for programs, one for people.

#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "study/result.hpp"

namespace dsasrgs::program {

/// One result: a run, rendered in one way.
struct StudyRow {
  std::string case_name, row;  ///< as row_name
  int views = 0;               ///< training views
  std::optional<std::int64_t> seed;
  std::map<std::string, double> values;  ///< by column; what was not measured is absent
};

/// A column of results.csv and its title in tables.md.
struct StudyColumn {
  std::string name, title;
  int decimals = 2;
  bool compared = false;  ///< also shown as a difference to the reference method
};
/// Columns that every study has, then "added:LABELS" and "removed:LABELS" for each of these oracle label sources.
std::vector<StudyColumn> study_columns(const std::vector<std::string>& oracle_labels);

/// The rows of one result: one per render.
std::vector<StudyRow> rows_of_result(const StudyResult&);

/// Mean and sample standard deviation (n − 1; NaN for fewer than two values).
struct MeanAndSpread {
  double mean = std::numeric_limits<double>::quiet_NaN(), spread = std::numeric_limits<double>::quiet_NaN();
  int count = 0;
};
MeanAndSpread mean_and_spread(const std::vector<double>&);

/// A column of the rows of one case, number of views and row name.
MeanAndSpread summary(const std::vector<StudyRow>& of_one_row, const std::string& column);
/// Differences row − reference, seed by seed; a row or a reference without seed counts for every seed of the other.
MeanAndSpread difference(const std::vector<StudyRow>& of_one_row, const std::vector<StudyRow>& reference,
                         const std::string& column);

/// A header and a line per row; numbers with all their digits, what was not measured empty.
std::string rows_as_csv(const std::vector<StudyRow>&, const std::vector<StudyColumn>&);
/// For each case and number of views a Markdown table, mean ± spread over the seeds, columns that nobody has left out;
/// with `reference` (a row name) a second one of differences.
std::string rows_as_markdown(const std::vector<StudyRow>&, const std::vector<StudyColumn>&,
                             const std::string& reference);

}  // namespace dsasrgs::program
