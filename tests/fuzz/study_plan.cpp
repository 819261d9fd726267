// SPDX-License-Identifier: Apache-2.0
// Study files, up to the list of their runs, beside files that they may include.
#include "harness.hpp"
#include "study/plan.hpp"

using namespace dsasrgs;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool made = [] {
    fuzz::file_of("base.toml", "[training]\nsteps = 10\n");
    fuzz::file_of("part.toml", "[[case]]\nname = \"other\"\nacquisition = \"other.h5\"\n");
    return true;
  }();
  (void)made;
  const std::filesystem::path path = fuzz::file_of("study.toml", fuzz::text_of(data, size));
  fuzz::read([&] { program::plan_runs(program::read_study(path)); });
  return 0;
}
