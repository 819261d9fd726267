// SPDX-License-Identifier: Apache-2.0
// import_dicom: frames whose own size, depth or number is not what the data set says.

#include <dcmtk/dcmdata/dcrleerg.h>
#include <dcmtk/dcmjpeg/djencode.h>
#include <dcmtk/dcmjpeg/djrplol.h>
#include <dcmtk/dcmjpeg/djrploss.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "dsasrgs/error.hpp"
#include "dsasrgs/import_dicom.hpp"
#include "import/dicom_encoded.hpp"
#include "support/dicom_file.hpp"

using namespace dsasrgs;
using test::DicomFile;
using test::require_error;
using test::TemporaryFolder;

namespace {

constexpr int kFrames = 3, kRows = 12, kColumns = 20;

std::vector<Uint16> counts(int most) { return test::noisy_counts(kFrames * kRows * kColumns, 7, 1, most); }

/// The file once more, with tags of its data set changed and its pixels left as they are.
std::filesystem::path altered(const std::filesystem::path& path, const std::function<void(DcmDataset&)>& alter) {
  DcmFileFormat file;
  REQUIRE(file.loadFile(path.c_str()).good());
  const E_TransferSyntax syntax = file.getDataset()->getOriginalXfer();
  file.loadAllDataIntoMemory();
  alter(*file.getDataset());
  const std::filesystem::path made = path.parent_path() / "altered.dcm";
  REQUIRE(file.saveFile(made.c_str(), syntax).good());
  return made;
}

void put(DcmDataset& data, const DcmTagKey& tag, Uint16 value) { REQUIRE(data.putAndInsertUint16(tag, value).good()); }

/// Each way for a data set to contradict its frames; `coded` is read as it is.
void require_contradictions_refused(const std::filesystem::path& coded, const std::string& found) {
  DicomImportOptions options;
  options.tags.mask_frames = {1};
  REQUIRE_NOTHROW(import_dicom({coded}, options));
  const auto refused = [&](const std::function<void(DcmDataset&)>& alter, const std::string& what) {
    INFO(coded << ' ' << what);
    require_error<BadInput>([&] { import_dicom({altered(coded, alter)}, options); },
                            {"(7fe0,0010) PixelData", "expected", what});
  };
  refused([](DcmDataset& d) { put(d, DCM_Rows, kRows / 2); }, found);
  refused([](DcmDataset& d) { put(d, DCM_Columns, kColumns / 2); }, found);
  refused([](DcmDataset& d) { put(d, DCM_Columns, kColumns * 2); }, found);
  refused([](DcmDataset& d) { put(d, DCM_Rows, kRows + 1); }, found);
  refused(
      [](DcmDataset& d) {  // as many pixels, other rows
        put(d, DCM_Rows, kColumns);
        put(d, DCM_Columns, kRows * 2);
      },
      found);
  refused(
      [](DcmDataset& d) {
        put(d, DCM_BitsAllocated, 8);
        put(d, DCM_BitsStored, 8);
        put(d, DCM_HighBit, 7);
      },
      found);
  refused([](DcmDataset& d) { REQUIRE(d.putAndInsertString(DCM_NumberOfFrames, "2").good()); }, "");
}

std::filesystem::path made(const TemporaryFolder& folder, E_TransferSyntax syntax,
                           const DcmRepresentationParameter* parameter = nullptr) {
  DicomFile file(kFrames, kRows, kColumns, counts(4000));
  return file.usual().save(folder / (std::to_string(syntax) + ".dcm"), syntax, parameter);
}

}  // namespace

TEST_CASE("import_dicom: uncompressed pixels are as many as the data set says", "[import]") {
  const TemporaryFolder folder;
  require_contradictions_refused(made(folder, EXS_LittleEndianExplicit), "");
}

TEST_CASE("import_dicom: RLE frames of another size or depth are refused", "[import]") {
  const TemporaryFolder folder;
  DcmRLEEncoderRegistration::registerCodecs();
  require_contradictions_refused(made(folder, EXS_RLELossless), "RLE");
}

