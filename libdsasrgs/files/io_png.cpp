// SPDX-License-Identifier: Apache-2.0
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "files/atomic_file.hpp"

namespace {

/// What stb_image_write has allocated on this thread, in a circle. It uses null pointers where it gets any: instead,
/// std::bad_alloc is thrown through it, and what it has is freed then.
struct alignas(std::max_align_t) StbBlock {
  StbBlock *previous = this, *next = this;
};

class StbMemory {
 public:
  StbMemory() { circle_ = &first_; }
  ~StbMemory() {
    while (first_.next != &first_) release(first_.next + 1);
    circle_ = nullptr;
  }
  StbMemory(const StbMemory&) = delete;
  StbMemory& operator=(const StbMemory&) = delete;

  /// realloc.
  static void* resize(void* data, std::size_t size) {
    auto* const block = static_cast<StbBlock*>(std::realloc(head_of(data), sizeof(StbBlock) + size));
    if (block == nullptr) throw std::bad_alloc();
    if (data == nullptr) {
      block->previous = circle_;
      block->next = circle_->next;
    }
    block->previous->next = block->next->previous = block;
    return block + 1;
  }
  static void release(void* data) {
    StbBlock* const block = head_of(data);
    if (block == nullptr) return;
    block->previous->next = block->next;
    block->next->previous = block->previous;
    std::free(block);
  }

 private:
  static StbBlock* head_of(void* data) { return data == nullptr ? nullptr : static_cast<StbBlock*>(data) - 1; }
  StbBlock first_;
  inline static thread_local StbBlock* circle_ = nullptr;
};

}  // namespace

#define STBIW_MALLOC(size) StbMemory::resize(nullptr, size)
#define STBIW_REALLOC(block, size) StbMemory::resize(block, size)
#define STBIW_FREE(block) StbMemory::release(block)
// Compiled here only, with internal linkage, so that a program may carry its own copy.
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#include <stb_image_write.h>

namespace dsasrgs {

namespace {

/// Puts the name of this library behind the header of a PNG file: length, "tEXt", key and text, and their checksum.
void insert_software(std::string& png) {
  constexpr std::size_t kHeaderEnd = 8 + 25;
  const auto big_endian = [](std::uint32_t value) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(value >> shift & 0xff));
    return bytes;
  };
  using namespace std::string_literals;
  const std::string chunk = "tEXtSoftware\0dsasrgs"s;
  const auto sum =
      ::crc32(0, reinterpret_cast<const unsigned char*>(chunk.data()), static_cast<unsigned>(chunk.size()));
  png.insert(kHeaderEnd, big_endian(static_cast<std::uint32_t>(chunk.size() - 4)) + chunk +
                             big_endian(static_cast<std::uint32_t>(sum)));
}

void append_bytes(void* to, void* data, int size) {
  const char* bytes = static_cast<const char*>(data);
  static_cast<std::string*>(to)->append(bytes, static_cast<std::size_t>(size));
}

}  // namespace

void write_png(const std::filesystem::path& path, const Image& image, GreyWindow window) {
  write_png(path, image.values, image.width_px, image.height_px, window);
}

void write_png(const std::filesystem::path& path, std::span<const float> image, int width_px, int height_px,
               GreyWindow window) try {
  // stb_image_write counts bytes in int and doubles its buffers; it puts one byte before each row.
  constexpr std::int64_t kMaxBytes = std::int64_t{1} << 28;
  if (width_px < 1 || height_px < 1 || (std::int64_t{width_px} + 1) * height_px > kMaxBytes)
    throw InvalidArgument("write_png: size: expected 1 to 2^28 pixels, found " + std::to_string(width_px) + " x " +
                          std::to_string(height_px));
  const std::size_t width = static_cast<std::size_t>(width_px), pixels = width * static_cast<std::size_t>(height_px);
  if (image.size() != pixels)
    throw InvalidArgument("write_png: image: expected " + std::to_string(pixels) + " pixels, found " +
                          std::to_string(image.size()));
  if (!std::isfinite(window.low) || !std::isfinite(window.high) || window.low == window.high)
    throw InvalidArgument("write_png: window: expected two different finite values, found " +
                          std::to_string(window.low) + " and " + std::to_string(window.high));
  const float range = window.high - window.low;
  std::vector<std::uint8_t> grey = host_vector<std::uint8_t>(pixels);
  for (std::size_t i = 0; i < pixels; ++i) {
    const float fraction = (image[i] - window.low) / range;
    if (std::isnan(fraction))
      throw InvalidArgument("write_png: image: expected numbers, found NaN at row " + std::to_string(i / width) +
                            ", column " + std::to_string(i % width));
    grey[i] = static_cast<std::uint8_t>(std::lround(std::clamp(fraction, 0.0f, 1.0f) * 255.0f));
  }
  std::string bytes;
  const StbMemory memory;
  if (stbi_write_png_to_func(append_bytes, &bytes, width_px, height_px, 1, grey.data(), width_px) == 0)
    throw OutOfMemory("write_png: could not allocate the compressed image of " + std::to_string(pixels) + " pixels");
  insert_software(bytes);
  AtomicFile file(path);
  file.write(bytes.data(), bytes.size());
  file.commit();
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
