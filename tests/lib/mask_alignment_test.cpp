// SPDX-License-Identifier: Apache-2.0
// Masks moved onto images that were made of moved masks, by closed forms and by the simulator.

#include "dsasrgs/mask_alignment.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <vector>

#include "common/random.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "dsasrgs/simulator.hpp"
#include "image_spline.hpp"
#include "mask_fit.hpp"
#include "support/bone_image.hpp"
#include "support/context.hpp"
#include "support/moved_head.hpp"
#include "support/random_values.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using namespace dsasrgs::test;

namespace {

constexpr int kWidth = kBoneWidth, kHeight = kBoneHeight;

constexpr MaskMotion kMotions[] = {{0.4, -0.7, 0, 0}, {-1.6, 0.9, 0.012, 0}, {0, 0, 0, 0}, {2.5, 3.1, -0.02, 0.01}};

/// Views whose masks lie at kMotions, with Gaussian noise of the given standard deviation.
MaskedAcquisition moved_masks(double noise) {
  MaskedAcquisition masked;
  Acquisition& a = masked.acquisition;
  a.name = "moved";
  a.detector = {kWidth, kHeight, 1, 1};
  a.volume = {8, 8, 8, {5, 5, 5}, {-20, -20, -20}};
  CircularSweep sweep;
  sweep.num_views = 4;
  a.poses = circular_poses(sweep);
  std::uint64_t at = 0;
  for (const MaskMotion& motion : kMotions)
    for (int y = 0; y < kHeight; ++y)
      for (int x = 0; x < kWidth; ++x, ++at) {
        const Vec2d in_mask = moved(motion, kWidth, kHeight, 1, {double(x), double(y)});
        const auto random = random_normal3(3, RandomStream::time_jitter, at, 0);
        const double mask = log_bone(x, y) + noise * static_cast<double>(random.x),
                     fill =
                         log_bone(in_mask.x, in_mask.y) - vessel_across(x, y) + noise * static_cast<double>(random.y);
        masked.log_masks.push_back(static_cast<float>(mask));
        a.projections.push_back(static_cast<float>(mask - fill));
      }
  a.validate();
  return masked;
}

double root_mean_square(const Acquisition& a, int view, const std::function<double(int, int)>& truth) {
  double sum = 0;
  std::size_t count = 0;
  const auto values = a.projection(view);
  const auto valid = a.valid_pixels(view);
  for (int y = 0, i = 0; y < a.detector.height_px; ++y)
    for (int x = 0; x < a.detector.width_px; ++x, ++i) {
      if (!valid.empty() && valid[static_cast<std::size_t>(i)] == 0) continue;
      const double d = static_cast<double>(values[static_cast<std::size_t>(i)]) - truth(x, y);
      sum += d * d;
      ++count;
    }
  return std::sqrt(sum / static_cast<double>(count));
}

constexpr MaskAlignmentOptions kAllCount{.largest_px = 8, .leave_out = std::numeric_limits<double>::infinity()};

}  // namespace

