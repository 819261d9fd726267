// SPDX-License-Identifier: Apache-2.0
#include "dsasrgs/uncertainty.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <numbers>
#include <utility>

#include "common/gaussian_math.hpp"
#include "dsasrgs/renderer.hpp"
#include "oracle/dense_matrix.hpp"
#include "project/project_math.hpp"
#include "support/blob_model.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/random_values.hpp"

using namespace dsasrgs;
using namespace dsasrgs::test;

namespace {

const VolumeGrid& kGrid = kBlobGrid;
const Detector& kFlat = kBlobDetector;
constexpr ScaleBounds kBounds = kBlobBounds;
constexpr float kDensityScale = kBlobScale;
const double kDensity = kBlobDensity;

/// exp(−½·steepness·q) of a pixel around the detector's middle for a footprint
/// of `sigma` pixels, 0 beyond the cut-off.
double footprint(int row, int column, double sigma, double steepness) {
  const double x = column + 0.5 - 24, y = row + 0.5 - 24, q = steepness * (x * x + y * y) / (sigma * sigma);
  return q <= 3.5 * 3.5 ? std::exp(-0.5 * q) : 0;
}

/// Projections of all Gaussians of density 1 in all pixels of all views, in
/// double: [views·pixels, N].
Rows footprints(const std::vector<Blob>& blobs, const Acquisition& a) {
  const std::size_t pixels = a.detector.num_pixels(), width = static_cast<std::size_t>(a.detector.width_px);
  Rows all(pixels * a.poses.size(), std::vector<double>(blobs.size()));
  for (std::size_t v = 0; v < a.poses.size(); ++v) {
    const auto view = projection_constants(a.poses[v], a.detector, kBounds, false);
    for (std::size_t i = 0; i < blobs.size(); ++i) {
      const double s = raw_scale_from(blobs[i].scale_mm, view.min_mm, view.max_mm);
      const auto p = project_gaussian<double>(view, blobs[i].position_mm, {s, s, s}, {1, 0, 0, 0}, 1);
      for (std::size_t k = 0; k < pixels; ++k) {
        const double x = static_cast<double>(k % width) + 0.5 - p.mean_u;
        const double y = static_cast<double>(k / width) + 0.5 - p.mean_v;
        const double q = p.conic_xx * x * x + 2 * p.conic_xy * x * y + p.conic_yy * y * y;
        if (q <= 3.5 * 3.5) all[v * pixels + k][i] = p.amplitude * std::exp(-0.5 * q);
      }
    }
  }
  return all;
}

/// Standard deviations of the densities by the whole Gauss-Newton Hessian, with
/// the prior of the library.
std::vector<double> by_hessian(const std::vector<Blob>& blobs, const Acquisition& a, double misfit) {
  Rows hessian = squared(footprints(blobs, a));
  for (std::size_t i = 0; i < hessian.size(); ++i) {
    for (double& x : hessian[i]) x /= misfit * misfit;
    hessian[i][i] += 1 / (kDensity * kDensity);
  }
  const Rows covariance = inverted(hessian);
  std::vector<double> deviation;
  for (std::size_t i = 0; i < covariance.size(); ++i) deviation.push_back(std::sqrt(covariance[i][i]));
  return deviation;
}

const UncertaintyOptions kPlain{1, 1, false};

}  // namespace

TEST_CASE("uncertainty: one Gaussian and one view, by hand", "[uncertainty]") {
  Context ctx = make_context();
  const Model model = model_of(ctx, {{{0, 0, 0}, 3}});
  const float misfit = 0.01f;
  Acquisition a = measured(ctx, model, 1, misfit, false);
  a.valid.assign(kFlat.num_pixels(), 1);
  for (int row = 0; row < 48; ++row)
    for (int column = 0; column < 26; ++column) a.valid[static_cast<std::size_t>(48 * row + column)] = 0;
  const double sigma = 3, eta = std::sqrt(2 * std::numbers::pi) * 3;
  double squares = 0;
  for (int row = 0; row < 48; ++row)
    for (int column = 26; column < 48; ++column) squares += eta * eta * footprint(row, column, sigma, 2);
  const double variance = 1 / (squares / (0.01 * 0.01) + 1 / (kDensity * kDensity));

  Uncertainty uncertainty(ctx, model, a, {2, 3, false});
  CHECK(uncertainty.density_deviation(0).at(0) == Approx(std::sqrt(variance)).epsilon(1e-3));
  const Image image = uncertainty.render(a.poses[0], kFlat);
  std::vector<double> expected;
  for (int row = 0; row < 48; ++row)
    for (int column = 0; column < 48; ++column)
      expected.push_back(2 * std::sqrt(2 * eta * eta * variance * footprint(row, column, sigma, 1 / 1.5)));
  CHECK(relative_l2(image.values, expected) < 1e-3);
  const Volume volume = uncertainty.voxelize(kGrid, 0);
  const double r2 = 3 * 2 * 2;  // of the four voxels around the middle
  const double widening = std::pow(4.0, 2.0 / 3.0) / 2;
  // Of ten modes density, two of place and three of shape are those of the image; depth is taken to be 20 times worse.
  const double depth = std::sqrt((6 + 20 + 2 * std::pow(20, 0.75) + std::pow(400, 0.75)) / 10);
  CHECK(volume.values[10 * 400 + 10 * 20 + 10] ==
        Approx(3 * std::sqrt(2.5 * depth * variance * std::exp(-0.5 * r2 / (9 * widening)))).epsilon(1e-3));
  CHECK(relative_l2(uncertainty.voxelize_mean(kGrid).values, volume.values) < 1e-5);
}

