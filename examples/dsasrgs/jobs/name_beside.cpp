// SPDX-License-Identifier: Apache-2.0
#include "jobs/name_beside.hpp"

#include "cli/file_kind.hpp"

namespace dsasrgs::program {

std::string name_beside(const std::filesystem::path& output, const std::string& added) {
  std::string name = output.filename().string();
  std::size_t suffix = output.extension().string().size();
  for (const char* twofold : {".nii.gz", ".seq.nrrd"})
    if (is_named(output.string(), twofold)) suffix = std::char_traits<char>::length(twofold);
  name.insert(name.size() - suffix, added);
  return (output.parent_path() / name).string();
}

}  // namespace dsasrgs::program
