// SPDX-License-Identifier: Apache-2.0
// A child that reads DICOM and answers whatever it likes: the input is what it sends after its greeting. The
// ReadingProcess of stand_in_process.cpp takes the library's place.
#include "dsasrgs/file_reading.hpp"
#include "dsasrgs/import_dicom.hpp"
#include "files/reading_messages.hpp"
#include "imports.hpp"
#include "stand_in_process.hpp"

using namespace dsasrgs;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Long enough for frames that answers tell of.
  static const std::filesystem::path path =
      fuzz::file_of("run.dcm", std::string(128, '\0') + "DICM" + std::string(4096, '\0'));
  read_files_through({"a child"});
  fuzz::stand_in_sends(std::string(kGreeting).append(fuzz::text_of(data, size)));
  fuzz::check_import([&] { return import_dicom({path}, {}); });
  return 0;
}
