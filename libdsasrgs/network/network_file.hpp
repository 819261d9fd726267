// SPDX-License-Identifier: Apache-2.0
#pragma once
// Network files, `dsasrgs.network` version 1 (docs/data-format.md).

#include <filesystem>
#include <string>
#include <vector>

#include "dsasrgs/super_resolver.hpp"

namespace dsasrgs {

struct NetworkFile {
  NetworkFacts facts;
  std::vector<float> parameters;  ///< as ResidualNetwork's
};

/// 16 hexadecimal digits of shape and parameters.
std::string network_fingerprint(const NetworkShape&, const std::vector<float>& parameters);

/// Rounds the parameters to float16, sets the fingerprint and writes. Throws IoError; NumericalError naming the layer
/// for a parameter that float16 does not hold.
void write_network(const std::filesystem::path&, NetworkFile);
/// Throws as SuperResolver::open.
NetworkFile read_network(const std::filesystem::path&);

}  // namespace dsasrgs
