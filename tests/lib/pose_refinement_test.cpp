// SPDX-License-Identifier: Apache-2.0
// Pose refinement: corrections and their derivatives, what counts as a correction, and trainings that find one.

#include "train/pose_refinement.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "dsasrgs/best_shift.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/reconstructor.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/oblique_view.hpp"
#include "support/pose_numbers.hpp"
#include "support/random_values.hpp"
#include "support/small_case.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using namespace dsasrgs::test;

namespace {

Config refining_config(int steps) {
  Config config = small_config(steps, "static");
  config.geometry.refine = true;
  config.geometry.first_step = steps / 10;
  config.geometry.last_step = steps;
  config.geometry.rate_px = {0.15, 0.02};
  config.geometry.knots = 4;
  return config;
}

/// Detectors shifted by up to `px` pixels from view to view.
Acquisition with_jitter(Acquisition a, double px) {
  const std::vector<double> shift = random_values<double>(2 * a.poses.size(), -px, px, 9);
  for (std::size_t v = 0; v < a.poses.size(); ++v)
    a.poses[v].detector_center_mm += a.poses[v].detector_u * (shift[2 * v] * a.detector.pitch_u_mm) +
                                     a.poses[v].detector_v * (shift[2 * v + 1] * a.detector.pitch_v_mm);
  return a;
}

/// Positions on the detector of points of the volume, and how turning about, shifting along x, y, z and scaling the
/// volume changes them: what no pose can be blamed for.
using Motions = Eigen::Matrix<double, 7, 1>;
struct Sight {
  std::vector<double> position;
  std::vector<Motions> motions;
};
Sight sight_of(const Acquisition& a, const std::vector<Pose>& poses) {
  std::vector<Vec3d> points;
  for (const double x : {-14.0, 0.0, 14.0})
    for (const double y : {-14.0, 0.0, 14.0})
      for (const double z : {-14.0, 0.0, 14.0}) points.push_back({x, y, z});
  Sight s;
  for (const int view : a.training_views())
    for (const Vec3d p : points) {
      const Pose& pose = poses[static_cast<std::size_t>(view)];
      const Vec2d at = project_point(pose, a.detector, p);
      const Vec3d ways[7] = {{0, -p.z, p.y}, {p.z, 0, -p.x}, {-p.y, p.x, 0}, {1, 0, 0}, {0, 1, 0}, {0, 0, 1}, p};
      Motions u, v;
      for (Eigen::Index k = 0; k < 7; ++k) {
        const Vec2d moved = project_point(pose, a.detector, p + ways[k] * 1e-4);
        u(k) = (moved.x - at.x) * 1e4;
        v(k) = (moved.y - at.y) * 1e4;
      }
      s.position.insert(s.position.end(), {at.x, at.y});
      s.motions.insert(s.motions.end(), {u, v});
    }
  return s;
}

/// What of a difference in position motions of the volume explain (least squares), and what they leave; both root mean
/// squares in pixels.
struct Parts {
  double explained_px, rest_px;
};
Parts parts_of(const Sight& from, const Sight& to) {
  Eigen::Matrix<double, 7, 7> normal = Eigen::Matrix<double, 7, 7>::Zero();
  Motions right = Motions::Zero();
  const std::size_t rows = from.position.size();
  for (std::size_t i = 0; i < rows; ++i) {
    normal += from.motions[i] * from.motions[i].transpose();
    right += from.motions[i] * (to.position[i] - from.position[i]);
  }
  const Motions found = normal.ldlt().solve(right);
  double explained = 0, rest = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    const double e = from.motions[i].dot(found), r = to.position[i] - from.position[i] - e;
    explained += e * e;
    rest += r * r;
  }
  const auto per_point = static_cast<double>(rows) / 2;
  return {std::sqrt(explained / per_point), std::sqrt(rest / per_point)};
}

/// Root mean square distance in pixels of two sets of poses, less what a motion of the volume makes.
double distance_px(const Acquisition& a, const std::vector<Pose>& poses, const std::vector<Pose>& truth) {
  return parts_of(sight_of(a, truth), sight_of(a, poses)).rest_px;
}

