// SPDX-License-Identifier: Apache-2.0
#pragma once
// DICOM files read by a child process (dsasrgs/file_reading.hpp), which is not trusted. Free of DCMTK.

#include <stop_token>
#include <string>
#include <vector>

#include "files/input_file.hpp"
#include "import/dicom_message.hpp"

namespace dsasrgs {

/// What `command`, started for the file, reads of it. Throws as read_dicom_run does, and BadInput where the child
/// fails or answers what no file may lead to.
DicomRun read_dicom_run_through(const std::vector<std::string>& command, const InputFile&, const DicomQuestion&,
                                const std::stop_token&);

}  // namespace dsasrgs
