// SPDX-License-Identifier: Apache-2.0
// import_dicom: what a file says twice, values that do not fit their bits, and files that are given twice.

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <string>
#include <vector>

#include "dsasrgs/error.hpp"
#include "dsasrgs/import_dicom.hpp"
#include "support/dicom_file.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using test::DicomFile;
using test::require_error;
using test::TemporaryFolder;

namespace {

constexpr int kFrames = 5, kRows = 6, kColumns = 8;

std::vector<Uint16> counts() { return test::noisy_counts(kFrames * kRows * kColumns); }

using Change = std::function<void(DicomFile&)>;

/// What becomes of the usual file once it is changed.
class Changed {
 public:
  explicit Changed(bool with_mask = false) { options_.subtraction = subtraction_of(with_mask); }

  ImportedCase read(const Change& change, const std::vector<Uint16>& pixels = counts(), int bits = 12) {
    DicomFile file(kFrames, kRows, kColumns, pixels, bits);
    file.usual();
    change(file);
    return import_dicom({file.save(folder_ / "run.dcm")}, options_);
  }
  std::string warnings(const Change& change) {
    std::string all;
    for (const std::string& line : read(change).warnings) all += line + '\n';
    return all;
  }
  void require_warning(const Change& change, const std::string& part) {
    const std::string usual = warnings([](DicomFile&) {});
    INFO(usual << warnings(change));
    CHECK(usual.find(part) == std::string::npos);
    CHECK(warnings(change).find(part) != std::string::npos);
  }
  void require_refused(const Change& change, std::initializer_list<std::string_view> parts) {
    require_error<BadInput>([&] { read(change); }, parts);
  }

 private:
  static DicomSubtraction subtraction_of(bool with_mask) {
    return with_mask ? DicomSubtraction::mask : DicomSubtraction::background;
  }
  TemporaryFolder folder_;
  DicomImportOptions options_;
};

void add_mask(DicomFile& file, Uint16 mask_frame, const std::vector<Uint16>& range = {}) {
  DcmItem& item = file.item(DCM_MaskSubtractionSequence);
  file.text(item, DCM_MaskOperation, "AVG_SUB").numbers(item, DCM_MaskFrameNumbers, {mask_frame});
  if (!range.empty()) file.numbers(item, DCM_ApplicableFrameRange, range);
}

}  // namespace

TEST_CASE("import_dicom: values of more bits than are stored are refused", "[import]") {
  Changed changed;
  const auto same = [](DicomFile&) {};
  const ImportedCase usual = changed.read(same);
  require_error<BadInput>([&] { changed.read(same, counts(), 10); },
                          {"(0028,0101) BitsStored: expected values of 10 bits", "found the value 1", "in frame 1"});
  std::vector<Uint16> pixels = counts();
  pixels[3] |= 0x2000;
  require_error<BadInput>([&] { changed.read(same, pixels); }, {"(0028,0101) BitsStored", "found the value"});
  const auto overlay = [](DicomFile& file) { file.number(DcmTagKey(0x6002, 0x0102), 13); };
  CHECK(changed.read(overlay, pixels).acquisition.projections == usual.acquisition.projections);
  const auto is_signed = [](DicomFile& file) { file.number(DCM_PixelRepresentation, 1); };
  pixels = counts();
  pixels[3] = 0xfff0;  // −16, with its sign as far as the word goes
  CHECK_NOTHROW(changed.read(is_signed, pixels));
  pixels[3] = 0x7ff0;
  require_error<BadInput>([&] { changed.read(is_signed, pixels); }, {"(0028,0101) BitsStored", "the value 32752"});
}

TEST_CASE("import_dicom: a tag that stands twice, and files that are given twice", "[import]") {
  const TemporaryFolder folder;
  DicomFile file(kFrames, kRows, kColumns, counts());
  const std::filesystem::path path = file.usual().save(folder / "run.dcm"), copy = folder / "copy.dcm";
  DicomImportOptions options;
  options.subtraction = DicomSubtraction::background;
  const auto copy_warned = [&] {
    const ImportedCase imported = import_dicom({path, copy}, options);
    return std::any_of(imported.warnings.begin(), imported.warnings.end(), [](const std::string& line) {
      return line.find("copy.dcm: (0008,0018) SOPInstanceUID: expected another in each file") != std::string::npos;
    });
  };
  std::string bytes = test::read_bytes(path);
  test::write_bytes(copy, bytes);
  CHECK(copy_warned());
  file.text(DCM_SOPInstanceUID, "1.2.3.4.5.7").save(copy);
  CHECK(!copy_warned());
  require_error<BadInput>([&] { import_dicom({path, path}, options); }, {"run.dcm: file: expected each file once"});
  require_error<BadInput>([&] { import_dicom({folder.path(), path}, options); }, {"run.dcm: file", "each file once"});
  std::filesystem::remove(copy);
  std::filesystem::create_symlink(path, copy);
  require_error<BadInput>([&] { import_dicom({path, copy}, options); }, {"copy.dcm: file", "it named as", "run.dcm"});

  const std::string distance{
      "\x18\0\x10\x11\x44S\4\0"
      "1200",
      12};
  const std::size_t at = bytes.find(distance);
  REQUIRE(at != std::string::npos);
  test::write_bytes(path, bytes.insert(at, distance));
  require_error<BadInput>([&] { import_dicom({path}, options); },
                          {"run.dcm: (0018,1110) DistanceSourceToDetector: expected one", "found it said twice"});
}