TEST_CASE("ImageSpline: goes through the pixels, with the slopes of its values, near a smooth function",
          "[mask_alignment]") {
  std::vector<float> image;
  for (int y = 0; y < 24; ++y)
    for (int x = 0; x < 30; ++x) image.push_back(static_cast<float>(std::sin(0.4 * x) * std::cos(0.3 * y)));
  const ImageSpline spline(image, 30, 24);
  double off = 0, slope_off = 0, wave_off = 0;
  for (int y = 0; y < 24; ++y)
    for (int x = 0; x < 30; ++x)
      off = std::max(
          off, std::abs(spline.at(x, y).value - static_cast<double>(image[static_cast<std::size_t>(y * 30 + x)])));
  CHECK(off < 1e-6);
  for (double y = 0.3; y < 23; y += 0.7)
    for (double x = 0.1; x < 29; x += 0.9) {
      const double h = 1e-4;
      const ImageSpline::Sample s = spline.at(x, y);
      slope_off =
          std::max(slope_off, std::abs((spline.at(x + h, y).value - spline.at(x - h, y).value) / (2 * h) - s.along_u));
      slope_off =
          std::max(slope_off, std::abs((spline.at(x, y + h).value - spline.at(x, y - h).value) / (2 * h) - s.along_v));
      if (x > 5 && x < 24 && y > 5 && y < 18)
        wave_off = std::max(wave_off, std::abs(s.value - std::sin(0.4 * x) * std::cos(0.3 * y)));
    }
  CHECK(slope_off < 1e-6);
  CHECK(wave_off < 2e-4);
  // Mirrored about the outer pixels, and images of one row, column or pixel.
  CHECK(spline.at(-0.4, 3).value == Approx(spline.at(0.4, 3).value));
  CHECK(spline.at(29.4, 23.3).value == Approx(spline.at(28.6, 22.7).value));
  const std::vector<float> one{2.5f};
  CHECK(ImageSpline(one, 1, 1).at(0.3, -0.2).value == Approx(2.5));
  const std::vector<float> row{1, 2, 4};
  CHECK(ImageSpline(row, 3, 1).at(1, 0).value == Approx(2));
}

TEST_CASE("align_masks: finds how masks were moved, and vessels stay", "[mask_alignment]") {
  Context ctx = make_context();
  MaskedAcquisition masked = moved_masks(0);
  const Acquisition before = masked.acquisition;
  const MaskAlignment alignment = align_masks(ctx, masked, {0, 1, 2, 3}, kAllCount);
  REQUIRE(alignment.motions.size() == 4);
  for (int view = 0; view < 4; ++view) {
    CAPTURE(view);
    const MaskMotion &found = alignment.motions[static_cast<std::size_t>(view)], &made = kMotions[view];
    CHECK(found.shift_u_px == Approx(made.shift_u_px).margin(0.01));
    CHECK(found.shift_v_px == Approx(made.shift_v_px).margin(0.01));
    CHECK(found.turn_rad == Approx(made.turn_rad).margin(3e-4));
    CHECK(found.magnification == Approx(made.magnification).margin(3e-4));
    CHECK(root_mean_square(masked.acquisition, view, vessel_across) < 2e-3);
    if (view != 2) CHECK(root_mean_square(before, view, vessel_across) > 0.03);
    // A pixel counts unless it sees what no mask shows.
    const auto valid = masked.acquisition.valid_pixels(view);
    for (int y = 0, i = 0; y < kHeight; ++y)
      for (int x = 0; x < kWidth; ++x, ++i) {
        const Vec2d at = moved(found, kWidth, kHeight, 1, {double(x), double(y)});
        const bool seen = at.x >= -0.5 && at.y >= -0.5 && at.x <= kWidth - 0.5 && at.y <= kHeight - 0.5;
        if ((valid[static_cast<std::size_t>(i)] != 0) != seen) FAIL("row " << y << ", column " << x);
      }
  }
  for (std::size_t i = 0; i < before.projections.size(); ++i)
    if (masked.acquisition.valid[i] != 0 &&
        std::abs(before.projections[i] - masked.acquisition.projections[i] - alignment.residue[i]) > 1e-6f)
      FAIL("residue of pixel " << i);
}

