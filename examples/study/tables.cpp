// SPDX-License-Identifier: Apache-2.0
#include "study/tables.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <utility>

#include "study/plan.hpp"

namespace dsasrgs::program {

namespace {

/// What may be missing of a result.
using Value = std::optional<double>;

struct MeasuredColumn {
  StudyColumn column;
  Value (*value)(const StudyResult&, const RenderScores&);
};

Value psnr_db(const std::optional<ConsistencyScore>& s) { return s ? Value(s->psnr_db) : std::nullopt; }
Value rms(const std::optional<ConsistencyScore>& s) { return s ? Value(s->rms) : std::nullopt; }

/// Of the volume, where it was scored.
Value volume(const StudyResult& r, double VolumeScore::*member) {
  const bool scored = r.evaluation && r.evaluation->volume && r.evaluation->volume->score;
  return scored ? Value((*r.evaluation->volume->score).*member) : std::nullopt;
}

const std::vector<MeasuredColumn>& measured_columns() {
  using Result = StudyResult;
  using Render = RenderScores;
  static const std::vector<MeasuredColumn> columns{
      {{"psnr_db", "PSNR dB", 2, true},
       [](const Result&, const Render& s) -> Value { return s.high_resolution.mean().fixed.psnr_db; }},
      {{"ssim", "SSIM", 4, true},
       [](const Result&, const Render& s) -> Value { return s.high_resolution.mean().fixed.ssim; }},
      {{"worst_psnr_db", "worst view dB", 2, true},
       [](const Result&, const Render& s) -> Value { return s.high_resolution.worst().fixed.psnr_db; }},
      {{"psnr_4drgs_db", "4drgs PSNR", 2, true},
       [](const Result&, const Render& s) -> Value { return s.high_resolution.mean().normalized.psnr_db; }},
      {{"ssim_4drgs", "4drgs SSIM", 4, true},
       [](const Result&, const Render& s) -> Value { return s.high_resolution.mean().normalized.ssim; }},
      {{"highpass_correlation", "high-pass", 4, true},
       [](const Result&, const Render& s) -> Value { return s.high_resolution.mean().highpass_correlation; }},
      {{"binned_train_psnr_db", "binned, training views dB", 2, false},
       [](const Result&, const Render& s) { return psnr_db(s.consistency_train); }},
      {{"binned_test_psnr_db", "binned, test views dB", 2, false},
       [](const Result&, const Render& s) { return psnr_db(s.consistency_test); }},
      {{"binned_train_rms", "binned residual rms, training", 4, false},
       [](const Result&, const Render& s) { return rms(s.consistency_train); }},
      {{"binned_test_rms", "test", 4, false}, [](const Result&, const Render& s) { return rms(s.consistency_test); }},
      {{"low_psnr_db", "low-resolution PSNR dB", 2, false},
       [](const Result& r, const Render&) {
         return r.evaluation ? Value(r.evaluation->measured.mean().fixed.psnr_db) : std::nullopt;
       }},
      {{"volume_psnr_db", "volume PSNR dB", 2, false},
       [](const Result& r, const Render&) { return volume(r, &VolumeScore::psnr_db); }},
      {{"volume_dice", "Dice", 3, false}, [](const Result& r, const Render&) { return volume(r, &VolumeScore::dice); }},
      {{"volume_chamfer_mm", "Chamfer mm", 2, false},
       [](const Result& r, const Render&) { return volume(r, &VolumeScore::chamfer_mm); }},
      {{"gaussians", "gaussians", 0, false},
       [](const Result& r, const Render&) {
         return r.training ? Value(static_cast<double>(r.training->gaussians)) : std::nullopt;
       }},
      {{"training_seconds", "training s", 0, false},
       [](const Result& r, const Render&) { return r.training ? Value(r.training->training_seconds) : std::nullopt; }},
  };
  return columns;
}

std::string formatted(double value, int decimals, const char* format = "%.*f") {
  char text[48];
  std::snprintf(text, sizeof text, format, decimals, value);
  return text;
}

std::string cell(const MeanAndSpread& s, int decimals, bool is_signed) {
  if (s.count == 0) return "–";
  std::string text = formatted(s.mean, decimals, is_signed ? "%+.*f" : "%.*f");
  if (s.count > 1) text.append(" ± ").append(formatted(s.spread, decimals));
  return text;
}

/// Rows of one case and number of views, by row name in the order they come.
struct RowGroup {
  std::string case_name;
  int views = 0;
  std::vector<std::pair<std::string, std::vector<StudyRow>>> rows;
};

template <class List, class Match>
auto& found_or_added(List& list, Match match, typename List::value_type added) {
  const auto it = std::find_if(list.begin(), list.end(), match);
  if (it != list.end()) return *it;
  return list.emplace_back(std::move(added));
}

std::vector<RowGroup> grouped(const std::vector<StudyRow>& rows) {
  std::vector<RowGroup> groups;
  for (const StudyRow& r : rows) {
    RowGroup& group =
        found_or_added(groups, [&](const RowGroup& g) { return g.case_name == r.case_name && g.views == r.views; },
                       {r.case_name, r.views, {}});
    found_or_added(group.rows, [&](const auto& named) { return named.first == r.row; }, {r.row, {}})
        .second.push_back(r);
  }
  return groups;
}

const std::vector<StudyRow>* rows_named(const RowGroup& group, const std::string& name) {
  for (const auto& [row, list] : group.rows)
    if (row == name) return &list;
  return nullptr;
}

std::string table(const std::vector<StudyColumn>& columns, const RowGroup& group, bool is_signed,
                  const std::function<MeanAndSpread(const std::vector<StudyRow>&, const std::string&)>& value) {
  std::string text = "|";
  for (const StudyColumn& c : columns) text.append(" | ").append(c.title);
  text += " |\n|---";
  for (std::size_t i = 0; i < columns.size(); ++i) text += "|---";
  text += "|\n";
  for (const auto& [name, list] : group.rows) {
    text.append("| ").append(name);
    for (const StudyColumn& c : columns) text.append(" | ").append(cell(value(list, c.name), c.decimals, is_signed));
    text += " |\n";
  }
  return text;
}

}  // namespace

std::vector<StudyColumn> study_columns(const std::vector<std::string>& oracle_labels) {
  std::vector<StudyColumn> columns;
  for (const MeasuredColumn& c : measured_columns()) columns.push_back(c.column);
  for (const std::string& labels : oracle_labels) {
    columns.push_back({"added:" + labels, "false vessel of " + labels + " kept", 3, false});
    columns.push_back({"removed:" + labels, "missing vessel of " + labels + " kept missing", 3, false});
  }
  return columns;
}

std::vector<StudyRow> rows_of_result(const StudyResult& result) {
  std::vector<StudyRow> rows;
  for (const auto& [render, scores] : result.renders) {
    StudyRow row;
    row.case_name = result.case_name;
    row.row = row_name(result.method, result.labels, render);
    row.views = result.training_views;
    row.seed = result.seed;
    const auto take = [&](const std::string& column, const Value& value) {
      if (value && std::isfinite(*value)) row.values[column] = *value;
    };
    for (const MeasuredColumn& c : measured_columns()) take(c.column.name, c.value(result, scores));
    for (const auto& [labels, kept] : scores.false_vessel) {
      take("added:" + labels, kept.added);
      take("removed:" + labels, kept.removed);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

MeanAndSpread mean_and_spread(const std::vector<double>& values) {
  MeanAndSpread s;
  s.count = static_cast<int>(values.size());
  if (values.empty()) return s;
  double sum = 0, squares = 0;
  for (const double v : values) sum += v;
  s.mean = sum / s.count;
  for (const double v : values) squares += (v - s.mean) * (v - s.mean);
  if (s.count > 1) s.spread = std::sqrt(squares / (s.count - 1));
  return s;
}

MeanAndSpread summary(const std::vector<StudyRow>& rows, const std::string& column) {
  std::vector<double> values;
  for (const StudyRow& r : rows)
    if (const auto v = r.values.find(column); v != r.values.end()) values.push_back(v->second);
  return mean_and_spread(values);
}

MeanAndSpread difference(const std::vector<StudyRow>& rows, const std::vector<StudyRow>& reference,
                         const std::string& column) {
  std::vector<double> values;
  for (const StudyRow& r : rows)
    for (const StudyRow& other : reference) {
      if (r.seed && other.seed && r.seed != other.seed) continue;
      const auto mine = r.values.find(column), theirs = other.values.find(column);
      if (mine != r.values.end() && theirs != other.values.end()) values.push_back(mine->second - theirs->second);
    }
  return mean_and_spread(values);
}

std::string rows_as_csv(const std::vector<StudyRow>& rows, const std::vector<StudyColumn>& columns) {
  std::string text = "case,training_views,row,seed";
  for (const StudyColumn& c : columns) text.append(",").append(c.name);
  text += "\n";
  for (const StudyRow& r : rows) {
    // Only the name of a row can have a comma; no name can have a quote.
    text +=
        r.case_name + "," + std::to_string(r.views) + ",\"" + r.row + "\"," + (r.seed ? std::to_string(*r.seed) : "");
    for (const StudyColumn& c : columns) {
      text += ",";
      if (const auto v = r.values.find(c.name); v != r.values.end()) text += formatted(v->second, 9, "%.*g");
    }
    text += "\n";
  }
  return text;
}

std::string rows_as_markdown(const std::vector<StudyRow>& rows, const std::vector<StudyColumn>& columns,
                             const std::string& reference) {
  std::string text;
  for (const RowGroup& group : grouped(rows)) {
    std::size_t seeds = 0;
    std::vector<StudyColumn> shown, compared;
    for (const StudyColumn& c : columns) {
      const bool measured = std::any_of(group.rows.begin(), group.rows.end(),
                                        [&](const auto& named) { return summary(named.second, c.name).count > 0; });
      if (measured) shown.push_back(c);
      if (measured && c.compared) compared.push_back(c);
    }
    for (const auto& named : group.rows) seeds = std::max(seeds, named.second.size());
    if (!text.empty()) text += '\n';
    text.append("## ").append(group.case_name).append(", ").append(std::to_string(group.views));
    text.append(" training views\n\nMean").append(seeds > 1 ? " ± standard deviation" : "").append(" of up to ");
    text.append(std::to_string(seeds)).append(seeds == 1 ? " seed.\n\n" : " seeds.\n\n");
    text += table(shown, group, false, summary);
    const std::vector<StudyRow>* base = rows_named(group, reference);
    if (base == nullptr || group.rows.size() < 2) continue;
    text.append("\nDifference to ").append(reference).append(", seed by seed:\n\n");
    RowGroup others = group;
    std::erase_if(others.rows, [&](const auto& named) { return named.first == reference; });
    text += table(compared, others, true, [&](const std::vector<StudyRow>& list, const std::string& column) {
      return difference(list, *base, column);
    });
  }
  return text;
}

}  // namespace dsasrgs::program
