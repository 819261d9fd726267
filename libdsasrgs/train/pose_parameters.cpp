// SPDX-License-Identifier: Apache-2.0
#include "train/pose_parameters.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "dsasrgs/error.hpp"

namespace dsasrgs {

namespace {

constexpr const char* kSharedNames[] = {"the detector's offset along its rows",
                                        "the detector's offset along its columns",
                                        "the detector's distance from the source",
                                        "roll",
                                        "tilt",
                                        "the arc's scale"};

/// The shared corrections as numbers, in the order of kSharedNames.
SweepCorrection sweep_of(std::span<const double> v) { return {v[0], v[1], v[2], v[3], v[4], v[5]}; }

RigidMotion rigid_of(std::span<const double> v) { return {{v[0], v[1], v[2]}, {v[3], v[4], v[5]}}; }

DetectorShifts detector_shifts(const TrainingViews& views, std::size_t slot) {
  const Pose& pose = views.pose(slot);
  const Vec3d pivot = views.volume().center_mm();
  const auto points = points_of(views.volume());
  const double reach = length(pose.source_mm - pivot);
  DetectorShifts shifts;
  for (std::size_t k = 0; k < ViewCorrection::kSize; ++k) {
    const double step = k < 3 ? 1e-5 : 1e-5 * reach;
    ViewCorrection up, down;
    up.number[k] = step;
    down.number[k] = -step;
    const Pose above = corrected_pose(pose, pivot, up), below = corrected_pose(pose, pivot, down);
    for (std::size_t i = 0; i < points.size(); ++i) {
      const Vec2d p = project_point(above, views.detector(), points[i]),
                  q = project_point(below, views.detector(), points[i]);
      const auto row = static_cast<Eigen::Index>(2 * i), column = static_cast<Eigen::Index>(k);
      shifts(row, column) = (p.x - q.x) / (2 * step);
      shifts(row + 1, column) = (p.y - q.y) / (2 * step);
    }
  }
  if (!shifts.allFinite())
    throw BadInput(views.name(), "/volume", "a volume between source and detector of every view, for geometry.refine",
                   "one that view " + std::to_string(views.index(slot)) + " does not see");
  return shifts;
}

/// How motions of the volume move its points on the detector of a view: turns about and shifts along x, y, z, and a
/// scaling; each per the step that was taken.
Eigen::MatrixXd volume_shifts(const TrainingViews& views, std::size_t slot) {
  const Pose& pose = views.pose(slot);
  const Vec3d pivot = views.volume().center_mm();
  const auto points = points_of(views.volume());
  constexpr double kStep = 1e-5;
  const double side = views.volume().largest_side_mm();
  Eigen::MatrixXd shifts(2 * points.size(), 7);
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Vec3d r = points[i] - pivot;
    const Vec3d ways[7] = {{0, -r.z, r.y}, {r.z, 0, -r.x}, {-r.y, r.x, 0}, {side, 0, 0}, {0, side, 0}, {0, 0, side}, r};
    for (Eigen::Index k = 0; k < 7; ++k) {
      const Vec3d way = ways[k] * kStep;
      const Vec2d p = project_point(pose, views.detector(), points[i] + way),
                  q = project_point(pose, views.detector(), points[i] - way);
      shifts(static_cast<Eigen::Index>(2 * i), k) = (p.x - q.x) / (2 * kStep);
      shifts(static_cast<Eigen::Index>(2 * i + 1), k) = (p.y - q.y) / (2 * kStep);
    }
  }
  return shifts;
}

Eigen::Matrix<double, ViewCorrection::kSize, 1> vector_of(const ViewCorrection& c) {
  return Eigen::Map<const Eigen::Matrix<double, ViewCorrection::kSize, 1>>(c.number.data());
}

}  // namespace

