// SPDX-License-Identifier: Apache-2.0
// import_dicom: shutters, burnt-in text, Enhanced XA, tags given by hand, and files that mean harm.

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numbers>
#include <random>
#include <string>
#include <vector>

#include "dsasrgs/error.hpp"
#include "dsasrgs/geometry.hpp"
#include "dsasrgs/import_dicom.hpp"
#include "dsasrgs/io.hpp"
#include "support/dicom_file.hpp"

using namespace dsasrgs;
using test::background;
using test::DicomFile;
using test::require_error;
using test::TemporaryFolder;

namespace {

std::vector<Uint16> noise(int frames, int rows, int columns) { return test::noisy_counts(frames * rows * columns); }

/// Which pixels count in the first view, as rows of '#' and '.'.
std::string picture(const Acquisition& a) {
  std::string text;
  for (int i = 0; i < a.detector.width_px * a.detector.height_px; ++i) {
    if (i > 0 && i % a.detector.width_px == 0) text += '/';
    text += a.valid.empty() || a.valid_pixels(0)[i] != 0 ? '#' : '.';
  }
  return text;
}

bool has_line(const std::vector<std::string>& lines, const std::string& part) {
  for (const std::string& line : lines)
    if (line.find(part) != std::string::npos) return true;
  return false;
}

}  // namespace

TEST_CASE("import_dicom: shutters and collimators hide pixels", "[import]") {
  const TemporaryFolder folder;
  DicomFile file(1, 6, 8, noise(1, 6, 8));
  file.usual();
  const auto hidden = [&] { return picture(import_dicom({file.save(folder / "run.dcm")}, background()).acquisition); };
  SECTION("rectangular: edges are the last hidden columns and rows") {
    file.text(DCM_ShutterShape, "RECTANGULAR")
        .text(DCM_ShutterLeftVerticalEdge, "2")
        .text(DCM_ShutterRightVerticalEdge, "8");
    file.text(DCM_ShutterUpperHorizontalEdge, "1").text(DCM_ShutterLowerHorizontalEdge, "5");
    REQUIRE(hidden() == "......../..#####./..#####./..#####./......../........");
  }
  SECTION("collimators count like shutters, and all shapes together") {
    file.text(DCM_ShutterShape, "RECTANGULAR")
        .text(DCM_ShutterLeftVerticalEdge, "0")
        .text(DCM_ShutterRightVerticalEdge, "6");
    file.text(DCM_ShutterUpperHorizontalEdge, "0").text(DCM_ShutterLowerHorizontalEdge, "7");
    file.text(DCM_CollimatorShape, "CIRCULAR")
        .text(DCM_CenterOfCircularCollimator, "3\\4")
        .text(DCM_RadiusOfCircularCollimator, "2");
    REQUIRE(hidden() == "......../..###.../..###.../..###.../......../........");
  }
  SECTION("polygonal: row and column of each corner") {
    file.text(DCM_ShutterShape, "POLYGONAL").text(DCM_VerticesOfThePolygonalShutter, "0\\0\\7\\0\\0\\9");
    REQUIRE(hidden() == "#######./######../#####.../###...../##....../#.......");
  }
  SECTION("a bitmap") {
    file.text(DCM_ShutterShape, "BITMAP").number(DCM_ShutterOverlayGroup, 0x6000);
    file.number(DcmTagKey(0x6000, 0x0010), 6).number(DcmTagKey(0x6000, 0x0011), 8);
    file.numbers(file.root(), DcmTagKey(0x6000, 0x3000), {0x8103, 0, 0});  // bits 0, 1, 8, 15
    REQUIRE(hidden() == "..######/.######./########/########/########/########");
  }
}

