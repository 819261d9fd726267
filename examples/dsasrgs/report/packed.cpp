// SPDX-License-Identifier: Apache-2.0
#include "report/packed.hpp"

#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "dsasrgs/error.hpp"

namespace dsasrgs::program {

namespace {

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t word = 0;
    for (std::size_t k = 0; k < 3; ++k)
      word = word << 8 | (k < count ? static_cast<std::uint8_t>(bytes[i + k]) : std::uint32_t{0});
    for (std::size_t k = 0; k < 4; ++k) text += k <= count ? kDigits[word >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

std::string gzipped(std::string_view bytes) {
  constexpr int kGzip = 16, kWindowBits = 15, kMemory = 9;
  constexpr std::size_t kPart = 1 << 20;
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kWindowBits + kGzip, kMemory, Z_DEFAULT_STRATEGY) != Z_OK)
    throw OutOfMemory("report: zlib could not begin to compress " + std::to_string(bytes.size()) + " bytes");
  std::string out;
  std::string room(kPart, '\0');
  int state = Z_OK;
  while (state != Z_STREAM_END) {
    if (stream.avail_in == 0 && !bytes.empty()) {
      const std::size_t part = std::min(kPart, bytes.size());
      // zlib's interface is older than const; it only reads there.
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
      stream.avail_in = static_cast<uInt>(part);
      bytes.remove_prefix(part);
    }
    stream.next_out = reinterpret_cast<Bytef*>(room.data());
    stream.avail_out = static_cast<uInt>(room.size());
    state = deflate(&stream, bytes.empty() ? Z_FINISH : Z_NO_FLUSH);
    out.append(room, 0, room.size() - stream.avail_out);
  }
  deflateEnd(&stream);
  return out;
}

int code_of(float value, float largest, int largest_code) {
  const float scaled = std::round(value / largest * static_cast<float>(largest_code));
  return static_cast<int>(std::clamp(scaled, 0.0f, static_cast<float>(largest_code)));
}

}  // namespace

std::string packed(std::string_view bytes) { return base64(gzipped(bytes)); }

std::string packed(std::span<const std::uint8_t> bytes) {
  return packed(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

std::vector<float> block_means(std::span<const float> image, std::span<const std::uint8_t> valid, int width, int bin,
                               const Detector& to) {
  std::vector<float> means(to.num_pixels());
  for (int r = 0; r < to.height_px; ++r)
    for (int c = 0; c < to.width_px; ++c) {
      double sum = 0;
      int count = 0;
      for (int y = r * bin; y < (r + 1) * bin; ++y)
        for (int x = c * bin; x < (c + 1) * bin; ++x) {
          const auto i = static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x);
          if (!valid.empty() && valid[i] == 0) continue;
          sum += static_cast<double>(image[i]);
          ++count;
        }
      means[static_cast<std::size_t>(r) * static_cast<std::size_t>(to.width_px) + static_cast<std::size_t>(c)] =
          count > 0 ? static_cast<float>(sum / count) : std::numeric_limits<float>::quiet_NaN();
    }
  return means;
}

std::vector<std::uint8_t> image_codes(std::span<const float> image, std::span<const std::uint8_t> valid,
                                      float largest) {
  std::vector<std::uint8_t> codes(image.size());
  for (std::size_t i = 0; i < image.size(); ++i) {
    const bool counts = std::isfinite(image[i]) && (valid.empty() || valid[i] != 0);
    codes[i] = counts ? static_cast<std::uint8_t>(code_of(image[i], largest, kLargestCode)) : kNotValid;
  }
  return codes;
}

void take_row_differences(std::span<std::uint8_t> codes, std::size_t width) {
  for (std::size_t row = 0; row + width <= codes.size(); row += width)
    for (std::size_t c = width - 1; c > 0; --c)
      codes[row + c] = static_cast<std::uint8_t>(codes[row + c] - codes[row + c - 1]);
}

std::vector<std::uint8_t> volume_codes(std::span<const float> volume, float largest) {
  std::vector<std::uint8_t> codes(2 * volume.size());
  for (std::size_t i = 0; i < volume.size(); ++i) {
    const int code = code_of(volume[i], largest, kLargestVoxelCode);
    codes[i] = static_cast<std::uint8_t>(code & 255);
    codes[volume.size() + i] = static_cast<std::uint8_t>(code >> 8);
  }
  return codes;
}

}  // namespace dsasrgs::program
