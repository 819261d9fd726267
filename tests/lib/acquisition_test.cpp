// SPDX-License-Identifier: Apache-2.0
#include "dsasrgs/acquisition.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "dsasrgs/baselines.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/fingerprint.hpp"
#include "dsasrgs/pseudo_labels.hpp"
#include "support/small_acquisition.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using test::require_error;
using test::small_acquisition;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

/// The acquisition must be refused, by name, for its field, with what was expected and found.
void require_refused(const std::function<void(Acquisition&)>& spoil, std::string_view field, std::string_view expected,
                     std::string_view found) {
  Acquisition a = small_acquisition();
  REQUIRE_NOTHROW(a.validate());
  spoil(a);
  require_error<BadInput>(
      [&] { a.validate(); },
      {"small: " + std::string(field) + ": expected " + std::string(expected), ", found " + std::string(found)});
}

}  // namespace

TEST_CASE("acquisition: accessors give the views' own pixels", "[acquisition]") {
  Acquisition a = small_acquisition();
  REQUIRE(a.num_views() == 4);
  REQUIRE(a.projection(2).size() == 15);
  REQUIRE(a.projection(2).data() == a.projections.data() + 30);
  REQUIRE(a.reference_projection(3).data() == a.reference_projections->values.data() + 180);
  REQUIRE(a.reference_projection(3).size() == 60);
  REQUIRE(a.first_time_s() == 0);
  REQUIRE(a.last_time_s() == 3);
  REQUIRE(a.valid_pixels(3).data() == a.valid.data());
  a.valid.assign(60, 1);
  REQUIRE(a.valid_pixels(3).data() == a.valid.data() + 45);
  REQUIRE(a.valid_pixels(3).size() == 15);
  a.valid.clear();
  REQUIRE(a.valid_pixels(3).empty());
  a.reference_projections.reset();
  require_error<InvalidArgument>([&] { a.projection(4); }, {"projection", "0 to 3", "found 4"});
  require_error<InvalidArgument>([&] { a.valid_pixels(-1); }, {"valid_pixels", "0 to 3", "found -1"});
  require_error<InvalidArgument>([&] { a.reference_projection(0); }, {"reference_projection", "found none"});
  a.poses.clear();
  require_error<InvalidArgument>([&] { a.first_time_s(); }, {"first_time_s", "at least one view", "found none"});
  require_error<InvalidArgument>([&] { a.last_time_s(); }, {"last_time_s", "at least one view", "found none"});
}

TEST_CASE("acquisition: accessors never read beyond arrays that are too short", "[acquisition]") {
  Acquisition a = small_acquisition();
  REQUIRE(interpolate_views(a, 1).size() == 15);
  REQUIRE(bicubic_label(a, 0, 2).values.size() == 60);
  a.projections.pop_back();
  require_error<InvalidArgument>([&] { a.projection(0); }, {"projection", "expected 60 values", "found 59"});
  CHECK_THROWS_AS(interpolate_views(a, 1), InvalidArgument);
  CHECK_THROWS_AS(measurement_fingerprint(a, {0}), InvalidArgument);
  CHECK_THROWS_AS(bicubic_label(a, 0, 2), InvalidArgument);
  CHECK_THROWS_AS(lanczos_label(a, 0, 2), InvalidArgument);
  a = small_acquisition();
  a.valid.assign(16, 1);  // neither one image nor four
  require_error<InvalidArgument>([&] { a.valid_pixels(0); }, {"valid_pixels", "expected 60 values", "found 16"});
  a.reference_projections->values.pop_back();
  require_error<InvalidArgument>([&] { a.reference_projection(0); }, {"reference_projections.values", "found 239"});
  CHECK_THROWS_AS(oracle_label(a, 0, 2, {}), InvalidArgument);
}

TEST_CASE("acquisition: split_evenly follows the usual protocol", "[acquisition]") {
  Acquisition a = small_acquisition();
  a.poses.resize(10);
  split_evenly(a, 4);
  REQUIRE(a.train_views == std::vector<int>{0, 2, 5, 7});
  REQUIRE(a.test_views == std::vector<int>{1, 3, 4, 6, 8, 9});
  split_evenly(a, 10);
  REQUIRE(a.train_views.size() == 10);
  REQUIRE(a.test_views.empty());
  require_error<InvalidArgument>([&] { split_evenly(a, 11); }, {"1 to 10", "found 11"});
  require_error<InvalidArgument>([&] { split_evenly(a, 0); }, {"1 to 10", "found 0"});
}

