// SPDX-License-Identifier: Apache-2.0
#pragma once
// Numbers as the page carries them: small codes, compressed, in base64.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dsasrgs/geometry.hpp"

namespace dsasrgs::program {

/// gzip (RFC 1952), then base64 (RFC 4648). Throws OutOfMemory.
std::string packed(std::string_view bytes);
std::string packed(std::span<const std::uint8_t> bytes);

/// An image of `width` columns with fewer pixels: means over the valid ones of each block of bin × bin, NaN where there
/// is none. `valid` is empty where all count.
std::vector<float> block_means(std::span<const float> image, std::span<const std::uint8_t> valid, int width, int bin,
                               const Detector& to);

/// Codes of pixels: 0 to kLargestCode for values from 0 to `largest`, what is beyond is clamped; kNotValid for pixels
/// that do not count.
inline constexpr int kLargestCode = 254;
inline constexpr std::uint8_t kNotValid = 255;
/// `valid` is empty where all count. A pixel that is not finite does not count.
std::vector<std::uint8_t> image_codes(std::span<const float> image, std::span<const std::uint8_t> valid, float largest);

/// Each code but the first of a row minus the one before it, modulo 256: compresses better.
void take_row_differences(std::span<std::uint8_t> codes, std::size_t width);

/// Codes of voxels: 0 to kLargestVoxelCode for values from 0 to `largest`. All low bytes, then all high bytes.
inline constexpr int kLargestVoxelCode = 1000;
std::vector<std::uint8_t> volume_codes(std::span<const float> volume, float largest);

}  // namespace dsasrgs::program
