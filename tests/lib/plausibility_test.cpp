// SPDX-License-Identifier: Apache-2.0
// What implausibilities() finds in spoilt acquisitions, one mistake at a time. plausible_cases_test.cpp: what it must
// not find.

#include "dsasrgs/plausibility.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <string>
#include <string_view>

#include "dsasrgs/error.hpp"
#include "plausibility/limits.hpp"
#include "support/blob_sweep.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using test::blob_projections;
using test::blob_sweep;

namespace {

using Kind = Implausibility;

std::string text_of(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& f : findings) text += f.message + "\n";
  return text;
}

/// There must be this finding and no other; its message is one line that holds `parts`.
Finding only_finding(const Acquisition& a, Kind kind, std::initializer_list<std::string_view> parts) {
  a.validate();
  const std::vector<Finding> findings = implausibilities(a);
  INFO(text_of(findings));
  REQUIRE(findings.size() == 1);
  const Finding f = findings.front();
  REQUIRE(name_of(f.kind) == name_of(kind));
  REQUIRE(f.message.find('\n') == std::string::npos);
  REQUIRE(f.message.starts_with(f.field + ": expected "));
  for (const std::string_view part : parts) {
    INFO(part);
    REQUIRE(f.message.find(part) != std::string::npos);
  }
  return f;
}

template <class F>
void change_pixels(Acquisition& a, const F& f) {
  for (float& p : a.projections) p = static_cast<float>(f(static_cast<double>(p)));
}

/// Pixels of one view.
std::span<float> pixels(Acquisition& a, int view) {
  const std::size_t n = a.detector.num_pixels();
  return std::span(a.projections).subspan(static_cast<std::size_t>(view) * n, n);
}

void scale_lengths(Acquisition& a, double factor) {
  for (Pose& pose : a.poses) {
    pose.source_mm = pose.source_mm * factor;
    pose.detector_center_mm = pose.detector_center_mm * factor;
  }
  a.detector.pitch_u_mm *= factor;
  a.detector.pitch_v_mm *= factor;
  a.volume.spacing_mm = a.volume.spacing_mm * factor;
  a.volume.origin_mm = a.volume.origin_mm * factor;
}

/// Poses at these angles, taken for radians.
std::vector<Pose> poses_at(int views, double first, double step) {
  std::vector<Pose> poses;
  for (int v = 0; v < views; ++v)
    poses.push_back(carm_pose({.primary_rad = std::remainder(first + step * v, 2 * std::numbers::pi)}, v));
  return poses;
}

}  // namespace

TEST_CASE("implausibilities: grey values and hot pixels are beyond line integrals", "[plausibility]") {
  Acquisition a = blob_sweep();
  change_pixels(a, [](double p) { return 700 * p; });
  Finding f = only_finding(a, Kind::line_integral_range, {"/projections", "at most 15", "pixels beyond (", "in view "});
  REQUIRE(f.limit == plausible::kLargestLineIntegral);
  REQUIRE(f.value == *std::max_element(a.projections.begin(), a.projections.end()));

  a = blob_sweep();
  pixels(a, 16)[5] = 50;
  f = only_finding(a, Kind::line_integral_range, {"found 1 pixel beyond (0.00156 %), the largest 50 in view 16"});
  REQUIRE(f.view == 16);
  a.valid.assign(a.detector.num_pixels(), 1);
  a.valid[5] = 0;
  REQUIRE(implausibilities(a).empty());
}

TEST_CASE("implausibilities: detector counts without the logarithm", "[plausibility]") {
  Acquisition a = blob_sweep();
  change_pixels(a, [](double p) { return std::rint(40000 * std::exp(-p)); });
  only_finding(a, Kind::no_logarithm, {"a background near 0, found a background of 40000", "quantity = intensity"});
  a = blob_sweep();
  change_pixels(a, [](double p) { return std::rint(179 - 100 * p); });
  REQUIRE(only_finding(a, Kind::no_logarithm, {"found a background of 179"}).value == 179);
}