TEST_CASE("align_masks: finds them in noise, and in a part of the image", "[mask_alignment]") {
  Context ctx = make_context();
  MaskedAcquisition masked = moved_masks(0.03);
  Acquisition& a = masked.acquisition;
  a.valid.assign(kWidth * kHeight, 1);  // collimated: the left third shows nothing, and a mask of anything
  for (int i = 0; i < kWidth * kHeight; ++i)
    if (i % kWidth < 30) a.valid[static_cast<std::size_t>(i)] = 0;
  for (std::size_t i = 0; i < a.projections.size(); ++i)
    if (a.valid[i % a.valid.size()] == 0) a.projections[i] = masked.log_masks[i] = 0;
  const MaskAlignment alignment = align_masks(ctx, masked, {0, 1, 2, 3}, kAllCount);
  for (int view = 0; view < 4; ++view) {
    CAPTURE(view);
    const MaskMotion &found = alignment.motions[static_cast<std::size_t>(view)], &made = kMotions[view];
    CHECK(found.shift_u_px == Approx(made.shift_u_px).margin(0.1));
    CHECK(found.shift_v_px == Approx(made.shift_v_px).margin(0.1));
    // 0.4 pixels at the rim: the vessel is as strong as bone.
    CHECK(found.turn_rad == Approx(made.turn_rad).margin(0.012));
    CHECK(found.magnification == Approx(made.magnification).margin(3e-3));
    CHECK(root_mean_square(a, view, vessel_across) < 0.045);  // sqrt(2) times the noise
    const auto valid = a.valid_pixels(view);
    for (int i = 0; i < kWidth * kHeight; ++i)
      if (i % kWidth < 30 && valid[static_cast<std::size_t>(i)] != 0) FAIL("pixel " << i << " counts");
  }
}

TEST_CASE("align_masks: what changes slowly is no motion, and stays", "[mask_alignment]") {
  Context ctx = make_context();
  MaskedAcquisition masked = moved_masks(0);
  // Exposure, a lung that fills, a diaphragm behind it: as strong as bone, over tens of pixels.
  const auto slow = [](double x, double y) {
    const double lung = ((x - 20) * (x - 20) + (y - 64) * (y - 64)) / (2 * 22 * 22);
    return 0.2 + 0.004 * x + 0.5 * std::exp(-lung);
  };
  const auto seen = [&](double x, double y) { return vessel_across(x, y) + slow(x, y); };
  for (std::size_t i = 0; i < masked.acquisition.projections.size(); ++i)
    masked.acquisition.projections[i] +=
        static_cast<float>(slow(static_cast<double>(i % kWidth), static_cast<double>(i / kWidth % kHeight)));
  const MaskAlignment alignment = align_masks(ctx, masked, {0, 1, 2, 3}, kAllCount);
  for (int view = 0; view < 4; ++view) {
    CAPTURE(view);
    const MaskMotion &found = alignment.motions[static_cast<std::size_t>(view)], &made = kMotions[view];
    CHECK(found.shift_u_px == Approx(made.shift_u_px).margin(0.03));
    CHECK(found.shift_v_px == Approx(made.shift_v_px).margin(0.03));
    CHECK(found.turn_rad == Approx(made.turn_rad).margin(1e-3));
    CHECK(found.magnification == Approx(made.magnification).margin(1e-3));
    CHECK(root_mean_square(masked.acquisition, view, seen) < 5e-3);
  }
}

TEST_CASE("align_masks: a simulated head is found where it moved to, for any number of threads", "[mask_alignment]") {
  Context ctx = make_context();
  const Vec3d motion_mm{1.5, 1, -0.8};
  const Simulation simulation = moved_head(ctx, 96, 6, motion_mm);
  const TemporaryFolder folder;
  write_acquisition(folder / "raw.h5", simulation.acquisition, &simulation.raw);
  MaskedAcquisition masked = read_masked_acquisition(folder / "raw.h5");
  CHECK(masked.acquisition.projections == read_acquisition(folder / "raw.h5").projections);
  MaskedAcquisition again = masked;
  const Acquisition before = masked.acquisition;
  const std::vector<int> views{1, 2, 4};
  const MaskAlignment alignment = align_masks(ctx, masked, views);
  for (std::size_t i = 0; i < views.size(); ++i) {
    CAPTURE(views[i]);
    const Pose& pose = before.poses[static_cast<std::size_t>(views[i])];
    // What the isocentre is seen as is seen at the point less the motion in the mask.
    const Vec2d to = project_point(pose, before.detector, {}),
                from = project_point(pose, before.detector, motion_mm * -1.0);
    CHECK(alignment.motions[i].shift_u_px == Approx(from.x - to.x).margin(0.04));
    CHECK(alignment.motions[i].shift_v_px == Approx(from.y - to.y).margin(0.04));
    const auto truth = [&](int x, int y) {
      return static_cast<double>(before.reference_projection(views[i])[static_cast<std::size_t>(y * 96 + x)]);
    };
    CHECK(root_mean_square(masked.acquisition, views[i], truth) < 0.3 * root_mean_square(before, views[i], truth));
    CHECK(alignment.left_out[i] > 0);
    CHECK(alignment.left_out[i] < 96 * 96 / 4);
  }
  for (const int view : {0, 3, 5}) {
    const auto kept = before.projection(view), now = masked.acquisition.projection(view);
    CHECK(std::equal(kept.begin(), kept.end(), now.begin()));
    const auto valid = masked.acquisition.valid_pixels(view);
    CHECK(std::count(valid.begin(), valid.end(), 1) == 96 * 96);
  }
  Context single = Context::cpu(1);
  const MaskAlignment alone = align_masks(single, again, views);
  CHECK((again.acquisition.projections == masked.acquisition.projections));
  CHECK(again.acquisition.valid == masked.acquisition.valid);
  CHECK((alone.residue == alignment.residue));
}

