// SPDX-License-Identifier: Apache-2.0
// Importers, on small files written by hand. tests/import holds them against other programs' own ways of writing.

#include "dsasrgs/import.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <numbers>
#include <string>
#include <vector>

#include "dsasrgs/error.hpp"
#include "support/import_files.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using test::require_error;
using test::TemporaryFolder;

namespace {

void require_near(Vec3d found, Vec3d expected, double tolerance = 1e-9) {
  INFO(found.x << " " << found.y << " " << found.z << ", expected " << expected.x << " " << expected.y << " "
               << expected.z);
  REQUIRE(length(found - expected) <= tolerance);
}

bool has_line(const std::vector<std::string>& lines, std::string_view part) {
  return std::any_of(lines.begin(), lines.end(),
                     [&](const std::string& line) { return line.find(part) != std::string::npos; });
}

/// Pixels 0, 1/16, … of view 0, and of the stack's other views, too.
void require_pixels(const Acquisition& a, bool is_stack) {
  REQUIRE(a.detector.width_px == test::kImportWidth);
  REQUIRE(a.detector.height_px == test::kImportHeight);
  REQUIRE(a.num_views() == test::kImportViews);
  for (std::size_t i = 0; i < a.projections.size(); ++i)
    REQUIRE(a.projections[i] == Approx(static_cast<double>(is_stack ? i : i % 12) / 16).margin(1e-6));
}

}  // namespace

TEST_CASE("the box in view of a C-arm is the field of view at the isocentre") {
  const Detector detector{100, 60, 2, 2};
  CArmView view;
  std::vector<Pose> poses;
  for (const double a : {0.0, 1.0, 2.0}) {
    view.primary_rad = a;
    poses.push_back(carm_pose(view, 0));
  }
  // The edge of the detector is 100 mm (rows) or 60 mm off the axis, 1200 mm away: a ray that passes the isocentre,
  // 750 mm from the source, at 750·sin(atan(100/1200)).
  const double radius = 750 * std::sin(std::atan2(100, 1200)), height = 750 * std::sin(std::atan2(60, 1200));
  const VolumeGrid box = box_in_view(detector, poses);
  CHECK(box.spacing_mm.x == Approx(2 * 750.0 / 1200));
  CHECK(box.extent_mm().x == Approx(2 * radius).margin(box.spacing_mm.x));
  CHECK(box.extent_mm().y == Approx(2 * radius).margin(box.spacing_mm.x));
  CHECK(box.extent_mm().z == Approx(2 * height).margin(box.spacing_mm.x));
  require_near(box.center_mm(), {});

  SECTION("half a fan is as wide as its wider side") {
    view.offset_u_mm = 60;
    const VolumeGrid half = box_in_view(detector, {carm_pose(view, 0)});
    CHECK(half.extent_mm().x == Approx(2 * 750 * std::sin(std::atan2(160, 1200))).margin(2 * half.spacing_mm.x));
  }
  SECTION("many pixels do not make many voxels") {
    const VolumeGrid fine = box_in_view({4000, 2400, 0.05, 0.05}, poses);
    CHECK(fine.size_x == 256);
    CHECK(fine.extent_mm().x == Approx(2 * radius).epsilon(0.01));
  }
  SECTION("an isocentre out of view") {
    view.offset_v_mm = 100;
    require_error<InvalidArgument>([&] { box_in_view(detector, {carm_pose(view, 0)}); }, {"isocentre", "view 0"});
    require_error<InvalidArgument>([&] { box_in_view(detector, {}); }, {"at least one"});
  }
}

