// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include "dsasrgs/import.hpp"
#include "harness.hpp"
#include "support/import_files.hpp"

namespace dsasrgs::fuzz {

/// Small files of all kinds, one of which is the input.
inline const std::filesystem::path& files_with(const std::string& name, const std::uint8_t* data, std::size_t size) {
  static const bool written = (test::write_import_files(folder()), true);
  static_cast<void>(written);
  file_of(name, text_of(data, size));
  return folder();
}

/// What `import` gives is an acquisition of finite numbers, told in words.
template <class F>
void check_import(const F& import) {
  read([&] {
    const ImportedCase imported = import();
    for (const float v : imported.acquisition.projections) require(std::isfinite(v), "no line integral");
    require(!imported.found.empty(), "nothing told");
  });
}

/// Of the pictures of `folder` and their table.
inline void check_pictures(const std::filesystem::path& folder) {
  check_import([&] {
    ImageImportOptions options;
    options.pitch_u_mm = options.pitch_v_mm = 50;
    return import_images(folder, folder / "poses.csv", options);
  });
}

}  // namespace dsasrgs::fuzz
