// SPDX-License-Identifier: Apache-2.0
// PNG files: the input as it is, and with the checksums that its chunks should have.
#include <zlib.h>

#include <algorithm>
#include <cmath>

#include "dsasrgs/io.hpp"
#include "harness.hpp"

using namespace dsasrgs;

namespace {

void read_image(std::string_view bytes) {
  const std::filesystem::path path = fuzz::file_of("i.png", bytes);
  fuzz::read([&] {
    const Image image = read_png(path);
    fuzz::require(image.values.size() == num_elements(image.width_px, image.height_px), "other pixels than the size's");
    fuzz::require(std::all_of(image.values.begin(), image.values.end(), [](float x) { return x >= 0 && x < 65536; }),
                  "no grey value");
  });
}

std::string with_checksums(std::string bytes) {
  constexpr std::size_t kSignature = 8, kAround = 12;
  for (std::size_t at = kSignature; bytes.size() >= at + kAround;) {
    const auto* chunk = reinterpret_cast<const unsigned char*>(bytes.data() + at);
    const std::size_t size = std::size_t{chunk[0]} << 24 | chunk[1] << 16 | chunk[2] << 8 | chunk[3];
    if (bytes.size() - at - kAround < size) break;
    const auto sum = static_cast<std::uint32_t>(crc32(0, chunk + 4, static_cast<unsigned>(size + 4)));
    for (std::size_t i = 0; i < 4; ++i) bytes[at + 8 + size + i] = static_cast<char>(sum >> (24 - 8 * i));
    at += kAround + size;
  }
  return bytes;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = fuzz::text_of(data, size);
  read_image(bytes);
  read_image(with_checksums(std::string(bytes)));
  return 0;
}