TEST_CASE("import_dicom: what a file says in two ways agrees, or is warned of", "[import]") {
  Changed changed;
  const auto vector = [](const char* steps) {
    return [steps](DicomFile& file) { file.text(DCM_FrameTimeVector, steps); };
  };
  changed.require_warning(vector("0\\50\\50\\50\\50"), "(0018,1065) FrameTimeVector: expected steps of 100 ms");
  CHECK(changed.warnings(vector("0\\90\\110\\100.5\\99.5")).find("(0018,1065)") == std::string::npos);
  const auto magnification = [](const char* ratio) {
    return [ratio](DicomFile& file) { file.text(DCM_EstimatedRadiographicMagnificationFactor, ratio); };
  };
  changed.require_warning(magnification("3"),
                          "(0018,1114) EstimatedRadiographicMagnificationFactor is 3: expected 1.6");
  CHECK(changed.warnings(magnification("1.61")).find("(0018,1114)") == std::string::npos);
  changed.require_warning([](DicomFile& file) { file.text(DCM_ShutterShape, "TRIANGLE"); },
                          "(0018,1600) ShutterShape is TRIANGLE: expected RECTANGULAR");
}

TEST_CASE("import_dicom: masks that contradict each other, and ranges beyond the last frame", "[import]") {
  Changed masked(true);
  const auto two = [](Uint16 other, const std::vector<Uint16>& first_range, const std::vector<Uint16>& second_range) {
    return [=](DicomFile& file) {
      add_mask(file, 1, first_range);
      add_mask(file, other, second_range);
    };
  };
  CHECK(masked.read(two(2, {1, 3}, {4, 5})).acquisition.num_views() == 4);
  CHECK(masked.read(two(1, {}, {})).acquisition.num_views() == 4);
  masked.require_refused(two(2, {}, {}), {"(0028,6100) MaskSubtractionSequence: expected one mask for each frame",
                                          "different ones of frame 2"});
  masked.require_refused(two(2, {1, 4}, {4, 5}), {"(0028,6100)", "different ones of frame 4"});
  for (const std::vector<Uint16>& range : {std::vector<Uint16>{2, 99}, {4, 2}})
    masked.require_refused([&](DicomFile& file) { add_mask(file, 1, range); },
                           {"(0028,6102) ApplicableFrameRange: expected ranges within frames 1 to 5"});
}

TEST_CASE("import_dicom: as many items as frames, and frames of one time", "[import]") {
  Changed changed;
  const auto frames = [](int items, const std::function<std::string(int)>& time) {
    return [=](DicomFile& file) {
      for (int f = 0; f < items; ++f) {
        DcmItem& frame = file.item(DCM_PerFrameFunctionalGroupsSequence);
        file.text(file.item(frame, DCM_FrameContentSequence), DCM_FrameReferenceDateTime, time(f));
      }
    };
  };
  const auto even = [](int f) { return "2026010110111" + std::to_string(f); };
  const auto one = [](int) { return std::string("20260101101112.5"); };
  CHECK(changed.warnings(frames(kFrames, even)).find("one moment") == std::string::npos);
  changed.require_warning(frames(kFrames, one),
                          "(0018,9151) FrameReferenceDateTime is the same for all: all frames are of one moment");
  // What is wrong is what the file has.
  const auto late = [&](int f) { return f < 3 ? even(f) : std::string("soon"); };
  changed.require_refused(frames(kFrames, late), {"(0018,9151) FrameReferenceDateTime: expected YYYYMMDDHHMMSS.FFFFFF",
                                                  "found another text for frame 4"});
  const auto half = [&](int f) { return f < 3 ? even(f) : std::string(); };
  changed.require_refused(
      [&](DicomFile& file) {
        frames(kFrames, half)(file);
        file.drop(DCM_FrameTime);
      },
      {"(0018,9151) FrameReferenceDateTime: expected a time for each frame", "found none for frame 4"});
  for (const int items : {kFrames - 2, kFrames + 3})
    changed.require_refused(frames(items, even), {"(5200,9230)", "expected 5 items", "found " + std::to_string(items)});
}
