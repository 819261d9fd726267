// SPDX-License-Identifier: Apache-2.0
#include "cli/file_reading.hpp"

#include <hdf5.h>

#include <cstdlib>
#include <string_view>

#include "dsasrgs/file_reading.hpp"

namespace dsasrgs::program {

namespace {
constexpr const char* kArgument = "read-file-for-another-process";
}

bool reads_for_another(int argc, char** argv) { return argc == 2 && std::string_view(argv[1]) == kArgument; }

void read_files_in_a_child() {
  H5dont_atexit();  // files are closed by then, but for damaged ones read directly, after which HDF5 cannot end
  const char* directly = std::getenv("DSASRGS_READ_DIRECTLY");
  if (directly != nullptr && std::string_view(directly) == "1") return;
  read_files_through({"/proc/self/exe", kArgument});
}

}  // namespace dsasrgs::program
