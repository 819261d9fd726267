// SPDX-License-Identifier: Apache-2.0
#include "jobs/uncertainty_file.hpp"

#include "cli/file_kind.hpp"

namespace dsasrgs::program {

std::string uncertainty_name(const std::filesystem::path& output) {
  std::string name = output.filename().string();
  std::size_t suffix = output.extension().string().size();
  for (const char* twofold : {".nii.gz", ".seq.nrrd"})
    if (is_named(output.string(), twofold)) suffix = std::char_traits<char>::length(twofold);
  name.insert(name.size() - suffix, "_uncertainty");
  return (output.parent_path() / name).string();
}

}  // namespace dsasrgs::program
