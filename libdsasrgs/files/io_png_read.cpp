// SPDX-License-Identifier: Apache-2.0
#include <zlib.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "files/byte_stream.hpp"

// Compiled here only, with internal linkage, so that a program may carry its own copy.
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#endif
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_PNG
#define STBI_NO_STDIO
#include <stb_image.h>
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

namespace dsasrgs {

namespace {

constexpr std::size_t kSignatureBytes = 8, kHeaderBytes = 13, kChunkBytes = 12;  // length, type and checksum
constexpr unsigned char kSignature[kSignatureBytes + 1] = "\x89PNG\r\n\x1a\n";
constexpr std::int64_t kMaxPixels = std::int64_t{1} << 28;

struct PngHeader {
  std::uint32_t width = 0, height = 0;
  int bits = 0, colour = 0;
  std::size_t data_bytes = 0;  ///< compressed pixels
};

std::uint32_t big_endian(const std::uint8_t* bytes) {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 | bytes[3];
}

std::vector<std::uint8_t> all_bytes(ByteReader& file) {
  if (file.max_size() > INT32_MAX)  // stb_image counts in int
    throw BadInput(file.name(), "file", "at most 2^31 - 1 bytes", std::to_string(file.max_size()));
  std::vector<std::uint8_t> bytes = host_vector<std::uint8_t>(file.max_size());
  bytes.resize(file.read(bytes.data(), bytes.size()));
  return bytes;
}

/// Walks the chunks, whose checksums stb_image does not look at: what follows reads a file as its writer left it.
PngHeader checked_header(const std::string& name, const std::vector<std::uint8_t>& bytes) {
  if (bytes.size() < kSignatureBytes || std::memcmp(bytes.data(), kSignature, kSignatureBytes) != 0)
    throw BadInput(name, "file", "a PNG file", "something else");
  PngHeader header;
  for (std::size_t at = kSignatureBytes;;) {
    if (bytes.size() - at < kChunkBytes) throw BadInput(name, "file", "a whole PNG file", "one that is cut off");
    const std::uint8_t* chunk = bytes.data() + at;
    const std::size_t size = big_endian(chunk);
    if (bytes.size() - at - kChunkBytes < size) throw BadInput(name, "file", "a whole PNG file", "one that is cut off");
    if (crc32(0, chunk + 4, static_cast<uInt>(size + 4)) != big_endian(chunk + 8 + size))
      throw BadInput(name, "file", "chunks with their checksums", "another at byte " + std::to_string(at));
    const auto is = [&](const char* type) { return std::memcmp(chunk + 4, type, 4) == 0; };
    if ((at == kSignatureBytes) != is("IHDR") || (at == kSignatureBytes && size != kHeaderBytes))
      throw BadInput(name, "file", "one header, first", "another order of chunks");
    if (at == kSignatureBytes) header = {big_endian(chunk + 8), big_endian(chunk + 12), chunk[16], chunk[17], 0};
    if (is("IDAT")) header.data_bytes += size;
    if (is("IEND")) return header;
    at += kChunkBytes + size;
  }
}

void check(const std::string& name, const PngHeader& h) {
  if (h.width < 1 || h.height < 1 || h.width > kMaxPixels || h.height > kMaxPixels ||
      std::int64_t{h.width} * h.height > kMaxPixels)
    throw BadInput(name, "size", "1 to 2^28 pixels", std::to_string(h.width) + " x " + std::to_string(h.height));
  if (h.bits != 8 && h.bits != 16) throw BadInput(name, "bit depth", "8 or 16", std::to_string(h.bits));
  // stb_image makes room for what the header says before it looks at the data.
  constexpr int kColour = 2, kColourWithAlpha = 6, kGreyWithAlpha = 4;
  const std::size_t channels = h.colour == kColour            ? 3
                               : h.colour == kColourWithAlpha ? 4
                               : h.colour == kGreyWithAlpha   ? 2
                                                              : 1;
  const std::size_t bytes = std::size_t{h.width} * h.height * channels * static_cast<std::size_t>(h.bits / 8);
  if (bytes / kMaxDeflateRatio > h.data_bytes)
    throw BadInput(name, "size", "no more than " + std::to_string(h.data_bytes) + " bytes of data hold",
                   std::to_string(h.width) + " x " + std::to_string(h.height));
}

/// Pixels as stb_image gives them, `channels` numbers each; all must be the same.
template <class T>
Image grey_image(const std::string& name, const PngHeader& header, T* decoded, int channels) {
  const std::unique_ptr<T, decltype(&stbi_image_free)> owner(decoded, &stbi_image_free);
  if (decoded == nullptr) {
    const char* const reason = stbi_failure_reason();
    const std::string why = reason == nullptr ? "outofmem" : reason;
    if (why == "outofmem") throw_out_of_host_memory();
    throw BadInput(name, "file", "pixels of a PNG file", "damage (" + why + ")");
  }
  const auto refuse = [&](const std::string& found) { throw BadInput(name, "colour", "greyscale", found); };
  if (channels != 1 && channels != 3) refuse("transparency");
  Image image{static_cast<int>(header.width), static_cast<int>(header.height), {}};
  image.values = host_vector<float>(num_elements(image.width_px, image.height_px));
  for (std::size_t i = 0; i < image.values.size(); ++i) {
    const T* pixel = decoded + i * static_cast<std::size_t>(channels);
    if (channels == 3 && (pixel[0] != pixel[1] || pixel[0] != pixel[2]))
      refuse("a coloured pixel (row " + std::to_string(i / header.width) + ", column " +
             std::to_string(i % header.width) + ")");
    image.values[i] = static_cast<float>(pixel[0]);
  }
  return image;
}

}  // namespace

Image read_png(const std::filesystem::path& path) try {
  ByteReader file(path);
  const std::vector<std::uint8_t> bytes = all_bytes(file);
  const PngHeader header = checked_header(file.name(), bytes);
  check(file.name(), header);
  int width = 0, height = 0, channels = 0;
  const auto size = static_cast<int>(bytes.size());
  if (header.bits == 16) {
    stbi_us* const decoded = stbi_load_16_from_memory(bytes.data(), size, &width, &height, &channels, 0);
    return grey_image(file.name(), header, decoded, channels);
  }
  stbi_uc* const decoded = stbi_load_from_memory(bytes.data(), size, &width, &height, &channels, 0);
  return grey_image(file.name(), header, decoded, channels);
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
