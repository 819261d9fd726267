// SPDX-License-Identifier: Apache-2.0
#include "cli/version_text.hpp"

#include <hdf5.h>
#include <sys/utsname.h>

#include <cstdio>
#include <string>

#include "cli/machine_facts.hpp"
#include "dsasrgs/context.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/memory_need.hpp"
#include "dsasrgs/version.hpp"

namespace dsasrgs::program {

namespace {

std::string line(const std::string& key, const std::string& value) {
  char padded[64];
  std::snprintf(padded, sizeof padded, "\n%-18s", key.c_str());
  return padded + value;
}

std::string system_text() {
  utsname names{};
  if (uname(&names) != 0) return "unknown";
  return std::string(names.sysname) + " " + names.release + " " + names.machine;
}

/// The device there is, or why there is none.
std::string cuda_text() {
  try {
    return Context::cuda().device_name();
  } catch (const Error& e) {
    return std::string("none: ") + e.what();
  }
}

std::string hdf5_text() {
  unsigned major = 0, minor = 0, release = 0;
  H5get_libversion(&major, &minor, &release);
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(release) + ", compiled with " +
         std::to_string(H5_VERS_MAJOR) + "." + std::to_string(H5_VERS_MINOR) + "." + std::to_string(H5_VERS_RELEASE);
}

}  // namespace

std::string version_text(const std::string& name, bool verbose) {
  std::string text = name + " " DSASRGS_VERSION_STRING;
  if (!verbose) return text;
  const MachineFacts machine = machine_facts();
  text += line("commit", machine.commit);
  text += line("compiler", __VERSION__);
  text += line("HDF5", hdf5_text());
  text += line("system", system_text());
  text += line("processor", machine.processor + ", " + std::to_string(machine.processor_threads) + " threads");
  text += line("available memory", std::to_string(available_memory(Context::cpu(1)).host >> 20) + " MiB");
  text += line("CUDA", cuda_text());
  return text;
}

}  // namespace dsasrgs::program
