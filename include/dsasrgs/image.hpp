// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// Images and volumes in host memory, which carry their sizes.

#include <cstddef>
#include <vector>

#include "dsasrgs/export.hpp"
#include "dsasrgs/geometry.hpp"

namespace DSASRGS_API dsasrgs {

/// Pixels [H,W], row-major.
struct Image {
  int width_px = 0, height_px = 0;
  std::vector<float> values;

  /// Value at a row and column. Throws InvalidArgument where there is none.
  float& at(int row, int column) { return values[index(row, column)]; }
  float at(int row, int column) const { return values[index(row, column)]; }
  bool operator==(const Image&) const = default;

 private:
  std::size_t index(int row, int column) const {
    const std::size_t i =
        static_cast<std::size_t>(row) * static_cast<std::size_t>(width_px) + static_cast<std::size_t>(column);
    if (row < 0 || row >= height_px || column < 0 || column >= width_px || i >= values.size()) refuse(row, column);
    return i;
  }
  [[noreturn]] void refuse(int row, int column) const;
};

/// A voxel volume with its grid.
struct Volume {
  VolumeGrid grid;
  std::vector<float> values;  ///< [frames,z,y,x]
  int frames = 1;

  bool operator==(const Volume&) const = default;
};

}  // namespace dsasrgs
