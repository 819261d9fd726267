// SPDX-License-Identifier: Apache-2.0
#include "files/io_pose_correction.hpp"

#include <string>

#include "common/checks.hpp"
#include "dsasrgs/error.hpp"

namespace dsasrgs {

namespace {

const std::string kGroup = "/pose_correction";
constexpr std::size_t kMotion = 6, kPose = 13;

/// The sweep's corrections, by the names of their attributes.
struct Shared {
  const char* name;
  double SweepCorrection::*value;
};
constexpr Shared kShared[] = {
    {"offset_u_mm", &SweepCorrection::offset_u_mm}, {"offset_v_mm", &SweepCorrection::offset_v_mm},
    {"distance_mm", &SweepCorrection::distance_mm}, {"roll_rad", &SweepCorrection::roll_rad},
    {"tilt_rad", &SweepCorrection::tilt_rad},       {"arc_scale", &SweepCorrection::arc_scale}};

std::vector<double> numbers_of(const std::vector<RigidMotion>& motions) {
  std::vector<double> numbers;
  for (const RigidMotion& m : motions)
    numbers.insert(numbers.end(), {m.turn_rad.x, m.turn_rad.y, m.turn_rad.z, m.shift_mm.x, m.shift_mm.y, m.shift_mm.z});
  return numbers;
}

std::vector<RigidMotion> motions_of(const std::vector<double>& n) {
  std::vector<RigidMotion> motions;
  for (std::size_t i = 0; i < n.size(); i += kMotion)
    motions.push_back({{n[i], n[i + 1], n[i + 2]}, {n[i + 3], n[i + 4], n[i + 5]}});
  return motions;
}

}  // namespace

void write_pose_correction(Hdf5Writer& file, const PoseCorrection& c) {
  if (c.empty()) return;
  std::vector<double> poses;
  for (const Pose& p : c.nominal) {
    for (const Vec3d v : {p.source_mm, p.detector_center_mm, p.detector_u, p.detector_v})
      poses.insert(poses.end(), {v.x, v.y, v.z});
    poses.push_back(p.time_s);
  }
  file.write(kGroup + "/view", std::vector<std::int32_t>(c.view.begin(), c.view.end()), {c.view.size()});
  file.write(kGroup + "/nominal", poses, {c.nominal.size(), kPose});
  file.write(kGroup + "/knots", numbers_of(c.knots), {c.knots.size(), kMotion});
  file.write(kGroup + "/remainder", numbers_of(c.remainder), {c.remainder.size(), kMotion});
  file.attribute(kGroup, "pivot_mm", std::vector<double>{c.pivot_mm.x, c.pivot_mm.y, c.pivot_mm.z});
  for (const Shared& s : kShared) file.attribute(kGroup, s.name, c.sweep.*s.value);
}

PoseCorrection read_pose_correction(const Hdf5Reader& file, const RefuseField& refuse) {
  PoseCorrection c;
  if (!file.has(kGroup)) return c;
  const auto views = file.read<std::int32_t>(kGroup + "/view", {kAnyExtent});
  if (views.empty()) refuse(kGroup + "/view", "one view or more", "none");
  c.view.assign(views.begin(), views.end());
  const std::vector<double> poses = file.read<double>(kGroup + "/nominal", {views.size(), kPose});
  for (std::size_t i = 0; i < poses.size(); i += kPose) {
    const auto vector = [&](std::size_t k) { return Vec3d{poses[i + k], poses[i + k + 1], poses[i + k + 2]}; };
    c.nominal.push_back({vector(0), vector(3), vector(6), vector(9), poses[i + 12]});
  }
  c.knots = motions_of(file.read<double>(kGroup + "/knots", {kAnyExtent, kMotion}));
  c.remainder = motions_of(file.read<double>(kGroup + "/remainder", {views.size(), kMotion}));
  const auto pivot = file.attribute_vector<double>(kGroup, "pivot_mm", 3);
  c.pivot_mm = {pivot[0], pivot[1], pivot[2]};
  for (const Shared& s : kShared) c.sweep.*s.value = file.attribute<double>(kGroup, s.name);
  return c;
}

void check_pose_correction(const PoseCorrection& c, const std::vector<int>& trained, const RefuseField& refuse) {
  if (c.empty()) return;
  if (c.view != trained) refuse(kGroup + "/view", "the views of /nuisance/view", "others");
  try {
    for (const Pose& pose : c.nominal) require_pose("nominal", pose);
    const PoseCorrector corrector(c);
    for (std::size_t slot = 0; slot < c.view.size(); ++slot)
      require_pose("nominal and corrections", corrector.corrected_training_view(slot));
  } catch (const InvalidArgument& e) {
    refuse(kGroup, "corrections of poses on an arc", std::string("others (") + e.what() + ")");
  }
}

}  // namespace dsasrgs
