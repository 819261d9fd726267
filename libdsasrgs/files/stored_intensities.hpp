// SPDX-License-Identifier: Apache-2.0
#pragma once
// Images of an acquisition file that are detector intensities, and how its pixels and images are spoken of.

#include <cstddef>
#include <string>
#include <vector>

#include "dsasrgs/acquisition.hpp"
#include "files/hdf5_file.hpp"

namespace dsasrgs {

/// "view 3, row 2, column 1".
std::string pixel_name(std::size_t view, std::size_t pixel, std::size_t width);

/// Extents [V,H,W] of projections. Throws BadInput where they are none.
Shape require_images(const Hdf5Reader& file, const std::string& field, const Shape& expected);

/// Line integrals ln(mask − dark) − ln(fill − dark) of stored intensities. Pixels that /valid excludes may hold
/// anything: they become 0. So do saturated ones, which are excluded from here on. Unless null,
/// `log_masks` becomes ln(mask − dark) [V,H,W], 0 where a pixel does not count.
void read_intensities(const Hdf5Reader& file, Acquisition& a, std::vector<float>* log_masks);

}  // namespace dsasrgs