TEST_CASE("implausibilities: subtraction the wrong way round and inverted images", "[plausibility]") {
  Acquisition a = blob_sweep();
  change_pixels(a, [](double p) { return -p; });
  only_finding(a, Kind::reversed_subtraction, {"a background of 0 and values from -0.", "ln(mask) - ln(fill)"});
  a = blob_sweep();
  change_pixels(a, [](double p) { return 0.4 - p; });
  only_finding(a, Kind::inverted_images, {"a background of 0.4 and values from "});
  a = blob_sweep();
  change_pixels(a, [](double p) { return std::exp(-p); });
  only_finding(a, Kind::inverted_images, {"a background of 1 and values from ", "intensities without the logarithm"});
}

TEST_CASE("implausibilities: a background far from 0", "[plausibility]") {
  Acquisition a = blob_sweep();
  change_pixels(a, [](double p) { return p + 0.9; });
  only_finding(a, Kind::background_level, {"near 0 at their border", "found 0.9 there and vessels up to 1."});
  a = blob_sweep();
  change_pixels(a, [](double p) { return p - 0.9; });
  only_finding(a, Kind::background_level, {"found -0.9 there"});
}

TEST_CASE("implausibilities: bone of a head that moved", "[plausibility]") {
  const auto with_edges = [](float size) {  // of both signs, beside each other, as uneven as bone
    Acquisition a = blob_sweep();
    const std::size_t pixels = a.detector.num_pixels();
    for (std::size_t i = 0; i < a.projections.size(); ++i) {
      const std::size_t row = i % pixels / static_cast<std::size_t>(a.detector.width_px);
      const float uneven = size * (1 + 0.2f * std::sin(0.37f * static_cast<float>(i)));
      if (row == 2 || row == 3) a.projections[i] += uneven;
      if (row == 4 || row == 5) a.projections[i] -= uneven;
    }
    return a;
  };
  CHECK(implausibilities(with_edges(0.05f)).empty());
  only_finding(with_edges(1.2f), Kind::moved_head,
               {"expected little below the background", "values from -1.4", "dsasrgs align"});
}

TEST_CASE("implausibilities: saturated views", "[plausibility]") {
  Acquisition a = blob_sweep();
  change_pixels(a, [](double p) { return std::min(p, 0.05); });
  const Finding f =
      only_finding(a, Kind::saturated_views, {"found 40 of 40 views", " % of the pixels of view ", "0.05"});
  REQUIRE(f.value > plausible::kLargestShareAtMaximum);
}

TEST_CASE("implausibilities: views that show nothing", "[plausibility]") {
  Acquisition a = blob_sweep();
  for (int v = 0; v < 6; ++v) std::fill(pixels(a, v).begin(), pixels(a, v).end(), 0.0f);
  REQUIRE(implausibilities(a).empty());  // the contrast has not arrived
  std::fill(pixels(a, 8).begin(), pixels(a, 8).end(), 0.0f);
  REQUIRE(only_finding(a, Kind::constant_views, {"found view 8, with one value everywhere, 0"}).view == 8);
  std::fill(pixels(a, 39).begin(), pixels(a, 39).end(), 0.0f);
  only_finding(a, Kind::constant_views, {"found 2 views, the first of them view 8"});
  std::fill(pixels(a, 0).begin(), pixels(a, 0).end(), 0.1f);
  only_finding(a, Kind::constant_views, {"found 3 views, the first of them view 0", "everywhere, 0.1"});

  for (const double level : {0.0, 0.3}) {
    change_pixels(a, [&](double) { return level; });
    only_finding(a, Kind::no_contrast, {"found 40 views with one value everywhere", level > 0 ? "0.3 in" : "0 in"});
  }
}

