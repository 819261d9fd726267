// SPDX-License-Identifier: Apache-2.0
// import_dicom, on files that DCMTK writes here, against arithmetic written apart from the importer.

#include "dsasrgs/import_dicom.hpp"

#include <dcmtk/dcmdata/dcrleerg.h>
#include <dcmtk/dcmjpeg/djencode.h>
#include <dcmtk/dcmjpeg/djrplol.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <numbers>
#include <string>
#include <vector>

#include "dsasrgs/error.hpp"
#include "dsasrgs/geometry.hpp"
#include "support/dicom_file.hpp"
#include "support/random_values.hpp"

using namespace dsasrgs;
using test::DicomFile;
using test::require_error;
using test::TemporaryFolder;

namespace {

constexpr double kDegree = std::numbers::pi / 180;
constexpr int kRows = 6, kColumns = 8;

/// Counts 1000 to 3000, other ones in each frame.
std::vector<Uint16> counts(int frames, int rows = kRows, int columns = kColumns) {
  std::vector<Uint16> pixels;
  for (int i = 0; i < frames * rows * columns; ++i) pixels.push_back(static_cast<Uint16>(1000 + (i * 7919) % 2001));
  return pixels;
}

double ln_count(const std::vector<Uint16>& pixels, int frame, int pixel, int n = kRows * kColumns) {
  return std::log(static_cast<double>(pixels.at(static_cast<std::size_t>(frame) * n + pixel)));
}

ImportedCase read_case(const std::filesystem::path& file, const DicomImportOptions& options = {}) {
  return import_dicom({file}, options);
}

DicomImportOptions background() {
  DicomImportOptions options;
  options.subtraction = DicomSubtraction::background;
  return options;
}

bool has_line(const std::vector<std::string>& lines, const std::string& part) {
  for (const std::string& line : lines)
    if (line.find(part) != std::string::npos) return true;
  return false;
}

/// Column and row of a point by the convention that the phantom's images were held against (patient LPS; p, s the
/// positioner's angles): n from source to detector, u to the right, v up.
Vec2d verified_projection(double p_deg, double s_deg, double sod, double sdd, Vec3d x, int rows, int columns,
                          double between_rows, double between_columns) {
  const double p = p_deg * kDegree, s = s_deg * kDegree;
  const Vec3d n{std::sin(p) * std::cos(s), -std::cos(p) * std::cos(s), std::sin(s)};
  const Vec3d u{std::cos(p), std::sin(p), 0};
  const Vec3d v = cross(n, u);
  const double l = sod + dot(x, n);
  return {0.5 * columns + dot(x, u) * sdd / l / between_columns, 0.5 * rows - dot(x, v) * sdd / l / between_rows};
}

void require_pose(const Pose& pose, const Detector& detector, double p_deg, double s_deg, double sod = 750,
                  double sdd = 1200) {
  for (const Vec3d x : {Vec3d{0, 0, 0}, Vec3d{1, 2, -0.5}, Vec3d{-1.5, 0.3, 0.7}}) {
    const Vec2d found = project_point(pose, detector, x);
    const Vec2d wanted =
        verified_projection(p_deg, s_deg, sod, sdd, x, detector.height_px, detector.width_px, 0.5, 0.4);
    INFO("angles " << p_deg << ", " << s_deg);
    REQUIRE(found.x == Approx(wanted.x).margin(1e-9));
    REQUIRE(found.y == Approx(wanted.y).margin(1e-9));
  }
}

}  // namespace

