// SPDX-License-Identifier: Apache-2.0
#include "dsasrgs/written_files.hpp"

#include <string>
#include <string_view>

#include "dsasrgs/error.hpp"
#include "files/byte_stream.hpp"

namespace dsasrgs {

namespace {

bool stands_at(std::string_view begin, std::size_t at, std::string_view text) {
  return begin.size() > at && begin.substr(at).starts_with(text);
}

/// By the beginning of a file, as the writers of this folder leave it.
bool is_marked(std::string_view begin) {
  using namespace std::string_view_literals;
  constexpr std::size_t kNiftiDescription = 148, kNiftiMagic = 344, kDicomMagic = 128;
  const auto has = [&](std::string_view text) { return begin.find(text) != begin.npos; };
  if (stands_at(begin, kNiftiMagic, "n+1")) return stands_at(begin, kNiftiDescription, "dsasrgs");
  // Implementation Version Name (0002,0013): who writes the file anew puts his own there.
  if (stands_at(begin, kDicomMagic, "DICM")) return has("\x02\0\x13\0SH\x08\0DSASRGS"sv);
  if (begin.starts_with("NRRD")) return has("\n# dsasrgs: ");
  if (begin.starts_with("ObjectType = Image\n")) return has("\nComment = dsasrgs: ");
  if (begin.starts_with("dsasrgs SPACE=")) return true;  // STL
  if (begin.starts_with("ply\n")) return has("\ncomment dsasrgs");
  if (begin.starts_with("# dsasrgs")) return true;  // OBJ
  if (begin.starts_with("<?xml")) return has("<!-- dsasrgs ");
  return begin.starts_with("\x89PNG\r\n") && has("tEXtSoftware\0dsasrgs"sv);
}

}  // namespace

bool is_written_here(const std::filesystem::path& path) try {
  constexpr std::size_t kBegin = 1024;
  ByteReader file(path);
  std::string begin(kBegin, '\0');
  begin.resize(file.read(begin.data(), begin.size()));
  return is_marked(begin);
} catch (const BadInput&) {  // .gz that is not
  return false;
}

}  // namespace dsasrgs
