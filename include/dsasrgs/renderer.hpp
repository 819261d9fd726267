#pragma once
/// @file
/// Renders a model: projections from any pose at any time, volumes at any time.

#include <cstdint>
#include <memory>
#include <vector>

#include "dsasrgs/model.hpp"

namespace dsasrgs {

/// Keeps scratch memory between renders. The model must outlive it; it may change between calls.
class Renderer {
 public:
  Renderer(Context&, const Model&);
  Renderer(Renderer&&) noexcept;
  ~Renderer();

  /// Line integrals [H,W] of a pose at pose.time_s, on host. Throws InvalidArgument for an empty detector or degenerate
  /// pose, NumericalError when the model holds non-finite numbers.
  std::vector<float> render(const Pose&, const Detector&);

  /// Attenuation [z,y,x] in 1/mm at a time, sampled at the voxel centres of a grid.
  std::vector<float> voxelize(const VolumeGrid&, double time_s);
  /// The mean of voxelize over `frames` moments evenly spaced over the sweep; density is averaged before voxelising
  /// (voxelisation is linear in it).
  std::vector<float> voxelize_mean(const VolumeGrid&, int frames);

 private:
  struct Scratch;
  Context* ctx_;
  const Model* model_;
  std::unique_ptr<Scratch> scratch_;
};

}  // namespace dsasrgs