TEST_CASE("import_dicom: AVG_SUB averages the mask's frames and contrast frames, and masks are no views", "[import]") {
  const TemporaryFolder folder;
  const auto pixels = counts(6);
  DicomFile file(6, kRows, kColumns, pixels);
  file.usual();
  DcmItem& mask = file.item(DCM_MaskSubtractionSequence);
  file.text(mask, DCM_MaskOperation, "AVG_SUB").numbers(mask, DCM_MaskFrameNumbers, {1, 2});
  file.number(mask, DCM_ContrastFrameAveraging, 2);
  const ImportedCase imported = read_case(file.save(folder / "run.dcm"));
  const Acquisition& a = imported.acquisition;
  REQUIRE(a.num_views() == 3);  // frames 3, 4, 5: the range ends at 6 - 2 + 1
  for (int view = 0; view < 3; ++view)
    for (int i = 0; i < kRows * kColumns; ++i) {
      const int frame = 2 + view;
      const double mask_mean = 0.5 * (std::exp(ln_count(pixels, 0, i)) + std::exp(ln_count(pixels, 1, i)));
      const double fill = 0.5 * (std::exp(ln_count(pixels, frame, i)) + std::exp(ln_count(pixels, frame + 1, i)));
      REQUIRE(a.projection(view)[i] == Approx(std::log(mask_mean / fill)).margin(1e-6));
    }
  REQUIRE(a.poses[0].time_s == 0);
  REQUIRE(a.poses[2].time_s == Approx(0.2));
  REQUIRE(has_line(imported.found, "frames that are no views (masks, or not asked for): 1-2, 6"));
}

TEST_CASE("import_dicom: TID and REV_TID take the frames that C.7.6.10.1.1 says", "[import]") {
  const TemporaryFolder folder;
  const auto pixels = counts(9);
  const auto check = [&](const char* operation, int offset, std::vector<Uint16> range,
                         const std::vector<std::pair<int, int>>& pairs) {  // contrast, mask: from 1
    DicomFile file(9, kRows, kColumns, pixels);
    file.usual();
    DcmItem& mask = file.item(DCM_MaskSubtractionSequence);
    file.text(mask, DCM_MaskOperation, operation);
    REQUIRE(mask.putAndInsertSint16(DCM_TIDOffset, static_cast<Sint16>(offset)).good());
    if (!range.empty()) file.numbers(mask, DCM_ApplicableFrameRange, range);
    const Acquisition a = read_case(file.save(folder / "run.dcm")).acquisition;
    REQUIRE(a.num_views() == static_cast<int>(pairs.size()));
    for (int view = 0; view < a.num_views(); ++view)
      for (int i = 0; i < kRows * kColumns; ++i)
        REQUIRE(a.projection(view)[i] ==
                Approx(ln_count(pixels, pairs[view].second - 1, i) - ln_count(pixels, pairs[view].first - 1, i))
                    .margin(1e-6));
  };
  check("TID", 2, {}, {{3, 1}, {4, 2}, {5, 3}, {6, 4}, {7, 5}, {8, 6}, {9, 7}});
  check("TID", -1, {2, 3, 6, 6}, {{2, 3}, {3, 4}, {6, 7}});
  // MFN = (FCFN - offset) - (CFN - FCFN)
  check("REV_TID", 1, {6, 9}, {{6, 5}, {7, 4}, {8, 3}, {9, 2}});
  check("REV_TID", 2, {5, 7}, {{5, 3}, {6, 2}, {7, 1}});
}

TEST_CASE("import_dicom: the mask is shifted by whole and broken pixels, down and right", "[import]") {
  const TemporaryFolder folder;
  std::vector<Uint16> pixels(2 * kRows * kColumns, 2000);
  const auto plane = [](double row, double column) { return 1000 + 40 * row + 10 * column; };
  for (int i = 0; i < kRows * kColumns; ++i) pixels[i] = static_cast<Uint16>(plane(i / kColumns, i % kColumns));
  DicomFile file(2, kRows, kColumns, pixels);
  file.usual()
      .text(DCM_PixelIntensityRelationship, "LOG")
      .text(DCM_RescaleSlope, "0.001")
      .text(DCM_RescaleIntercept, "0");
  DcmItem& mask = file.item(DCM_MaskSubtractionSequence);
  file.text(mask, DCM_MaskOperation, "AVG_SUB").numbers(mask, DCM_MaskFrameNumbers, {1});
  file.reals(mask, DCM_MaskSubPixelShift, {1.5F, -0.25F});
  const Acquisition a = read_case(file.save(folder / "run.dcm")).acquisition;
  REQUIRE(a.num_views() == 1);
  int counted = 0;
  for (int row = 0; row < kRows; ++row)
    for (int column = 0; column < kColumns; ++column) {
      const bool known = row >= 2 && column < kColumns - 1;
      const int i = row * kColumns + column;
      REQUIRE((a.valid_pixels(0)[i] != 0) == known);
      if (!known) continue;
      ++counted;
      REQUIRE(a.projection(0)[i] == Approx(0.001 * (plane(row - 1.5, column + 0.25) - 2000)).margin(1e-6));
    }
  REQUIRE(counted == 4 * 7);
}

