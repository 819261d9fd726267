// SPDX-License-Identifier: Apache-2.0
// X-ray angiography in DICOM. The preamble, of which no reader takes notice, chooses what is done with the rest.
#include "dsasrgs/import_dicom.hpp"

#include "imports.hpp"

using namespace dsasrgs;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::filesystem::path path = fuzz::file_of("run.dcm", fuzz::text_of(data, size));
  DicomImportOptions options;
  options.subtraction = data[0] % 2 == 0 ? DicomSubtraction::mask : DicomSubtraction::background;
  options.bin = 1 + data[1] % 2;
  fuzz::check_import([&] { return import_dicom({path}, options); });
  return 0;
}
