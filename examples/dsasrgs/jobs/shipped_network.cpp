// SPDX-License-Identifier: Apache-2.0
#include "jobs/shipped_network.hpp"

#include <string>
#include <system_error>

#include "cli/usage_error.hpp"
#include "dsasrgs/error.hpp"

namespace dsasrgs::program {

namespace fs = std::filesystem;

fs::path shipped_network(int scale, bool reads_render, std::string_view option) {
  if (scale != 4 && (scale != 2 || reads_render))
    throw UsageError(
        std::string(option) + ": expected a " + (option == "--labels" ? "label" : "network") + " file for images " +
        std::to_string(scale) + " times finer (" +
        (reads_render ? "the network that reads a model's renders, for 4, comes" : "networks for 2 and 4 come") +
        " with the program), found none");
  const std::string name = "dsasrgs-x" + std::to_string(scale) + (reads_render ? "-render" : "") + ".h5";
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  fs::path installed = program.parent_path().parent_path() / "share" / "dsasrgs" / "networks" / name;
  if (fs::exists(installed, error)) return installed;
  fs::path source = fs::path(DSASRGS_NETWORKS) / name;
  if (fs::exists(source, error)) return source;
  throw IoError(std::string(option) + ": " + name + " is neither at " + installed.string() + " nor at " +
                source.string());
}

}  // namespace dsasrgs::program
