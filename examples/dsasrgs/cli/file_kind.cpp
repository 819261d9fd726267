// SPDX-License-Identifier: Apache-2.0
#include "cli/file_kind.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>
#include <system_error>

namespace dsasrgs::program {

namespace {

bool begins_with_any(std::string_view text, std::initializer_list<std::string_view> beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(), [&](std::string_view b) { return text.starts_with(b); });
}

/// A header, the number of triangles, and 50 bytes of each.
bool is_binary_stl(std::string_view begin, std::uintmax_t size) {
  constexpr std::size_t kStlHeader = 80, kStlTriangle = 50;
  std::uint32_t triangles = 0;
  if (begin.size() < kStlHeader + sizeof triangles) return false;
  std::memcpy(&triangles, begin.data() + kStlHeader, sizeof triangles);
  return size == kStlHeader + sizeof triangles + std::uintmax_t{triangles} * kStlTriangle;
}

constexpr std::size_t kDicomPreamble = 128;

bool is_nifti(std::string_view begin) {
  constexpr std::size_t kMagic1 = 344, kMagic2 = 4;
  const auto magic = [&](std::size_t at, std::string_view text) {
    return begin.size() > at && begin.substr(at).starts_with(text);
  };
  return magic(kMagic1, "n+1") || magic(kMagic2, "n+2");
}

}  // namespace

bool is_named(const std::filesystem::path& name, std::string_view suffix) {
  std::string text = name.string();
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text.ends_with(suffix);
}

bool is_what_its_name_says(const std::filesystem::path& path) {
  std::array<char, 512> bytes{};
  std::ifstream file(path, std::ios::binary);
  file.read(bytes.data(), bytes.size());
  const std::string_view begin(bytes.data(), static_cast<std::size_t>(file.gcount()));
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error) return false;
  if (size == 0) return true;
  const auto named = [&](std::string_view suffix) { return is_named(path, suffix); };
  if (named(".nii")) return is_nifti(begin);
  if (named(".gz")) return begin.starts_with("\x1f\x8b");
  if (named(".nrrd")) return begin.starts_with("NRRD");
  if (named(".mha")) return begin.find("ObjectType") != begin.npos || begin.find("NDims") != begin.npos;
  if (named(".dcm")) return begin.size() > kDicomPreamble && begin.substr(kDicomPreamble).starts_with("DICM");
  if (named(".stl")) return begin.starts_with("solid") || is_binary_stl(begin, size);
  if (named(".ply")) return begins_with_any(begin, {"ply\n", "ply\r"});
  if (named(".obj")) return begins_with_any(begin, {"#", "v ", "o ", "g ", "mtllib "});
  if (named(".xml")) return begin.starts_with("<?xml");
  if (named(".png")) return begin.starts_with("\x89PNG\r\n");
  if (named(".mp4")) return begin.size() > 8 && begin.substr(4).starts_with("ftyp");
  if (named(".webp")) return begin.starts_with("RIFF") && begin.size() > 12 && begin.substr(8).starts_with("WEBP");
  if (named(".json")) return begin.starts_with("{");
  return false;
}

}  // namespace dsasrgs::program
