// SPDX-License-Identifier: Apache-2.0
// A child that answers whatever it likes: the input is what it sends after its greeting. The ReadingProcess of
// stand_in_process.cpp takes the library's place.
#include "bundle.hpp"
#include "dsasrgs/context.hpp"
#include "dsasrgs/file_reading.hpp"
#include "dsasrgs/io.hpp"
#include "dsasrgs/model.hpp"
#include "dsasrgs/pseudo_labels.hpp"
#include "dsasrgs/super_resolver.hpp"
#include "files/hdf5_messages.hpp"
#include "harness.hpp"
#include "stand_in_process.hpp"
#include "support/small_acquisition.hpp"

using namespace dsasrgs;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Acquisition a = test::small_acquisition();
  static Context ctx = Context::cpu(1);
  if (size == 0) return 0;
  read_files_through({"a child"});
  const Answer opened;
  fuzz::stand_in_sends((std::string(kGreeting) + std::string(reinterpret_cast<const char*>(&opened), sizeof opened))
                           .append(fuzz::text_of(data + 1, size - 1)));
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
