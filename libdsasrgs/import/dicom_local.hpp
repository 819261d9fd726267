// SPDX-License-Identifier: Apache-2.0
#pragma once
// DICOM files read in this process.

#include <filesystem>
#include <functional>
#include <span>
#include <stop_token>

#include "import/dicom_message.hpp"

namespace dsasrgs {

/// Where a run's frames go as they are decoded.
struct DicomSink {
  std::function<void(const DicomRun&)> begin;       ///< everything is known but what pixels tell
  std::function<void(std::span<const float>)> add;  ///< a frame [H,W], one after the other
};

/// Reads the file that can be opened as `path`, on a thread of its own, and fills `run` but for its values. Throws as
/// import_dicom does.
void read_dicom_run_here(const std::filesystem::path& path, const DicomQuestion&, const std::stop_token&,
                         const DicomSink&, DicomRun& run);

}  // namespace dsasrgs
