// SPDX-License-Identifier: Apache-2.0
#pragma once
// Patches of views that a model has rendered: for a network that reads the render beside the measurement.

#include <vector>

#include "dsasrgs/image.hpp"
#include "dsasrgs/network_trainer.hpp"
#include "network/patch_numbers.hpp"

namespace dsasrgs {

/// In units of the source's brightest line integral.
struct RenderedPatch {
  Image measured;          ///< p × p
  Image rendered, target;  ///< s·p × s·p
};

class RenderPatches {
 public:
  /// The source must outlive it. Throws InvalidArgument naming the source and the view.
  RenderPatches(const NetworkTrainingConfig&, const NetworkRenders&);

  /// Of any view, anywhere in it.
  RenderedPatch draw(PatchNumbers&) const;
  /// At most `most`, side by side, spread over all views; those that show something, where any do.
  std::vector<RenderedPatch> spread(std::size_t most) const;

 private:
  RenderedPatch cut(const RenderedView&, int row, int column) const;

  const NetworkRenders* source_;
  int scale_, side_px_;
  double unit_ = 0;
};

}  // namespace dsasrgs