ViewCorrection correction_of(const std::vector<double>& n) {
  ViewCorrection c;
  std::copy(n.begin(), n.end(), c.number.begin());
  return c;
}

}  // namespace

TEST_CASE("pose correction: its derivatives are those of central differences, far from zero too", "[pose]") {
  const Pose pose = oblique_pose(GENERATE(false, true));
  const Vec3d pivot{5, -3, 8};
  const std::vector<double> weight = random_values<double>(12, -1, 1, 3);
  std::vector<double> at = random_values<double>(ViewCorrection::kSize, -0.4, 0.4, 4);
  for (std::size_t i = 3; i < at.size(); ++i) at[i] *= 50;
  const auto value = [&](const std::vector<double>& n) {
    return inner_product(pose_numbers(corrected_pose(pose, pivot, correction_of(n))), weight);
  };
  const auto vector = [&](std::size_t i) { return Vec3d{weight[i], weight[i + 1], weight[i + 2]}; };
  const ViewCorrection found =
      corrected_pose_vjp(pose, pivot, correction_of(at), {vector(0), vector(3), vector(6), vector(9)});
  CHECK(relative_l2(found.number, numeric_gradient(value, at)) < 1e-8);
}

TEST_CASE("pose correction: turning by known angles and shifting the detector, in closed form", "[pose]") {
  const Pose pose = oblique_pose(GENERATE(false, true));
  const ViewFrame f(pose);
  const Pose shifted = corrected_pose(pose, {}, correction_of({0, 0, 0, 0, 0, 0, 2, -3, 5}));
  CHECK(length(shifted.detector_center_mm - pose.detector_center_mm - (f.u * 2 - f.v * 3 + f.n * 5)) < 1e-9);
  CHECK(shifted.source_mm == pose.source_mm);
  // A quarter turn about n through a pivot on the axis of sight: u becomes v, the source stays.
  const Pose turned = corrected_pose(pose, pose.source_mm, correction_of({0, 0, std::acos(0.0), 0, 0, 0, 0, 0, 0}));
  CHECK(length(turned.source_mm - pose.source_mm) < 1e-9);
  CHECK(std::abs(std::abs(dot(turned.detector_u, f.v)) - 1) < 1e-12);
  CHECK(std::abs(dot(turned.detector_u, f.u)) < 1e-12);
}

TEST_CASE("pose parameters: the gradient is the transpose of the view's correction", "[pose]") {
  Context ctx = make_context();
  const Acquisition a = still_simulation(ctx).acquisition;
  const TrainingViews views(ctx, a, {});
  const PoseParameters parameters(views, 5);
  const std::vector<double> x = random_values<double>(parameters.size(), -1, 1, 5);
  for (const std::size_t slot : {std::size_t{0}, std::size_t{7}, views.size() - 1}) {
    const std::vector<double> y = random_values<double>(ViewCorrection::kSize, -1, 1, 6);
    std::vector<double> transposed(parameters.size(), 0.0);
    parameters.add_gradient(slot, correction_of(y), transposed);
    CHECK(inner_product(parameters.view(slot, x).number, y) == Approx(inner_product(x, transposed)).epsilon(1e-12));
  }
}

TEST_CASE("pose parameters: a pixel's worth of each moves the volume's image by about a pixel", "[pose]") {
  Context ctx = make_context();
  const Acquisition a = still_simulation(ctx).acquisition;
  const TrainingViews views(ctx, a, {});
  const PoseParameters parameters(views, 4);
  for (std::size_t p = 0; p < 6; ++p) {
    std::vector<double> x(parameters.size(), 0.0);
    x[p] = parameters.unit()[p];
    double sum = 0;
    for (std::size_t slot = 0; slot < views.size(); ++slot) {
      const Pose pose = corrected_pose(views.pose(slot), a.volume.center_mm(), parameters.view(slot, x));
      const double px = rms_distance_px(views.pose(slot), pose, a.detector, a.volume);
      sum += px * px;
    }
    CAPTURE(p);
    CHECK(std::sqrt(sum / static_cast<double>(views.size())) == Approx(1).epsilon(0.05));
  }
}

