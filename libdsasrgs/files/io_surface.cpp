// SPDX-License-Identifier: Apache-2.0
// STL (binary), PLY (binary, little-endian) and OBJ.

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "common/plain_number.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/surface.hpp"
#include "files/byte_stream.hpp"
#include "files/file_suffix.hpp"

namespace dsasrgs {

namespace {

static_assert(std::endian::native == std::endian::little, "surfaces are written in little-endian order");

constexpr std::size_t kBytesAtOnce = 1 << 20;

/// Bytes on their way to a file.
class SurfaceBytes {
 public:
  explicit SurfaceBytes(ByteWriter& file) : file_(file) {}
  SurfaceBytes(const SurfaceBytes&) = delete;
  SurfaceBytes& operator=(const SurfaceBytes&) = delete;

  template <class T>
  void put(T value) {
    char raw[sizeof value];
    std::memcpy(raw, &value, sizeof value);
    bytes_.append(raw, sizeof raw);
  }
  void put(Vec3f v) {
    for (const float x : {v.x, v.y, v.z}) put(x);
  }
  void text(std::string_view words) { bytes_.append(words); }
  void text(float value) {
    char digits[32];
    bytes_.append(1, ' ').append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  }
  /// To be called now and then; with `all` at the end.
  void flush(bool all = false) {
    if (bytes_.size() < kBytesAtOnce && !all) return;
    file_.write(bytes_.data(), bytes_.size());
    bytes_.clear();
  }

 private:
  ByteWriter& file_;
  std::string bytes_;
};

Vec3f triangle_normal(Vec3f a, Vec3f b, Vec3f c) {
  const Vec3d n = cross((b - a).as<double>(), (c - a).as<double>());
  const double size = length(n);
  return size > 0 ? (n / size).as<float>() : Vec3f{};  // STL: readers work one out where it is zero
}

void put_stl(SurfaceBytes& block, const Surface& s) {
  constexpr std::size_t kHeader = 80;
  std::string header("dsasrgs SPACE=LPS");  // not "solid", which begins a text file
  header.resize(kHeader, ' ');
  block.text(header);
  block.put(static_cast<std::uint32_t>(s.triangles.size()));
  for (const auto& t : s.triangles) {
    const Vec3f a = s.vertices_mm[t[0]], b = s.vertices_mm[t[1]], c = s.vertices_mm[t[2]];
    for (const Vec3f v : {triangle_normal(a, b, c), a, b, c}) block.put(v);
    block.put(std::uint16_t{0});
    block.flush();
  }
}

void put_ply(SurfaceBytes& block, const Surface& s) {
  block.text("ply\nformat binary_little_endian 1.0\ncomment dsasrgs, mm\ncomment SPACE=LPS\nelement vertex " +
             std::to_string(s.vertices_mm.size()) +
             "\nproperty float x\nproperty float y\nproperty float z\nelement face " +
             std::to_string(s.triangles.size()) + "\nproperty list uchar int vertex_indices\nend_header\n");
  for (const Vec3f v : s.vertices_mm) {
    block.put(v);
    block.flush();
  }
  for (const auto& t : s.triangles) {
    block.put(std::uint8_t{3});
    for (const std::uint32_t v : t) block.put(v);
    block.flush();
  }
}

void put_obj(SurfaceBytes& block, const Surface& s) {
  block.text("# dsasrgs, mm\n# SPACE=LPS\n");
  for (const Vec3f v : s.vertices_mm) {
    block.text("v");
    for (const float x : {v.x, v.y, v.z}) block.text(x);
    block.text("\n");
    block.flush();
  }
  for (const auto& t : s.triangles) {
    block.text("f");
    for (const std::uint32_t v : t) {
      block.text(" ");
      block.text(std::to_string(v + 1));  // from 1
    }
    block.text("\n");
    block.flush();
  }
}

void check_surface(const Surface& s) {
  if (s.triangles.empty()) throw InvalidArgument("write_surface: surface.triangles: expected some, found none");
  for (const std::size_t count : {s.vertices_mm.size(), s.triangles.size()})
    if (count > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
      throw InvalidArgument("write_surface: surface: expected fewer than 2^31 vertices and triangles, found " +
                            std::to_string(count));
  for (const auto& t : s.triangles)
    for (const std::uint32_t v : t)
      if (v >= s.vertices_mm.size())
        throw InvalidArgument("write_surface: surface.triangles: expected vertices below " +
                              std::to_string(s.vertices_mm.size()) + ", found " + std::to_string(v));
  for (const Vec3f v : s.vertices_mm)
    for (const float x : {v.x, v.y, v.z})
      if (!std::isfinite(x))
        throw InvalidArgument("write_surface: surface.vertices_mm: expected finite numbers, found " + plain_number(x));
}

}  // namespace

std::optional<SurfaceFormat> surface_format(const std::filesystem::path& name) {
  if (has_suffix(name, ".stl")) return SurfaceFormat::stl;
  if (has_suffix(name, ".ply")) return SurfaceFormat::ply;
  if (has_suffix(name, ".obj")) return SurfaceFormat::obj;
  return std::nullopt;
}

void write_surface(const std::filesystem::path& path, const Surface& surface) try {
  const auto format = surface_format(path);
  if (!format)
    throw InvalidArgument(std::string("write_surface: path: expected a name that ends in ") + kSurfaceNames +
                          ", found " + path.string());
  check_surface(surface);
  ByteWriter file(path);
  SurfaceBytes block(file);
  if (*format == SurfaceFormat::stl) put_stl(block, surface);
  if (*format == SurfaceFormat::ply) put_ply(block, surface);
  if (*format == SurfaceFormat::obj) put_obj(block, surface);
  block.flush(true);
  file.commit();
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