TEST_CASE("acquisition: without anything optional it is valid", "[acquisition]") {
  Acquisition a = small_acquisition();
  a.valid.clear();
  a.train_views.clear();
  a.test_views.clear();
  a.reference_projections.reset();
  a.reference_volume.reset();
  REQUIRE_NOTHROW(a.validate());
}

TEST_CASE("acquisition: sizes are checked", "[acquisition]") {
  require_refused([](Acquisition& a) { a.poses.clear(); }, "/projections views", "1 to", "0");
  require_refused([](Acquisition& a) { a.detector.width_px = 0; }, "/projections width", "1 to", "0");
  require_refused([](Acquisition& a) { a.detector.height_px = -3; }, "/projections height", "1 to", "-3");
  require_refused([](Acquisition& a) { a.projections.pop_back(); }, "/projections", "60 values", "59");
  require_refused([](Acquisition& a) { a.valid.resize(45); }, "/valid", "15 or 60 values", "45");
  require_refused([](Acquisition& a) { a.volume.size_z = 0; }, "/volume@size[2]", "1 to", "0");
  require_refused([](Acquisition& a) { a.volume.size_y = 1 << 30; }, "/volume@size[1]", "1 to", "1073741824");
  require_refused([](Acquisition& a) { a.reference_projections->scale = 0; }, "/reference/projections@scale", "1 to",
                  "0");
  require_refused([](Acquisition& a) { a.reference_projections->scale = 3; }, "/reference/projections", "540 values",
                  "240");
  require_refused([](Acquisition& a) { a.reference_volume->values.resize(25); }, "/reference/volume", "24 values",
                  "25");
}

TEST_CASE("acquisition: numbers must be finite, and the pixel is named", "[acquisition]") {
  require_refused([](Acquisition& a) { a.projections[2 * 15 + 1 * 5 + 3] = kInf; }, "/projections", "finite numbers",
                  "inf at view 2, row 1, column 3");
  require_refused([](Acquisition& a) { a.projections[0] = std::nanf(""); }, "/projections", "finite numbers",
                  "nan at view 0, row 0, column 0");
  require_refused([](Acquisition& a) { a.reference_projections->values[239] = kInf; }, "/reference/projections",
                  "finite numbers", "inf at view 3, row 5, column 9");
  require_refused([](Acquisition& a) { a.reference_volume->values[5] = kInf; }, "/reference/volume", "finite numbers",
                  "inf at voxel 5");
  require_refused([](Acquisition& a) { a.reference_volume->time_s = kNan; }, "/reference/volume@time_s",
                  "a time within 1e9 s", "nan");
  require_refused([](Acquisition& a) { a.poses[1].time_s = kNan; }, "/time_s[1]", "a time within 1e9 s", "nan");
  require_refused([](Acquisition& a) { a.poses[3].time_s = 1e300; }, "/time_s[3]", "a time within 1e9 s", "1e+300");
  require_refused([](Acquisition& a) { a.poses[1].source_mm.y = kNan; }, "/geometry/source_mm[1]",
                  "coordinates within 1e9 mm", "(");
  require_refused([](Acquisition& a) { a.poses[2].detector_center_mm.z = kInf; }, "/geometry/detector_center_mm[2]",
                  "coordinates within 1e9 mm", "(");
  require_refused([](Acquisition& a) { a.poses[3].detector_u.x = kNan; }, "/geometry/detector_u[3]", "finite", "(nan");
  require_refused([](Acquisition& a) { a.volume.origin_mm.x = kNan; }, "/volume@origin_mm", "coordinates within 1e9 mm",
                  "(nan");
  require_refused([](Acquisition& a) { a.volume.spacing_mm.z = 0; }, "/volume@spacing_mm[2]", "a length of", "0");
  require_refused([](Acquisition& a) { a.detector.pitch_v_mm = -0.5; }, "/geometry@pixel_pitch_mm[1]",
                  "a length of 1e-6 to 1e9 mm", "-0.5");
  require_refused([](Acquisition& a) { a.detector.pitch_u_mm = 1e300; }, "/geometry@pixel_pitch_mm[0]", "a length of",
                  "1e+300");
}