TEST_CASE("import_dicom: angles, one step or offsets, give the poses of the convention that was verified", "[import]") {
  const TemporaryFolder folder;
  const int frames = 4;
  DicomFile file(frames, kRows, kColumns, counts(frames));
  file.usual().text(DCM_PositionerMotion, "DYNAMIC");
  SECTION("one value is the step") {
    file.text(DCM_PositionerPrimaryAngleIncrement, "-1.5").text(DCM_PositionerSecondaryAngleIncrement, "0.25");
    const Acquisition a = read_case(file.save(folder / "run.dcm"), background()).acquisition;
    for (int f = 0; f < frames; ++f) require_pose(a.poses[f], a.detector, 30 - 1.5 * f, 10 + 0.25 * f);
  }
  SECTION("one for each frame is the offset from the first angle") {
    file.text(DCM_PositionerPrimaryAngleIncrement, "0\\-2\\-3.5\\+100");
    const Acquisition a = read_case(file.save(folder / "run.dcm"), background()).acquisition;
    const double offsets[] = {0, -2, -3.5, 100};
    for (int f = 0; f < frames; ++f) require_pose(a.poses[f], a.detector, 30 + offsets[f], 10);
  }
  SECTION("any other number is refused") {
    file.text(DCM_PositionerPrimaryAngleIncrement, "0\\1\\2");
    const auto path = file.save(folder / "run.dcm");
    require_error<BadInput>([&] { read_case(path, background()); },
                            {"run.dcm", "(0018,1520)", "expected one value or 4", "found 3"});
  }
  SECTION("times are the sums of a vector, of which the first does not count") {
    file.drop(DCM_FrameTime).text(DCM_FrameTimeVector, "7\\100\\50\\25.5");
    const Acquisition a = read_case(file.save(folder / "run.dcm"), background()).acquisition;
    REQUIRE(a.poses[0].time_s == 0);
    REQUIRE(a.poses[1].time_s == Approx(0.1));
    REQUIRE(a.poses[2].time_s == Approx(0.15));
    REQUIRE(a.poses[3].time_s == Approx(0.1755));
  }
}

