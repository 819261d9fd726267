// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// Renders a model: projections from any pose at any time, volumes at any time.

#include <memory>

#include "dsasrgs/buffer.hpp"
#include "dsasrgs/export.hpp"
#include "dsasrgs/geometry.hpp"
#include "dsasrgs/image.hpp"
#include "dsasrgs/model.hpp"

namespace DSASRGS_API dsasrgs {

/// Keeps scratch memory between renders. The context must outlive it, and so must a model it does not share; the model
/// may change between calls. Errors: InvalidArgument for a detector or grid without pixels or voxels, an array of the
/// wrong size, a degenerate pose, a time that is NaN, or a renderer that was moved from; OutOfMemory; CudaError.
class Renderer {
 public:
  /// Of a model that outlives it.
  Renderer(Context&, const Model&);
  Renderer(Context&, const Model&&) = delete;  // it would be gone before the first render
  /// Shares the model. Throws InvalidArgument for none.
  Renderer(Context&, std::shared_ptr<const Model>);
  Renderer(Renderer&&) noexcept;
  Renderer& operator=(Renderer&&) noexcept;
  ~Renderer();

  /// Line integrals [H,W] of a pose at pose.time_s, on the host. Throws NumericalError naming pixel and time when the
  /// model gives a value that is not finite.
  Image render(const Pose&, const Detector&);
  /// The same into memory of the context (on CUDA: of its device, with no copy to the host), which is overwritten:
  /// image [H,W]. Asynchronous: on CUDA the values are there for what follows on ctx's stream, for others after
  /// Context::synchronize(). Values are not looked at, so there is no NumericalError.
  void render_into(const Pose&, const Detector&, View<float> image);

  /// Attenuation in 1/mm at a time, sampled at the voxel centres of a grid, on the host. Throws NumericalError naming
  /// voxel and time.
  Volume voxelize(const VolumeGrid&, double time_s);
  /// The mean of voxelize over `frames` moments evenly spaced over the sweep; density is averaged before voxelising
  /// (voxelisation is linear in it). Throws InvalidArgument unless frames is 1 to 2^20.
  Volume voxelize_mean(const VolumeGrid&, int frames);

 private:
  struct Scratch;
  Scratch& scratch() const;
  Context* ctx_;
  std::shared_ptr<const Model> shared_;
  const Model* model_;
  std::unique_ptr<Scratch> scratch_;
};

}  // namespace dsasrgs
