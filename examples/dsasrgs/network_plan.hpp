// SPDX-License-Identifier: Apache-2.0
#pragma once
// What `dsasrgs train-network` is told: a TOML file with the training's configuration and its sources
// (docs/program.md).

#include <filesystem>
#include <string>

#include "dsasrgs/network_trainer.hpp"

namespace dsasrgs::program {

struct NetworkPlan {
  std::string name;        ///< of the network
  std::string trained_on;  ///< in words, for the network file
  NetworkTrainingConfig training;
  NetworkSources sources;
  std::vector<std::filesystem::path> files;  ///< that sources were read from
};

/// Reads the file and all that it names; paths in it are relative to it. Throws IoError, BadInput naming the file and
/// the field, or the source that cannot be read.
NetworkPlan read_network_plan(const std::filesystem::path&);

}  // namespace dsasrgs::program
