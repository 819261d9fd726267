// SPDX-License-Identifier: Apache-2.0
// What fuzzing must find, by the first letter of the input: tests/fuzz/run.sh looks first whether it does.
#include <cstring>
#include <ctime>
#include <vector>

#include "dsasrgs/error.hpp"
#include "harness.hpp"

using namespace dsasrgs;

namespace {

volatile std::size_t kept = 0;

void fail(char how) {
  const auto allocate = [](std::size_t bytes) {
    auto* memory = new char[bytes];
    std::memset(memory, 1, bytes);
    kept = kept + static_cast<std::size_t>(memory[bytes / 2]);
    return memory;
  };
  switch (how) {
    case 'b':  // beyond the end
      kept = kept + static_cast<std::size_t>(std::vector<char>(8)[8 + kept]);
      break;
    case 'l':
      allocate(1000);
      break;
    case 'm':
      delete[] allocate(std::size_t{700} << 20);
      break;
    case 'e':
      throw InvalidArgument("what no file may lead to");
    case 'w':
      throw BadInput(std::string(10000, 'x'), "words", "fewer", "more");
    case 's':
      for (const std::clock_t end = std::clock() + 3 * CLOCKS_PER_SEC; std::clock() < end;) kept = kept + 1;
      break;
    default:
      break;
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 0) fuzz::read([&] { fail(static_cast<char>(data[0])); });
  return 0;
}
