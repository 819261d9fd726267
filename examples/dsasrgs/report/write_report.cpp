// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <optional>

#include "cli/interruption.hpp"
#include "cli/machine_facts.hpp"
#include "cli/progress.hpp"
#include "cli/terminal_text.hpp"
#include "cli/usage_error.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "dsasrgs/renderer.hpp"
#include "dsasrgs/version.hpp"
#include "report/error_bars.hpp"
#include "report/packed.hpp"
#include "report/page.hpp"
#include "report/report.hpp"
#include "report/run_record.hpp"
#include "report/view_images.hpp"

namespace dsasrgs::program {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

Json triple(const Vec3d& v) { return {v.x, v.y, v.z}; }

Json grid_as_json(const VolumeGrid& grid) {
  return {{"size", {grid.size_x, grid.size_y, grid.size_z}},
          {"spacing_mm", triple(grid.spacing_mm)},
          {"origin_mm", triple(grid.origin_mm)}};
}

Json geometry_as_json(const Acquisition& a) {
  Json json{{"detector_px", {a.detector.width_px, a.detector.height_px}},
            {"pitch_mm", {a.detector.pitch_u_mm, a.detector.pitch_v_mm}},
            {"volume", grid_as_json(a.volume)},
            {"train", a.training_views()},
            {"poses", Json::array()}};
  for (const Pose& pose : a.poses) json["poses"].push_back(pose_as_json(pose));
  return json;
}

/// The volume over time, coarser where it has more than `longest` voxels a side.
Json add_volume(Context& ctx, const Model& model, const ReportOptions& options, int longest, PageData& page) {
  const VolumeGrid& full = model.volume;
  const int side = std::max({full.size_x, full.size_y, full.size_z});
  const VolumeGrid grid = side > longest ? full.coarsened(static_cast<double>(side) / longest) : full;
  Renderer renderer(ctx, model);
  const double first = model.time.first_s, last = model.time.last_s;
  const int frames = last > first ? options.frames : 1;
  std::vector<double> times;
  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(frames) * grid.num_voxels());
  Progress progress("report: voxelizing", "frames", frames, options.quiet);
  for (int f = 0; f < frames; ++f) {
    Interruption::check();
    times.push_back(frames > 1 ? first + (last - first) * f / (frames - 1) : first);
    const std::vector<float> frame = renderer.voxelize(grid, times.back()).values;
    values.insert(values.end(), frame.begin(), frame.end());
    progress.update(f + 1);
  }
  const float maximum = *std::max_element(values.begin(), values.end());
  const float largest = maximum > 0 ? maximum : 1;
  Json json = grid_as_json(grid);
  json["full_size"] = {full.size_x, full.size_y, full.size_z};
  json["times_s"] = times;
  json["largest_per_mm"] = largest;
  json["codes"] = kLargestVoxelCode;
  json["blob"] = page.add("volume", packed(volume_codes(values, largest)));
  return json;
}

/// The worst view of the scores, by PSNR of the fixed protocol; -1: none.
int worst_view(const Json& scores) {
  int worst = -1;
  double lowest = 0;
  if (!scores.is_object()) return worst;
  const Json& views = scores[scores["high"].is_object() ? "high" : "low"];
  if (!views.is_object()) return worst;
  for (const Json& row : views["views"])
    if (row[0].is_number_integer() && row[2].is_number() && (worst < 0 || row[2].get<double>() < lowest)) {
      worst = row[0].get<int>();
      lowest = row[2].get<double>();
    }
  return worst;
}

/// What a report shows of a run in any size.
struct Shown {
  std::vector<int> views;
  std::optional<ErrorBars> bars;
  std::string no_bars;  ///< why there are none, of renders that are there
};

Shown shown_of(Context& ctx, const ReportSources& sources, const RunRecord& record, const ReportOptions& options) {
  Shown shown;
  if (sources.acquisition == nullptr) return shown;
  shown.views = shown_views(*sources.acquisition, options.images, worst_view(record.scores));
  if (sources.model == nullptr) return shown;
  try {
    shown.bars = error_bars(ctx, *sources.acquisition, *sources.model, shown.views, options.quiet);
  } catch (const BadInput& e) {  // the report is complete without
    shown.no_bars = e.what();
  } catch (const InvalidArgument& e) {
    shown.no_bars = e.what();
  } catch (const NumericalError& e) {
    shown.no_bars = e.what();
  } catch (const OutOfMemory& e) {
    shown.no_bars = e.what();
  }
  return shown;
}

std::vector<std::string> notes_of(const RunRecord& record, const ReportSources& sources, const Shown& shown) {
  std::vector<std::string> notes;
  if (!record.finished)
    notes.emplace_back(
        "This run is not finished: it has no scores yet, and what it shows is as of its last written line.");
  if (sources.model == nullptr)
    notes.emplace_back(
        "There is no model in the run folder yet, so there are no renders, no error bars and no volume.");
  if (sources.acquisition == nullptr)
    notes.push_back("There are no measurements to compare with, no angles, no renders and no error bars: " +
                    sources.no_acquisition);
  else if (!sources.acquisition->reference_projections || sources.acquisition->reference_projections->scale == 1)
    notes.emplace_back(
        "The case holds no truth at a higher resolution: nothing here shows whether detail finer than the measured "
        "pixels is right.");
  if (!shown.no_bars.empty()) notes.push_back("There are no error bars: " + shown.no_bars);
  for (const std::string& part : missing_parts()) notes.push_back(part);
  return notes;
}

