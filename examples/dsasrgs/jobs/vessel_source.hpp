// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where simulated vessels come from: the built-in tree, a centreline file or a volume.

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cli/option_list.hpp"
#include "dsasrgs/io.hpp"
#include "dsasrgs/simulator.hpp"

namespace dsasrgs::program {

inline constexpr const char* kBuiltInTree = "tree";

struct VesselSourceOptions {
  std::string vessels = kBuiltInTree;
  VesselTreeOptions tree;
  std::optional<std::uint64_t> tree_seed;
  std::array<double, 3> tree_half_axes_mm{70, 85, 65};
  int smooth_passes = 10;
  bool keep_position = false;
  std::string up_axis = "z";
  double centerline_radius_mm = 1;
  double min_radius_mm = 0;  ///< 0: a file's radii as they are
  std::optional<std::array<int, 3>> volume_size;
  std::optional<std::array<double, 3>> volume_spacing_mm;
  std::optional<double> threshold;
};

/// Adds `vessels` and what belongs to it.
void add_vessel_source(OptionList&, VesselSourceOptions&);

/// The file that the vessels come from; empty: none.
inline std::filesystem::path vessel_file(const VesselSourceOptions& options) {
  return options.vessels == kBuiltInTree ? "" : options.vessels;
}

/// Of the options that were given (by name) the first one that is for other vessels than these.
UnheededOption unheeded_option(const VesselSourceOptions&, const std::vector<std::string>& given);

/// Whether the source is one that can be read, with the options that belong to it. Throws UsageError.
void check_vessel_source(const VesselSourceOptions&);

struct VesselVolume {
  Volume volume;
  double threshold = 0;
};
/// Reads or makes the vessels; `seed` is the tree's unless it has its own. Throws UsageError, IoError, BadInput.
std::variant<VesselTree, VesselVolume> read_vessels(const VesselSourceOptions&, std::uint64_t seed);

}  // namespace dsasrgs::program
