// SPDX-License-Identifier: Apache-2.0
// Results of a study's runs (JSON), which a later run of the study reads.
#include "harness.hpp"
#include "study/result.hpp"

using namespace dsasrgs;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::filesystem::path path = fuzz::file_of("result.json", fuzz::text_of(data, size));
  fuzz::read([&] { program::read_result(path); });
  return 0;
}
