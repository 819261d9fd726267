// SPDX-License-Identifier: Apache-2.0
#pragma once
// Pictures for people: vessels dark on white, like a DSA.

#include <filesystem>
#include <span>
#include <vector>

#include "dsasrgs/buffer.hpp"
#include "dsasrgs/evaluation.hpp"
#include "dsasrgs/geometry.hpp"

namespace dsasrgs::program {

/// Pixels of a picture [H,W]: 0 is white, 1 black.
using Panel = std::vector<float>;
/// An image, black at `window`.
Panel image_panel(std::span<const float> image, float window);
/// image − reference, kDifferenceGain times stronger around mid grey: dark is too much.
Panel difference_panel(std::span<const float> image, std::span<const float> reference, float window);
inline constexpr float kDifferenceGain = 4;
/// Rows of panels of one size, with white gaps.
void write_panels(const std::filesystem::path&, const std::vector<std::vector<Panel>>& rows, int width, int height);

/// Grey window of pictures of a sweep: a few pixels of overlapping vessels would make everything else pale.
float picture_window(const ProjectionTruth&);

/// Render | reference | difference, all with one window.
void write_comparison(const std::filesystem::path&, std::span<const float> rendered, std::span<const float> reference,
                      const Detector&, float window);

/// Maximum-intensity projections of a volume [z,y,x]: along y (coronal) beside along x (sagittal), +z up, square
/// pixels.
void write_maximum_projections(const std::filesystem::path&, const std::vector<float>& volume, const VolumeGrid&);

/// A render alone: white at 0 and black at `window`.
void write_projection(const std::filesystem::path&, std::span<const float> image, const Detector&, float window);

}  // namespace dsasrgs::program
