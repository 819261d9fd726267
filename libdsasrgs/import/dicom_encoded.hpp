// SPDX-License-Identifier: Apache-2.0
#pragma once
// What encoded frames say of their own size: DCMTK's decoders put what they find where the data set's size says, so
// that a frame of another size becomes a scrambled picture. Free of DCMTK.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace dsasrgs {

/// Of a picture's samples.
struct EncodedSize {
  int rows = 0, columns = 0, samples = 0, bits = 0;
  /// "64 x 48 pixels, 1 sample of 12 bits"
  std::string text() const;
};

/// Whether a JPEG or JPEG-LS stream begins here.
bool is_jpeg_start(std::span<const std::uint8_t> stream);

/// The frame header of JPEG (ITU-T T.81, B.2.2) or JPEG-LS (T.87, C.2.2); nothing where there is none.
std::optional<EncodedSize> jpeg_size(std::span<const std::uint8_t> stream);

/// What is wrong with an RLE frame (PS3.5 annex G) of `segments` segments that give `bytes` bytes each, in words for
/// "found"; empty: nothing.
std::string rle_fault(std::span<const std::uint8_t> frame, std::size_t segments, std::size_t bytes);

}  // namespace dsasrgs
