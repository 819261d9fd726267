// SPDX-License-Identifier: Apache-2.0
// read_png on files that write_png makes, and on files that a few lines of the PNG standard make: chunks with
// checksums around rows in a deflated stream.

#include <zlib.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using test::read_bytes;
using test::require_error;
using test::TemporaryFolder;
using test::write_bytes;

namespace {

constexpr int kGrey = 0, kColour = 2, kPalette = 3, kGreyAlpha = 4, kColourAlpha = 6;

std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(value >> shift & 255);
  return bytes;
}

std::string chunk(const std::string& type, const std::string& data) {
  const std::string body = type + data;
  const uLong sum = crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return big_endian(static_cast<std::uint32_t>(data.size())) + body + big_endian(static_cast<std::uint32_t>(sum));
}

std::string deflated(const std::string& data) {
  std::string result(compressBound(data.size()), '\0');
  uLongf size = result.size();
  REQUIRE(compress(reinterpret_cast<Bytef*>(result.data()), &size, reinterpret_cast<const Bytef*>(data.data()),
                   data.size()) == Z_OK);
  result.resize(size);
  return result;
}

std::string header(std::uint32_t width, std::uint32_t height, int bits, int colour_type) {
  return chunk("IHDR", big_endian(width) + big_endian(height) + static_cast<char>(bits) +
                           static_cast<char>(colour_type) + std::string(3, '\0'));
}

const std::string kSignature = "\x89PNG\r\n\x1a\n";

/// A PNG of numbers, row by row, `channels` of them a pixel.
std::string png(int width, int height, int bits, int colour_type, int channels, const std::vector<int>& numbers,
                const std::string& more_chunks = "") {
  std::string rows;
  for (int r = 0; r < height; ++r) {
    rows += '\0';  // no filter
    for (int i = 0; i < width * channels; ++i) {
      const int number = numbers.at(static_cast<std::size_t>(r * width * channels + i));
      if (bits == 16) rows += static_cast<char>(number >> 8);
      rows += static_cast<char>(number & 255);
    }
  }
  return kSignature + header(static_cast<std::uint32_t>(width), static_cast<std::uint32_t>(height), bits, colour_type) +
         more_chunks + chunk("IDAT", deflated(rows)) + chunk("IEND", "");
}

Image read(const std::string& bytes) {
  const TemporaryFolder folder;
  write_bytes(folder / "image.png", bytes);
  return read_png(folder / "image.png");
}

void refuse(const std::string& bytes, std::initializer_list<std::string_view> parts) {
  require_error<BadInput>([&] { read(bytes); }, {"image.png"});
  require_error<BadInput>([&] { read(bytes); }, parts);
}

}  // namespace

TEST_CASE("read_png: reads what write_png wrote", "[io][png]") {
  const TemporaryFolder folder;
  Image image{37, 23, {}};
  for (int i = 0; i < 37 * 23; ++i) image.values.push_back(static_cast<float>(i * 7 % 256));
  write_png(folder / "a.png", image, {0, 255});
  CHECK(read_png(folder / "a.png") == image);
}

TEST_CASE("read_png: 16 bits keep all their values", "[io][png]") {
  const Image image = read(png(3, 2, 16, kGrey, 1, {0, 1, 256, 511, 40000, 65535}));
  CHECK(image == Image{3, 2, {0, 1, 256, 511, 40000, 65535}});
}

TEST_CASE("read_png: colour is taken where it is grey", "[io][png]") {
  CHECK(read(png(2, 1, 8, kColour, 3, {9, 9, 9, 250, 250, 250})) == Image{2, 1, {9, 250}});
  CHECK(read(png(2, 1, 16, kColour, 3, {900, 900, 900, 7, 7, 7})) == Image{2, 1, {900, 7}});
  const std::string grey_palette = chunk("PLTE", std::string("\x05\x05\x05\x60\x60\x60", 6));
  CHECK(read(png(2, 1, 8, kPalette, 1, {1, 0}, grey_palette)) == Image{2, 1, {96, 5}});
  refuse(png(2, 2, 8, kColour, 3, {9, 9, 9, 250, 250, 250, 1, 1, 1, 1, 2, 1}),
         {"colour: expected greyscale, found a coloured pixel (row 1, column 1)"});
  refuse(png(1, 1, 8, kGreyAlpha, 2, {9, 255}), {"colour", "transparency"});
  refuse(png(1, 1, 8, kColourAlpha, 4, {9, 9, 9, 255}), {"colour", "transparency"});
  refuse(png(1, 1, 8, kGrey, 1, {9}, chunk("tRNS", std::string("\0\x09", 2))), {"colour", "transparency"});
}