TEST_CASE("import_dicom: text that is burnt in, and counts of nothing, do not count", "[import]") {
  const TemporaryFolder folder;
  const int frames = 9;
  auto pixels = noise(frames, 6, 8);
  for (int f = 0; f < frames; ++f) {
    pixels[f * 48 + 10] = 4095;             // white text
    pixels[f * 48 + 11] = 1500;             // its smooth edge
    pixels[f * 48 + 30] = 1500;             // what stays the same elsewhere may be a quiet pixel
    if (f > 0) pixels[f * 48 + 40] = 4095;  // this one changed once
  }
  pixels[5] = 0;
  DicomFile file(frames, 6, 8, pixels);
  file.usual().text(DCM_BurnedInAnnotation, "YES");
  const ImportedCase imported = import_dicom({file.save(folder / "run.dcm")}, background());
  REQUIRE(picture(imported.acquisition) == "#####.##/##..####/########/########/########/########");
  REQUIRE(imported.acquisition.valid_pixels(1)[5] != 0);
  REQUIRE(has_line(imported.warnings, "(0028,0301)"));
  DicomImportOptions options = background();
  options.tags.saturation = 4095;
  const Acquisition a = import_dicom({folder / "run.dcm"}, options).acquisition;
  REQUIRE(a.valid_pixels(0)[40] != 0);
  REQUIRE(a.valid_pixels(1)[40] == 0);
}

TEST_CASE("import_dicom: signed and shifted bits", "[import]") {
  const TemporaryFolder folder;
  // Twelve bits from bit 4 to 15, two's complement: -100, 50; what lies below them is of no meaning.
  const std::vector<Uint16> pixels{static_cast<Uint16>((-100 & 0xfff) << 4 | 5), static_cast<Uint16>(50 << 4 | 9), 7,
                                   16};
  DicomFile file(2, 1, 2, pixels);
  file.usual().number(DCM_HighBit, 15).number(DCM_PixelRepresentation, 1);
  file.text(DCM_RescaleSlope, "2").text(DCM_RescaleIntercept, "300");
  DicomImportOptions options;
  options.tags.mask_frames = {2};
  options.volume = VolumeGrid{4, 4, 4, {0.1, 0.1, 0.1}, {-0.2, -0.2, -0.2}};
  const Acquisition a = import_dicom({file.save(folder / "run.dcm")}, options).acquisition;
  REQUIRE(a.projection(0)[0] == Approx(std::log(300.0 / 100)).margin(1e-6));  // 2 · 0 + 300 over 2 · (−100) + 300
  REQUIRE(a.projection(0)[1] == Approx(std::log(302.0 / 400)).margin(1e-6));
}

TEST_CASE("import_dicom: Enhanced XA says it in functional groups", "[import]") {
  const TemporaryFolder folder;
  const int frames = 3;
  const auto pixels = noise(frames, 6, 8);
  DicomFile file(frames, 6, 8, pixels, 12, UID_EnhancedXAImageStorage);
  DcmItem& shared = file.item(DCM_SharedFunctionalGroupsSequence);
  DcmItem& properties = file.item(shared, DCM_FramePixelDataPropertiesSequence);
  file.text(properties, DCM_PixelIntensityRelationship, "LIN").text(properties, DCM_ImagerPixelSpacing, "0.5\\0.4");
  DcmItem& shutter = file.item(shared, DCM_FrameDisplayShutterSequence);
  file.text(shutter, DCM_ShutterShape, "CIRCULAR").text(shutter, DCM_CenterOfCircularShutter, "3\\4");
  file.text(shutter, DCM_RadiusOfCircularShutter, "3");
  for (int f = 0; f < frames; ++f) {
    DcmItem& own = file.item(DCM_PerFrameFunctionalGroupsSequence);
    DcmItem& position = file.item(own, DCM_PositionerPositionSequence);
    file.text(position, DCM_PositionerPrimaryAngle, std::to_string(30 + 5 * f));
    file.text(position, DCM_PositionerSecondaryAngle, std::to_string(-f));
    DcmItem& geometry = file.item(own, DCM_XRayGeometrySequence);
    file.text(geometry, DCM_DistanceSourceToDetector, std::to_string(1200 + f));
    file.reals(geometry, DCM_DistanceSourceToIsocenter, {750.0F});
    DcmItem& content = file.item(own, DCM_FrameContentSequence);
    file.text(content, DCM_FrameReferenceDateTime, "2024010112000" + std::to_string(f) + ".25");
    DcmItem& shift = file.item(own, DCM_FramePixelShiftSequence);
    file.number(shift, DCM_SubtractionItemID, 3).reals(shift, DCM_MaskSubPixelShift, {0.0F, static_cast<Float32>(f)});
  }
  DcmItem& mask = file.item(DCM_MaskSubtractionSequence);
  file.text(mask, DCM_MaskOperation, "AVG_SUB")
      .numbers(mask, DCM_MaskFrameNumbers, {1})
      .number(mask, DCM_SubtractionItemID, 3);
  const Acquisition a = import_dicom({file.save(folder / "run.dcm")}, {}).acquisition;
  REQUIRE(a.num_views() == 2);
  REQUIRE(picture(a) == ".#####../.#####../.#####../.#####../.#####../........");
  for (int view = 0; view < 2; ++view) {
    const int frame = view + 1;
    CArmView carm;
    carm.sdd_mm = 1200 + frame;
    carm.primary_rad = (30 + 5 * frame + 90) * std::numbers::pi / 180;
    carm.secondary_rad = frame * std::numbers::pi / 180;
    REQUIRE(length(a.poses[view].source_mm - carm_pose(carm, 0).source_mm) < 1e-9);
    REQUIRE(length(a.poses[view].detector_center_mm - carm_pose(carm, 0).detector_center_mm) < 1e-9);
    REQUIRE(a.poses[view].time_s == Approx(view).margin(1e-5));
    const int pixel = 2 * 8 + 4;  // a mask that went right by `frame` pixels
    REQUIRE(a.projection(view)[pixel] ==
            Approx(std::log(static_cast<double>(pixels[pixel - frame]) / pixels[frame * 48 + pixel])).margin(1e-6));
  }
}