PoseParameters::PoseParameters(const TrainingViews& views, std::size_t knots) : knots_(knots) {
  frame_.view = views.indices();
  frame_.nominal = views.poses();
  frame_.pivot_mm = views.volume().center_mm();
  double brightest = 0;
  for (std::size_t slot = 0; slot < views.size(); ++slot) brightest = std::max(brightest, views.contrast(slot));
  for (std::size_t slot = 0; slot < views.size(); ++slot)
    contrast_.push_back(views.contrast(slot) >= kContrast * brightest && brightest > 0);
  if (lit().size() < kLeastViews)
    throw BadInput(views.name(), "/projections",
                   std::to_string(kLeastViews) + " training views with contrast or more, for geometry.refine",
                   std::to_string(lit().size()) + " of " + std::to_string(views.size()));
  try {
    const Sweep sweep(views.poses(), knots);
    for (const Pose& pose : views.poses()) places_.push_back(sweep.place(pose));
  } catch (const InvalidArgument& e) {
    throw BadInput(views.name(), "/geometry", "sources on an arc, for geometry.refine",
                   std::string("others (") + e.what() + ")");
  }
  for (const ViewPlace& place : places_) {
    auto& of_view = shared_.emplace_back();
    for (std::size_t k = 0; k < kShared; ++k) {
      double one[kShared] = {};
      one[k] = 1;
      of_view[k] = sweep_part(sweep_of(one), place);
    }
  }
  std::vector<DetectorShifts> shifts;
  for (std::size_t slot = 0; slot < views.size(); ++slot) shifts.push_back(detector_shifts(views, slot));
  for (const DetectorShifts& s : shifts) {
    const auto mean = [&](Eigen::Index number, Eigen::Index first) {
      return s.col(number)(Eigen::seq(first, Eigen::last, 2)).mean();
    };
    px_per_mm_.push_back({mean(3, 0), mean(4, 1)});
  }
  make_curve();
  make_units(shifts);
  make_gauge(views, shifts);
}

std::vector<std::size_t> PoseParameters::lit() const {
  std::vector<std::size_t> slots;
  for (std::size_t slot = 0; slot < contrast_.size(); ++slot)
    if (contrast_[slot]) slots.push_back(slot);
  return slots;
}

void PoseParameters::make_units(const std::vector<DetectorShifts>& shifts) {
  unit_.assign(count(knots_, views()), 0.0);
  std::vector<double> squares(unit_.size(), 0.0), weights(unit_.size(), 0.0);  // px² per unit², of so many points
  for (const std::size_t slot : lit()) {
    const DetectorShifts& s = shifts[slot];
    const auto add = [&](std::size_t parameter, double px2, double weight) {
      squares[parameter] += weight * weight * px2;
      weights[parameter] += weight * weight * kPointsOfVolume;
    };
    for (std::size_t k = 0; k < kShared; ++k) add(k, (s * vector_of(shared_[slot][k])).squaredNorm(), 1);
    for (std::size_t d = 0; d < kRigid; ++d) {
      const double px2 = s.col(static_cast<Eigen::Index>(d)).squaredNorm();
      for (std::size_t k = 0; k < knots_; ++k) add(knot(k) + d, px2, knot_weight(slot, k));
      add(remainder(slot) + d, px2, 1);
    }
  }
  for (std::size_t p = 0; p < unit_.size(); ++p)
    if (squares[p] > 0) unit_[p] = std::sqrt(weights[p] / squares[p]);
}

