// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a file's name says it is: .nii as well as .NII, which other systems write.

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <string>
#include <string_view>

namespace dsasrgs {

/// Whether a name ends so, in small or capital letters. `suffix` is in small ones.
inline bool has_suffix(const std::filesystem::path& name, std::string_view suffix) {
  std::string text = name.string();
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text.ends_with(suffix);
}

}  // namespace dsasrgs
