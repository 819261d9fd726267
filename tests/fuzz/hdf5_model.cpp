// SPDX-License-Identifier: Apache-2.0
// Models. What is read could be written again.
#include "bundle.hpp"
#include "dsasrgs/context.hpp"
#include "dsasrgs/model.hpp"
#include "files/model_check.hpp"
#include "harness.hpp"

using namespace dsasrgs;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Context ctx = Context::cpu(1);
  fuzz::read_bundle(data, size, [] {
    const Model model = read_model(ctx, fuzz::hdf5_file());
    check_model(model, [](const std::string& field, const std::string&, const std::string&) {
      fuzz::require(false, (field + ": read, but could not be written").c_str());
    });
  });
  return 0;
}
