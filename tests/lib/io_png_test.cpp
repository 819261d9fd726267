// SPDX-License-Identifier: Apache-2.0
// write_png, read back with a few lines of the PNG standard: signature, chunks with checksums, deflated rows.

#include <zlib.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "support/random_values.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using test::require_error;
using test::TemporaryFolder;

namespace {

struct Png {
  std::uint32_t width = 0, height = 0;
  std::string format;  // bit depth, colour type, compression, filter, interlace
  std::vector<int> grey;
};

std::uint32_t big_endian(const std::string& bytes, std::size_t offset) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes.at(offset + i));
  return value;
}

int paeth(int left, int up, int corner) {
  const int p = left + up - corner;
  const int dl = std::abs(p - left), du = std::abs(p - up), dc = std::abs(p - corner);
  return dl <= du && dl <= dc ? left : du <= dc ? up : corner;
}

Png decoded_png(const std::filesystem::path& path) {
  const std::string bytes = test::read_bytes(path);
  REQUIRE(bytes.substr(0, 8) == "\x89PNG\r\n\x1a\n");
  Png png;
  std::string data, last;
  for (std::size_t at = 8; at < bytes.size();) {
    const std::uint32_t size = big_endian(bytes, at);
    const std::string chunk = bytes.substr(at + 4, size + 4);
    const auto* start = reinterpret_cast<const Bytef*>(chunk.data());
    REQUIRE(crc32(0, start, static_cast<uInt>(chunk.size())) == big_endian(bytes, at + 8 + size));
    last = chunk.substr(0, 4);
    if (last == "IHDR") {
      png.width = big_endian(chunk, 4);
      png.height = big_endian(chunk, 8);
      png.format = chunk.substr(12, 5);
    }
    if (last == "IDAT") data += chunk.substr(4);
    at += 12 + size;
  }
  REQUIRE(last == "IEND");
  std::vector<unsigned char> rows((png.width + 1) * png.height);
  uLongf size = rows.size();
  REQUIRE(uncompress(rows.data(), &size, reinterpret_cast<const Bytef*>(data.data()), data.size()) == Z_OK);
  REQUIRE(size == rows.size());
  png.grey.resize(png.width * png.height);
  for (std::size_t y = 0; y < png.height; ++y)
    for (std::size_t x = 0; x < png.width; ++x) {
      const auto grey = [&](std::size_t row, std::size_t column) { return png.grey[row * png.width + column]; };
      const int left = x ? grey(y, x - 1) : 0, up = y ? grey(y - 1, x) : 0, corner = x && y ? grey(y - 1, x - 1) : 0;
      const int filter = rows[y * (png.width + 1)];
      REQUIRE(filter <= 4);
      const int predicted[5] = {0, left, up, (left + up) / 2, paeth(left, up, corner)};
      png.grey[y * png.width + x] = (rows[y * (png.width + 1) + x + 1] + predicted[filter]) & 255;
    }
  return png;
}

}  // namespace

TEST_CASE("write_png: grey values fall into the window, rounded and clamped", "[io][png]") {
  const TemporaryFolder folder;
  const std::vector<float> image{-1, 0, 0.5f, 1, 2, INFINITY};
  write_png(folder / "a.png", image, 3, 2, {0, 1});
  const Png png = decoded_png(folder / "a.png");
  REQUIRE(png.width == 3);
  REQUIRE(png.height == 2);
  REQUIRE(png.format == std::string("\x08\0\0\0\0", 5));
  REQUIRE(png.grey == std::vector<int>{0, 0, 128, 255, 255, 255});
  write_png(folder / "a.png", image, 2, 3, {2, -2});
  REQUIRE(decoded_png(folder / "a.png").grey == std::vector<int>{191, 128, 96, 64, 0, 0});
  REQUIRE(folder.num_files() == 1);
}

TEST_CASE("write_png: every pixel of a larger image is where it belongs", "[io][png]") {
  const TemporaryFolder folder;
  const auto image = test::random_values<float>(301 * 203, -2, 3, 5);
  write_png(folder / "a.png", image, 301, 203, {-2, 3});
  const Png png = decoded_png(folder / "a.png");
  REQUIRE(png.width == 301);
  REQUIRE(png.height == 203);
  int worst = 0;
  for (std::size_t i = 0; i < image.size(); ++i)
    worst = std::max(worst, std::abs(png.grey[i] - static_cast<int>(std::lround((image[i] + 2) * 51))));
  REQUIRE(worst <= 1);
}

TEST_CASE("write_png: what cannot be written is named and leaves no file", "[io][png]") {
  const TemporaryFolder folder;
  std::vector<float> image(6, 0.5f);
  const auto refuse = [&](int width, int height, GreyWindow window, std::initializer_list<std::string_view> parts) {
    require_error<InvalidArgument>([&] { write_png(folder / "a.png", image, width, height, window); }, parts);
  };
  refuse(3, 3, {0, 1}, {"image", "9 pixels", "found 6"});
  refuse(0, 2, {0, 1}, {"size", "found 0 x 2"});
  refuse(1 << 20, 1 << 20, {0, 1}, {"size", "2^28", "1048576"});
  refuse(3, 2, {1, 1}, {"window", "two different", "1.0"});
  refuse(3, 2, {NAN, 1}, {"window", "finite", "nan"});
  image[4] = NAN;
  refuse(3, 2, {0, 1}, {"image", "NaN at row 1, column 1"});
  image[4] = 0;
  const std::string absent = (folder / "absent" / "a.png").string();
  require_error<IoError>([&] { write_png(absent, image, 3, 2, {0, 1}); }, {absent, "cannot write"});
  REQUIRE(folder.num_files() == 0);
}
