// SPDX-License-Identifier: Apache-2.0
// PLY files of models.
#include <cmath>

#include "dsasrgs/context.hpp"
#include "dsasrgs/gaussian_files.hpp"
#include "harness.hpp"

using namespace dsasrgs;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Context ctx = Context::cpu(1);
  const std::filesystem::path path = fuzz::file_of("m.ply", fuzz::text_of(data, size));
  fuzz::read([&] {
    const Model m = read_gaussian_ply(ctx, path);
    fuzz::require(m.cloud.position_mm.size() == 3 * m.cloud.size(), "other positions than Gaussians");
    for (const float x : m.cloud.position_mm.to_host(ctx)) fuzz::require(std::isfinite(x), "not finite");
  });
  return 0;
}
