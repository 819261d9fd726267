// SPDX-License-Identifier: Apache-2.0
#pragma once
// A fine render as channels of the measured resolution.

#include <cstddef>
#include <vector>

#include "dsasrgs/image.hpp"

namespace dsasrgs {

/// [s²,H,W] ← an image [sH,sW], the order of pixel_shuffle: channel i·s + j holds the pixels (y·s + i, x·s + j).
inline std::vector<float> render_channels(const Image& render, int scale) {
  const auto s = static_cast<std::size_t>(scale), width = static_cast<std::size_t>(render.width_px) / s,
             height = static_cast<std::size_t>(render.height_px) / s;
  std::vector<float> channels(render.values.size());
  for (std::size_t y = 0; y < height * s; ++y)
    for (std::size_t x = 0; x < width * s; ++x)
      channels[((y % s * s + x % s) * height + y / s) * width + x / s] = render.values[y * width * s + x];
  return channels;
}

}  // namespace dsasrgs