TEST_CASE("import_dicom: each tag that is needed is named where it is missing, and can be given by hand", "[import]") {
  const TemporaryFolder folder;
  struct Missing {
    DcmTagKey tag;
    const char *number, *name;
    std::function<void(DicomTags&)> give;
  };
  const std::vector<Missing> all{
      {DCM_DistanceSourceToDetector, "(0018,1110)", "sdd_mm", [](DicomTags& t) { t.sdd_mm = 1200; }},
      {DCM_DistanceSourceToPatient, "(0018,1111)", "sod_mm", [](DicomTags& t) { t.sod_mm = 750; }},
      {DCM_PositionerPrimaryAngle, "(0018,1510)", "primary_deg", [](DicomTags& t) { t.primary_deg = 30; }},
      {DCM_PositionerSecondaryAngle, "(0018,1511)", "secondary_deg", [](DicomTags& t) { t.secondary_deg = 10; }},
      {DCM_ImagerPixelSpacing, "(0018,1164)", "pixel_spacing_mm",
       [](DicomTags& t) {
         t.pixel_spacing_mm = Vec2d{0.4, 0.5};
       }},
      {DCM_FrameTime, "(0018,1063)", "frame_time_ms", [](DicomTags& t) { t.frame_time_ms = 100; }},
      {DCM_PixelIntensityRelationship, "(0028,1040)", "relationship",
       [](DicomTags& t) { t.relationship = DicomIntensity::linear; }},
  };
  const auto file = [&](const DcmTagKey& without) {
    DicomFile made(2, 6, 8, noise(2, 6, 8));
    made.usual().text(DCM_PositionerPrimaryAngleIncrement, "3");
    if (without != DCM_UndefinedTagKey) made.drop(without);
    return made.save(folder / "run.dcm");
  };
  const Acquisition whole = import_dicom({file(DCM_UndefinedTagKey)}, background()).acquisition;
  for (const Missing& missing : all) {
    const auto path = file(missing.tag);
    require_error<BadInput>([&] { import_dicom({path}, background()); },
                            {"run.dcm", missing.number, missing.name, "found no such tag"});
    for (const bool of_file : {false, true}) {
      DicomImportOptions options = background();
      missing.give(of_file ? options.tags_of["run.dcm"] : options.tags);
      const Acquisition a = import_dicom({path}, options).acquisition;
      REQUIRE(a.projections == whole.projections);
      REQUIRE(a.detector == whole.detector);
      for (int v = 0; v < 2; ++v) {
        REQUIRE(length(a.poses[v].source_mm - whole.poses[v].source_mm) == 0);
        REQUIRE(a.poses[v].time_s == whole.poses[v].time_s);
      }
    }
  }
  DicomFile without_mask(2, 6, 8, noise(2, 6, 8));
  const auto path = without_mask.usual().save(folder / "run.dcm");
  require_error<BadInput>([&] { import_dicom({path}, {}); }, {"run.dcm", "(0028,6100)", "mask_frames", "found none"});
  DicomImportOptions elsewhere = background();
  elsewhere.tags_of["other.dcm"].sod_mm = 1;
  require_error<InvalidArgument>([&] { import_dicom({path}, elsewhere); }, {"other.dcm"});
}

