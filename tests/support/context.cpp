// SPDX-License-Identifier: Apache-2.0
#include "support/context.hpp"

namespace dsasrgs::test {

namespace {
Backend& backend_storage() {
  static Backend backend = Backend::cpu;
  return backend;
}
}  // namespace

Backend selected_backend() { return backend_storage(); }
void select_backend(Backend backend) { backend_storage() = backend; }
Context make_context(int threads) {
  return selected_backend() == Backend::cpu ? Context::cpu(threads) : Context::cuda();
}

bool is_emulated(const Context& ctx) { return ctx.device_name().find("emulated") != std::string::npos; }

}  // namespace dsasrgs::test
