// SPDX-License-Identifier: Apache-2.0
#pragma once
// Small networks in files, as training leaves them but with weights that are not 0 anywhere.

#include <cstdint>
#include <filesystem>
#include <vector>

#include "network/network_file.hpp"
#include "network/residual_network.hpp"
#include "support/random_values.hpp"

namespace dsasrgs::test {

inline NetworkFile small_network(const NetworkShape& shape = {2, 4, 2, true}, std::uint32_t seed = 4) {
  NetworkFile file;
  file.facts.shape = shape;
  file.facts.name = "small";
  file.facts.trained_on = "random numbers";
  file.facts.training = "seed = 4\n";
  file.facts.noise = {0.002, 0.02};
  file.facts.contrast = {0.3, 1.2};
  file.facts.sharpness = {0.05, 0.4};
  file.parameters = random_values<float>(ResidualNetwork(shape).num_parameters(), -0.2f, 0.2f, seed);
  return file;
}

/// small_network in a file, opened.
inline SuperResolver small_resolver(Context& ctx, const std::filesystem::path& path,
                                    const NetworkShape& shape = {2, 4, 2, true}) {
  write_network(path, small_network(shape));
  return SuperResolver::open(ctx, path);
}

}  // namespace dsasrgs::test