TEST_CASE("implausibilities: a view written twice", "[plausibility]") {
  Acquisition a = blob_sweep();
  std::copy_n(pixels(a, 6).begin(), a.detector.num_pixels(), pixels(a, 7).begin());
  REQUIRE(only_finding(a, Kind::duplicate_views, {"1 view that repeats", "view 7 does view 6"}).view == 7);
  std::copy_n(pixels(a, 6).begin(), a.detector.num_pixels(), pixels(a, 30).begin());
  only_finding(a, Kind::duplicate_views, {"2 views that repeat"});
  a = blob_sweep();
  a.poses[7] = a.poses[6];  // read twice
  std::copy_n(pixels(a, 6).begin(), a.detector.num_pixels(), pixels(a, 7).begin());
  only_finding(a, Kind::duplicate_views, {"1 view that repeats", "view 7 does view 6"});
  a = blob_sweep();
  const std::size_t last = a.poses.size() - 1;  // a closed circle about a phantom at rest
  a.poses[last] = a.poses[0];
  std::copy_n(pixels(a, 0).begin(), a.detector.num_pixels(), pixels(a, static_cast<int>(last)).begin());
  for (const Finding& f : implausibilities(a)) CHECK(f.kind != Kind::duplicate_views);
}

TEST_CASE("implausibilities: lengths in another unit", "[plausibility]") {
  for (const double factor : {0.1, 1e-3, 1e3}) {
    Acquisition a = blob_sweep();
    scale_lengths(a, factor);
    const Finding f = only_finding(a, Kind::length_unit, {"200 to 2500 mm", "mm in view 0", "the file's are mm"});
    REQUIRE(f.value == Approx(1200 * factor));
  }
  Acquisition a = blob_sweep();
  a.volume = {32, 32, 32, {0.005, 0.005, 0.005}, {-0.08, -0.08, -0.08}};
  only_finding(a, Kind::length_unit, {"/volume", "0.5 to 2000 mm, found 0.16 mm"});
}

TEST_CASE("implausibilities: pixel pitch in another unit", "[plausibility]") {
  for (const double factor : {0.1, 1e-3, 100.0}) {
    Acquisition a = blob_sweep();
    a.detector.pitch_u_mm *= factor;
    a.detector.pitch_v_mm *= factor;
    only_finding(a, Kind::detector_size, {"/geometry@pixel_pitch_mm", "2 to 60 degrees, found ", "1200 mm away"});
  }
}

TEST_CASE("implausibilities: a volume in another unit", "[plausibility]") {
  Acquisition a = blob_sweep();
  a.volume = {32, 32, 32, {0.5, 0.5, 0.5}, {-8, -8, -8}};
  Finding f = only_finding(a, Kind::volume_size, {"found 0.0831: 16 mm, projected on a detector of 308 mm"});
  REQUIRE(f.limit == plausible::kSmallestShadow);
  a.volume = {32, 32, 32, {27, 27, 27}, {-432, -432, -432}};
  f = only_finding(a, Kind::volume_size, {"found 4.49: 864 mm"});
  REQUIRE(f.limit == plausible::kLargestShadow);
}

TEST_CASE("implausibilities: a volume that the detector cuts", "[plausibility]") {
  Acquisition a = blob_sweep();
  a.volume = {32, 32, 32, {22, 22, 22}, {-352, -352, -352}};
  for (Pose& pose : a.poses) pose.detector_center_mm = pose.detector_center_mm * (400.0 / 450);
  a.projections = blob_projections(a.poses, a.detector);
  const Finding f = only_finding(a, Kind::volume_cut, {"between source and detector", "mm of it behind one of them"});
  REQUIRE(f.value == Approx(352 * std::numbers::sqrt2 - 400).epsilon(0.02));
}

TEST_CASE("implausibilities: a volume that no view sees", "[plausibility]") {
  Acquisition a = blob_sweep();
  a.volume.origin_mm = {200, 200, 200};
  const Finding f =
      only_finding(a, Kind::volume_off_detector,
                   {"beside the detector in 100 % of the views", "it is 485 mm from where the central rays meet"});
  REQUIRE(f.value == 1);
  a.volume.origin_mm = {};  // forgotten
  only_finding(a, Kind::volume_off_detector, {"it is 139 mm from where"});
}

