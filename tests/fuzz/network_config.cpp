// SPDX-License-Identifier: Apache-2.0
// Configurations of a network's training.
#include "dsasrgs/network_trainer.hpp"
#include "harness.hpp"

using namespace dsasrgs;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::read([&] {
    const std::string text = to_toml(network_training_from_toml(fuzz::text_of(data, size), "text"));
    fuzz::require(to_toml(network_training_from_toml(text, "written")) == text,
                  "a configuration that changes when it is written");
  });
  return 0;
}