TEST_CASE("import_dicom: shifted tables, detectors beside the isocentre, mirrored images", "[import]") {
  const TemporaryFolder folder;
  DicomFile file(1, kRows, kColumns, counts(1));
  file.usual();
  const auto path = file.save(folder / "run.dcm");
  const auto pose = [&](const DicomTags& tags) {
    DicomImportOptions options = background();
    options.tags = tags;
    options.volume = VolumeGrid{8, 8, 8, {0.1, 0.1, 0.1}, {-0.4, -0.4, -0.4}};
    const Acquisition a = read_case(path, options).acquisition;
    return std::pair{a.poses[0], a.detector};
  };
  const Vec3d x{0.4, -0.3, 0.9};
  const Vec2d plain = verified_projection(30, 10, 750, 1200, x, kRows, kColumns, 0.5, 0.4);
  DicomTags tags;
  tags.table_mm = Vec3d{1, -2, 3};  // added to the patient before it is projected
  const auto [moved, detector] = pose(tags);
  const Vec2d wanted = verified_projection(30, 10, 750, 1200, x + *tags.table_mm, kRows, kColumns, 0.5, 0.4);
  REQUIRE(project_point(moved, detector, x).x == Approx(wanted.x).margin(1e-9));
  REQUIRE(project_point(moved, detector, x).y == Approx(wanted.y).margin(1e-9));
  tags = {};
  tags.isocenter_px = Vec2d{5, 2.5};  // one to the right of the middle, half a pixel above it
  const Pose offset = pose(tags).first;
  REQUIRE(project_point(offset, detector, x).x == Approx(plain.x + 1).margin(1e-9));
  REQUIRE(project_point(offset, detector, x).y == Approx(plain.y - 0.5).margin(1e-9));
  tags = {};
  tags.mirror_columns = tags.mirror_rows = true;
  const Pose mirrored = pose(tags).first;
  REQUIRE(project_point(mirrored, detector, x).x == Approx(kColumns - plain.x).margin(1e-9));
  REQUIRE(project_point(mirrored, detector, x).y == Approx(kRows - plain.y).margin(1e-9));
}

TEST_CASE("import_dicom: LOG values with a table to linear ones", "[import]") {
  const TemporaryFolder folder;
  std::vector<Uint16> pixels(2 * kRows * kColumns);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<Uint16>(10 + i);
  std::vector<Uint16> table;
  for (int i = 0; i < 256; ++i) table.push_back(static_cast<Uint16>(std::lround(20 * std::exp(i / 40.0))));
  DicomFile file(2, kRows, kColumns, pixels, 8);
  file.usual().text(DCM_PixelIntensityRelationship, "LOG");
  DcmItem& lut = file.item(DCM_ModalityLUTSequence);
  file.numbers(lut, DCM_LUTDescriptor, {256, 0, 16})
      .numbers(lut, DCM_LUTData, table)
      .text(lut, DCM_ModalityLUTType, "US");
  DicomImportOptions options;
  options.tags.mask_frames = {1};
  const ImportedCase imported = read_case(file.save(folder / "run.dcm"), options);
  for (int i = 0; i < kRows * kColumns; ++i)
    REQUIRE(imported.acquisition.projection(0)[i] ==
            Approx(std::log(table[10 + i] / static_cast<double>(table[10 + i + kRows * kColumns]))).margin(1e-6));
  REQUIRE(has_line(imported.found, "LOG, made linear by the file's LUT"));
  // The table rises, whatever is said of the values that go in.
  REQUIRE(file.root().putAndInsertSint16(DCM_PixelIntensityRelationshipSign, -1).good());
  REQUIRE(read_case(file.save(folder / "run.dcm"), options).acquisition.projections ==
          imported.acquisition.projections);
  file.numbers(lut, DCM_LUTDescriptor, {1000, 0, 16});
  const auto path = file.save(folder / "short.dcm");
  require_error<BadInput>([&] { read_case(path, options); }, {"short.dcm", "(0028,3006)", "1000", "256"});
}

TEST_CASE("import_dicom: values that do not tell the intensity are refused unless forced", "[import]") {
  const TemporaryFolder folder;
  DicomFile file(2, kRows, kColumns, counts(2));
  file.usual().text(DCM_PixelIntensityRelationship, "DISP");
  auto path = file.save(folder / "run.dcm");
  DicomImportOptions options;
  options.tags.mask_frames = {1};
  require_error<BadInput>([&] { read_case(path, options); }, {"run.dcm", "(0028,1040)", "LIN or LOG", "DISP"});
  options.tags.relationship = DicomIntensity::logarithmic;
  options.tags.log_scale = 0.01;
  const ImportedCase imported = read_case(path, options);
  const auto pixels = counts(2);
  for (int i = 0; i < kRows * kColumns; ++i)
    REQUIRE(imported.acquisition.projection(0)[i] ==
            Approx(0.01 * (pixels[i] - pixels[kRows * kColumns + i])).margin(1e-5));
  REQUIRE(has_line(imported.warnings, "is \"DISP\""));
  options.tags.sign = -1;
  const Acquisition negative = read_case(path, options).acquisition;
  REQUIRE(negative.projection(0)[3] == Approx(-imported.acquisition.projection(0)[3]));
}

