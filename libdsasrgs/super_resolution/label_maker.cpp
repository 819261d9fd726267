// SPDX-License-Identifier: Apache-2.0
// Labels for tests and studies: interpolation, and truth with planted errors.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>
#include <string>

#include "common/random.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/image.hpp"
#include "dsasrgs/pseudo_labels.hpp"
#include "dsasrgs/resample.hpp"
#include "require_finite.hpp"
#include "super_resolution/label_fields.hpp"

namespace dsasrgs {

namespace {

constexpr double kPi = std::numbers::pi;
/// Blur that separates vessels from their background, pixels of the label.
constexpr double kReliefSigma = 8;

int clamped(int i, int size) { return std::clamp(i, 0, size - 1); }

double lanczos3(double x) {
  if (x == 0) return 1;
  if (std::abs(x) >= 3) return 0;
  const double y = kPi * x;
  return 3 * std::sin(y) * std::sin(y / 3) / (y * y);
}

/// Weights of 6 source pixels for each phase of the output pixel, and the first of them relative to the pixel above it.
struct LanczosPhase {
  int first = 0;
  double weight[6] = {};
};
LanczosPhase lanczos_phase(int phase, int scale) {
  const double center = (phase + 0.5) / scale - 0.5;
  LanczosPhase p;
  p.first = static_cast<int>(std::floor(center)) - 2;
  double sum = 0;
  for (int k = 0; k < 6; ++k) sum += p.weight[k] = lanczos3(center - (p.first + k));
  for (double& w : p.weight) w /= sum;
  return p;
}

Image upsample_lanczos(const Image& low, int scale) {
  std::vector<LanczosPhase> phases;
  phases.reserve(static_cast<std::size_t>(scale));
  for (int i = 0; i < scale; ++i) phases.push_back(lanczos_phase(i, scale));
  Image wide{low.width_px * scale, low.height_px, {}};
  wide.values = host_vector<float>(low.values.size() * static_cast<std::size_t>(scale));
  for (int r = 0; r < low.height_px; ++r)
    for (int c = 0; c < wide.width_px; ++c) {
      const LanczosPhase& p = phases[static_cast<std::size_t>(c % scale)];
      double sum = 0;
      for (int k = 0; k < 6; ++k) sum += p.weight[k] * low.at(r, clamped(c / scale + p.first + k, low.width_px));
      wide.at(r, c) = static_cast<float>(sum);
    }
  Image high{wide.width_px, low.height_px * scale, {}};
  high.values = host_vector<float>(wide.values.size() * static_cast<std::size_t>(scale));
  for (int r = 0; r < high.height_px; ++r) {
    const LanczosPhase& p = phases[static_cast<std::size_t>(r % scale)];
    for (int c = 0; c < high.width_px; ++c) {
      double sum = 0;
      for (int k = 0; k < 6; ++k) sum += p.weight[k] * wide.at(clamped(r / scale + p.first + k, low.height_px), c);
      high.at(r, c) = static_cast<float>(sum);
    }
  }
  return high;
}

/// Gaussian blur cut at 3 sigma; the edge pixel is repeated.
Image blurred(const Image& image, double sigma) {
  const int radius = static_cast<int>(std::ceil(3 * sigma));
  std::vector<double> weight;
  double sum = 0;
  for (int k = -radius; k <= radius; ++k) sum += weight.emplace_back(std::exp(-k * k / (2 * sigma * sigma)));
  for (double& w : weight) w /= sum;
  Image rows = image, both = image;
  for (int r = 0; r < image.height_px; ++r)
    for (int c = 0; c < image.width_px; ++c) {
      double mean = 0;
      for (int i = 0; i <= 2 * radius; ++i)
        mean += weight[static_cast<std::size_t>(i)] * image.at(r, clamped(c + i - radius, image.width_px));
      rows.at(r, c) = static_cast<float>(mean);
    }
  for (int r = 0; r < image.height_px; ++r)
    for (int c = 0; c < image.width_px; ++c) {
      double mean = 0;
      for (int i = 0; i <= 2 * radius; ++i)
        mean += weight[static_cast<std::size_t>(i)] * rows.at(clamped(r + i - radius, image.height_px), c);
      both.at(r, c) = static_cast<float>(mean);
    }
  return both;
}

/// What stands out of its surroundings, at least 0.
Image relief_of(const Image& image) {
  Image relief = blurred(image, kReliefSigma);
  for (std::size_t p = 0; p < relief.values.size(); ++p)
    relief.values[p] = std::max(image.values[p] - relief.values[p], 0.0f);
  return relief;
}

float percentile(std::vector<float> values, double fraction) {
  const auto nth = values.begin() + static_cast<std::ptrdiff_t>(fraction * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), nth, values.end());
  return *nth;
}

/// Uniform numbers for one mistake in one view.
Uniform4 draw(const OracleOptions& o, int view, int kind, int item, int number) {
  const auto key = (static_cast<std::uint64_t>(view) << 32) | static_cast<std::uint32_t>(item);
  const auto what = (static_cast<std::uint64_t>(kind) << 32) | static_cast<std::uint32_t>(number);
  return random_uniform4(o.seed, RandomStream::pseudo_labels, key, what);
}
constexpr int kFalseBranch = 0, kMissingBranch = 1;

/// Raises `ridge` to a profile about a point: Gaussian, brought to exactly 0 at 2.5 sigma.
void raise(Image& ridge, double x, double y, double peak, double width) {
  constexpr double kCut = 2.5;
  const double sigma = width / 2.3548, floor = std::exp(-kCut * kCut / 2);
  const int radius = static_cast<int>(std::ceil(kCut * sigma));
  const int center_row = static_cast<int>(y), center_column = static_cast<int>(x);
  for (int r = std::max(center_row - radius, 0); r <= std::min(center_row + radius, ridge.height_px - 1); ++r)
    for (int c = std::max(center_column - radius, 0); c <= std::min(center_column + radius, ridge.width_px - 1); ++c) {
      const double dx = (c + 0.5 - x) / sigma, dy = (r + 0.5 - y) / sigma;
      const double profile = (std::exp(-(dx * dx + dy * dy) / 2) - floor) / (1 - floor);
      ridge.at(r, c) = std::max(ridge.at(r, c), static_cast<float>(peak * profile));
    }
}

/// A curved ridge that begins where there is no vessel and is highest in the middle of its length.
void add_false_branch(Image& ridge, const Image& relief, double typical, const OracleOptions& o, int view, int item) {
  const int side = std::min(ridge.width_px, ridge.height_px);
  Uniform4 start{};
  for (int attempt = 0; attempt < 16; ++attempt) {
    start = draw(o, view, kFalseBranch, item, attempt);
    const int row = static_cast<int>(start.u[1] * static_cast<float>(ridge.height_px));
    const int column = static_cast<int>(start.u[0] * static_cast<float>(ridge.width_px));
    if (relief.at(clamped(row, ridge.height_px), clamped(column, ridge.width_px)) < 0.25 * typical) break;
  }
  const Uniform4 form = draw(o, view, kFalseBranch, item, 100);
  const double length = side * (0.25 + 0.35 * form.u[0]), bend = (form.u[1] - 0.5) * 2 * kPi;
  double x = static_cast<double>(start.u[0]) * ridge.width_px, y = static_cast<double>(start.u[1]) * ridge.height_px;
  double heading = 2 * kPi * start.u[2];
  constexpr double kStep = 0.5;
  const int steps = static_cast<int>(length / kStep);
  for (int i = 0; i <= steps; ++i) {
    const double along = steps > 0 ? static_cast<double>(i) / steps : 0.5;
    raise(ridge, x, y, o.false_attenuation * typical * std::sqrt(std::sin(kPi * std::min(along, 1 - along) + 1e-3)),
          o.false_width_px);
    heading += bend * std::sin(2 * kPi * (along + form.u[2])) * kStep / length * 2;
    x += kStep * std::cos(heading);
    y += kStep * std::sin(heading);
    if (x < 0 || y < 0 || x >= ridge.width_px || y >= ridge.height_px) break;
  }
}

/// Lowers the label to its surroundings about a place on a vessel.
void remove_branch(Image& label, const Image& relief, const std::vector<std::size_t>& vessel, const OracleOptions& o,
                   int view, int item) {
  const float u = draw(o, view, kMissingBranch, item, 0).u[0];
  const std::size_t pick =
      std::min(static_cast<std::size_t>(u * static_cast<double>(vessel.size())), vessel.size() - 1);
  const int row = static_cast<int>(vessel[pick]) / label.width_px,
            column = static_cast<int>(vessel[pick]) % label.width_px;
  const int radius = static_cast<int>(std::ceil(o.missing_radius_px));
  for (int r = std::max(row - radius, 0); r <= std::min(row + radius, label.height_px - 1); ++r)
    for (int c = std::max(column - radius, 0); c <= std::min(column + radius, label.width_px - 1); ++c) {
      const double distance = std::hypot(r - row, c - column) / o.missing_radius_px;
      if (distance >= 1) continue;
      const double weight = distance < 0.5 ? 1 : 0.5 + 0.5 * std::cos(2 * kPi * (distance - 0.5));
      label.at(r, c) -= static_cast<float>(o.missing_strength * weight * relief.at(r, c));
    }
}

void check_scale(const char* function, int scale) {
  if (scale < 1 || scale > label_fields::kMaxScale)
    throw InvalidArgument(std::string(function) + ": scale: expected 1 to " + std::to_string(label_fields::kMaxScale) +
                          ", found " + std::to_string(scale));
}

void check(const OracleOptions& o) {
  const auto require = [](bool ok, const char* what, const char* expected, double found) {
    if (!ok || !std::isfinite(found))
      throw InvalidArgument(std::string("oracle_label: ") + what + ": expected " + expected + ", found " +
                            std::to_string(found));
  };
  require(o.false_branches >= 0 && o.false_branches <= 1000, "false_branches", "0 to 1000", o.false_branches);
  require(o.missing_branches >= 0 && o.missing_branches <= 1000, "missing_branches", "0 to 1000", o.missing_branches);
  require(o.false_attenuation >= 0, "false_attenuation", "0 or more", o.false_attenuation);
  require(o.false_width_px >= 1 && o.false_width_px <= 100, "false_width_px", "1 to 100", o.false_width_px);
  require(o.missing_strength >= 0 && o.missing_strength <= 1, "missing_strength", "0 to 1", o.missing_strength);
  require(o.missing_radius_px >= 1 && o.missing_radius_px <= 1000, "missing_radius_px", "1 to 1000",
          o.missing_radius_px);
  require(o.sharpening >= 0, "sharpening", "0 or more", o.sharpening);
  require(o.sharpening_sigma_px >= 0.3 && o.sharpening_sigma_px <= 100, "sharpening_sigma_px", "0.3 to 100",
          o.sharpening_sigma_px);
}

}  // namespace

