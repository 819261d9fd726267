// SPDX-License-Identifier: Apache-2.0
#include "mask_fit.hpp"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <vector>

#include "dsasrgs/buffer.hpp"

namespace dsasrgs {

namespace {

constexpr int kNumbers = 5;           // shifts, turn and magnification by what they move a corner by, px; exposure
constexpr double kLeastScale = 5e-3;  // line integrals: images that agree exactly
using Numbers = Eigen::Matrix<double, kNumbers, 1>;

/// A level of the pyramid.
struct Level {
  int width, height;
  double aspect;  // a pixel's height in its width
  std::vector<float> mask, fill;
  std::vector<std::uint8_t> valid;  // [H,W]

  double corner_px() const { return 0.5 * std::hypot(width, aspect * height); }
  MaskMotion motion(const Numbers& x) const { return {x[0], x[1], x[2] / corner_px(), x[3] / corner_px()}; }
};

/// Averages over 2 × 2 pixels, those that are valid; an odd last row or column goes.
Level averaged(const Level& fine) {
  Level coarse{fine.width / 2, fine.height / 2, fine.aspect, {}, {}, {}};
  const std::size_t pixels = static_cast<std::size_t>(coarse.width) * static_cast<std::size_t>(coarse.height);
  coarse.mask = host_vector<float>(pixels);
  coarse.fill = host_vector<float>(pixels);
  coarse.valid = host_vector<std::uint8_t>(pixels);
  for (int row = 0, i = 0; row < coarse.height; ++row)
    for (int column = 0; column < coarse.width; ++column, ++i) {
      const auto pixel = static_cast<std::size_t>(i);
      float fill = 0;
      int count = 0;
      for (int k = 0; k < 4; ++k) {
        const std::size_t from = static_cast<std::size_t>(2 * row + k / 2) * static_cast<std::size_t>(fine.width) +
                                 static_cast<std::size_t>(2 * column + k % 2);
        coarse.mask[pixel] += fine.mask[from] / 4;
        if (fine.valid[from] == 0) continue;
        fill += fine.fill[from];
        ++count;
      }
      coarse.valid[pixel] = count == 4 ? 1 : 0;
      coarse.fill[pixel] = count == 4 ? fill / 4 : 0;
    }
  return coarse;
}

double median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// The image less, at each pixel, the mean within `reach` pixels of its row and column by the weights [H,W].
std::vector<float> without_mean(std::span<const float> image, const std::vector<float>& weights, int width, int height,
                                int reach) {
  const auto at = [width](int row, int column) {
    return static_cast<std::size_t>(row) * (static_cast<std::size_t>(width) + 1) + static_cast<std::size_t>(column);
  };
  // Of all pixels above and left of a pixel's corner.
  std::vector<double> sum = host_vector<double>(at(height, width) + 1), weight = host_vector<double>(sum.size());
  std::size_t pixel = 0;
  for (int row = 0; row < height; ++row)
    for (int column = 0; column < width; ++column, ++pixel) {
      const auto add = [&](std::vector<double>& of, double value) {
        of[at(row + 1, column + 1)] = value + of[at(row + 1, column)] + of[at(row, column + 1)] - of[at(row, column)];
      };
      const auto w = static_cast<double>(weights[pixel]);
      add(sum, w * static_cast<double>(image[pixel]));
      add(weight, w);
    }
  std::vector<float> fast = host_vector<float>(image.size());
  pixel = 0;
  for (int row = 0; row < height; ++row)
    for (int column = 0; column < width; ++column, ++pixel) {
      const int left = std::max(0, column - reach), right = std::min(width, column + reach + 1);
      const int up = std::max(0, row - reach), down = std::min(height, row + reach + 1);
      const auto within = [&](const std::vector<double>& of) {
        return of[at(down, right)] - of[at(up, right)] - of[at(down, left)] + of[at(up, left)];
      };
      constexpr double kLeast = 1e-6;  // sums' rounding
      const double all = within(weight), mean = all > kLeast ? within(sum) / all : 0;
      fast[pixel] = static_cast<float>(static_cast<double>(image[pixel]) - mean);
    }
  return fast;
}

/// Twice so: slopes that bend are slow, too.
std::vector<float> without_slow(std::span<const float> image, const std::vector<float>& weights, int width, int height,
                                int reach) {
  return without_mean(without_mean(image, weights, width, height, reach), weights, width, height, reach);
}

class Fit {
 public:
  /// A corner moves by `usual_px` or so, where nothing else tells.
  Fit(const Level& level, double usual_px)
      : level_(&level), spline_(level.mask, level.width, level.height), usual_px_(usual_px) {
    // A large image is looked at in every k-th row and column.
    constexpr double kMostPixels = 1 << 16;
    stride_ =
        static_cast<int>(std::ceil(std::sqrt(std::max(1.0, static_cast<double>(level.valid.size()) / kMostPixels))));
  }