void PoseParameters::make_gauge(const TrainingViews& views, const std::vector<DetectorShifts>& shifts) {
  const std::vector<std::size_t> slots = lit();
  const Eigen::Index rows = 2 * kPointsOfVolume;
  Eigen::MatrixXd motions(rows * static_cast<Eigen::Index>(slots.size()), kGauge);
  for (std::size_t i = 0; i < slots.size(); ++i)
    motions.middleRows(rows * static_cast<Eigen::Index>(i), rows) = volume_shifts(views, slots[i]);
  for (Eigen::Index k = 0; k < motions.cols(); ++k) motions.col(k).normalize();
  // Orthonormal motions: what is taken away must not depend on how they are written.
  const Eigen::MatrixXd q = Eigen::HouseholderQR<Eigen::MatrixXd>(motions).householderQ() *
                            Eigen::MatrixXd::Identity(motions.rows(), motions.cols());
  const Eigen::MatrixXd weak = weak_combinations(views, q, shifts);
  gauge_ = Eigen::MatrixXd::Zero(kGauge + weak.rows(), static_cast<Eigen::Index>(size()));
  gauge_.bottomLeftCorner(weak.rows(), kShared) = weak;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const std::size_t slot = slots[i];
    const Eigen::MatrixXd by_view = q.middleRows(rows * static_cast<Eigen::Index>(i), rows).transpose() * shifts[slot];
    const auto add = [&](std::size_t parameter, const Eigen::VectorXd& column, double weight) {
      gauge_.col(static_cast<Eigen::Index>(parameter)).head<kGauge>() += column * (weight * unit_[parameter]);
    };
    for (std::size_t k = 0; k < kShared; ++k) add(k, by_view * vector_of(shared_[slot][k]), 1);
    for (std::size_t d = 0; d < kRigid; ++d) {
      const Eigen::VectorXd column = by_view.col(static_cast<Eigen::Index>(d));
      for (std::size_t k = 0; k < knots_; ++k) add(knot(k) + d, column, knot_weight(slot, k));
      add(remainder(slot) + d, column, 1);
    }
  }
  taken_away_ = Eigen::MatrixXd::Zero(static_cast<Eigen::Index>(size()), gauge_.rows());
  for (std::size_t k = 0; k < kGauge; ++k)
    taken_away_.col(static_cast<Eigen::Index>(k)) = in_pixels(motion_of_the_volume(views, k));
  taken_away_.topRightCorner(kShared, weak.rows()) = weak.transpose();
  taken_away_ = (taken_away_ * (gauge_ * taken_away_).inverse()).eval();
}

