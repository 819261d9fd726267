// SPDX-License-Identifier: Apache-2.0
// import_dicom: implausible tags are warned of or refused, values by hand are named as they were given, and options
// that would have no effect are not passed over.

#include <catch2/catch.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "dsasrgs/error.hpp"
#include "dsasrgs/import_dicom.hpp"
#include "support/dicom_file.hpp"

using namespace dsasrgs;
using test::background;
using test::DicomFile;
using test::noisy_counts;
using test::require_error;
using test::TemporaryFolder;

namespace {

DicomFile usual_file(int frames = 3) {
  DicomFile file(frames, 6, 8, noisy_counts(frames * 6 * 8));
  file.usual();
  return file;
}

std::string warnings_of(const ImportedCase& imported) {
  std::string all;
  for (const std::string& line : imported.warnings) all += line + '\n';
  return all;
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("import_dicom: implausible times, angles and modalities", "[import]") {
  const TemporaryFolder folder;
  const auto warnings = [&](const DcmTagKey& tag, const char* value) {
    DicomFile file = usual_file();
    return warnings_of(import_dicom({file.text(tag, value).save(folder / "run.dcm")}, background()));
  };
  const auto refused = [&](const DcmTagKey& tag, const char* value, std::initializer_list<std::string_view> parts) {
    DicomFile file = usual_file();
    const auto path = file.text(tag, value).save(folder / "run.dcm");
    require_error<BadInput>([&] { import_dicom({path}, background()); }, parts);
  };
  const std::string usual = warnings(DCM_Modality, "XA");
  for (const char* tag : {"FrameTime is", "PositionerPrimaryAngle is", "PositionerSecondaryAngle is", "Modality is"})
    CHECK(!says(usual, tag));
  CHECK(says(warnings(DCM_FrameTime, "0"), "(0018,1063) FrameTime is 0: all frames are of one moment"));
  refused(DCM_FrameTime, "1e9", {"(0018,1063)", "milliseconds between frames", "1000000000"});
  CHECK(says(warnings(DCM_PositionerPrimaryAngle, "400"),
             "(0018,1510) PositionerPrimaryAngle is 400 degrees: expected -180 to 180"));
  CHECK(says(warnings(DCM_PositionerSecondaryAngle, "-91"),
             "(0018,1511) PositionerSecondaryAngle is -91 degrees: expected -90 to 90"));
  CHECK(says(warnings(DCM_Modality, "DX"), "(0008,0060) Modality is DX: expected X-ray angiography"));
  CHECK(!says(warnings(DCM_Modality, "RF"), "(0008,0060)"));
  refused(DCM_Modality, "CT", {"(0008,0060) Modality", "XA or RF", "found CT"});
  DicomFile colour = usual_file();
  const auto path =
      colour.number(DCM_SamplesPerPixel, 3).text(DCM_PhotometricInterpretation, "RGB").save(folder / "run.dcm");
  require_error<BadInput>([&] { import_dicom({path}, background()); },
                          {"(0028,0002) SamplesPerPixel", "1: greyscale", "found 3, a picture in colour"});
}

TEST_CASE("import_dicom: what is wrong with a value by hand is said by the name that it was given with", "[import]") {
  const TemporaryFolder folder;
  DicomFile file = usual_file();
  const auto path = file.save(folder / "run.dcm");
  const auto refused = [&](const std::function<void(DicomTags&)>& give, std::initializer_list<std::string_view> parts,
                           bool with_mask = false) {
    DicomImportOptions options = background();
    if (with_mask) options.subtraction = DicomSubtraction::mask;
    give(options.tags);
    require_error<BadInput>([&] { import_dicom({path}, options); }, parts);
  };
  refused([](DicomTags& t) { t.sod_mm = -1; }, {"run.dcm: tags.sod_mm: expected a length", "found -1"});
  refused([](DicomTags& t) { t.sdd_mm = 0; }, {"run.dcm: tags.sdd_mm: expected a length"});
  refused([](DicomTags& t) { t.sdd_mm = 700; }, {"run.dcm: tags.sdd_mm: expected more than the 750 mm"});
  refused([](DicomTags& t) { t.sod_mm = 1300; },
          {"(0018,1110) DistanceSourceToDetector: expected more than the 1300 mm", "(tags.sod_mm)"});
  refused([](DicomTags& t) { t.pixel_spacing_mm = Vec2d{0, 1}; }, {"run.dcm: tags.pixel_spacing_mm"});
  refused([](DicomTags& t) { t.primary_deg = 1e4; }, {"run.dcm: tags.primary_deg: expected an angle"});
  refused(
      [](DicomTags& t) {
        t.secondary_increment_deg = {1, 2};
      },
      {"run.dcm: tags.secondary_increment_deg: expected one value or 3"});
  refused([](DicomTags& t) { t.frame_time_ms = -1; }, {"run.dcm: tags.frame_time_ms"});
  refused([](DicomTags& t) { t.sign = 2; }, {"run.dcm: tags.sign: expected 1 or -1, found 2"});
  refused([](DicomTags& t) { t.mask_frames = {4}; }, {"run.dcm: tags.mask_frames: expected frames 1 to 3"}, true);
  refused(
      [](DicomTags& t) {
        t.mask_frames = {1, 1, 2};
      },
      {"run.dcm: tags.mask_frames: expected each frame once, found 1 twice"}, true);
  refused([](DicomTags& t) { t.log_scale = 2; }, {"run.dcm: tags.log_scale: expected logarithmic values"});
}

TEST_CASE("import_dicom: options that have no effect are refused or warned of", "[import]") {
  const TemporaryFolder folder;
  DicomFile file = usual_file(), one = usual_file(1);
  const auto path = file.save(folder / "run.dcm"), mask = file.save(folder / "mask.dcm"),
             still = one.save(folder / "still.dcm");
  const auto refused = [&](const std::function<void(DicomImportOptions&)>& give, const char* part) {
    DicomImportOptions options;
    give(options);
    require_error<InvalidArgument>([&] { import_dicom({path}, options); }, {part});
  };
  refused([&](DicomImportOptions& o) { o.duration_s = 2, o.tags.mask_frames = {1}; }, "duration_s");
  for (const bool run : {false, true}) {
    const auto other = [&](DicomImportOptions& o) {
      if (run)
        o.mask_run = mask;
      else
        o.subtraction = DicomSubtraction::background;
    };
    refused([&](DicomImportOptions& o) { other(o), o.tags.mask_frames = {1}; }, "mask_frames");
    refused([&](DicomImportOptions& o) { other(o), o.tags.mask_shift_px = Vec2d{1, 0}; }, "mask_shift_px");
    refused([&](DicomImportOptions& o) { other(o), o.tags_of["run.dcm"].mask_frames = {1}; }, "mask_frames");
  }
  refused([](DicomImportOptions& o) { o.tags.table_mm = Vec3d{0, 2e5, 0}; }, "tags.table_mm: expected numbers within");
  refused([](DicomImportOptions& o) { o.tags_of["run.dcm"].isocenter_px = Vec2d{1e300, 0}; }, "tags.isocenter_px");
  refused([](DicomImportOptions& o) { o.tags.mask_shift_px = Vec2d{0, -1e6}; }, "tags.mask_shift_px");
  refused([](DicomImportOptions& o) { o.tags.start_s = 1e300; }, "tags.start_s: expected numbers within 1");
  DicomImportOptions of_mask;
  of_mask.mask_run = mask;
  of_mask.tags_of["mask.dcm"].primary_deg = 31;
  CHECK(says(warnings_of(import_dicom({path}, of_mask)), "degrees beside it"));

  const auto warnings = [&](const std::filesystem::path& of, const std::function<void(DicomTags&)>& give) {
    DicomImportOptions options = background();
    give(options.tags);
    return warnings_of(import_dicom({of}, options));
  };
  const auto start = [](DicomTags& t) { t.start_s = 1; };
  const auto time = [](DicomTags& t) { t.frame_time_ms = 50; };
  const auto step = [](DicomTags& t) { t.primary_increment_deg = {2}; };
  CHECK(says(warnings(path, start), "tags.start_s has no effect"));
  CHECK(says(warnings(still, time), "tags.frame_time_ms has no effect"));
  CHECK(says(warnings(still, step), "tags.primary_increment_deg or tags.secondary_increment_deg has no effect"));
  CHECK(!says(warnings(path, time), "has no effect"));
  CHECK(!says(warnings(path, step), "has no effect"));
}

TEST_CASE("import_dicom: a small file cannot ask for an endless list of frames to average", "[import]") {
  const TemporaryFolder folder;
  constexpr int kMany = 20000;
  DicomFile file(kMany, 1, 1, std::vector<Uint16>(kMany, 1000));
  file.usual();
  DcmItem& mask = file.item(DCM_MaskSubtractionSequence);
  file.text(mask, DCM_MaskOperation, "AVG_SUB").numbers(mask, DCM_MaskFrameNumbers, {1});
  file.number(mask, DCM_ContrastFrameAveraging, kMany / 2);
  const auto path = file.save(folder / "run.dcm");
  require_error<BadInput>([&] { import_dicom({path}, {}); }, {"(0028,6100)", "frames to average"});
}

TEST_CASE("import_dicom: what is refused or warned of is named as the file has it", "[import]") {
  const TemporaryFolder folder;
  const auto changed = [&](const std::function<void(DicomFile&)>& change) {
    DicomFile file = usual_file();
    change(file);
    return file.save(folder / "run.dcm");
  };
  const auto refused = [&](const std::function<void(DicomFile&)>& change,
                           std::initializer_list<std::string_view> parts) {
    const auto path = changed(change);
    require_error<BadInput>([&] { import_dicom({path}, background()); }, parts);
  };
  const auto warnings = [&](const std::function<void(DicomFile&)>& change) {
    return warnings_of(import_dicom({changed(change)}, background()));
  };
  // Times: no Frame Time, but what stands for it.
  refused([](DicomFile& f) { f.drop(DCM_FrameTime).text(DCM_FrameTimeVector, "0\\100\\-300"); },
          {"(0018,1065) FrameTimeVector: expected milliseconds between frames", "found -300 for frame 3"});
  refused([](DicomFile& f) { f.drop(DCM_FrameTime).text(DCM_CineRate, "0"); },
          {"(0018,1063) FrameTime", "no such tag"});
  refused([](DicomFile& f) { f.drop(DCM_FrameTime).text(DCM_RecommendedDisplayFrameRate, "1e-6"); },
          {"(0008,2144) RecommendedDisplayFrameRate: expected frames in a second", "found 1e-06"});
  CHECK(says(warnings([](DicomFile& f) { f.drop(DCM_FrameTime).text(DCM_FrameTimeVector, "0\\0\\0"); }),
             "(0018,1065) FrameTimeVector is 0: all frames are of one moment (tags.frame_time_ms gives"));
  const std::string dated = warnings([](DicomFile& f) { f.text(DCM_AcquisitionDateTime, "yesterday"); });
  CHECK(says(dated, "AcquisitionDateTime: expected YYYYMMDDHHMMSS.FFFFFF"));
  CHECK(!says(dated, "yesterday"));
  // Lengths that follow from other tags than usual.
  refused(
      [](DicomFile& f) {
        f.drop(DCM_DistanceSourceToPatient);
        f.text(DCM_EstimatedRadiographicMagnificationFactor, "1e100").text(DCM_DistanceSourceToDetector, "1e-300");
      },
      {"(0018,1114) EstimatedRadiographicMagnificationFactor: expected a length in mm above 0"});
  refused([](DicomFile& f) { f.text(DCM_DistanceSourceToDetector, "700"); },
          {"more than the 750 mm from source to isocentre, as (0018,1111) DistanceSourceToPatient says"});
  refused([](DicomFile& f) { f.text(DCM_PositionerPrimaryAngleIncrement, "600"); },
          {"(0018,1520) PositionerPrimaryAngleIncrement: expected an angle in degrees", "found 630 for frame 2"});
  DicomFile square(2, 4, 4, noisy_counts(2 * 4 * 4));
  const auto path =
      square.usual().drop(DCM_ImagerPixelSpacing).text(DCM_FieldOfViewDimensions, "0").save(folder / "run.dcm");
  require_error<BadInput>([&] { import_dicom({path}, background()); },
                          {"(0018,1149) FieldOfViewDimensions: expected a length in mm above 0, found 0"});
  // Fields of the acquisition: the tags that they came from, or what was given instead.
  const auto in_metres = changed([](DicomFile& f) { f.text(DCM_DistanceSourceToPatient, "0.75"); });
  DicomImportOptions options = background();
  options.volume = VolumeGrid{10, 10, 10, {10, 10, 10}, {-50, -50, -50}};
  require_error<BadInput>([&] { import_dicom({in_metres}, options); },
                          {"/geometry/source_mm[0] ((0018,1111) DistanceSourceToPatient): expected a source outside"});
  CHECK(says(warnings([](DicomFile&) {}), "/geometry@pixel_pitch_mm ((0018,1164) ImagerPixelSpacing): expected"));
  CHECK(says(warnings([](DicomFile&) {}),
             "/geometry ((0018,1510) PositionerPrimaryAngle, (0018,1511) PositionerSecondaryAngle): expected views"));
  options.tags.sod_mm = 0.75;
  require_error<BadInput>([&] { import_dicom({in_metres}, options); }, {"/geometry/source_mm[0] (tags.sod_mm): "});
  options = background();
  options.tags.pixel_spacing_mm = Vec2d{0.4, 0.5};
  CHECK(says(warnings_of(import_dicom({changed([](DicomFile&) {})}, options)),
             "/geometry@pixel_pitch_mm (tags.pixel_spacing_mm): expected"));
}
