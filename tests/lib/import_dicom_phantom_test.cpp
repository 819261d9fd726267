// SPDX-License-Identifier: Apache-2.0
// The real files of ../shared/data: six views of one phantom must agree. What five views have in common is projected
// into the sixth, whose own image is the truth. `dsasrgs_tests -s "import_dicom: six views*"` prints the numbers.

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "dsasrgs/error.hpp"
#include "dsasrgs/geometry.hpp"
#include "dsasrgs/import_dicom.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;

namespace {

const std::filesystem::path kData = DSASRGS_SHARED_DATA;

ImportedCase phantom(bool mirrored) {
  DicomImportOptions options;
  options.subtraction = DicomSubtraction::background;
  options.tags.relationship = DicomIntensity::linear;  // the files say DISP and DRM: grey values for display
  options.tags.mirror_columns = mirrored;
  options.average_frames = true;
  options.first_frame = 4;  // the exposure rises over the first frames
  options.tags_of["IM5"].table_mm = Vec3d{0, -17.7, 0};
  options.tags_of["IM6"].table_mm = Vec3d{-1.5, -28.9, -33.7};
  return import_dicom({kData / "xa-phantom"}, options);
}

/// Pixels of one view [H,W] as a vessel, not a vessel, or not known.
struct Silhouette {
  int width = 0, height = 0;
  std::vector<std::uint8_t> vessel, known;
  std::size_t at(int x, int y) const { return static_cast<std::size_t>(y) * width + x; }
  bool has(int x, int y) const { return x >= 0 && y >= 0 && x < width && y < height; }
  /// Pixels to the nearest vessel; `most` where none is nearer.
  double distance(int x, int y, int most) const {
    double nearest = most;
    for (int dy = -most; dy <= most; ++dy)
      for (int dx = -most; dx <= most; ++dx)
        if (has(x + dx, y + dy) && vessel[at(x + dx, y + dy)] != 0) nearest = std::min(nearest, std::hypot(dx, dy));
    return nearest;
  }
};

std::vector<float> smoothed(std::span<const float> image, int width, int height) {
  std::vector<float> mean(image.begin(), image.end());
  for (int y = 1; y < height - 1; ++y)
    for (int x = 1; x < width - 1; ++x) {
      float sum = 0;
      for (int part = 0; part < 9; ++part)
        sum += image[static_cast<std::size_t>(y + part / 3 - 1) * width + x + part % 3 - 1];
      mean[static_cast<std::size_t>(y) * width + x] = sum / 9;
    }
  return mean;
}

/// Removes what hangs together in fewer pixels.
void drop_specks(Silhouette& s, std::size_t fewest) {
  std::vector<std::uint8_t> seen(s.vessel.size(), 0);
  for (int y = 0; y < s.height; ++y)
    for (int x = 0; x < s.width; ++x) {
      if (s.vessel[s.at(x, y)] == 0 || seen[s.at(x, y)] != 0) continue;
      std::vector<std::pair<int, int>> part{{x, y}};
      seen[s.at(x, y)] = 1;
      for (std::size_t i = 0; i < part.size(); ++i)
        for (const auto& [dx, dy] : {std::pair{1, 0}, {-1, 0}, {0, 1}, {0, -1}}) {
          const int nx = part[i].first + dx, ny = part[i].second + dy;
          if (!s.has(nx, ny) || s.vessel[s.at(nx, ny)] == 0 || seen[s.at(nx, ny)] != 0) continue;
          seen[s.at(nx, ny)] = 1;
          part.emplace_back(nx, ny);
        }
      if (part.size() < fewest)
        for (const auto& [px, py] : part) s.vessel[s.at(px, py)] = 0;
    }
}

Silhouette silhouette(const Acquisition& a, int view) {
  constexpr int kBorder = 18;  // the dark rim of the collimator, which the tags place a few pixels further out
  constexpr float kVessel = 0.35F;
  Silhouette s{a.detector.width_px, a.detector.height_px, {}, {}};
  const auto valid = a.valid_pixels(view);
  s.known.assign(valid.begin(), valid.end());
  for (int y = 0; y < s.height; ++y)
    for (int x = 0; x < s.width; ++x)
      for (const auto& [dx, dy] : {std::pair{kBorder, 0}, {-kBorder, 0}, {0, kBorder}, {0, -kBorder}})
        if (!s.has(x + dx, y + dy) || valid[s.at(x + dx, y + dy)] == 0) s.known[s.at(x, y)] = 0;
  const std::vector<float> image = smoothed(smoothed(a.projection(view), s.width, s.height), s.width, s.height);
  s.vessel.resize(image.size());
  for (std::size_t i = 0; i < image.size(); ++i) s.vessel[i] = image[i] > kVessel && s.known[i] != 0 ? 1 : 0;
  drop_specks(s, 150);
  return s;
}

struct Agreement {
  std::size_t voxels = 0;
  double mean_px = 0, p90_px = 0;  ///< of common voxels to the sixth view's vessels
  double covered = 0;              ///< share of the sixth view's vessel pixels within 2 pixels of a common voxel
};

/// Voxels that at least four of five views see, and all that see them as vessel, held against the sixth.
std::vector<Agreement> agreements(const Acquisition& a) {
  constexpr double kHalf_mm = 75, kVoxel_mm = 0.6;
  constexpr int kMost_px = 12, kFewestViews = 4;
  std::vector<Silhouette> views;
  for (int v = 0; v < a.num_views(); ++v) views.push_back(silhouette(a, v));
  std::vector<std::vector<double>> distances(views.size());
  std::vector<Silhouette> shadows;
  for (const Silhouette& s : views)
    shadows.push_back({s.width, s.height, std::vector<std::uint8_t>(s.vessel.size()), {}});
  const int side = static_cast<int>(2 * kHalf_mm / kVoxel_mm);
  for (int k = 0; k < side; ++k)
    for (int j = 0; j < side; ++j)
      for (int i = 0; i < side; ++i) {
        const Vec3d x{(i + 0.5) * kVoxel_mm - kHalf_mm, (j + 0.5) * kVoxel_mm - kHalf_mm,
                      (k + 0.5) * kVoxel_mm - kHalf_mm};
        std::array<Vec2d, 6> at;
        int against = -1, seen = 0;
        bool two_against = false;
        for (int v = 0; v < a.num_views() && !two_against; ++v) {
          at[v] = project_point(a.poses[v], a.detector, x);
          const int px = static_cast<int>(std::floor(at[v].x)), py = static_cast<int>(std::floor(at[v].y));
          const Silhouette& s = views[v];
          if (!s.has(px, py) || s.known[s.at(px, py)] == 0) continue;
          ++seen;
          if (s.vessel[s.at(px, py)] != 0) continue;
          two_against = against >= 0;
          against = v;
        }
        if (two_against || seen < kFewestViews + 1) continue;
        for (int v = 0; v < a.num_views(); ++v) {
          if (against >= 0 && against != v) continue;  // one of the five is against it
          const int px = static_cast<int>(std::floor(at[v].x)), py = static_cast<int>(std::floor(at[v].y));
          if (!views[v].has(px, py) || views[v].known[views[v].at(px, py)] == 0) continue;
          distances[v].push_back(views[v].distance(px, py, kMost_px));
          shadows[v].vessel[shadows[v].at(px, py)] = 1;
        }
      }
  std::vector<Agreement> all;
  for (std::size_t v = 0; v < views.size(); ++v) {
    Agreement one;
    std::vector<double>& d = distances[v];
    one.voxels = d.size();
    for (const double distance : d) one.mean_px += distance / static_cast<double>(d.size());
    std::sort(d.begin(), d.end());
    if (!d.empty()) one.p90_px = d[d.size() * 9 / 10];
    std::size_t vessel = 0, near = 0;
    for (int y = 0; y < views[v].height; ++y)
      for (int x = 0; x < views[v].width; ++x)
        if (views[v].vessel[views[v].at(x, y)] != 0) {
          ++vessel;
          near += shadows[v].distance(x, y, 3) <= 2 ? 1 : 0;
        }
    one.covered = static_cast<double>(near) / static_cast<double>(std::max<std::size_t>(vessel, 1));
    all.push_back(one);
  }
  return all;
}

}  // namespace

