// SPDX-License-Identifier: Apache-2.0
// In place of the other dicom files, in a build without DCMTK.

#include "dsasrgs/error.hpp"
#include "dsasrgs/import_dicom.hpp"
#include "import/file_servers.hpp"

namespace dsasrgs {

ImportedCase import_dicom(const std::vector<std::filesystem::path>&, const DicomImportOptions&) {
  throw BackendUnavailable(
      "import_dicom: expected a build with DCMTK, found one without: apt-get install libdcmtk-dev, then build again");
}

void serve_dicom(const ServedFile&, std::string_view) {}  // this build asks no such thing

}  // namespace dsasrgs
