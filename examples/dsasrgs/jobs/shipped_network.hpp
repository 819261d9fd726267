#pragma once
// The super-resolution networks that come with the program.

#include <filesystem>

namespace dsasrgs::program {

/// The file for images `scale` times finer, which reads a model's render or does not: beside an installed program in
/// share/dsasrgs/networks, else in the source tree it was built from. Throws IoError naming both where it is in
/// neither, UsageError for a scale that none is for.
std::filesystem::path shipped_network(int scale, bool reads_render = false);

}  // namespace dsasrgs::program
