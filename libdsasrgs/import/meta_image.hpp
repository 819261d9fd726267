// SPDX-License-Identifier: Apache-2.0
#pragma once
// MetaImage files, as ITK and RTK write them.

#include <array>
#include <filesystem>
#include <vector>

#include "files/number_array.hpp"

namespace dsasrgs {

/// An image of three axes, the first of which runs fastest.
struct MetaImage {
  NumberArray<float> image;  ///< [z,y,x]
  std::array<double, 3> spacing{1, 1, 1}, origin{};
  /// direction[a][i]: how much of world axis i one step along index axis a is.
  std::array<std::array<double, 3>, 3> direction{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
};

/// Reads a .mha, or a .mhd with its data file: scalar integers of up to 64 bits or floats, either byte order, plain or
/// compressed by zlib. Throws BadInput for others, for text data, for lists of data files, and for numbers that are not
/// finite.
MetaImage read_meta_image(const std::filesystem::path&);

}  // namespace dsasrgs