TEST_CASE("align_masks: a mask without structure stays, and one that is too far away is refused", "[mask_alignment]") {
  Context ctx = make_context();
  MaskedAcquisition flat = moved_masks(0);
  std::fill(flat.log_masks.begin(), flat.log_masks.end(), -1.0f);
  const std::vector<float> before = flat.acquisition.projections;
  const MaskAlignment alignment = align_masks(ctx, flat, {0, 1, 2, 3}, kAllCount);
  for (const MaskMotion& m : alignment.motions) CHECK(std::hypot(m.shift_u_px, m.shift_v_px) < 1e-3);
  for (std::size_t i = 0; i < before.size(); ++i)
    if (std::abs(before[i] - flat.acquisition.projections[i]) > 1e-5f) FAIL("pixel " << i << " changed");

  MaskedAcquisition far = moved_masks(0);
  const MaskedAcquisition kept = far;
  require_error<BadInput>(
      [&] {
        align_masks(ctx, far, {0, 1, 2, 3}, {.largest_px = 3, .leave_out = 0.1});
      },
      {"moved: /mask_projections: expected a mask that fits its view when its corners move by at most 3 pixels",
       "found view 3"});
  CHECK((far.acquisition.projections == kept.acquisition.projections));
  CHECK(far.acquisition.valid == kept.acquisition.valid);
  require_error<BadInput>([&] { align_masks(ctx, far, {3}, {.largest_px = 8, .leave_out = 1e-9}); },
                          {"takes at most 1e-09 away", "none in view 3"});
  CHECK((far.acquisition.projections == kept.acquisition.projections));
  CHECK_THROWS_AS(align_masks(ctx, far, {0, 1, 2, 3}, {}, [](const ProgressReport& r) { return r.done == 0; }),
                  Cancelled);
  CHECK((far.acquisition.projections == kept.acquisition.projections));
}

