// SPDX-License-Identifier: Apache-2.0
#pragma once
// What importers have in common.

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "dsasrgs/import.hpp"
#include "files/read_error.hpp"

namespace dsasrgs {

/// What a file, or the caller, calls what became a part of an acquisition; empty where nothing did.
struct FileNames {
  std::string angles, source, detector, pitch, volume;
};

/// Times and volume where the file gave none, the split if one was asked for; then validates the acquisition and adds
/// what was found and what is implausible. `has_times`: those of the poses count; else they are set, over `duration_s`
/// unless the options say another. `has_volume`: the acquisition has one already, which the options may replace.
/// `largest_angle_rad`: of the file's own angles, which poses no longer show beyond a turn. `names`: messages say them
/// behind the acquisition's fields.
struct FileSays {
  bool has_times = false, has_volume = false;
  double duration_s = 0, largest_angle_rad = 0;
  FileNames names = {};
};
void finish_import(ImportedCase&, const ImportOptions&, const FileSays&);

/// Views of `order[0]`, `order[1]`, …: poses, projections and per-view valid pixels, and images [V,H,W] beside them.
void reorder_views(Acquisition&, const std::vector<std::size_t>& order, std::vector<float>* beside = nullptr);

/// Fills line integrals ln(mask) − ln(fill) [n] and clears `valid` [n] where a count is not positive. Returns how many
/// pixels that were.
std::size_t subtract_counts(const float* mask, const float* fill, std::size_t n, float* line_integral,
                            unsigned char* valid);

/// "-100 to 100", or one number where both ends are the same to four digits.
std::string range_text(double low, double high);

}  // namespace dsasrgs
