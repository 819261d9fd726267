// SPDX-License-Identifier: Apache-2.0
#pragma once
// An acquisition with known truth, from options to file.

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/option_list.hpp"
#include "dsasrgs/simulator.hpp"
#include "jobs/vessel_source.hpp"

namespace dsasrgs::program {

struct SimulateOptions {
  VesselSourceOptions source;
  ContrastOptions contrast;
  SimulationOptions simulation;  ///< but for what follows
  std::array<int, 2> size_px{128, 128};
  std::vector<double> pitch_mm{2.4};
  std::array<double, 3> motion_mm{0, 0, 0};
  std::vector<int> grid_size{128};
  std::vector<double> grid_spacing_mm{1.25};
  std::array<double, 3> grid_center_mm{0, 0, 0};
  bool no_head = false, no_reference_volume = false, save_intensity = false, quiet = false;
  int threads = 0;
};
/// Every option of `dsasrgs simulate` but --output. They must outlive the list.
OptionList options_of(SimulateOptions&);

/// Defaults that follow the options that were given (by name): with fewer --views than the default of --train-views,
/// half of them are trained on.
void follow_given(SimulateOptions&, const std::vector<std::string>& given);

/// What one option alone cannot say: how they fit together. Throws UsageError, InvalidArgument.
void check_options(const SimulateOptions&);

/// Simulates and writes the acquisition. Throws UsageError, InvalidArgument, BadInput, IoError.
void simulate_case(const std::filesystem::path& output, const SimulateOptions&);

}  // namespace dsasrgs::program