namespace {

/// Invalid pixels as 0: whatever was burnt in there would ring into its surroundings.
std::vector<float> valid_projection(const char* function, const Acquisition& a, int view) {
  const std::span<const float> measured = a.projection(view);
  std::vector<float> values(measured.begin(), measured.end());
  const std::span<const std::uint8_t> valid = a.valid_pixels(view);
  for (std::size_t p = 0; p < valid.size(); ++p)
    if (valid[p] == 0) values[p] = 0;
  require_finite_pixels(function, "projection", view, values, a.detector.width_px);
  return values;
}

}  // namespace

MadeLabel bicubic_label(const Acquisition& a, int view, int scale) try {
  check_scale("bicubic_label", scale);
  return {upsample_image(valid_projection("bicubic_label", a, view), a.detector, scale), {}};
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

MadeLabel lanczos_label(const Acquisition& a, int view, int scale) try {
  check_scale("lanczos_label", scale);
  return {
      upsample_lanczos({a.detector.width_px, a.detector.height_px, valid_projection("lanczos_label", a, view)}, scale)
          .values,
      {}};
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

MadeLabel oracle_label(const Acquisition& a, int view, int scale, const OracleOptions& o) try {
  check_scale("oracle_label", scale);
  check(o);
  if (!a.reference_projections || a.reference_projections->scale != scale)
    throw InvalidArgument(
        "oracle_label: expected reference projections of scale " + std::to_string(scale) + " in " + a.name +
        ", found " +
        (a.reference_projections ? "scale " + std::to_string(a.reference_projections->scale) : std::string("none")));
  const std::span<const float> reference = a.reference_projection(view);
  const Detector fine = a.detector.refined(scale);
  require_finite_pixels("oracle_label", "reference projection", view, reference, fine.width_px);
  const Image truth{fine.width_px, fine.height_px, {reference.begin(), reference.end()}};
  const Image relief = relief_of(truth);
  const float typical = percentile(relief.values, 0.99);
  Image label = truth;
  std::vector<std::size_t> vessel;
  for (std::size_t p = 0; p < relief.values.size(); ++p)
    if (relief.values[p] > 0.5f * typical) vessel.push_back(p);
  if (!vessel.empty())
    for (int i = 0; i < o.missing_branches; ++i) remove_branch(label, relief, vessel, o, view, i);
  // Two places may overlap; a vessel is not taken out twice.
  for (std::size_t p = 0; p < label.values.size(); ++p)
    label.values[p] = std::max(label.values[p], truth.values[p] - relief.values[p]);
  Image ridge{fine.width_px, fine.height_px, std::vector<float>(truth.values.size(), 0.0f)};
  for (int i = 0; i < o.false_branches; ++i) add_false_branch(ridge, relief, typical, o, view, i);
  MadeLabel made;
  made.false_vessel_mask = host_vector<std::uint8_t>(truth.values.size());
  for (std::size_t p = 0; p < truth.values.size(); ++p) {
    label.values[p] += ridge.values[p];
    made.false_vessel_mask[p] = label.values[p] != truth.values[p];
  }
  if (o.sharpening > 0) {
    const Image smooth = blurred(label, o.sharpening_sigma_px);
    for (std::size_t p = 0; p < label.values.size(); ++p)
      label.values[p] += static_cast<float>(o.sharpening) * (label.values[p] - smooth.values[p]);
  }
  made.values = std::move(label.values);
  return made;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
