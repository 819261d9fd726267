// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a file's name says it is, and whether this program wrote it.

#include <filesystem>
#include <string>
#include <string_view>

namespace dsasrgs::program {

/// Whether a name ends so, in small or capital letters. `suffix` is in small ones.
bool is_named(const std::filesystem::path&, std::string_view suffix);

/// A film (MP4, WebP) with this program's mark: a box or chunk at its end, which players pass over.
std::string with_film_mark(std::string film);

/// Whether this program wrote a file for other programs (dsasrgs/written_files.hpp), or a film. An empty file is
/// nobody's work, and counts as its own.
bool is_own_file(const std::filesystem::path&);

}  // namespace dsasrgs::program
