// SPDX-License-Identifier: Apache-2.0
#pragma once
// Patches of images whose own resolution is taken for the truth.

#include <vector>

#include "dsasrgs/image.hpp"
#include "dsasrgs/network_trainer.hpp"
#include "network/patch_numbers.hpp"

namespace dsasrgs {

/// True patches of one source, s·p pixels a side, in units of its brightest line integral.
class ImagePatches {
 public:
  /// The source must outlive it. Throws InvalidArgument naming the source and the image.
  ImagePatches(const NetworkTrainingConfig&, const NetworkImages&);

  double unit() const { return unit_; }
  /// Of any image, at any binning at which it is large enough, anywhere in it.
  Image draw(PatchNumbers&) const;
  /// At most `most`, side by side, spread over all images and binnings; those that show something, where any do.
  std::vector<Image> spread(std::size_t most) const;

 private:
  bool fits(const Image&, int binning) const;

  const NetworkImages* source_;
  int scale_, side_px_;
  double unit_ = 0;
};

}  // namespace dsasrgs
