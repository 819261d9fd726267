// SPDX-License-Identifier: Apache-2.0
#pragma once
// The layout of a PLY file that holds a whole model, one text for writing and reading: the reader makes the header that
// a file of its comments and counts must have, and compares.

#include <cstddef>
#include <string>
#include <vector>

#include "dsasrgs/config.hpp"
#include "dsasrgs/model.hpp"

namespace dsasrgs {

/// All of a model but its arrays.
struct GaussianPlyFacts {
  ScaleBounds bounds;
  float density_scale_per_mm = 1;
  VolumeGrid volume;
  TimeRange time;
  Detector detector;
  bool pixel_footprint = true;
  std::string measurement, config_toml;
};

/// Rows of each element.
struct GaussianPlyCounts {
  std::size_t gaussians = 0, table3d = 0, table4d = 0, network = 0, nuisance = 0, test_views = 0;
};

inline constexpr const char* kGaussianPlyBegin[] = {"ply", "format binary_little_endian 1.0",
                                                    "comment dsasrgs.gaussians version 1", "comment SPACE=LPS"};

/// Lines of comments: a name and its value, the configuration line by line.
std::vector<std::string> gaussian_ply_comments(const GaussianPlyFacts&);
/// The lines that follow them, up to end_header. `coefficients` of attenuation per Gaussian.
std::vector<std::string> gaussian_ply_elements(const GaussianPlyCounts&, int coefficients);

}  // namespace dsasrgs
