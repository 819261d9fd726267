// SPDX-License-Identifier: Apache-2.0
#include "jobs/pose_report.hpp"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <numbers>

namespace dsasrgs::program {

using Json = nlohmann::ordered_json;

namespace {

constexpr double kDegrees = 180 / std::numbers::pi;

Json motion_as_json(const RigidMotion& m) {
  return {{"turn_deg", {m.turn_rad.x * kDegrees, m.turn_rad.y * kDegrees, m.turn_rad.z * kDegrees}},
          {"shift_mm", {m.shift_mm.x, m.shift_mm.y, m.shift_mm.z}}};
}

}  // namespace

Json pose_correction_as_json(const Model& model) {
  const PoseCorrection& c = model.pose_correction;
  const PoseCorrectionSize size = correction_size(c, model.detector, model.volume);
  Json json{{"offset_u_mm", c.sweep.offset_u_mm},          {"offset_v_mm", c.sweep.offset_v_mm},
            {"detector_distance_mm", c.sweep.distance_mm}, {"roll_deg", c.sweep.roll_rad * kDegrees},
            {"tilt_deg", c.sweep.tilt_rad * kDegrees},     {"arc_scale", c.sweep.arc_scale},
            {"smooth_rms_px", size.smooth_rms_px},         {"smooth_largest_px", size.smooth_largest_px},
            {"remainder_rms_px", size.remainder_rms_px},   {"remainder_largest_px", size.remainder_largest_px},
            {"remainder_largest_view", size.largest_view}, {"per_view", Json::array()}};
  for (std::size_t slot = 0; slot < c.view.size(); ++slot) {
    Json view{{"view", c.view[slot]}};
    view.update(motion_as_json(c.remainder[slot]));
    json["per_view"].push_back(view);
  }
  return json;
}

std::string pose_correction_summary(const Model& model) {
  const PoseCorrection& c = model.pose_correction;
  const PoseCorrectionSize size = correction_size(c, model.detector, model.volume);
  char text[320];
  std::snprintf(
      text, sizeof(text),
      "poses: moved smoothly by %.2f px (at most %.2f), views by %.2f px beside that (view %d by %.2f); detector %+.2f "
      "and %+.2f mm, roll %+.3f, tilt %+.3f degrees, arc %+.2f %%",
      size.smooth_rms_px, size.smooth_largest_px, size.remainder_rms_px, size.largest_view, size.remainder_largest_px,
      c.sweep.offset_u_mm, c.sweep.offset_v_mm, c.sweep.roll_rad * kDegrees, c.sweep.tilt_rad * kDegrees,
      100 * c.sweep.arc_scale);
  return text;
}

}  // namespace dsasrgs::program