TEST_CASE("implausibilities: contrast beside the volume", "[plausibility]") {
  Acquisition a = blob_sweep();
  a.volume = {16, 16, 16, {3, 3, 3}, {-24, -24, -24}};  // too small
  const Finding f = only_finding(a, Kind::signal_outside_volume, {"/volume", " % of it outside, most in view "});
  REQUIRE(f.value > 0.5);

  a = blob_sweep();  // a shift of 90 mm that the file does not know of
  std::vector<Pose> shifted = a.poses;
  for (Pose& pose : shifted) pose.detector_center_mm += pose.detector_u * 90;
  a.projections = blob_projections(shifted, a.detector);
  a.volume = {26, 26, 26, {4, 4, 4}, {-52, -52, -52}};
  only_finding(a, Kind::signal_outside_volume, {"a forgotten detector offset"});
  a.poses = shifted;
  REQUIRE(implausibilities(a).empty());
}

TEST_CASE("implausibilities: one pose and narrow sweeps", "[plausibility]") {
  Acquisition a = blob_sweep();
  std::fill(a.poses.begin(), a.poses.end(), a.poses.front());
  REQUIRE(only_finding(a, Kind::same_pose, {"one pose for all 40 views"}).value == 40);

  a = blob_sweep(40, 200 * std::pow(std::numbers::pi / 180, 2));
  const Finding f = only_finding(a, Kind::narrow_sweep, {"found 3.49 degrees", "then the sweep is of 200 degrees"});
  REQUIRE(f.value == Approx(3.49).epsilon(0.01));
}

TEST_CASE("implausibilities: one view, and few pixels that count", "[plausibility]") {
  Acquisition a = blob_sweep();
  const std::size_t pixels = a.detector.num_pixels();
  a.valid.assign(pixels, 0);  // of all views
  for (std::size_t p = 0; p < pixels; p += 9) a.valid[p] = 1;
  REQUIRE(implausibilities(a).empty());  // a ninth counts
  a.valid.assign(pixels, 0);
  for (std::size_t p = 0; p < pixels; p += 11) a.valid[p] = 1;
  const Finding f = only_finding(a, Kind::few_valid_pixels, {"found 90.9 % that do not"});
  REQUIRE(f.value == Approx(1 - 1 / 11.0).epsilon(1e-3));
  a.valid.assign(a.projections.size(), 1);
  std::fill_n(a.valid.begin() + static_cast<std::ptrdiff_t>(5 * pixels), pixels, 0);
  REQUIRE(only_finding(a, Kind::few_valid_pixels, {"found view 5, without any (a lost frame"}).view == 5);
  a = blob_sweep();
  a.poses.resize(1);
  a.projections.resize(pixels);
  REQUIRE(only_finding(a, Kind::single_view, {"found 1 view"}).view == 0);
}

TEST_CASE("implausibilities: degrees for radians", "[plausibility]") {
  Acquisition a = blob_sweep();
  a.poses = poses_at(40, -100, 200.0 / 39);  // −100° to 100°
  const Finding f = only_finding(a, Kind::angle_steps, {"found steps of 66.2 degrees", "degrees taken for radians"});
  REQUIRE(f.limit == plausible::kLargestStep_deg);
  a.poses = poses_at(40, -6, 12.0 / 39);  // ±6°, within what a file may hold
  only_finding(a, Kind::angle_steps, {"found steps of 17.6 degrees, 688 degrees in all"});
}

TEST_CASE("implausibilities: two mistakes are two findings, and sizes must agree", "[plausibility]") {
  Acquisition a = blob_sweep();
  change_pixels(a, [](double p) { return -p; });
  scale_lengths(a, 0.1);
  REQUIRE(implausibilities(a).size() == 2);
  a.projections.pop_back();
  test::require_error<InvalidArgument>([&] { implausibilities(a); }, {"projections", "expected", "found"});
  REQUIRE(implausibilities(Acquisition{}).empty());
}