std::vector<double> PoseParameters::motion_of_the_volume(const TrainingViews& views, std::size_t motion) const {
  const Vec3d axes[3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
  std::vector<double> values(size(), 0.0);
  for (const std::size_t slot : lit()) {
    const Pose& pose = views.pose(slot);
    const ViewFrame frame(pose);
    const Vec3d turn = motion < 3 ? -frame.components(axes[motion]) : Vec3d{};
    // A volume that is larger looks as one does to a source that is nearer.
    const Vec3d world = motion < 3   ? Vec3d{}
                        : motion < 6 ? -axes[motion - 3]
                                     : views.volume().center_mm() - pose.source_mm;
    const Vec3d shift = frame.components(world);
    const double rigid[kRigid] = {turn.x, turn.y, turn.z, shift.x, shift.y, shift.z};
    std::copy(std::begin(rigid), std::end(rigid), values.begin() + static_cast<std::ptrdiff_t>(remainder(slot)));
  }
  sort_out(values);
  return values;
}

Eigen::VectorXd PoseParameters::in_pixels(std::span<const double> values) const {
  Eigen::VectorXd pixels(static_cast<Eigen::Index>(size()));
  for (std::size_t p = 0; p < size(); ++p)
    pixels(static_cast<Eigen::Index>(p)) = unit_[p] > 0 ? values[p] / unit_[p] : 0;
  return pixels;
}

Eigen::MatrixXd PoseParameters::weak_combinations(const TrainingViews& views, const Eigen::MatrixXd& gauge,
                                                  const std::vector<DetectorShifts>& shifts) const {
  constexpr double kDetermined = 1e-3, kWeak = 1e-2;  // of a correction's shifts, what no motion of the volume makes
  const std::vector<std::size_t> slots = lit();
  const Eigen::Index rows = 2 * kPointsOfVolume;
  Eigen::MatrixXd shared(gauge.rows(), kShared);
  for (std::size_t i = 0; i < slots.size(); ++i)
    for (std::size_t k = 0; k < kShared; ++k)
      shared.block(rows * static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(k), rows, 1) =
          shifts[slots[i]] * vector_of(shared_[slots[i]][k]);
  for (Eigen::Index k = 0; k < shared.cols(); ++k) shared.col(k).normalize();
  const Eigen::MatrixXd rest = shared - gauge * (gauge.transpose() * shared);
  for (Eigen::Index k = 0; k < rest.cols(); ++k)
    if (!(rest.col(k).norm() >= kDetermined))
      throw BadInput(views.name(), "/geometry",
                     "poses that tell corrections from motions of the volume, for geometry.refine",
                     std::string("poses that leave ") + kSharedNames[k] + " undetermined");
  const Eigen::JacobiSVD<Eigen::MatrixXd> svd(rest, Eigen::ComputeThinU | Eigen::ComputeThinV);
  const Eigen::Index weak = (svd.singularValues().array() < kWeak).count();  // the last ones
  return svd.matrixV().rightCols(weak).transpose();
}

void PoseParameters::make_curve() {
  constexpr double kSeen = 0.02;  // of the sum of squared weights of the knot that is seen best
  const std::vector<std::size_t> slots = lit();
  const auto n = static_cast<Eigen::Index>(slots.size()), k = static_cast<Eigen::Index>(knots_);
  const auto row = [](std::size_t slot) { return static_cast<Eigen::Index>(slot); };
  Eigen::MatrixXd spline = Eigen::MatrixXd::Zero(row(views()), k);
  for (std::size_t slot = 0; slot < views(); ++slot)
    for (std::size_t j = 0; j < 4; ++j)
      spline(row(slot), row(places_[slot].first_knot + j)) = places_[slot].knot_weight[j];

  Eigen::VectorXd seen = Eigen::VectorXd::Zero(k);
  for (const std::size_t slot : slots) seen += spline.row(row(slot)).transpose().cwiseAbs2();
  std::vector<Eigen::Index> fitted;
  for (Eigen::Index i = 0; i < k; ++i)
    if (seen(i) >= kSeen * seen.maxCoeff()) fitted.push_back(i);
  all_knots_ = Eigen::MatrixXd::Zero(k, k);
  for (Eigen::Index i = 0; i < k; ++i) {
    const auto next = std::lower_bound(fitted.begin(), fitted.end(), i);
    if (next == fitted.begin() || next == fitted.end()) {
      all_knots_(i, next == fitted.begin() ? fitted.front() : fitted.back()) = 1;
      continue;
    }
    const double t = static_cast<double>(i - next[-1]) / static_cast<double>(next[0] - next[-1]);
    all_knots_(i, next[-1]) = 1 - t;
    all_knots_(i, next[0]) = t;
  }
  knot_weights_ = spline * all_knots_;
  Eigen::MatrixXd of_lit(n, k);
  for (Eigen::Index i = 0; i < n; ++i) of_lit.row(i) = knot_weights_.row(row(slots[static_cast<std::size_t>(i)]));
  curve_of_views_ = of_lit.completeOrthogonalDecomposition().pseudoInverse();
  shared_curves_ = Eigen::MatrixXd(3 * k, 3);
  for (Eigen::Index pattern = 0; pattern < 3; ++pattern)
    for (Eigen::Index d = 0; d < 3; ++d) {
      Eigen::VectorXd of_views(n);
      for (Eigen::Index i = 0; i < n; ++i)
        of_views(i) = shared_[slots[static_cast<std::size_t>(i)]][static_cast<std::size_t>(3 + pattern)]
                          .number[static_cast<std::size_t>(d)];
      shared_curves_.block(d * k, pattern, k, 1) = curve_of_views_ * of_views;
    }
}

ViewCorrection PoseParameters::view(std::size_t slot, std::span<const double> values) const {
  ViewCorrection c = sweep_part(sweep_of(values), places_[slot]);
  for (std::size_t k = 0; k < knots_; ++k) c.add(rigid_of(values.subspan(knot(k))), knot_weight(slot, k));
  c.add(rigid_of(values.subspan(remainder(slot))));
  return c;
}

void PoseParameters::add_gradient(std::size_t slot, const ViewCorrection& by_view, std::span<double> gradient) const {
  for (std::size_t k = 0; k < kShared; ++k)
    for (std::size_t j = 0; j < ViewCorrection::kSize; ++j)
      gradient[k] += shared_[slot][k].number[j] * by_view.number[j];
  for (std::size_t d = 0; d < kRigid; ++d) {
    for (std::size_t k = 0; k < knots_; ++k) gradient[knot(k) + d] += knot_weight(slot, k) * by_view.number[d];
    gradient[remainder(slot) + d] += by_view.number[d];
  }
}

void PoseParameters::sort_out(std::span<double> values) const {
  const std::vector<std::size_t> slots = lit();
  const auto n = static_cast<Eigen::Index>(slots.size()), k = static_cast<Eigen::Index>(knots_);
  for (std::size_t d = 0; d < kRigid; ++d) {
    Eigen::VectorXd rest(n);
    for (Eigen::Index i = 0; i < n; ++i) rest(i) = values[remainder(slots[static_cast<std::size_t>(i)]) + d];
    const Eigen::VectorXd curve = curve_of_views_ * rest;
    for (std::size_t j = 0; j < knots_; ++j) values[knot(j) + d] += curve(static_cast<Eigen::Index>(j));
    for (const std::size_t slot : slots)
      for (std::size_t j = 0; j < knots_; ++j)
        values[remainder(slot) + d] -= knot_weight(slot, j) * curve(static_cast<Eigen::Index>(j));
  }
  Eigen::VectorXd turns(3 * k);
  for (Eigen::Index d = 0; d < 3; ++d)
    for (Eigen::Index j = 0; j < k; ++j)
      turns(d * k + j) = values[knot(static_cast<std::size_t>(j)) + static_cast<std::size_t>(d)];
  const Eigen::Vector3d shared = shared_curves_.completeOrthogonalDecomposition().solve(turns);
  const Eigen::VectorXd taken = shared_curves_ * shared;
  for (std::size_t i = 0; i < 3; ++i) values[3 + i] += shared(static_cast<Eigen::Index>(i));
  for (Eigen::Index d = 0; d < 3; ++d)
    for (Eigen::Index j = 0; j < k; ++j)
      values[knot(static_cast<std::size_t>(j)) + static_cast<std::size_t>(d)] -= taken(d * k + j);
}

void PoseParameters::settle(std::span<double> values) const {
  sort_out(values);
  const Eigen::VectorXd taken = taken_away_ * (gauge_ * in_pixels(values));
  for (std::size_t p = 0; p < size(); ++p) values[p] -= taken(static_cast<Eigen::Index>(p)) * unit_[p];
}

void PoseParameters::shift(std::size_t slot, double u_px, double v_px, std::span<double> values) const {
  if (!contrast_[slot]) return;
  values[remainder(slot) + 3] += u_px / px_per_mm_[slot].x;
  values[remainder(slot) + 4] += v_px / px_per_mm_[slot].y;
}

void PoseParameters::scale(double smooth, std::span<const double> remainders, std::span<double> values) const {
  for (std::size_t p = 0; p < values.size(); ++p)
    values[p] *= p < remainder(0) ? smooth : remainders[(p - remainder(0)) / kRigid];
}

PoseCorrection PoseParameters::correction(std::span<const double> values) const {
  PoseCorrection c = frame_;
  c.sweep = sweep_of(values);
  c.knots.resize(knots_);
  for (std::size_t i = 0; i < knots_; ++i) {
    ViewCorrection sum;
    for (std::size_t k = 0; k < knots_; ++k)
      sum.add(rigid_of(values.subspan(knot(k))),
              all_knots_(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(k)));
    c.knots[i] = {sum.turn_rad(), sum.shift_mm()};
  }
  for (std::size_t slot = 0; slot < views(); ++slot) c.remainder.push_back(rigid_of(values.subspan(remainder(slot))));
  return c;
}

}  // namespace dsasrgs