TEST_CASE("pose parameters: what is settled moves no point as a motion of the volume would, and changes nothing else",
          "[pose]") {
  Context ctx = make_context();
  const Acquisition a = still_simulation(ctx).acquisition;
  const TrainingViews views(ctx, a, {});
  const PoseParameters parameters(views, 5);
  std::vector<double> x = random_values<double>(parameters.size(), -1, 1, 8);
  for (std::size_t p = 0; p < x.size(); ++p) x[p] *= 0.02 * parameters.unit()[p];  // small: the gauge is linear
  const auto poses_of = [&](const std::vector<double>& values) {
    std::vector<Pose> poses = a.poses;
    for (std::size_t slot = 0; slot < views.size(); ++slot)
      poses[static_cast<std::size_t>(views.index(slot))] =
          corrected_pose(views.pose(slot), a.volume.center_mm(), parameters.view(slot, values));
    return poses;
  };
  std::vector<double> settled = x;
  parameters.settle(settled);
  CHECK(settled != x);
  const Parts moved = parts_of(sight_of(a, a.poses), sight_of(a, poses_of(settled)));
  CHECK(moved.explained_px < 0.02 * moved.rest_px);
  CHECK(distance_px(a, poses_of(settled), poses_of(x)) < 0.05 * distance_px(a, poses_of(x), a.poses));
  std::vector<double> again = settled;
  parameters.settle(again);
  CHECK(max_difference(again, settled) < 1e-9);
}

TEST_CASE("pose parameters: where contrast has not arrived there is noise, no remainder, and the curve stays as it is",
          "[pose]") {
  Context ctx = make_context();
  Acquisition a = still_simulation(ctx).acquisition;
  const std::size_t pixels = a.detector.num_pixels();
  const float brightest = *std::max_element(a.projections.begin(), a.projections.end());
  const std::vector<float> noise = random_values<float>(8 * pixels, -0.05f * brightest, 0.05f * brightest, 10);
  std::copy(noise.begin(), noise.end(), a.projections.begin());  // views 0 to 7
  const TrainingViews views(ctx, a, {});
  CHECK(views.mean(0) > 0.3 * views.mean(views.size() - 1));  // clipped noise has a mean
  CHECK(views.contrast(0) == 0);
  const std::size_t knots = 8;
  const PoseParameters parameters(views, knots);
  for (std::size_t slot = 0; slot < views.size(); ++slot)
    CHECK(parameters.has_contrast(slot) == (views.index(slot) > 7));
  const PoseCorrection c = parameters.correction(random_values<double>(parameters.size(), -1, 1, 11));
  REQUIRE(c.knots.size() == knots);
  std::size_t same = 0;
  while (same + 1 < knots && c.knots[same].shift_mm == c.knots[same + 1].shift_mm) ++same;
  CHECK(same >= 1);
  CHECK(same <= 3);
  CHECK(c.knots[5].shift_mm != c.knots[6].shift_mm);
  for (std::size_t p = 0; p < 6; ++p) CHECK(parameters.unit()[6 + p] == 0);
}

TEST_CASE("pose refinement: a training with shifted detectors finds the shifts", "[pose][reconstructor][long]") {
  Context ctx = make_context();
  const Acquisition truth = still_simulation(ctx).acquisition, given = with_jitter(truth, 1.5);
  const int steps = is_emulated(ctx) ? 120 : 960;
  const double before = distance_px(truth, given.poses, truth.poses);
  Reconstructor reconstructor(ctx, given, refining_config(steps));
  reconstructor.run();
  const Model model = std::move(reconstructor).take_model();
  REQUIRE(corrects(model, given));
  const double after = distance_px(truth, poses_as_corrected(model, given), truth.poses);
  CAPTURE(before, after);
  CHECK(after < (is_emulated(ctx) ? 0.95 : 0.35) * before);
  // The true poses are those of another file: as given.
  CHECK(!corrects(model, truth));
  const PoseCorrectionSize size = correction_size(model.pose_correction, given.detector, given.volume);
  CHECK(size.remainder_rms_px > 0.1);
  CHECK(size.remainder_largest_px >= size.remainder_rms_px);
}