TEST_CASE("import_dicom: JPEG frames of another size, depth or number of samples are refused", "[import]") {
  const TemporaryFolder folder;
  DJEncoderRegistration::registerCodecs();
  const DJ_RPLossless lossless;
  const std::filesystem::path coded = made(folder, EXS_JPEGProcess14SV1, &lossless);
  require_contradictions_refused(coded, "JPEG of 12 x 20 pixels, 1 sample of 16 bits");
  DicomImportOptions options;
  options.tags.mask_frames = {1};
  const auto import = [&](const std::filesystem::path& path, Uint16 stored) {
    import_dicom({altered(path,
                          [&](DcmDataset& d) {
                            put(d, DCM_BitsStored, stored);
                            put(d, DCM_HighBit, static_cast<Uint16>(stored - 1));
                          })},
                 options);
  };
  require_error<BadInput>([&] { import(coded, 10); },
                          {"(0028,0101) BitsStored", "values of 10 bits", "found the value"});
  const DJ_RPLossy lossy(100);
  options.tags.relationship = DicomIntensity::linear;  // DCMTK's encoder says DISP of what it lost
  const std::filesystem::path twelve = made(folder, EXS_JPEGProcess2_4, &lossy);
  import(twelve, 12);
  require_error<BadInput>([&] { import(twelve, 16); }, {"1 sample of 16 bits", "1 sample of 12 bits"});
}

TEST_CASE("import_dicom: JPEG-LS frames of another size or depth are refused", "[import]") {
  const TemporaryFolder folder;
  // In a process of its own, as in import_dicom_test.cpp.
  const std::string coded = (folder / "ls.dcm").string();
  if (std::system(("dcmcjpls '" + made(folder, EXS_LittleEndianExplicit).string() + "' '" + coded + "'").c_str()) !=
      0) {
    WARN("JPEG-LS was not tried: no dcmcjpls");
    return;
  }
  require_contradictions_refused(coded, "JPEG of 12 x 20 pixels, 1 sample of 16 bits");
}

TEST_CASE("jpeg_size and rle_fault: what headers say, and headers cut short", "[import]") {
  const std::vector<std::uint8_t> jpeg{0xff, 0xd8, 0xff, 0xe0, 0, 4, 1,  2, 0xff, 0xff, 0xc4, 0, 2, 0xff, 0xc1,
                                       0,    11,   12,   1,    0, 0, 48, 3, 1,    17,   0,    2, 0, 0xff, 0xda};
  const auto size = jpeg_size(jpeg);
  REQUIRE(size.has_value());
  CHECK(size->text() == "256 x 48 pixels, 3 samples of 12 bits");
  for (std::size_t cut = 0; cut < 23; ++cut) CHECK(!jpeg_size(std::span(jpeg).first(cut)).has_value());

  std::vector<std::uint8_t> rle(64, 0);
  rle[0] = 1, rle[4] = 64;
  for (const int byte : {2, 7, 7, 7, 254, 9, 128}) rle.push_back(static_cast<std::uint8_t>(byte));  // 3 and 3 bytes
  CHECK(rle_fault(rle, 1, 6).empty());
  CHECK(rle_fault(rle, 1, 5).find("more bytes") != std::string::npos);
  CHECK(rle_fault(rle, 1, 7).find("6 bytes") != std::string::npos);
  CHECK(rle_fault(rle, 2, 6).find("1 segments") != std::string::npos);
  rle.insert(rle.end(), {0, 0, 0});
  CHECK(rle_fault(rle, 1, 6).empty());
  rle.push_back(5);
  CHECK(!rle_fault(rle, 1, 6).empty());
  for (std::size_t cut = 0; cut < 64; ++cut) CHECK(!rle_fault(std::span(rle).first(cut), 1, 6).empty());
}
