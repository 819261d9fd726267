// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>

#include "c_api/call.hpp"
#include "c_api/handles.hpp"
#include "dsasrgs/config.hpp"

using namespace dsasrgs::c_api;

dsasrgs_status dsasrgs_config_new(const char* preset, dsasrgs_config** config) {
  return guarded(__func__, [&](const Call& call) {
    dsasrgs_config*& made = call.new_handle(config, "config");
    made = new dsasrgs_config{dsasrgs::preset_config(call.text(preset, "preset"), "preset")};
  });
}

dsasrgs_status dsasrgs_config_from_toml(const char* toml, dsasrgs_config** config) {
  return guarded(__func__, [&](const Call& call) {
    dsasrgs_config*& made = call.new_handle(config, "config");
    made = new dsasrgs_config{dsasrgs::config_from_toml(call.text(toml, "toml"), "toml")};
  });
}

void dsasrgs_config_free(dsasrgs_config* config) { delete config; }

dsasrgs_status dsasrgs_config_set(dsasrgs_config* config, const char* assignment) {
  return guarded(__func__, [&](const Call& call) {
    dsasrgs::apply_setting(call.given(config, "config").config, call.text(assignment, "assignment"), "assignment");
  });
}

dsasrgs_status dsasrgs_config_read(dsasrgs_config* config, const char* path) {
  return guarded(__func__, [&](const Call& call) {
    dsasrgs::apply_toml_file(call.given(config, "config").config, call.path(path, "path"));
  });
}

dsasrgs_status dsasrgs_config_to_toml(const dsasrgs_config* config, char* text, size_t capacity, size_t* length) {
  return guarded(__func__, [&](const Call& call) {
    const std::string toml = dsasrgs::to_toml(call.given(config, "config").config);
    call.given(length, "length") = toml.size();
    if (text == nullptr) return;
    if (capacity <= toml.size())
      call.refuse("capacity", "more than " + std::to_string(toml.size()), std::to_string(capacity));
    std::copy_n(toml.c_str(), toml.size() + 1, text);
  });
}
