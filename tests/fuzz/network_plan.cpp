// SPDX-License-Identifier: Apache-2.0
// What train-network is told, beside files that it may name.
#include "network_plan.hpp"

#include "dsasrgs/io.hpp"
#include "harness.hpp"
#include "support/small_acquisition.hpp"

using namespace dsasrgs;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool made = [] {
    for (const char* name : {"frames", "trees"}) std::filesystem::create_directory(fuzz::folder() / name);
    write_png(fuzz::folder() / "frames/a.png", Image{8, 6, test::random_values<float>(48, 0, 1, 4)}, {});
    fuzz::file_of("trees/t.swc", "1 2 0 0 -40 2 -1\n2 2 0 0 0 2 1\n3 2 30 10 20 1.5 2\n");
    write_acquisition(fuzz::folder() / "case.h5", test::small_acquisition());
    return true;
  }();
  (void)made;
  const std::filesystem::path path = fuzz::file_of("plan.toml", fuzz::text_of(data, size));
  fuzz::read([&] { program::read_network_plan(path); });
  return 0;
}