TEST_CASE("import_dicom: six views of the phantom agree", "[real][import]") {
  const ImportedCase imported = phantom(false);
  REQUIRE(imported.acquisition.num_views() == 6);
  const std::vector<Agreement> views = agreements(imported.acquisition);
  for (std::size_t v = 0; v < views.size(); ++v) {
    INFO("view " << v << " from the other five: " << views[v].voxels << " voxels, reprojection error mean "
                 << views[v].mean_px << " px, 90th percentile " << views[v].p90_px << " px; " << 100 * views[v].covered
                 << " % of its vessels within 2 px");
    REQUIRE(views[v].mean_px < 1);
    REQUIRE(views[v].p90_px < 3);
    REQUIRE(views[v].covered > 0.85);
  }
  // Columns the other way round, nothing fits: the measure would show a wrong sign.
  std::size_t voxels = 0, wrong = 0;
  for (const Agreement& a : views) voxels += a.voxels;
  for (const Agreement& a : agreements(phantom(true).acquisition)) wrong += a.voxels;
  INFO("common voxels " << voxels << ", with mirrored columns " << wrong);
  REQUIRE(wrong * 4 < voxels);
}

TEST_CASE("import_dicom: the phantom's tags", "[real][import]") {
  DicomImportOptions options;
  options.subtraction = DicomSubtraction::background;
  test::require_error<BadInput>([&] { import_dicom({kData / "xa-phantom/IM1"}, options); }, {"(0028,1040)", "DISP"});
  options.tags.relationship = DicomIntensity::linear;
  const ImportedCase imported = import_dicom({kData / "xa-phantom"}, options);
  REQUIRE(imported.acquisition.num_views() == 14 + 12 + 12 + 10 + 16 + 9);
  REQUIRE(imported.acquisition.detector.pitch_u_mm == 0.390625);
  const auto warned = [&](const std::string& part) {
    return std::any_of(imported.warnings.begin(), imported.warnings.end(),
                       [&](const std::string& line) { return line.find(part) != std::string::npos; });
  };
  REQUIRE(warned("IM1: no (0018,1164) ImagerPixelSpacing: 0.391 mm follows from (0018,1149)"));
  REQUIRE(warned(
      "IM5: table: expected where it was for IM1, found that it moved by the maker's tags: perhaps tags.table_mm = "
      "0,-17.7,0"));
  REQUIRE(warned(
      "IM6: table: expected where it was for IM1, found that it moved by the maker's tags: perhaps tags.table_mm = "
      "-1.5,-28.9,-33.7"));
}