TEST_CASE("import_dicom: what tags say is looked at", "[import]") {
  const TemporaryFolder folder;
  const auto refused = [&](const DcmTagKey& tag, const char* value, std::initializer_list<std::string_view> parts) {
    DicomFile file(2, 6, 8, noise(2, 6, 8));
    const auto path = file.usual().text(tag, value).save(folder / "run.dcm");
    require_error<BadInput>([&] { import_dicom({path}, background()); }, parts);
  };
  refused(DCM_DistanceSourceToDetector, "nan", {"(0018,1110)", "nan"});
  refused(DCM_DistanceSourceToDetector, "1e400", {"(0018,1110)", "1e400"});
  refused(DCM_DistanceSourceToDetector, "700", {"(0018,1110)", "more than the 750 mm", "700"});
  refused(DCM_DistanceSourceToPatient, "-750", {"(0018,1111)", "above 0"});
  refused(DCM_PositionerPrimaryAngle, "1000", {"(0018,1510)", "1000"});
  refused(DCM_PositionerPrimaryAngle, "700", {"(0018,1510)", "within a turn and a half", "700"});
  refused(DCM_ImagerPixelSpacing, "0\\0.4", {"(0018,1164)", "above 0"});
  refused(DCM_FrameTime, "-5", {"(0018,1063)", "-5"});
  refused(DCM_NumberOfFrames, "0", {"(0028,0008)", "1 to"});
  refused(DCM_NumberOfFrames, "3", {"(7fe0,0010)", "288 bytes", "192"});
  refused(DCM_NumberOfFrames, "1000000", {"(0028,0008)", "no more pixels than a file of"});
  refused(DCM_PhotometricInterpretation, "RGB", {"(0028,0004)", "MONOCHROME"});
  refused(DCM_RescaleIntercept, "nan", {"(0028,1052)", "nan"});
  refused(DCM_ShutterShape, "POLYGONAL", {"(0018,1620)"});
  DicomFile file(2, 6, 8, noise(2, 6, 8));
  file.usual();
  DcmItem& mask = file.item(DCM_MaskSubtractionSequence);
  file.text(mask, DCM_MaskOperation, "AVG_SUB").numbers(mask, DCM_MaskFrameNumbers, {3});
  auto path = file.save(folder / "run.dcm");
  require_error<BadInput>([&] { import_dicom({path}, {}); }, {"(0028,6100)", "frames 1 to 2", "found 3"});
  file.text(mask, DCM_MaskOperation, "REV_TID");
  path = file.save(folder / "run.dcm");
  require_error<BadInput>([&] { import_dicom({path}, {}); }, {"(0028,6102)", "REV_TID"});
  file.text(mask, DCM_MaskOperation, "MAGIC");
  path = file.save(folder / "run.dcm");
  require_error<BadInput>([&] { import_dicom({path}, {}); }, {"(0028,6101)", "MAGIC"});
}

TEST_CASE("import_dicom: nothing about the patient is copied", "[import]") {
  const TemporaryFolder folder;
  DicomFile file(2, 6, 8, noise(2, 6, 8));
  file.usual().text(DCM_AcquisitionDate, "20210304").text(DCM_AcquisitionTime, "050607");
  const ImportedCase imported = import_dicom({file.save(folder / "run.dcm")}, background());
  write_acquisition(folder / "case.h5", imported.acquisition);
  const std::string written = test::read_bytes(folder / "case.h5");
  REQUIRE(test::read_bytes(folder / "run.dcm").find(test::kPatientName) != std::string::npos);
  for (const std::string secret :
       {test::kPatientName, test::kPatientId, test::kHospital, test::kBirthDate, "1.2.3.4.5.6", "20210304", "050607"}) {
    INFO(secret);
    REQUIRE(written.find(secret) == std::string::npos);
    REQUIRE_FALSE(has_line(imported.found, secret));
    REQUIRE_FALSE(has_line(imported.warnings, secret));
  }
  REQUIRE(read_acquisition(folder / "case.h5").num_views() == 2);
}