TEST_CASE("import_dicom: pixels as RLE, JPEG, JPEG-LS and big-endian are the same", "[import]") {
  const TemporaryFolder folder;
  DJEncoderRegistration::registerCodecs();
  DcmRLEEncoderRegistration::registerCodecs();
  DicomImportOptions options;
  options.tags.mask_frames = {1};
  const auto projections = [&](E_TransferSyntax syntax, const DcmRepresentationParameter* parameter = nullptr) {
    DicomFile made(3, kRows, kColumns, counts(3));
    made.usual();
    return read_case(made.save(folder / (std::to_string(syntax) + ".dcm"), syntax, parameter), options)
        .acquisition.projections;
  };
  const std::vector<float> plain = projections(EXS_LittleEndianExplicit);
  const DJ_RPLossless lossless;
  REQUIRE(projections(EXS_LittleEndianImplicit) == plain);
  REQUIRE(projections(EXS_BigEndianExplicit) == plain);
  REQUIRE(projections(EXS_RLELossless) == plain);
  REQUIRE(projections(EXS_JPEGProcess14SV1, &lossless) == plain);
  // DCMTK 3.6.7's encoder writes behind its own memory: it does so in a process of its own (Debian: dcmtk).
  const std::string made = (folder / (std::to_string(EXS_LittleEndianExplicit) + ".dcm")).string(),
                    jpeg_ls = (folder / "jpeg_ls.dcm").string();
  if (std::system(("dcmcjpls '" + made + "' '" + jpeg_ls + "'").c_str()) != 0) {
    WARN("JPEG-LS was not tried: no dcmcjpls");
    return;
  }
  REQUIRE(read_case(jpeg_ls, options).acquisition.projections == plain);
}

TEST_CASE("import_dicom: bins are means of counts, and what is left over is cut off", "[import]") {
  const TemporaryFolder folder;
  const auto pixels = counts(2, 5, 7);
  DicomFile file(2, 5, 7, pixels);
  file.usual();
  DicomImportOptions options;
  options.tags.mask_frames = {1};
  options.bin = 2;
  const Acquisition a = read_case(file.save(folder / "run.dcm"), options).acquisition;
  REQUIRE(a.detector.width_px == 3);
  REQUIRE(a.detector.height_px == 2);
  REQUIRE(a.detector.pitch_u_mm == Approx(0.8));
  REQUIRE(a.detector.pitch_v_mm == Approx(1.0));
  const auto mean = [&](int frame, int row, int column) {
    double sum = 0;
    for (int part = 0; part < 4; ++part) sum += pixels[(frame * 5 + 2 * row + part / 2) * 7 + 2 * column + part % 2];
    return sum / 4;
  };
  for (int i = 0; i < 6; ++i)
    REQUIRE(a.projection(0)[i] == Approx(std::log(mean(0, i / 3, i % 3) / mean(1, i / 3, i % 3))).margin(1e-6));
  const Vec3d x{0.2, 0.1, 0.3};
  const Vec2d stored = verified_projection(30, 10, 750, 1200, x, 5, 7, 0.5, 0.4);
  REQUIRE(project_point(a.poses[0], a.detector, x).x == Approx(stored.x / 2).margin(1e-9));
  REQUIRE(project_point(a.poses[0], a.detector, x).y == Approx(stored.y / 2).margin(1e-9));
}

