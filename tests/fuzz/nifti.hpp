// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>

#include "dsasrgs/io.hpp"
#include "harness.hpp"

namespace dsasrgs::fuzz {

inline void read_volume(const std::string& name, std::string_view bytes) {
  const std::filesystem::path path = file_of(name, bytes);
  read([&] {
    const Volume v = read_nifti(path);
    require(v.values.size() == v.grid.num_voxels() * static_cast<std::size_t>(v.frames),
            "other voxels than the grid's");
    require(std::all_of(v.values.begin(), v.values.end(), [](float x) { return std::isfinite(x); }), "not finite");
  });
}

}  // namespace dsasrgs::fuzz