TEST_CASE("import_dicom: baseline JPEG of 96 frames, RLE of ten bits in sixteen", "[real][import]") {
  const auto siemens = kData / "xa-dicom/xa_siemens_rubo0002_coronary_96f_mask.dcm";
  const auto nema = kData / "xa-dicom/xa1_nema_wg04_cerebral_rle.dcm";
  DicomImportOptions options;
  options.tags.sod_mm = 785;
  options.tags.sdd_mm = 1000;
  options.tags.pixel_spacing_mm = Vec2d{0.3, 0.3};
  options.bin = 4;
  // Its mask says NONE, and its angles are there.
  test::require_error<BadInput>([&] { import_dicom({siemens}, options); }, {"(0028,6100)", "found none"});
  options.tags.mask_frames = {1, 2, 3};
  const Acquisition run = import_dicom({siemens}, options).acquisition;
  REQUIRE(run.num_views() == 93);
  REQUIRE(run.last_time_s() == Approx(92 * 0.033));
  options.tags.mask_frames = {};
  options.subtraction = DicomSubtraction::background;
  test::require_error<BadInput>([&] { import_dicom({nema}, options); }, {"(0018,1510)", "primary_deg"});
  options.tags.primary_deg = options.tags.secondary_deg = 0;
  options.tags.relationship = DicomIntensity::linear;
  const Acquisition one = import_dicom({nema}, options).acquisition;
  REQUIRE(one.detector.width_px == 256);
}
