// SPDX-License-Identifier: Apache-2.0
#pragma once
// Small DICOM files, in a source of their own: DCMTK's macros are many.

#include <filesystem>
#include <functional>
#include <string>

namespace dsasrgs::fuzz {

/// Writes small runs, one of each kind of pixels and of functional groups, and what a child would answer of one, to the
/// paths that `file` gives for a target and a name.
void write_dicom_seeds(
    const std::function<std::filesystem::path(const std::string& target, const std::string& name)>& file);

}  // namespace dsasrgs::fuzz
