// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a file's name says it is, and whether it is that.

#include <filesystem>
#include <string_view>

namespace dsasrgs::program {

/// Whether a name ends so, in small or capital letters. `suffix` is in small ones.
bool is_named(const std::filesystem::path&, std::string_view suffix);

/// Whether a file begins as files of its name do: a NIfTI, NRRD, MetaImage, DICOM, STL, PLY, OBJ, XML, PNG, MP4, WebP
/// or JSON file. An empty one does; one of another name does not.
bool is_what_its_name_says(const std::filesystem::path&);

}  // namespace dsasrgs::program
