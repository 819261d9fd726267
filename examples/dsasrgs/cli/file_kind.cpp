// SPDX-License-Identifier: Apache-2.0
#include "cli/file_kind.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <fstream>
#include <string>
#include <system_error>

#include "dsasrgs/written_files.hpp"

namespace dsasrgs::program {

namespace {

using namespace std::string_view_literals;

// A box of ISO 14496-12 that is free space, and a chunk of RIFF of a name that is no one's: sizes, names, contents.
constexpr std::string_view kBox =
                               "\0\0\0\x0f"
                               "free"
                               "dsasrgs"sv,
                           kChunk =
                               "DSRG"
                               "\x08\0\0\0"
                               "dsasrgs\0"sv;

bool is_marked_film(const std::filesystem::path& path) {
  std::array<char, 12> begin{};
  std::array<char, kChunk.size()> end{};
  std::ifstream file(path, std::ios::binary);
  file.read(begin.data(), begin.size());
  file.seekg(-static_cast<std::streamoff>(end.size()), std::ios::end);
  file.read(end.data(), end.size());
  if (!file) return false;
  const std::string_view first(begin.data(), begin.size()), last(end.data(), end.size());
  return (first.substr(4).starts_with("ftyp") && last.ends_with(kBox)) ||
         (first.starts_with("RIFF") && first.ends_with("WEBP") && last == kChunk);
}

}  // namespace

bool is_named(const std::filesystem::path& name, std::string_view suffix) {
  std::string text = name.string();
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text.ends_with(suffix);
}

std::string with_film_mark(std::string film) {
  constexpr std::size_t kSizeAt = 4, kSizeBytes = 4;
  if (!film.starts_with("RIFF") || film.size() < kSizeAt + kSizeBytes) return film.append(kBox);
  film.append(kChunk);
  auto size = static_cast<std::uint32_t>(film.size() - kSizeAt - kSizeBytes);  // of what follows it, little-endian
  for (std::size_t i = 0; i < kSizeBytes; ++i, size >>= 8) film[kSizeAt + i] = static_cast<char>(size & 0xff);
  return film;
}

bool is_own_file(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::file_size(path, error) == 0 || is_written_here(path) || is_marked_film(path);
}

}  // namespace dsasrgs::program
