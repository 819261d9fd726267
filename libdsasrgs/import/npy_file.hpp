// SPDX-License-Identifier: Apache-2.0
#pragma once
// NumPy's .npy files.

#include <filesystem>

#include "files/number_array.hpp"

namespace dsasrgs {

/// Reads a .npy file (versions 1 to 3) of booleans, integers of 1 to 8 bytes or floats of 2 to 8, in either byte order
/// and either order of axes, at most 8 axes. Throws BadInput for others (objects are never unpickled), for more numbers
/// than the file holds, and for numbers that are not finite.
template <class T>
NumberArray<T> read_npy(const std::filesystem::path&);

extern template NumberArray<float> read_npy(const std::filesystem::path&);
extern template NumberArray<double> read_npy(const std::filesystem::path&);

}  // namespace dsasrgs
