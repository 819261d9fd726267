// SPDX-License-Identifier: Apache-2.0
#include "import/dicom_encoded.hpp"

#include <algorithm>
#include <array>

namespace dsasrgs {

namespace {

constexpr std::uint8_t kMark = 0xff;  // of JPEG

std::size_t little_endian(std::span<const std::uint8_t> bytes, std::size_t at) {
  return bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16 | std::size_t{bytes[at + 3]} << 24;
}

/// How many bytes a segment of runs (PackBits) gives, no more than one beyond `wanted`. Padding of 0 or 128 behind
/// the wanted bytes gives none.
std::size_t bytes_of_runs(std::span<const std::uint8_t> runs, std::size_t wanted) {
  constexpr std::uint8_t kNothing = 128;
  std::size_t given = 0;
  for (std::size_t at = 0; at < runs.size();) {
    const std::uint8_t head = runs[at++];
    if (head == kNothing) continue;
    if (given == wanted && std::all_of(runs.begin() + static_cast<std::ptrdiff_t>(at - 1), runs.end(),
                                       [](std::uint8_t byte) { return byte == 0; }))
      break;
    const std::size_t count = head < kNothing ? head + std::size_t{1} : 257 - std::size_t{head};
    const std::size_t stored = head < kNothing ? count : 1;
    given += stored <= runs.size() - at ? count : head < kNothing ? runs.size() - at : 0;
    if (given > wanted) return given;
    at += std::min(stored, runs.size() - at);
  }
  return given;
}

}  // namespace

std::string EncodedSize::text() const {
  return std::to_string(rows) + " x " + std::to_string(columns) + " pixels, " + std::to_string(samples) +
         (samples == 1 ? " sample of " : " samples of ") + std::to_string(bits) + " bits";
}

bool is_jpeg_start(std::span<const std::uint8_t> stream) {
  constexpr std::uint8_t kStart = 0xd8;
  return stream.size() >= 2 && stream[0] == kMark && stream[1] == kStart;
}

std::optional<EncodedSize> jpeg_size(std::span<const std::uint8_t> stream) {
  constexpr std::uint8_t kFirstFrame = 0xc0, kLastFrame = 0xcf, kFrameLs = 0xf7;
  // Among the numbers of frame headers: Huffman tables, reserved, arithmetic conditioning.
  constexpr std::array<std::uint8_t, 3> kNoFrame{0xc4, 0xc8, 0xcc};
  constexpr std::size_t kFrameHeader = 8;
  if (!is_jpeg_start(stream)) return std::nullopt;
  for (std::size_t at = 2; at + 3 < stream.size();) {
    if (stream[at] != kMark) return std::nullopt;
    const std::uint8_t marker = stream[at + 1];
    if (marker == kMark) {  // fill
      ++at;
      continue;
    }
    const auto word = [&](std::size_t i) { return stream[at + i] << 8 | stream[at + i + 1]; };
    if (marker == kFrameLs || (marker >= kFirstFrame && marker <= kLastFrame &&
                               std::find(kNoFrame.begin(), kNoFrame.end(), marker) == kNoFrame.end())) {
      if (stream.size() - at < 2 + kFrameHeader) return std::nullopt;
      return EncodedSize{word(5), word(7), stream[at + 9], stream[at + 4]};
    }
    at += 2 + static_cast<std::size_t>(word(2));
  }
  return std::nullopt;
}

std::string rle_fault(std::span<const std::uint8_t> frame, std::size_t segments, std::size_t bytes) {
  constexpr std::size_t kHeader = 64, kNumber = 4, kMostSegments = kHeader / kNumber - 1;
  if (frame.size() < kHeader) return "fewer bytes than its header has";
  const std::size_t found = little_endian(frame, 0);
  if (found != segments || segments > kMostSegments) return "RLE of " + std::to_string(found) + " segments";
  for (std::size_t i = 1; i <= segments; ++i) {
    const std::size_t from = little_endian(frame, i * kNumber),
                      to = i < segments ? little_endian(frame, (i + 1) * kNumber) : frame.size();
    if (from < kHeader || to < from || to > frame.size()) return "RLE segments that do not follow each other";
    const std::size_t given = bytes_of_runs(frame.subspan(from, to - from), bytes);
    if (given != bytes)
      return "an RLE segment of " + (given > bytes ? "more" : std::to_string(given)) + std::string(" bytes");
  }
  return {};
}

}  // namespace dsasrgs
