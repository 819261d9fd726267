// SPDX-License-Identifier: Apache-2.0
// Configurations: as a file, as the text in a model, as one setting. What is read is written so that it is read again.
#include "dsasrgs/config.hpp"

#include "harness.hpp"

using namespace dsasrgs;

namespace {

void require_round_trip(const Config& config) {
  const std::string text = to_toml(config);
  fuzz::require(to_toml(config_from_toml(text, "written")) == text, "a configuration that changes when it is written");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  fuzz::read([&] { require_round_trip(config_from_toml(text, "text")); });
  fuzz::read([&] {
    Config config;
    apply_toml_file(config, fuzz::file_of("c.toml", text));
  });
  fuzz::read([&] {
    Config config = preset_config("dsa-srgs");
    apply_setting(config, text, "--set");
  });
  return 0;
}