TEST_CASE("pose refinement: poses that are right stay as they are, and large corrections lose little", "[pose][long]") {
  Context ctx = make_context();
  const Acquisition a = still_simulation(ctx).acquisition;
  const auto size_of = [&](const Acquisition& given, double noise_px) {
    Config config = refining_config(120);
    config.geometry.noise_px = noise_px;
    Reconstructor reconstructor(ctx, given, config);
    reconstructor.run();
    return correction_size(reconstructor.model().pose_correction, given.detector, given.volume);
  };
  const PoseCorrectionSize noise = size_of(a, 0);
  const double most = std::max(noise.smooth_rms_px, noise.remainder_largest_px);
  CAPTURE(noise.smooth_rms_px, noise.remainder_rms_px, noise.remainder_largest_px);
  CHECK(noise.smooth_rms_px > 0);
  CHECK(noise.remainder_rms_px > 0);
  const PoseCorrectionSize none = size_of(a, 1.01 * most);
  CHECK(none.smooth_largest_px == 0);
  CHECK(none.remainder_largest_px == 0);
  // Each loses noise²/r, the smooth part and remainders by themselves; settling moves little between them.
  const double small = noise.smooth_rms_px / 3;
  const PoseCorrectionSize some = size_of(a, small);
  CHECK(some.smooth_rms_px == Approx(noise.smooth_rms_px - small * small / noise.smooth_rms_px).epsilon(0.02));
  CHECK(some.remainder_largest_px ==
        Approx(noise.remainder_largest_px - small * small / noise.remainder_largest_px).epsilon(0.05));
}

TEST_CASE("pose refinement: goes on from a checkpoint within a pass, on two threads, with the same bits",
          "[pose][checkpoint]") {
  Context ctx = make_context();
  const TemporaryFolder folder;
  const Acquisition a = with_jitter(still_simulation(ctx).acquisition, 1);
  Config config = refining_config(60);
  config.geometry.first_step = 12;
  Reconstructor whole(ctx, a, config), first(ctx, a, config);
  whole.run();
  for (int i = 0; i < 31; ++i) first.step();  // 12 views: in the third pass, the second that counts
  first.save_checkpoint(folder / "checkpoint.h5");
  Context two_threads = make_context(2);
  Reconstructor second(two_threads, a, folder / "checkpoint.h5");
  second.run();
  const PoseCorrection &x = whole.model().pose_correction, &y = second.model().pose_correction;
  REQUIRE(x.remainder.size() == 12);
  for (std::size_t i = 0; i < x.remainder.size(); ++i) {
    CHECK(x.remainder[i].turn_rad == y.remainder[i].turn_rad);
    CHECK(x.remainder[i].shift_mm == y.remainder[i].shift_mm);
  }
  CHECK(x.sweep.roll_rad == y.sweep.roll_rad);
  CHECK(x.sweep.roll_rad != 0);
  CHECK(whole.model().cloud.position_mm.to_host(ctx) == second.model().cloud.position_mm.to_host(two_threads));
}

