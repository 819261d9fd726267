#pragma once
// Pictures for people: vessels dark on white, like a DSA.

#include <filesystem>
#include <vector>

#include "dsasrgs/buffer.hpp"
#include "dsasrgs/geometry.hpp"
#include "dsasrgs/renderer.hpp"
#include "view_scores.hpp"

namespace dsasrgs::program {

/// Render | reference | difference. The first two share one grey window, white at 0 and black at `window`; the
/// difference (render − reference) is shown kDifferenceGain times stronger around mid grey: dark is too much.
void write_comparison(const std::filesystem::path&, View<const float> rendered, View<const float> reference,
                      const Detector&, float window);
inline constexpr float kDifferenceGain = 4;

/// Maximum-intensity projections of a volume [z,y,x]: along y (coronal) beside along x (sagittal), +z up, square
/// pixels.
void write_maximum_projections(const std::filesystem::path&, const std::vector<float>& volume, const VolumeGrid&);

/// A render alone: white at 0 and black at `window`.
void write_projection(const std::filesystem::path&, View<const float> image, const Detector&, float window);

}  // namespace dsasrgs::program
