// SPDX-License-Identifier: Apache-2.0
#include "report/run_record.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include "cli/json_reading.hpp"
#include "cli/terminal_text.hpp"
#include "cli/usage_error.hpp"
#include "dsasrgs/error.hpp"

namespace dsasrgs::program {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

constexpr std::uintmax_t kMostConfigBytes = 1 << 20, kMostMetricsBytes = 64 << 20, kMostLogBytes = 256 << 20;
constexpr std::size_t kMostLogRows = 600;  // more than a plot has pixels

/// A pipe would be waited for, and a huge file fill the memory.
std::string read_text(const fs::path& path, std::uintmax_t most) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) throw BadInput(path.string(), "type", "a file", "a folder, device or pipe");
  const std::uintmax_t size = fs::file_size(path, error);
  if (error) throw IoError(path.string() + ": cannot read: " + error.message());
  if (size > most)
    throw BadInput(path.string(), "size", "at most " + std::to_string(most >> 20) + " MiB",
                   std::to_string((size >> 20) + 1) + " MiB");
  std::ifstream file(path, std::ios::binary);
  std::string text(static_cast<std::size_t>(size), '\0');
  if (!file.read(text.data(), static_cast<std::streamsize>(size)))
    throw IoError(path.string() + ": cannot read it to its end");
  return text;
}

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(fs::symlink_status(path, error));
}

/// A value of an object where it is a number, text or a list of two numbers; else null.
Json plain(const Json& object, const char* key) {
  const auto value = object.is_object() ? object.find(key) : object.end();
  if (!object.is_object() || value == object.end()) return nullptr;
  const bool pair = value->is_array() && value->size() == 2 && (*value)[0].is_number() && (*value)[1].is_number();
  return value->is_number() || value->is_string() || pair ? *value : Json(nullptr);
}

const Json& member(const Json& object, const char* key) {
  static const Json none;
  if (!object.is_object()) return none;
  const auto value = object.find(key);
  return value == object.end() ? none : *value;
}

Json picked(const Json& object, std::initializer_list<const char*> keys) {
  Json json;
  for (const char* key : keys) json[key] = plain(object, key);
  return json;
}

/// One view, or means: [view, time, fixed PSNR and SSIM, 4drgs PSNR and SSIM].
Json score_row(const Json& score) {
  const Json &fixed = member(score, "fixed"), &normalized = member(score, "4drgs");
  Json row = {plain(score, "view"), plain(score, "time_s"),       plain(fixed, "psnr_db"),
              plain(fixed, "ssim"), plain(normalized, "psnr_db"), plain(normalized, "ssim")};
  return row;
}

Json views_of(const Json& scores) {
  if (!scores.is_object()) return nullptr;
  Json json = picked(scores, {"against", "size_px", "scale", "fixed_range"});
  json["mean"] = score_row(member(scores, "mean"));
  json["views"] = Json::array();
  const Json& views = member(scores, "views");
  if (views.is_array())
    for (const Json& view : views)
      if (view.is_object()) json["views"].push_back(score_row(view));
  json["blank"] = Json::array();
  const Json& blank = member(scores, "blank_views");
  if (blank.is_array())
    for (const Json& view : blank)
      if (view.is_number_integer()) json["blank"].push_back(view);
  return json;
}

Json scores_of(const Json& metrics) {
  Json json;
  json["set"] = plain(member(metrics, "views"), "set");
  json["low"] = views_of(member(metrics, "low_resolution"));
  json["high"] = views_of(member(metrics, "high_resolution"));
  json["volume"] = metrics.contains("volume") && metrics["volume"].is_object()
                       ? picked(metrics["volume"], {"time_s", "surface_threshold_per_mm", "psnr_db", "ssim", "dice",
                                                    "chamfer_mm", "hd95_mm"})
                       : Json(nullptr);
  json["baselines"] = Json::array();
  const Json& baselines = member(metrics, "baselines");
  if (baselines.is_object())
    for (const auto& [name, scores] : baselines.items())
      json["baselines"].push_back({{"name", name}, {"mean", score_row(member(scores, "mean"))}});
  return json;
}

Json run_of(const Json& metrics) {
  const Json& run = member(metrics, "run");
  Json json = picked(run, {"preset", "seed", "backend", "threads", "steps", "gaussians"});
  json["program"] = plain(metrics, "program");
  json["seconds"] = picked(member(run, "seconds"), {"initialization", "training", "evaluation"});
  json["peak_host_bytes"] = plain(member(run, "memory"), "peak_host_bytes");
  return json;
}

Json parsed_metrics(const fs::path& path) {
  Json json;
  try {
    json = parse_json<Json>(read_text(path, kMostMetricsBytes));
  } catch (const Json::exception&) {  // its words are for programmers
  } catch (const Error&) {
    throw;
  } catch (const std::runtime_error& e) {
    throw BadInput(path.string(), "content", "a JSON object", e.what());
  }
  if (!json.is_object()) throw BadInput(path.string(), "content", "a JSON object", "other text");
  if (plain(json, "format") != "dsasrgs.metrics")
    throw BadInput(path.string(), "format", "\"dsasrgs.metrics\"", "another, or none");
  return json;
}

/// Columns by their names; a line that is not complete (of a run that goes on) ends it.
Json log_columns(const fs::path& path) {
  std::istringstream lines(read_text(path, kMostLogBytes));
  std::string line, cell;
  std::getline(lines, line);
  std::vector<std::string> names;
  for (std::istringstream header(line); std::getline(header, cell, ',');) names.push_back(cell);
  if (names.empty() || names.front() != "step")
    throw BadInput(path.string(), "first line", "the names of columns, step first", terminal_text(line, false, 60));
  std::vector<std::vector<double>> rows;
  while (std::getline(lines, line)) {
    std::vector<double> row;
    for (const char* at = line.c_str(); *at != '\0' && row.size() < names.size();) {
      char* end = nullptr;
      row.push_back(std::strtod(at, &end));
      if (end == at) break;
      at = *end == ',' ? end + 1 : end;
    }
    if (row.size() != names.size()) break;
    rows.push_back(std::move(row));
  }
  Json json = Json::object();
  const std::size_t count = std::min(rows.size(), kMostLogRows);
  for (std::size_t c = 0; c < names.size(); ++c) {
    Json& column = json[names[c]] = Json::array();
    for (std::size_t i = 0; i < count; ++i) {  // the last row is always one of them
      const double value = rows[count == rows.size() ? i : (i + 1) * rows.size() / count - 1][c];
      column.push_back(std::isfinite(value) ? Json(value) : Json(nullptr));
    }
  }
  return json;
}

std::string text_or_empty(const Json& value) { return value.is_string() ? value.get<std::string>() : std::string(); }

}  // namespace

RunRecord read_run_record(const fs::path& folder) {
  const fs::path config = folder / "config.toml", metrics = folder / "metrics.json", log = folder / "log.csv";
  if (!is_there(config))
    throw UsageError("RUN: expected a folder that `dsasrgs reconstruct` made, found no config.toml in " +
                     folder.string());
  RunRecord record;
  record.config = read_text(config, kMostConfigBytes);
  record.finished = is_there(metrics);
  if (is_there(log)) record.log = log_columns(log);
  if (record.finished) {
    const Json json = parsed_metrics(metrics);
    record.run = run_of(json);
    record.scores = scores_of(json);
    record.case_file = text_or_empty(plain(json, "case"));
    record.command = text_or_empty(plain(member(json, "run"), "command"));
  }
  return record;
}

}  // namespace dsasrgs::program