TEST_CASE("pose refinement: what it cannot do is refused before the training, and a pose that runs away ends it",
          "[pose][reconstructor]") {
  Context ctx = make_context();
  Acquisition a = still_simulation(ctx).acquisition;
  const Config config = refining_config(60);
  Acquisition few = a;
  few.train_views = {0, 4, 8, 12, 16, 20};
  few.test_views = {1};
  require_error<BadInput>([&] { Reconstructor(ctx, few, config); },
                          {"8 training views with contrast or more, for geometry.refine", "6 of 6"});
  Acquisition dark = a;  // contrast in three views
  for (std::size_t i = 3 * a.detector.num_pixels() * 2; i < dark.projections.size(); ++i) dark.projections[i] *= 1e-3f;
  require_error<BadInput>([&] { Reconstructor(ctx, dark, config); }, {"with contrast", "3 of 12"});
  Acquisition still = a;  // nobody can tell a tilt of the arm from one of the head
  for (std::size_t v = 0; v < still.poses.size(); ++v) {
    CArmView arm;
    arm.primary_rad = 1e-5 * static_cast<double>(v);
    still.poses[v] = carm_pose(arm, still.poses[v].time_s);
  }
  Config anywhere = config;
  anywhere.gaussians.init = InitialPoints::random;
  require_error<BadInput>([&] { Reconstructor(ctx, still, anywhere); }, {"/geometry", "undetermined"});
  Config late = config;
  late.geometry.last_step = 17;  // no pass of 12 views between steps 6 and 17
  require_error<BadInput>([&] { Reconstructor(ctx, a, late); }, {"geometry.last_step", "a whole pass over the 12"});
  Config bounded = config;
  bounded.geometry.first_step = 0;
  bounded.geometry.largest_px = 0.05;
  Reconstructor reconstructor(ctx, with_jitter(a, 1), bounded);
  require_error<NumericalError>([&] { reconstructor.run(); }, {"the pose of view", "geometry.largest_px = 0.05"});
}

TEST_CASE("best shift: a shifted image is found, invalid pixels and borders are left out", "[pose]") {
  constexpr int kWidth = 40, kHeight = 30;
  const auto image_at = [](double u, double v) {
    std::vector<float> image;
    for (int row = 0; row < kHeight; ++row)
      for (int column = 0; column < kWidth; ++column) {
        const double x = column - 19 - u, y = row - 14 - v;
        image.push_back(static_cast<float>(std::exp(-(x * x + 2 * y * y) / 20)));
      }
    return image;
  };
  const std::vector<float> render = image_at(0, 0);
  std::vector<float> measured = image_at(3, -2);
  const BestShift found = best_shift(render, measured, {}, kWidth, kHeight, 6);
  CHECK(found.u_px == 3);
  CHECK(found.v_px == -2);
  CHECK(found.error < 1e-12);
  CHECK(found.unshifted_error > 1e-3);
  std::vector<std::uint8_t> valid(measured.size(), 1);
  measured[14 * kWidth + 20] = 1e6f;
  CHECK(best_shift(render, measured, valid, kWidth, kHeight, 6).error > 1);
  valid[14 * kWidth + 20] = 0;
  CHECK(best_shift(render, measured, valid, kWidth, kHeight, 6).u_px == 3);
  CHECK(best_shift(render, render, {}, kWidth, kHeight, 6).u_px == 0);
  CHECK(best_shift(render, measured, std::vector<std::uint8_t>(measured.size(), 0), kWidth, kHeight, 6).error == 0);
  require_error<InvalidArgument>([&] { best_shift(render, {}, {}, kWidth, kHeight, 6); }, {"measured", "1200"});
}

TEST_CASE("pose refinement: a view that is shifted beyond its vessels is caught", "[pose][reconstructor][long]") {
  Context ctx = make_context();
  const Acquisition truth = still_simulation(ctx).acquisition;
  Acquisition given = truth;
  const auto view = static_cast<std::size_t>(truth.training_views()[5]);
  Pose& pose = given.poses[view];
  pose.detector_center_mm += pose.detector_u * (6 * truth.detector.pitch_u_mm);
  Config config = refining_config(is_emulated(ctx) ? 260 : 600);
  config.geometry.first_step = 24;
  const double before = rms_distance_px(pose, truth.poses[view], truth.detector, truth.volume);
  Reconstructor reconstructor(ctx, given, config);
  reconstructor.run();
  const std::vector<Pose> poses = poses_as_corrected(reconstructor.model(), given);
  const double after = rms_distance_px(poses[view], truth.poses[view], truth.detector, truth.volume);
  CAPTURE(before, after);
  CHECK(before > 5);
  CHECK(after < 1.5);
}