TEST_CASE("uncertainty: place and shape, by the Jacobian of all a view can tell", "[uncertainty]") {
  Context ctx = make_context();
  const std::vector<Blob> blob{{{0, 0, 0}, 3}};
  const Model model = model_of(ctx, blob);
  const float misfit = 1e-4f;  // far below what the prior allows
  const Acquisition a = measured(ctx, model, 1, misfit, true);
  // Amplitude, place (2) and the three numbers of the conic; 2D, by central
  // differences.
  const auto value = [](std::size_t pixel, const std::vector<double>& p) {
    const double x = static_cast<double>(pixel % 48) + 0.5 - 24 - p[1];
    const double y = static_cast<double>(pixel / 48) + 0.5 - 24 - p[2];
    return p[0] * std::exp(-0.5 * (p[3] * x * x + 2 * p[4] * x * y + p[5] * y * y));
  };
  const std::vector<double> at{1, 0, 0, 1 / 9.0, 0, 1 / 9.0};
  Rows jacobian(kFlat.num_pixels(), std::vector<double>(6));
  for (std::size_t k = 0; k < 6; ++k) {
    auto above = at, below = at;
    above[k] += 1e-4;
    below[k] -= 1e-4;
    for (std::size_t p = 0; p < jacobian.size(); ++p) jacobian[p][k] = (value(p, above) - value(p, below)) / 2e-4;
  }
  const Rows covariance = inverted(squared(jacobian));
  std::vector<double> leverage(jacobian.size());  // variance of each pixel in units of the misfit's
  for (std::size_t p = 0; p < jacobian.size(); ++p)
    for (std::size_t i = 0; i < 6; ++i)
      for (std::size_t j = 0; j < 6; ++j) leverage[p] += jacobian[p][i] * covariance[i][j] * jacobian[p][j];

  const Image deviation = Uncertainty(ctx, model, a, kPlain).render(a.poses[0], kFlat);
  double sum = 0;
  for (const float d : deviation.values) sum += std::pow(static_cast<double>(d / misfit), 2);
  CHECK(sum == Approx(6).epsilon(0.02));  // all six modes; what the cut-off leaves out is 1.7 %
  const std::size_t middle = 48 * 24 + 24;
  CHECK(std::pow(static_cast<double>(deviation.values[middle] / misfit), 2) == Approx(leverage[middle]).epsilon(0.05));
  double worst = 0;
  for (std::size_t i = 0; i < deviation.values.size(); ++i)
    worst = std::max(worst, std::abs(static_cast<double>(deviation.values[i] / misfit) - std::sqrt(leverage[i])));
  CHECK(worst < 0.25 * static_cast<double>(deviation.values[middle] / misfit));
}

TEST_CASE(
    "uncertainty: Gaussians that share no pixel have the variance of the "
    "whole Hessian",
    "[uncertainty]") {
  Context ctx = make_context();
  std::vector<Blob> blobs;  // along the axis of the sweep, apart in every view
  for (int i = 0; i < 5; ++i) blobs.push_back({{0.2 * i, -0.1 * i, -18.0 + 9.0 * i}, 0.8 + 0.1 * i});
  const Model model = model_of(ctx, blobs);
  for (const int views : {1, 6})
    for (const float misfit : {0.002f, 0.05f}) {
      const Acquisition a = measured(ctx, model, views, misfit, true);
      Uncertainty uncertainty(ctx, model, a, kPlain);
      CHECK(relative_l2(uncertainty.density_deviation(0.3), by_hessian(blobs, a, static_cast<double>(misfit))) < 2e-3);
    }
}