  /// The exposure's difference and the residual scale where the motion is x: of all pixels, or of those where the mask
  /// has structure. False where no pixel is seen.
  bool set_scale(Numbers& x, bool of_structure) {
    struct Seen {
      double residual, steepness;
    };
    std::vector<Seen> seen;
    std::vector<double> residuals;
    double sum = 0;
    for_each(
        [&](double r, const Numbers& slope) {
          seen.push_back({r, slope.head<2>().squaredNorm()});
          residuals.push_back(r);
          sum += seen.back().steepness;
        },
        x, true);
    if (seen.empty()) return false;
    const double middle = median(residuals), steep = sum / static_cast<double>(seen.size());
    x[4] -= middle;
    residuals.clear();
    for (const Seen& s : seen)
      if (!of_structure || s.steepness >= steep) residuals.push_back(std::abs(s.residual - middle));
    scale_ = std::max(median(residuals), kLeastScale);
    return true;
  }

  /// Mean of what is minimised, of the pixels seen, with what is known beforehand.
  double cost(const Numbers& x) const {
    double sum = 0;
    std::size_t count = 0;
    for_each(
        [&](double r, const Numbers&) {
          sum += std::log1p(r * r / (scale_ * scale_));
          ++count;
        },
        x, false);
    return count == 0 ? INFINITY : sum / static_cast<double>(count) + before(x) / static_cast<double>(count);
  }

  void minimise(Numbers& x) const {
    constexpr int kMostSteps = 30;
    constexpr double kSmall_px = 1e-3;
    double damping = 1e-3, now = cost(x);
    for (int step = 0; step < kMostSteps; ++step) {
      Eigen::Matrix<double, kNumbers, kNumbers> h = Eigen::Matrix<double, kNumbers, kNumbers>::Zero();
      Numbers g = Numbers::Zero();
      for_each(
          [&](double r, const Numbers& slope) {
            const double weight = 1 / (scale_ * scale_ + r * r);
            h += weight * slope * slope.transpose();
            g += weight * r * slope;
          },
          x, true);
      for (int k = 0; k < 4; ++k) {
        h(k, k) += 1 / (usual_px_ * usual_px_);
        g[k] += x[k] / (usual_px_ * usual_px_);
      }
      Numbers change = Numbers::Zero();
      bool better = false;
      for (; damping < 1e6 && !better; damping *= 10) {
        Eigen::Matrix<double, kNumbers, kNumbers> damped = h;
        damped.diagonal() *= 1 + damping;
        change = damped.ldlt().solve(-g);
        const double then = change.allFinite() ? cost(x + change) : INFINITY;
        better = then < now;
        if (better) now = then;
      }
      if (!better) return;
      damping = std::max(damping / 100, 1e-6);
      x += change;
      if (change.head<4>().cwiseAbs().maxCoeff() < kSmall_px) return;
    }
  }

 private:
  double before(const Numbers& x) const { return x.head<4>().squaredNorm() / (usual_px_ * usual_px_); }

