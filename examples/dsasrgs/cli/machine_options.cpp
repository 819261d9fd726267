// SPDX-License-Identifier: Apache-2.0
#include "cli/machine_options.hpp"

#include <cstdio>

#include "cli/value_checks.hpp"
#include "dsasrgs/error.hpp"

namespace dsasrgs::program {

void add_machine_options(CLI::App& subcommand, MachineOptions& options) {
  subcommand.add_option("--device", options.device, "where to compute: auto, cpu or cuda")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
      ->capture_default_str();
  subcommand.add_option("--threads", options.threads, "CPU threads; 0: all (results do not depend on it)")
      ->check(thread_count())
      ->capture_default_str();
  subcommand.add_flag("--quiet", options.quiet, "print nothing but errors");
}

Context make_context(const MachineOptions& options) {
  if (options.device == "cuda") return Context::cuda();
  if (options.device == "auto") {
    try {
      return Context::cuda();
    } catch (const BackendUnavailable&) {  // the CPU does it then
    } catch (const CudaError&) {
    }
  }
  return Context::cpu(options.threads);
}

void show_log(Context& ctx, const MachineOptions& options) {
  if (options.quiet) return;
  ctx.set_log([](std::string_view message) {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(message.size()), message.data());
  });
}

const char* backend_name(const Context& ctx) { return ctx.backend() == Backend::cuda ? "cuda" : "cpu"; }

}  // namespace dsasrgs::program
