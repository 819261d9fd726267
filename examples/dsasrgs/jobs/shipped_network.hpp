// SPDX-License-Identifier: Apache-2.0
#pragma once
// The super-resolution networks that come with the program.

#include <filesystem>
#include <string_view>

namespace dsasrgs::program {

/// The file for images `scale` times finer, which reads a model's render or does not: beside an installed program in
/// share/dsasrgs/networks, else in the source tree it was built from. Throws IoError naming both where it is in
/// neither, UsageError for a scale that none is for, which asks for `option` in its place.
std::filesystem::path shipped_network(int scale, bool reads_render = false, std::string_view option = "--network");

}  // namespace dsasrgs::program