TEST_CASE("align_masks: masks that are far away, and pixels that are no squares", "[mask_alignment]") {
  Context ctx = make_context();
  for (const double aspect : {1.0, 0.5, 2.0})
    for (const MaskMotion& made :
         {MaskMotion{6.5, -2, 0, 0}, MaskMotion{-5, 7.4, 0.03, 0}, MaskMotion{0, 0, 0.06, 0}}) {
      CAPTURE(aspect, made.shift_u_px, made.turn_rad);
      MaskedAcquisition masked = moved_masks(0.005);
      Acquisition& a = masked.acquisition;
      a.detector.pitch_v_mm = aspect;
      for (int y = 0, i = 0; y < kHeight; ++y)
        for (int x = 0; x < kWidth; ++x, ++i) {
          const Vec2d at = moved(made, a.detector, {double(x), double(y)});
          a.projections[static_cast<std::size_t>(i)] =
              static_cast<float>(log_bone(x, y) - log_bone(at.x, at.y) + vessel_across(x, y));
          masked.log_masks[static_cast<std::size_t>(i)] = static_cast<float>(log_bone(x, y));
        }
      const MaskAlignment alignment = align_masks(ctx, masked, {0}, {.largest_px = 12, .leave_out = 10});
      CHECK(alignment.motions[0].shift_u_px == Approx(made.shift_u_px).margin(0.05));
      CHECK(alignment.motions[0].shift_v_px == Approx(made.shift_v_px).margin(0.05));
      CHECK(alignment.motions[0].turn_rad == Approx(made.turn_rad).margin(2e-3));
    }
  Acquisition tiny = moved_masks(0).acquisition;
  tiny.detector = {15, 80, 1, 1};
  tiny.projections.resize(4 * tiny.detector.num_pixels());
  MaskedAcquisition masked{tiny, std::vector<float>(tiny.projections.size())};
  require_error<BadInput>([&] { align_masks(ctx, masked, {0}); },
                          {"moved: /projections: expected images of 16 x 16 pixels or more", "found 80 x 15"});
}

TEST_CASE("align_masks: what is refused", "[mask_alignment]") {
  Context ctx = make_context();
  const MaskedAcquisition good = moved_masks(0);
  const auto refused = [&](const auto& change, const std::vector<int>& views, MaskAlignmentOptions options,
                           std::string_view part) {
    MaskedAcquisition masked = good;
    change(masked);
    require_error<InvalidArgument>([&] { align_masks(ctx, masked, views, options); }, {"align_masks", part});
  };
  const auto nothing = [](MaskedAcquisition&) {};
  refused([](MaskedAcquisition& m) { m.log_masks.pop_back(); }, {0}, {}, "log_masks");
  refused([](MaskedAcquisition& m) { m.log_masks[3] = std::numeric_limits<float>::quiet_NaN(); }, {0}, {},
          "log_masks: expected finite numbers");
  refused(nothing, {4}, {}, "views: expected views of the acquisition, ascending, found 4");
  refused(nothing, {-1}, {}, "found -1");
  refused(nothing, {1, 1}, {}, "found 1");
  refused(nothing, {0}, {.largest_px = 0, .leave_out = 0.1}, "options.largest_px: expected a positive number, found 0");
  refused(nothing, {0}, {.largest_px = 1, .leave_out = std::nan("")},
          "options.leave_out: expected a positive number, found nan");
  MaskedAcquisition none = good;
  const MaskAlignment alignment = align_masks(ctx, none, {});
  CHECK(alignment.views.empty());
  CHECK((none.acquisition.projections == good.acquisition.projections));
}

TEST_CASE("read_masked_acquisition: masks above the dark field, and no masks", "[mask_alignment][io]") {
  const TemporaryFolder folder;
  Acquisition a = moved_masks(0).acquisition;
  RawIntensity raw;
  raw.fill = random_values<float>(a.projections.size(), 500, 900, 2);
  raw.mask = random_values<float>(a.detector.num_pixels(), 900, 1500, 3);  // one for all views
  a.valid.assign(a.detector.num_pixels(), 1);
  a.valid[5] = 0;
  write_acquisition(folder / "one.h5", a, &raw);
  const MaskedAcquisition one = read_masked_acquisition(folder / "one.h5");
  REQUIRE(one.log_masks.size() == a.projections.size());
  for (std::size_t i = 0; i < one.log_masks.size(); ++i) {
    const std::size_t pixel = i % raw.mask.size();
    const float expected = pixel == 5 ? 0 : std::log(raw.mask[pixel]);
    if (std::abs(one.log_masks[i] - expected) > 1e-6f) FAIL("mask of pixel " << i);
  }
  write_acquisition(folder / "integrals.h5", a);
  require_error<BadInput>([&] { read_masked_acquisition(folder / "integrals.h5"); },
                          {"integrals.h5", "/projections@quantity", "\"intensity\"", "subtracted already"});
}