TEST_CASE(
    "uncertainty: Gaussians that share pixels are less certain than "
    "said, within a range",
    "[uncertainty]") {
  Context ctx = make_context();
  std::vector<Blob> blobs;
  const auto place = random_values<double>(60, -9, 9, 8);
  for (std::size_t i = 0; i < 20; ++i) blobs.push_back({{place[3 * i], place[3 * i + 1], place[3 * i + 2]}, 2});
  const Model model = model_of(ctx, blobs);
  const Acquisition a = measured(ctx, model, 8, 0.01f, true);
  const std::vector<float> said = Uncertainty(ctx, model, a, kPlain).density_deviation(0.5);
  const std::vector<double> whole = by_hessian(blobs, a, 0.01);
  double largest = 0;
  for (std::size_t i = 0; i < said.size(); ++i) {
    CHECK(whole[i] > 0.998 * static_cast<double>(said[i]));  // the diagonal's inverse is at
                                                             // most the inverse's diagonal
    largest = std::max(largest, whole[i] / static_cast<double>(said[i]));
  }
  INFO("largest ratio " << largest);
  CHECK(largest > 1.1);
  CHECK(largest < 8);
}

TEST_CASE(
    "uncertainty: twice the misfit is twice the deviation, and no view "
    "says no more than the densities do",
    "[uncertainty]") {
  Context ctx = make_context();
  const Model model = model_of(ctx, {{{0, 0, 0}, 3}, {{0, 0, 300}, 2}});  // the second is on no detector
  Acquisition a = measured(ctx, model, 4, 1e-4f, true);
  const Acquisition twice = measured(ctx, model, 4, 2e-4f, true);
  const auto of = [&](const Acquisition& acquisition) {
    return Uncertainty(ctx, model, acquisition, kPlain).render(a.poses[0], kFlat).values;
  };
  std::vector<float> doubled = of(a);
  for (float& v : doubled) v *= 2;
  CHECK(relative_l2(of(twice), doubled) < 1e-3);
  CHECK(Uncertainty(ctx, model, a, kPlain).density_deviation(0).at(1) == Approx(kDensity).epsilon(1e-5));
  a.valid.assign(kFlat.num_pixels(), 0);
  for (const float d : Uncertainty(ctx, model, a, kPlain).density_deviation(0))
    CHECK(d == Approx(kDensity).epsilon(1e-5));
}

TEST_CASE("uncertainty: variances meet the misfit that is no noise halfway", "[uncertainty]") {
  Context ctx = make_context();
  const Model model = model_of(ctx, {{{0, 0, 0}, 3}});
  const double misfit = 0.01;
  const Acquisition everywhere = measured(ctx, model, 1, static_cast<float>(misfit), true);
  const std::vector<float> render = Renderer(ctx, model).render(everywhere.poses[0], kFlat).values;
  const float brightest = *std::max_element(render.begin(), render.end());
  Acquisition inside = everywhere;
  double pixels = 0;
  for (std::size_t p = 0; p < render.size(); ++p) {
    if (render[p] > 0.01f * brightest)
      ++pixels;
    else
      inside.projections[p] = render[p];
  }
  // Inside all of the misfit is the model's, else nothing, of which a twentieth
  // counts.
  for (const bool noise : {false, true}) {
    const Acquisition& a = noise ? everywhere : inside;
    const std::vector<float> plain = Uncertainty(ctx, model, a, kPlain).render(a.poses[0], kFlat).values;
    std::vector<float> expected = Uncertainty(ctx, model, a, {1, 1, true}).render(a.poses[0], kFlat).values;
    double predicted = 0;
    for (std::size_t p = 0; p < render.size(); ++p)
      if (render[p] > 0.01f * brightest) predicted += std::pow(static_cast<double>(plain[p]), 2);
    const double of_model = (noise ? 0.05 : 1) * pixels * misfit * misfit;
    const float factor = static_cast<float>(std::pow(of_model / predicted, -0.25));
    for (float& d : expected) d *= factor;
    CHECK(relative_l2(expected, plain) < 1e-4);
  }
}

TEST_CASE("uncertainty: views tell of moments near theirs", "[uncertainty]") {
  Context ctx = make_context();
  const Model still = model_of(ctx, {{{0, 0, 0}, 3}}),
              moving = model_of(ctx, {{{0, 0, 0}, 3}}, AttenuationKind::offset_table);
  Acquisition a = measured(ctx, still, 9, 0.001f, true);
  a.train_views = {0, 1, 2};
  Uncertainty of_still(ctx, still, a), of_moving(ctx, moving, a);
  CHECK(of_still.density_deviation(0) == of_still.density_deviation(1));
  CHECK(of_moving.density_deviation(0.1).at(0) < 0.1 * kDensity);
  CHECK(of_moving.density_deviation(0.6).at(0) == Approx(kDensity).epsilon(1e-4));  // two knots from the last view
}