  /// see(r, dr/dx) of each pixel that is valid and seen by the mask.
  template <class See>
  void for_each(See&& see, const Numbers& x, bool with_slopes) const {
    const Level& l = *level_;
    const MaskMotion motion = l.motion(x);
    const double c = 0.5 * (l.width - 1), d = 0.5 * (l.height - 1), corner = l.corner_px();
    const double cosine = std::cos(motion.turn_rad), sine = std::sin(motion.turn_rad), size = 1 + motion.magnification;
    for (int row = 0; row < l.height; row += stride_)
      for (int column = 0; column < l.width; column += stride_) {
        const std::size_t pixel =
            static_cast<std::size_t>(row) * static_cast<std::size_t>(l.width) + static_cast<std::size_t>(column);
        if (l.valid[pixel] == 0) continue;
        const Vec2d at = moved(motion, l.width, l.height, l.aspect, {double(column), double(row)});
        if (!(at.x >= 0 && at.y >= 0 && at.x <= l.width - 1 && at.y <= l.height - 1)) continue;
        const ImageSpline::Sample m = spline_.at(at.x, at.y);
        Numbers slope = Numbers::Zero();
        if (with_slopes) {
          const double right = column - c, down = (row - d) * l.aspect;
          const double u = cosine * right - sine * down, v = (sine * right + cosine * down);
          slope << m.along_u, m.along_v, size * (m.along_v * u / l.aspect - m.along_u * v) / corner,
              (m.along_u * u + m.along_v * v / l.aspect) / corner, 1;
        }
        see(m.value + x[4] - static_cast<double>(l.fill[pixel]), slope);
      }
  }