/// For runs that recorded none: a study's, and those of earlier versions. Empty: nothing is known of the case.
std::string likely_command(const ReportSources& sources, const std::string& case_file) {
  if (case_file.empty()) return "";
  std::string command = "dsasrgs reconstruct " + shell_word(case_file) + " --config " +
                        shell_word((sources.run / "config.toml").string()) + " --output again";
  if (sources.acquisition == nullptr) return command;
  const std::vector<int> trained = sources.acquisition->training_views();
  const int views = sources.acquisition->num_views(), count = static_cast<int>(trained.size());
  if (count < views && trained == evenly_spaced_views(views, count))
    command += " --train-views " + std::to_string(count);
  return command;
}

/// With images and volume at a fraction of what was asked for.
std::string page_at(Context& ctx, const ReportSources& sources, const RunRecord& record, const Shown& shown,
                    const ReportOptions& options, double fraction, std::size_t& array_bytes,
                    std::vector<std::string>& notes) {
  const auto part = [&](int pixels) { return std::max(16, static_cast<int>(pixels * fraction)); };
  PageData page;
  page.json["format"] = "dsasrgs.report";
  page.json["program"] = "dsasrgs " DSASRGS_VERSION_STRING;
  page.json["made"] = now_utc();
  page.json["folder"] = sources.run.string();
  page.json["finished"] = record.finished;
  const std::string& file = sources.acquisition != nullptr ? sources.acquisition->name : record.case_file;
  page.json["case"] = fs::path(file).filename().string();
  page.json["case_file"] = file;
  page.json["run"] = record.run;
  page.json["scores"] = record.scores;
  page.json["log"] = record.log;
  page.json["config"] = record.config;
  page.json["command"] = record.command.empty() ? likely_command(sources, file) : record.command;
  page.json["command_recorded"] = !record.command.empty();
  if (sources.acquisition != nullptr) {
    page.json["geometry"] = geometry_as_json(*sources.acquisition);
    page.json["images"] =
        add_view_images(ctx, *sources.acquisition, sources.model, shown.bars ? &*shown.bars : nullptr, shown.views,
                        {part(options.image_px), part(options.image_px / 4), options.quiet}, page);
  }
  if (sources.model != nullptr)
    page.json["volume"] = add_volume(ctx, *sources.model, options, part(options.voxels), page);
  notes = notes_of(record, sources, shown);
  if (fraction < 1)
    notes.push_back("Images and volume are shown at " + std::to_string(static_cast<int>(100 * fraction)) +
                    " % of the usual size, to keep this file below " + number_text(options.most_mib) + " MiB.");
  page.json["notes"] = notes;
  array_bytes = page.blob_bytes();
  return page_text(page);
}

/// Whether a file is a report of ours.
bool is_report(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string begin(kPageBegin.size(), '\0');
  return file.read(begin.data(), static_cast<std::streamsize>(begin.size())) && begin == kPageBegin;
}

}  // namespace

WrittenReport write_report(Context& ctx, const ReportSources& sources, const fs::path& file,
                           const ReportOptions& options) {
  constexpr double kSmallest = 0.03, kMargin = 0.95;
  const RunRecord record = read_run_record(sources.run);
  const Shown shown = shown_of(ctx, sources, record, options);
  const double most = options.most_mib * (1 << 20);
  WrittenReport written;
  for (double fraction = 1;;) {
    std::size_t arrays = 0;
    const std::string page = page_at(ctx, sources, record, shown, options, fraction, arrays, written.notes);
    written.bytes = page.size();
    const auto size = static_cast<double>(page.size());
    if (size <= most) {
      write_text(file, page);
      return written;
    }
    const double room = most - (size - static_cast<double>(arrays));  // for images and volume
    if (room <= 0 || fraction <= kSmallest)
      throw UsageError("--max-mib: expected more for this run, whose report takes " +
                       number_text((room <= 0 ? size - static_cast<double>(arrays) : size) / (1 << 20)) + " MiB " +
                       (room <= 0 ? "without pictures" : "at its smallest") + ", found " +
                       number_text(options.most_mib));
    // Arrays grow at least with the square of their sides.
    fraction = std::max(kSmallest, kMargin * fraction * std::sqrt(room / static_cast<double>(arrays)));
  }
}

void announce_report(const WrittenReport& report, const fs::path& file, bool quiet) {
  for (const std::string& part : missing_parts()) print_warning(quiet, part);
  char size[32];
  std::snprintf(size, sizeof size, "%.1f MiB", static_cast<double>(report.bytes) / (1 << 20));
  print_line(quiet, "wrote " + file.string() + " (" + size + "; open it in any browser)");
}

void require_replaceable_report(const std::string& option, const fs::path& path) {
  std::error_code error;
  if (fs::is_regular_file(path, error) && !is_report(path))
    throw UsageError(option + ": expected a new file or an earlier report, found something else at " + path.string());
}

}  // namespace dsasrgs::program
