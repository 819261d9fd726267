// SPDX-License-Identifier: Apache-2.0
#pragma once
// Patches that lie side by side, and a few of them.

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <vector>

#include "dsasrgs/image.hpp"

namespace dsasrgs {

/// Calls f(row, column) for the squares of `side` pixels that lie side by side in the middle of an image.
template <class F>
void for_each_square(const Image& image, int side, const F& f) {
  for (int row = image.height_px % side / 2; row + side <= image.height_px; row += side)
    for (int column = image.width_px % side / 2; column + side <= image.width_px; column += side) f(row, column);
}

/// cut(place) at no more than `most` of the places, at even distances: of those where shows(place), if there are any.
template <class Place, class Shows, class Cut>
auto spread_patches(const std::vector<Place>& all, std::size_t most, const Shows& shows, const Cut& cut) {
  std::vector<Place> showing;
  std::copy_if(all.begin(), all.end(), std::back_inserter(showing), shows);
  const std::vector<Place>& from = showing.empty() ? all : showing;
  const std::size_t count = std::min(most, from.size());
  std::vector<decltype(cut(all.front()))> patches;
  for (std::size_t i = 0; i < count; ++i) patches.push_back(cut(from[i * from.size() / count]));
  return patches;
}

}  // namespace dsasrgs