  const Level* level_;
  ImageSpline spline_;
  double usual_px_, scale_ = 1;
  int stride_ = 1;
};

/// Mask and fill [H,W] as they are, but that the fill has what is slow in their difference where the mask is moved by
/// x.
Level with_slow_difference(const Level& given, const Numbers& x, int reach) {
  Level level = given;
  const MaskMotion motion = given.motion(x);
  const ImageSpline spline(given.mask, given.width, given.height);
  std::vector<float> difference = host_vector<float>(given.mask.size());
  std::size_t pixel = 0;
  for (int row = 0; row < given.height; ++row)
    for (int column = 0; column < given.width; ++column, ++pixel) {
      const Vec2d at = moved(motion, given.width, given.height, given.aspect, {double(column), double(row)});
      if (!(at.x >= 0 && at.y >= 0 && at.x <= given.width - 1 && at.y <= given.height - 1)) level.valid[pixel] = 0;
      if (level.valid[pixel] != 0)
        difference[pixel] = static_cast<float>(spline.at(at.x, at.y).value) - given.fill[pixel];
    }
  // Vessels count little here, too.
  std::vector<float> weights(level.valid.begin(), level.valid.end());
  const std::vector<float> first = without_slow(difference, weights, given.width, given.height, reach);
  std::vector<double> sizes;
  for (std::size_t p = 0; p < first.size(); ++p)
    if (level.valid[p] != 0) sizes.push_back(std::abs(static_cast<double>(first[p])));
  if (sizes.empty()) return level;
  const double scale = std::max(median(sizes), kLeastScale);
  for (std::size_t p = 0; p < first.size(); ++p) {
    const double r = static_cast<double>(first[p]) / scale;
    if (level.valid[p] != 0) weights[p] = static_cast<float>(1 / (1 + r * r));
  }
  const std::vector<float> fast = without_slow(difference, weights, given.width, given.height, reach);
  for (std::size_t p = 0; p < fast.size(); ++p) level.fill[p] += difference[p] - fast[p];
  return level;
}

constexpr double kUsual_px = 4;

/// The shift in whole pixels of a level, up to `reach`, that fits clearly better than none.
Numbers best_shift_on(const Level& level, double usual_px, int reach) {
  constexpr double kClearly = 0.98;
  Fit fit(level, usual_px);
  Numbers best = Numbers::Zero();
  if (!fit.set_scale(best, true)) return best;
  double least = kClearly * fit.cost(best);
  Numbers x = best;
  for (int v = -reach; v <= reach; ++v)
    for (int u = -reach; u <= reach; ++u) {
      x[0] = u;
      x[1] = v;
      if (const double cost = fit.cost(x); cost < least) {
        least = cost;
        best = x;
      }
    }
  return best;
}

/// From a motion on the coarsest level to one on the finest.
Numbers descend(const std::vector<Level>& levels, Numbers x) {
  for (std::size_t k = levels.size(); k-- > 0;) {
    Fit fit(levels[k], kUsual_px / static_cast<double>(1 << k));
    // At first bone that lies elsewhere must not be an outlier; then vessels are to be.
    for (const bool of_structure : {true, false})
      if (fit.set_scale(x, of_structure)) fit.minimise(x);
    if (k > 0) x.head<4>() *= 2;
  }
  return x;
}

/// Whether a motion fits better than another one.
bool is_better(const Level& level, Numbers x, Numbers other) {
  Fit fit(level, kUsual_px);
  return fit.set_scale(other, false) && fit.set_scale(x, false) && fit.cost(x) < fit.cost(other);
}

}  // namespace

MaskMotion fit_mask(std::span<const float> mask, std::span<const float> fill, std::span<const std::uint8_t> valid,
                    const Detector& detector, double largest_px) {
  constexpr int kMostLevels = 3, kLeastSide = 24, kRefinements = 2;
  // What changes over more than 8 pixels, or 3 % of the image, to either side is not the mask's motion.
  constexpr int kLeastReach_px = 8, kReachesOfSide = 32;
  constexpr double kLeastMotion_px = 0.02;
  const int width_px = detector.width_px, height_px = detector.height_px, side = std::min(width_px, height_px);
  const int reach = std::max(kLeastReach_px, side / kReachesOfSide);
  Level given{width_px, height_px, detector.pitch_v_mm / detector.pitch_u_mm, {}, {}, {}};
  given.mask.assign(mask.begin(), mask.end());
  given.fill.assign(fill.begin(), fill.end());
  given.valid.assign(valid.begin(), valid.end());
  if (valid.empty()) given.valid = host_vector<std::uint8_t>(mask.size(), 1);
  std::vector<Level> levels{given};
  const std::vector<float> weights(given.valid.begin(), given.valid.end());
  for (std::vector<float> Level::*image : {&Level::mask, &Level::fill})
    levels[0].*image = without_slow(given.*image, weights, width_px, height_px, reach);
  while (levels.size() < kMostLevels && std::min(levels.back().width, levels.back().height) >= 2 * kLeastSide)
    levels.push_back(averaged(levels.back()));

  const double coarsest = static_cast<double>(1 << (levels.size() - 1));
  const int search = static_cast<int>(std::ceil(std::min(1.5 * largest_px, side / 3.0) / coarsest));
  const Numbers start = best_shift_on(levels.back(), kUsual_px / coarsest, search);
  Numbers x = descend(levels, Numbers::Zero());
  if (!start.head<2>().isZero())
    if (const Numbers other = descend(levels, start); is_better(levels[0], other, x)) x = other;
  // What was taken for slow does not turn with the mask, and ends at the image's edges: now of the difference alone.
  for (int k = 0; k < kRefinements; ++k) {
    const Level level = with_slow_difference(given, x, reach);
    Fit fit(level, kUsual_px);
    if (fit.set_scale(x, false)) fit.minimise(x);
  }
  const MaskMotion motion = levels[0].motion(x);
  return is_better(levels[0], x, Numbers::Zero()) && moved_px(motion, detector) >= kLeastMotion_px ? motion
                                                                                                   : MaskMotion{};
}

}  // namespace dsasrgs
