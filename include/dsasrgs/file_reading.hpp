// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// Where HDF5, DICOM and TIFF files are read. The libraries that read them (HDF5, DCMTK, libtiff) crash or go on for
/// ever on some damaged or crafted files; in a child process they do so without harm to the application.

#include <string>
#include <vector>

#include "dsasrgs/export.hpp"

namespace DSASRGS_API dsasrgs {

/// From now on every HDF5 file (acquisitions, labels, models, checkpoints, networks), DICOM file and TIFF picture is
/// read by a child process of its own, for which `command` (a program and its arguments; the program by path, or by
/// name along PATH) is started: it must do no more than call serve_file_reading(). Empty, as at first: in this process,
/// for applications that read only files they wrote themselves. Readers that are open go on as they were. May be called
/// from any thread.
///
/// The child gets the one open file and nothing else: its limits leave no room to open others, and its memory is
/// limited to what the file can need; more is OutOfMemory. A crash, or more processor time than the file can need (2 s
/// and a second for each 20 MB asked for or 200 MB of file), becomes BadInput; waiting for a slow disk does not, but
/// ten minutes without a byte do. A child that cannot be started, or does not say within 20 s that it reads files, is
/// IoError: nothing is read in this process instead. What the child answers is checked as the file's content is. Linux
/// only, and needs /proc.
void read_files_through(std::vector<std::string> command);
/// What was set: empty, or a command.
std::vector<std::string> file_reading_command();

/// The child's part: answers on descriptor 3 about the file open as descriptor 4 until the other end closes. Call it
/// first thing in main, and return what it returns: 0, or 2 where no reader is at the other end.
int serve_file_reading();

}  // namespace dsasrgs
