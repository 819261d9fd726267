// SPDX-License-Identifier: Apache-2.0
// A child that answers whatever it likes: the input is what it sends after its greeting. The ReadingProcess of this
// file stands in for the library's (files/reading_process.cpp).
#include <cstring>

#include "bundle.hpp"
#include "dsasrgs/context.hpp"
#include "dsasrgs/hdf5_reading.hpp"
#include "dsasrgs/io.hpp"
#include "dsasrgs/model.hpp"
#include "dsasrgs/pseudo_labels.hpp"
#include "dsasrgs/super_resolver.hpp"
#include "files/hdf5_messages.hpp"
#include "files/reading_process.hpp"
#include "harness.hpp"
#include "support/small_acquisition.hpp"

using namespace dsasrgs;

namespace {

std::string sent;
std::size_t received = 0;

}  // namespace

namespace dsasrgs {

ReadingProcess::ReadingProcess(const std::vector<std::string>&, int, const std::string&) {}
ReadingProcess::~ReadingProcess() = default;
void ReadingProcess::allow(std::chrono::milliseconds) {}
bool ReadingProcess::send(const void*, std::size_t) { return end_.empty(); }
bool ReadingProcess::receive(void* data, std::size_t bytes, std::chrono::milliseconds) {
  if (!end_.empty() || sent.size() - received < bytes) {
    end();
    return false;
  }
  std::memcpy(data, sent.data() + received, bytes);
  received += bytes;
  return true;
}
const std::string& ReadingProcess::end() { return end_ = "an end of the process that reads it"; }

}  // namespace dsasrgs

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Acquisition a = test::small_acquisition();
  static Context ctx = Context::cpu(1);
  if (size == 0) return 0;
  read_hdf5_through({"a child"});
  const Answer opened;
  sent = std::string(kGreeting) + std::string(reinterpret_cast<const char*>(&opened), sizeof opened);
  sent.append(fuzz::text_of(data + 1, size - 1));
  received = 0;
  const std::filesystem::path& file = fuzz::hdf5_file();
  fuzz::read([&] {
    switch (data[0] % 4) {
      case 0:
        read_acquisition(file);
        break;
      case 1:
        PseudoLabels::open(file, a).check_all();
        break;
      case 2:
        SuperResolver::open(ctx, file);
        break;
      default:
        read_model(ctx, file);
    }
  });
  return 0;
}