TEST_CASE("import_dicom: pipes, other files and deep nesting", "[import]") {
  const TemporaryFolder folder;
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  require_error<IoError>([&] { import_dicom({folder / "pipe"}, {}); }, {"pipe", "expected a regular file"});
  require_error<IoError>([&] { import_dicom({folder / "absent"}, {}); }, {"absent"});
  require_error<BadInput>([&] { import_dicom({folder.path()}, {}); }, {"DICOM files", "none"});
  test::write_bytes(folder / "text", "no DICOM at all");
  require_error<BadInput>([&] { import_dicom({folder / "text"}, {}); }, {"text", "\"DICM\" after 128 bytes"});
  // A sequence within a sequence, 20000 times: DCMTK alone needs 40 MB of stack for it.
  const std::string sequence("\x28\x00\x00\x61SQ\0\0\xff\xff\xff\xff", 12), item("\xfe\xff\x00\xe0\xff\xff\xff\xff", 8);
  const std::string end_of_item("\xfe\xff\x0d\xe0\0\0\0\0", 8), end_of_sequence("\xfe\xff\xdd\xe0\0\0\0\0", 8);
  DicomFile file(1, 6, 8, noise(1, 6, 8));
  file.usual();
  std::string nested = test::read_bytes(file.save(folder / "nested"));
  std::string begin, end;
  for (int i = 0; i < 20000; ++i) {
    begin += sequence + item;
    end += end_of_item + end_of_sequence;
  }
  nested.insert(nested.find(std::string("\xe0\x7f\x10\x00", 4)), begin + end);
  test::write_bytes(folder / "nested", nested);
  DicomImportOptions options;
  options.tags.mask_frames = {1};
  require_error<BadInput>([&] { import_dicom({folder / "nested"}, options); }, {"nested", "frames"});
  for (int i = 0; i < 70000; ++i) nested += item;
  test::write_bytes(folder / "nested", nested);
  require_error<BadInput>([&] { import_dicom({folder / "nested"}, options); }, {"at most 65536 items"});
}

TEST_CASE("import_dicom: damaged files give a typed error or finite numbers, soon", "[import]") {
  const TemporaryFolder folder;
  DicomFile file(3, 6, 8, noise(3, 6, 8));
  file.usual().text(DCM_PositionerPrimaryAngleIncrement, "3").text(DCM_ShutterShape, "CIRCULAR");
  file.text(DCM_CenterOfCircularShutter, "3\\4").text(DCM_RadiusOfCircularShutter, "3");
  DcmItem& mask = file.item(DCM_MaskSubtractionSequence);
  file.text(mask, DCM_MaskOperation, "AVG_SUB").numbers(mask, DCM_MaskFrameNumbers, {1});
  const std::string whole = test::read_bytes(file.save(folder / "run.dcm"));
  int refused = 0, read = 0;
  const auto attempt = [&](const std::string& bytes) {
    test::write_bytes(folder / "run.dcm", bytes);
    const auto begin = std::chrono::steady_clock::now();
    try {
      import_dicom({folder / "run.dcm"}, {}).acquisition.validate();
      ++read;
    } catch (const Error& e) {
      REQUIRE(std::string(e.what()).find('\n') == std::string::npos);
      ++refused;
    }
    REQUIRE(std::chrono::steady_clock::now() - begin < std::chrono::seconds(2));
  };
  for (std::size_t size = 0; size < whole.size(); size += 7) attempt(whole.substr(0, size));
  REQUIRE(read == 0);
  std::mt19937 random(4);
  for (int i = 0; i < 400; ++i) {
    std::string bytes = whole;
    for (int changes = 0; changes < 3; ++changes)
      bytes[132 + random() % (bytes.size() - 132)] = static_cast<char>(random());
    attempt(bytes);
  }
  REQUIRE(read > 0);
  REQUIRE(refused > 100);
}