TEST_CASE("uncertainty: in any unit of length and at any brightness", "[uncertainty]") {
  Context ctx = make_context();
  const double length = 1 / 1024.0;  // about metres
  const float brightness = 32;
  const std::vector<Blob> blobs{{{0, 0, 0}, 3}, {{4, 2, 5}, 2}};
  const Model model = model_of(ctx, blobs);
  const Acquisition a = measured(ctx, model, 6, 0.01f, true);
  Model other = model_of(ctx, blobs);
  std::vector<float> position = other.cloud.position_mm.to_host(ctx);
  for (float& x : position) x *= static_cast<float>(length);
  other.cloud.position_mm = Buffer<float>::from_host(ctx, position);
  other.cloud.bounds = {kBounds.min_mm * static_cast<float>(length), kBounds.max_mm * static_cast<float>(length)};
  other.field.set_density_scale_per_mm(kDensityScale * brightness / static_cast<float>(length));
  Acquisition b = a;
  b.detector.pitch_u_mm *= length;
  b.detector.pitch_v_mm *= length;
  for (Pose& pose : b.poses) {
    pose.source_mm = pose.source_mm * length;
    pose.detector_center_mm = pose.detector_center_mm * length;
  }
  for (float& value : b.projections) value *= brightness;
  VolumeGrid grid = kGrid;
  grid.spacing_mm = grid.spacing_mm * length;
  grid.origin_mm = grid.origin_mm * length;
  Uncertainty first(ctx, model, a), second(ctx, other, b);
  std::vector<float> image = first.render(a.poses[2], kFlat).values, volume = first.voxelize(kGrid, 0.5).values;
  for (float& v : image) v *= brightness;
  for (float& v : volume) v *= brightness / static_cast<float>(length);
  CHECK(relative_l2(second.render(b.poses[2], b.detector).values, image) < 1e-5);
  CHECK(relative_l2(second.voxelize(grid, 0.5).values, volume) < 1e-5);
}

TEST_CASE("uncertainty: gain and offset of a view are no misfit", "[uncertainty]") {
  Context ctx = make_context();
  Model model = model_of(ctx, {{{0, 0, 0}, 3}});
  Acquisition a = measured(ctx, model, 2, 0.01f, true);
  const float without = Uncertainty(ctx, model, a).density_deviation(0).at(0);
  for (float& value : a.projections) value = 1.5f * value + 0.25f;
  CHECK(Uncertainty(ctx, model, a).density_deviation(0).at(0) > 2 * without);
  model.nuisance = {{0, 1}, {1.5f, 1.5f}, {0.25f, 0.25f}};
  CHECK(Uncertainty(ctx, model, a).density_deviation(0).at(0) == Approx(without).epsilon(1e-4));
}

TEST_CASE("uncertainty: poses that the model corrects are no misfit", "[uncertainty]") {
  Context ctx = make_context();
  Model model = model_of(ctx, {{{0, 0, 0}, 3}});
  Acquisition given = measured(ctx, model, 6, 0, false);
  model.pose_correction = {{0, 1, 2, 3, 4, 5}, given.poses, {}, {}, std::vector<RigidMotion>(4), {}};
  model.pose_correction.remainder.resize(6);
  model.pose_correction.sweep.offset_u_mm = 8;
  Acquisition corrected = given;
  corrected.poses = poses_as_corrected(model, given);
  Renderer renderer(ctx, model);
  given.projections.clear();
  for (const Pose& pose : corrected.poses)
    for (const float value : renderer.render(pose, kFlat).values) given.projections.push_back(value + 0.001f);
  corrected.projections = given.projections;
  const float refined = Uncertainty(ctx, model, given).density_deviation(0).at(0);
  model.pose_correction = {};
  CHECK(refined == Uncertainty(ctx, model, corrected).density_deviation(0).at(0));
  CHECK(Uncertainty(ctx, model, given).density_deviation(0).at(0) > 3 * refined);
}

TEST_CASE("uncertainty: CUDA agrees with the CPU", "[uncertainty][parity]") {
  std::vector<Blob> blobs;
  const auto place = random_values<double>(90, -12, 12, 9);
  for (std::size_t i = 0; i < 30; ++i) blobs.push_back({{place[3 * i], place[3 * i + 1], place[3 * i + 2]}, 2});
  const auto on = [&](Context ctx) {
    const Model model = model_of(ctx, blobs, AttenuationKind::offset_table);
    const Acquisition a = measured(ctx, model, 3, 0.01f, true);
    Uncertainty uncertainty(ctx, model, a);
    return std::pair{uncertainty.render(a.poses[1], kFlat).values, uncertainty.voxelize_mean(kGrid).values};
  };
  const auto cpu = on(Context::cpu(1)), cuda = on(make_context());
  CHECK(relative_l2(cuda.first, cpu.first) < 1e-4);
  CHECK(relative_l2(cuda.second, cpu.second) < 1e-4);
}
