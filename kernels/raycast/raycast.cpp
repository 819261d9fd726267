// SPDX-License-Identifier: Apache-2.0
#include "raycast/raycast.hpp"

#include "common/checks.hpp"
#include "common/has_cuda.hpp"
#include "raycast/raycast_bodies.hpp"

namespace dsasrgs {

void raycast(Context& ctx, const RaycastInput& in, View<float> image) {
  constexpr const char* kOp = "raycast";
  require(in.grid.size_x >= 0 && in.grid.size_y >= 0 && in.grid.size_z >= 0, kOp,
          "grid: expected sizes of 0 or more, found ", in.grid.size_x, " x ", in.grid.size_y, " x ", in.grid.size_z);
  require(in.detector.width_px >= 0 && in.detector.height_px >= 0, kOp,
          "detector: expected a size of 0 or more, found ", in.detector.width_px, " x ", in.detector.height_px);
  require_size(kOp, "volume", in.grid.num_voxels(), in.volume.size());
  require_size(kOp, "image", in.detector.num_pixels(), image.size());
  require_box(kOp, in.grid);
  require_pitch(kOp, in.detector);
  require_pose(kOp, in.pose);
  if (image.empty()) return;
  if (in.volume.empty()) {
    zero_bytes(ctx, image.data(), image.size() * sizeof(float));
    return;
  }
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::raycast(ctx, in, image);
  cpu::raycast(ctx, in, image);
}

}  // namespace dsasrgs