TEST_CASE("acquisition: times must not decrease; equal times are fine", "[acquisition]") {
  require_refused([](Acquisition& a) { a.poses[2].time_s = 0.5; }, "/time_s[2]", "at least 1, the time before it",
                  "0.5");
  Acquisition a = small_acquisition();
  a.poses[2].time_s = a.poses[1].time_s;
  REQUIRE_NOTHROW(a.validate());
}

TEST_CASE("acquisition: detector axes must be unit and orthogonal to 1e-4", "[acquisition]") {
  require_refused([](Acquisition& a) { a.poses[1].detector_u = a.poses[1].detector_u * 1.0002; },
                  "/geometry/detector_u[1]", "a unit vector", "(");
  require_refused([](Acquisition& a) { a.poses[1].detector_v = {}; }, "/geometry/detector_v[1]", "a unit vector", "(");
  const auto tilt = [](double angle) {
    return [angle](Acquisition& a) {
      Pose& p = a.poses[3];
      p.detector_v = p.detector_v * std::cos(angle) + p.detector_u * std::sin(angle);
    };
  };
  require_refused(tilt(2e-4), "/geometry/detector_v[3]", "a vector orthogonal", "their product 0.00019999");
  Acquisition a = small_acquisition();
  tilt(5e-5)(a);
  a.poses[1].detector_u = a.poses[1].detector_u * 1.00005;
  REQUIRE_NOTHROW(a.validate());
}

TEST_CASE("acquisition: a mirrored detector is allowed", "[acquisition]") {
  Acquisition a = small_acquisition();
  for (Pose& p : a.poses) p.detector_v = -p.detector_v;
  REQUIRE_NOTHROW(a.validate());
}

TEST_CASE("acquisition: the volume lies between source and detector", "[acquisition]") {
  require_refused(
      [](Acquisition& a) {
        a.poses[0].source_mm = {0.5, -0.5, 1};
      },
      "/geometry/source_mm[0]", "a source outside the volume", "(0.5, -0.5, 1) inside");
  require_refused(
      [](Acquisition& a) {
        Pose& p = a.poses[1];  // SDD 700 mm, SOD 750 mm
        const Vec3d normal = normalized(-p.source_mm);
        p.detector_center_mm = p.source_mm + normal * 700.0;
      },
      "/geometry/detector_center_mm[1]", "a detector beyond the volume's centre, 750 mm from the source",
      "700 mm from the source");
  require_refused([](Acquisition& a) { a.poses[2].detector_center_mm = a.poses[2].source_mm * 1.6; },
                  "/geometry/source_mm[2]", "the volume between source and detector",
                  "the volume's centre 750 mm behind");
}

TEST_CASE("acquisition: a detector seen edge-on is refused", "[acquisition]") {
  require_refused(
      [](Acquisition& a) {
        Pose& p = a.poses[2];
        const Vec3d way = p.detector_center_mm - p.source_mm;
        p.detector_v = normalized(way - p.detector_u * dot(way, p.detector_u));
      },
      "/geometry/detector_center_mm[2]", "a source outside the detector's plane", "");
}

TEST_CASE("acquisition: training views are asked for in order, also before they are checked", "[acquisition]") {
  Acquisition a = small_acquisition();
  a.train_views = {3, 0, 3};
  a.test_views.clear();
  CHECK(a.training_views() == std::vector<int>{0, 3});
  a.train_views.clear();
  a.test_views = {2, 0};
  CHECK(a.training_views() == std::vector<int>{1, 3});
}

TEST_CASE("acquisition: views of a split exist, once, on one side", "[acquisition]") {
  require_refused([](Acquisition& a) { a.train_views = {0, 4}; }, "/split/train[1]", "a view of 0 to 3", "4");
  require_refused([](Acquisition& a) { a.test_views = {-1}; }, "/split/test[0]", "a view of 0 to 3", "-1");
  require_refused([](Acquisition& a) { a.train_views = {2, 2}; }, "/split/train[1]", "views in ascending order", "2");
  require_refused(
      [](Acquisition& a) {
        a.test_views = {1, 2};
      },
      "/split/test[1]", "a view that is not in /split/train", "2 in both");
}