TEST_CASE("every kind is imported from small files") {
  const TemporaryFolder folder;
  test::write_import_files(folder.path());
  const Vec3d first{750 * std::cos(0.25), 750 * std::sin(0.25), 0};
  SECTION("images") {
    ImageImportOptions options;
    options.pitch_u_mm = 50;
    options.pitch_v_mm = 60;
    const ImportedCase imported = import_images(folder.path(), folder / "poses.csv", options);
    const Acquisition& a = imported.acquisition;
    require_pixels(a, false);
    require_near(a.poses[1].source_mm,
                 carm_pose({750, 1200, 55 * std::numbers::pi / 180, 2 * std::numbers::pi / 180, 3, 0}, 0).source_mm);
    CHECK(a.last_time_s() == 0.5);
    CHECK(has_line(imported.found, "primary angle: 10 to 55 degrees"));
    CHECK(has_line(imported.found, "secondary angle: 0 to 2 degrees"));
    CHECK(has_line(imported.found, "detector offset: u 0 to 3 mm, v 0 mm"));
    CHECK(has_line(imported.found, "line integrals: 0 to 0.688"));
    CHECK(has_line(imported.warnings, "poses.csv: /projections: "));  // two equal pictures
  }
  SECTION("4drgs") {
    const ImportedCase imported = import_4drgs(folder.path());
    require_pixels(imported.acquisition, true);
    require_near(imported.acquisition.poses[0].source_mm, first);
    CHECK(imported.acquisition.last_time_s() == 5);
    CHECK(has_line(imported.warnings, "evenly spaced over 5 s"));
    FourDrgsImportOptions options;
    options.duration_s = 4;
    options.num_train_views = 1;
    options.volume = VolumeGrid{8, 8, 8, {5, 5, 5}, {-20, -20, -20}};
    const ImportedCase other = import_4drgs(folder.path(), options);
    CHECK(other.acquisition.last_time_s() == 4);
    CHECK(other.acquisition.test_views == std::vector<int>{1});
    CHECK(other.acquisition.volume == *options.volume);
    CHECK(!has_line(other.warnings, "evenly spaced"));
  }
  SECTION("r2-gaussian") {
    const Acquisition a = import_r2_gaussian(folder.path()).acquisition;
    require_pixels(a, false);
    require_near(a.poses[0].source_mm, first);
    CHECK(a.test_views == std::vector<int>{1});
    CHECK(a.detector.pitch_u_mm == Approx(50));
    CHECK(a.detector.pitch_v_mm == Approx(60));
    REQUIRE(a.reference_volume);
    CHECK(a.reference_volume->values[1] == Approx(4.0 / 16 / 1000));  // [x,y,z] (1,0,0), per metre
  }
  SECTION("naf") {
    const Acquisition a = import_naf(folder / "naf.pickle").acquisition;
    require_pixels(a, true);
    require_near(a.poses[0].source_mm, first);
    CHECK(a.volume.extent_mm() == Vec3d{80, 80, 80});
  }
  SECTION("rtk") {
    const Acquisition a = import_rtk(folder / "rtk.xml", folder / "stack.mha").acquisition;
    require_pixels(a, true);
    require_near(a.poses[0].source_mm, {0, -750, 0});  // IEC's +z is up: the front of a patient on the back
    require_near(a.poses[1].source_mm, {750, 0, 0});   // and a gantry at 90 degrees is at the patient's left
    require_near(a.poses[0].detector_v, {0, 0, 1});
    require_near(a.poses[1].detector_center_mm, {-450, 2, 0});
  }
  SECTION("tigre") {
    const Acquisition a = import_tigre(folder / "tigre.json", folder / "stack.npy").acquisition;
    require_pixels(a, true);
    require_near(a.poses[0].source_mm, first);
    require_near(a.poses[0].detector_v, {0, 0, 1});
    require_near(a.poses[0].detector_center_mm, first * (-450.0 / 750) + Vec3d{-std::sin(0.25), std::cos(0.25), 0} * 4);
  }
  SECTION("astra") {
    const Acquisition a = import_astra(folder / "astra.txt", folder / "astra.npy").acquisition;
    REQUIRE(a.num_views() == 2);
    require_near(a.poses[0].detector_u, {0, 1, 0});
    CHECK(a.projection(1)[0] == 4.0F / 16);  // [H,N,W]: row 0 of view 1 is behind that of view 0
    CHECK(a.projection(0)[4] == 8.0F / 16);
  }
}

TEST_CASE("options of imports are checked") {
  const TemporaryFolder folder;
  test::write_import_files(folder.path());
  ImageImportOptions images;
  require_error<InvalidArgument>([&] { import_images(folder.path(), folder / "poses.csv", images); }, {"pitch_u_mm"});
  images.pitch_u_mm = images.pitch_v_mm = 1;
  images.grey.slope = 0;
  require_error<InvalidArgument>([&] { import_images(folder.path(), folder / "poses.csv", images); }, {"slope"});
  images.grey = {true, 1, 0, {}};
  require_error<BadInput>([&] { import_images(folder.path(), folder / "poses.csv", images); }, {"line 2: mask"});
  FourDrgsImportOptions options;
  options.num_train_views = 3;
  require_error<InvalidArgument>([&] { import_4drgs(folder.path(), options); }, {"num_train_views", "1 to 2"});
  options = {};
  options.duration_s = -1;
  require_error<InvalidArgument>([&] { import_4drgs(folder.path(), options); }, {"duration_s"});
  AstraImportOptions astra;
  astra.unit_mm = 0;
  require_error<InvalidArgument>([&] { import_astra(folder / "astra.txt", folder / "astra.npy", astra); }, {"unit_mm"});
}
