// SPDX-License-Identifier: Apache-2.0
#pragma once
// One HTML file that shows a run: its pictures, volume, scores and curves, with all the code it needs.

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/context.hpp"
#include "dsasrgs/model.hpp"

namespace dsasrgs::program {

inline constexpr const char* kReportFile = "report.html";  ///< in a run folder

struct ReportOptions {
  int images = 16;       ///< views shown, each rendered at the times of all of them
  int image_px = 512;    ///< longest side of an image
  int frames = 12;       ///< moments of the volume
  int voxels = 96;       ///< longest side of the volume
  double most_mib = 16;  ///< of the file: images and volume become smaller until it fits
  bool quiet = false;
};

/// What a report is made from. Without a model or an acquisition it says so and shows the rest.
struct ReportSources {
  std::filesystem::path run;                 ///< the folder; read for config.toml, log.csv and metrics.json
  const Model* model = nullptr;              ///< null: the run left none
  const Acquisition* acquisition = nullptr;  ///< what it was trained on, with the model's split; null: not there
  std::string no_acquisition;                ///< why it is null, for the reader of the report
};

struct WrittenReport {
  std::size_t bytes = 0;
  std::vector<std::string> notes;  ///< what it lacks, a sentence each
};

/// Writes the report, whole or not at all. Throws BadInput for files of the run that cannot be read as what they are
/// and where most_mib is too little for a report without detail; Interrupted; what Renderer throws; IoError.
WrittenReport write_report(Context&, const ReportSources&, const std::filesystem::path& file, const ReportOptions&);

/// Says where it is and how large, and warns of what this program was built without.
void announce_report(const WrittenReport&, const std::filesystem::path& file, bool quiet);

/// Throws UsageError naming `option` where something else than a report is in the file's place.
void require_replaceable_report(const std::string& option, const std::filesystem::path&);

}  // namespace dsasrgs::program