TEST_CASE("import_dicom: a run of a mask beside the run of the contrast", "[import]") {
  const TemporaryFolder folder;
  const auto fills = counts(3);
  auto masks = counts(5);
  for (Uint16& m : masks) m = static_cast<Uint16>(m + 500);
  DicomFile fill(3, kRows, kColumns, fills), mask(5, kRows, kColumns, masks);
  fill.usual().text(DCM_PositionerPrimaryAngleIncrement, "10");
  mask.usual().text(DCM_PositionerPrimaryAngle, "28").text(DCM_PositionerPrimaryAngleIncrement, "6");  // 28 34 40 46 52
  DicomImportOptions options;
  options.mask_run = mask.save(folder / "mask.dcm");
  const ImportedCase imported = read_case(fill.save(folder / "fill.dcm"), options);
  const int nearest[] = {0, 2, 4};  // of 30, 40, 50
  for (int view = 0; view < 3; ++view)
    for (int i = 0; i < kRows * kColumns; ++i)
      REQUIRE(imported.acquisition.projection(view)[i] ==
              Approx(ln_count(masks, nearest[view], i) - ln_count(fills, view, i)).margin(1e-6));
  REQUIRE(has_line(imported.warnings, "mask: expected from the angle of its contrast frame"));
  // What the mask does not show cannot be subtracted.
  mask.text(DCM_ShutterShape, "RECTANGULAR")
      .text(DCM_ShutterLeftVerticalEdge, "3")
      .text(DCM_ShutterRightVerticalEdge, "9");
  mask.text(DCM_ShutterUpperHorizontalEdge, "0").text(DCM_ShutterLowerHorizontalEdge, "7");
  mask.save(folder / "mask.dcm");
  const Acquisition hidden = read_case(folder / "fill.dcm", options).acquisition;
  for (int i = 0; i < kRows * kColumns; ++i) REQUIRE((hidden.valid_pixels(1)[i] != 0) == (i % kColumns >= 3));
  mask.text(DCM_ShutterShape, "BITMAP")
      .number(DcmTagKey(0x6000, 0x0010), kRows)
      .number(DcmTagKey(0x6000, 0x0011), kColumns);
  mask.numbers(mask.root(), DcmTagKey(0x6000, 0x3000), {0x0400, 0, 0});
  mask.save(folder / "mask.dcm");
  const Acquisition pierced = read_case(folder / "fill.dcm", options).acquisition;
  for (int i = 0; i < kRows * kColumns; ++i) REQUIRE((pierced.valid_pixels(1)[i] != 0) == (i != 10));
}

TEST_CASE("import_dicom: files are put on one clock", "[import]") {
  const TemporaryFolder folder;
  const auto write = [&](const char* name, const char* date, const char* time, const char* angle) {
    DicomFile file(2, kRows, kColumns, counts(2));
    file.usual().text(DCM_PositionerPrimaryAngle, angle);
    if (*date != '\0') file.text(DCM_AcquisitionDate, date).text(DCM_AcquisitionTime, time);
    file.save(folder / name);
  };
  write("a", "20200229", "000000.500", "60");
  write("b", "20200228", "235959.25", "-60");
  test::write_bytes(folder / "notes.txt", "no DICOM");
  const ImportedCase imported = import_dicom({folder.path()}, background());
  const Acquisition& a = imported.acquisition;
  REQUIRE(a.num_views() == 4);
  const double times[] = {0, 0.1, 1.25, 1.35};
  for (int view = 0; view < 4; ++view) {
    REQUIRE(a.poses[view].time_s == Approx(times[view]).margin(1e-9));
    require_pose(a.poses[view], a.detector, view < 2 ? -60 : 60, 10);
  }
  REQUIRE(has_line(imported.found, "left alone: 1"));
  write("c", "", "", "0");
  REQUIRE(has_line(import_dicom({folder.path()}, background()).warnings, "one is taken to follow the other"));
  DicomImportOptions averaged = background();
  averaged.average_frames = true;
  averaged.first_frame = 2;
  REQUIRE(import_dicom({folder.path()}, averaged).acquisition.num_views() == 3);
}