TEST_CASE("read_png: what is no whole PNG of a usual size is refused by name", "[io][png]") {
  refuse("", {"a PNG file"});
  refuse("P5 2 2 255 ....", {"a PNG file"});
  const std::string good = png(3, 2, 8, kGrey, 1, {1, 2, 3, 4, 5, 6});
  CHECK(read(good).at(1, 2) == 6);
  for (std::size_t size = 0; size < good.size(); ++size) {
    CAPTURE(size);
    CHECK_THROWS_AS(read(good.substr(0, size)), BadInput);
  }
  for (std::size_t i = 0; i < good.size(); ++i) {  // any byte that is another
    CAPTURE(i);
    std::string damaged = good;
    damaged[i] = static_cast<char>(damaged[i] ^ 16);
    CHECK_THROWS_AS(read(damaged), BadInput);
  }
  refuse(kSignature + header(1 << 20, 1 << 20, 8, kGrey) + chunk("IEND", ""), {"size", "2^28", "1048576 x 1048576"});
  refuse(kSignature + header(0xFFFFFFFFu, 0xFFFFFFFFu, 8, kGrey) + chunk("IEND", ""), {"size", "2^28"});
  refuse(kSignature + header(0, 4, 8, kGrey) + chunk("IEND", ""), {"size", "0 x 4"});
  refuse(kSignature + header(8, 1, 1, kGrey) + chunk("IDAT", deflated(std::string(2, '\0'))) + chunk("IEND", ""),
         {"bit depth: expected 8 or 16, found 1"});
  refuse(kSignature + header(4, 4, 8, kGrey) + chunk("IEND", ""), {"damage"});  // no pixels
  refuse(kSignature + header(4, 4, 8, kGrey) + chunk("IDAT", deflated("too few")) + chunk("IEND", ""), {"damage"});
  refuse(kSignature + header(4, 4, 8, kGrey) + chunk("IDAT", "not deflated") + chunk("IEND", ""), {"damage"});
  refuse(kSignature + chunk("IDAT", "") + chunk("IEND", ""), {"one header, first"});
  refuse(kSignature + header(1, 1, 8, kGrey) + header(9, 9, 8, kGrey) + chunk("IEND", ""), {"one header, first"});
}

TEST_CASE("read_png: a file that is not there is an error of the system", "[io][png]") {
  const TemporaryFolder folder;
  require_error<IoError>([&] { read_png(folder / "absent.png"); }, {"absent.png", "cannot read"});
  require_error<IoError>([&] { read_png(folder.path()); }, {"cannot read"});
}

TEST_CASE("read_png: a frame of a real run", "[io][png][real]") {
  const std::filesystem::path path =
      std::filesystem::path(DSASRGS_SHARED_DATA) / "network-training/dsa-2d-head/001.png";
  if (!std::filesystem::exists(path)) {
    WARN("Skipped: there is no " << path);
    return;
  }
  const Image image = read_png(path);
  CHECK(image.width_px == 1024);
  CHECK(image.height_px == 1024);
  const auto [darkest, brightest] = std::minmax_element(image.values.begin(), image.values.end());
  CHECK(*darkest >= 0);
  CHECK(*brightest <= 255);
  CHECK(*brightest - *darkest > 50);
}

TEST_CASE("read_png: a size that the data cannot hold is refused before room is made for it", "[io][png]") {
  const std::string end = chunk("IDAT", deflated("x")) + chunk("IEND", "");
  for (const int bits : {8, 16})
    refuse(kSignature + header(16000, 16000, bits, kGrey) + end,
           {"size: expected no more than 9 bytes of data hold, found 16000 x 16000"});
}
