#pragma once
// The super-resolution networks that come with the program.

#include <filesystem>

namespace dsasrgs::program {

/// The file for images `scale` times finer: beside an installed program in share/dsasrgs/networks, else in the source
/// tree it was built from. Throws IoError naming both where it is in neither, UsageError for a scale that none is for.
std::filesystem::path shipped_network(int scale);

}  // namespace dsasrgs::program
