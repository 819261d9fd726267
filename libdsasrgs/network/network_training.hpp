// SPDX-License-Identifier: Apache-2.0
#pragma once
// The state of a network's training, and its checkpoint.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "dsasrgs/network_trainer.hpp"

namespace dsasrgs {

/// All that a resume needs; arrays in host memory.
struct NetworkTraining {
  NetworkTrainingConfig config;
  int step = 0;         ///< done
  std::string started;  ///< fingerprint of the network file training began with; empty: from nothing
  std::string sources;  ///< fingerprint of the sources
  std::vector<float> parameters, first_moment, second_moment;
  std::vector<ImageTraits> traits;  ///< of the first patches
};

void write_network_checkpoint(const std::filesystem::path&, const NetworkTraining&);
/// Throws IoError, BadInput.
NetworkTraining read_network_checkpoint(const std::filesystem::path&);

/// Names, images and trees, and how they are drawn.
std::string sources_fingerprint(const NetworkSources&);

}  // namespace dsasrgs
