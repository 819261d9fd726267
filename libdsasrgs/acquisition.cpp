// SPDX-License-Identifier: Apache-2.0
#include "dsasrgs/acquisition.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <span>
#include <utility>

#include "common/checks.hpp"
#include "common/plain_number.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"

namespace dsasrgs {

namespace {

/// Longest side of a detector or volume, and most views: keeps every product of three within 64 bits.
constexpr int kMaxExtent = 1 << 20;

std::string vector(Vec3d v) {
  return std::string("(") + plain_number(v.x) + ", " + plain_number(v.y) + ", " + plain_number(v.z) + ")";
}
std::string at(const char* field, std::size_t i) { return std::string(field) + "[" + std::to_string(i) + "]"; }
bool finite(Vec3d v) { return std::isfinite(v.x) && std::isfinite(v.y) && std::isfinite(v.z); }

/// Throws BadInput for one file.
class Checker {
 public:
  explicit Checker(const std::string& name) : file_(name.empty() ? "acquisition" : name) {}

  [[noreturn]] void fail(std::string_view field, std::string_view expected, std::string_view found) const {
    throw BadInput(file_, field, expected, found);
  }
  void extent(const std::string& field, int found) const {
    if (found < 1 || found > kMaxExtent) fail(field, "1 to " + std::to_string(kMaxExtent), std::to_string(found));
  }
  void length(const std::string& field, double found) const {
    if (!is_length(found)) fail(field, "a length of 1e-6 to 1e9 mm", plain_number(found));
  }
  void position(const std::string& field, Vec3d found) const {
    if (!is_position(found)) fail(field, "coordinates within 1e9 mm", vector(found));
  }
  void size(const std::string& field, std::size_t expected, std::size_t found) const {
    if (expected != found) fail(field, std::to_string(expected) + " values", std::to_string(found));
  }
  /// Images [views, height, width].
  void finite_images(const char* field, const std::vector<float>& values, std::size_t height, std::size_t width) const {
    const auto bad = std::find_if_not(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
    if (bad == values.end()) return;
    const std::size_t i = static_cast<std::size_t>(bad - values.begin());
    fail(field, "finite numbers",
         plain_number(*bad) + " at view " + std::to_string(i / (height * width)) + ", row " +
             std::to_string(i / width % height) + ", column " + std::to_string(i % width));
  }

 private:
  std::string file_;
};

void check_detector(const Checker& check, const Detector& detector) {
  check.extent("/projections height", detector.height_px);
  check.extent("/projections width", detector.width_px);
  check.length("/geometry@pixel_pitch_mm[0]", detector.pitch_u_mm);
  check.length("/geometry@pixel_pitch_mm[1]", detector.pitch_v_mm);
}

void check_volume(const Checker& check, const VolumeGrid& volume) {
  check.extent("/volume@size[0]", volume.size_x);
  check.extent("/volume@size[1]", volume.size_y);
  check.extent("/volume@size[2]", volume.size_z);
  check.length("/volume@spacing_mm[0]", volume.spacing_mm.x);
  check.length("/volume@spacing_mm[1]", volume.spacing_mm.y);
  check.length("/volume@spacing_mm[2]", volume.spacing_mm.z);
  check.position("/volume@origin_mm", volume.origin_mm);
}

void check_times(const Checker& check, const std::vector<Pose>& poses) {
  for (std::size_t v = 0; v < poses.size(); ++v) {
    const double time_s = poses[v].time_s;
    if (!is_time(time_s)) check.fail(at("/time_s", v), "a time within 1e9 s", plain_number(time_s));
    if (v > 0 && time_s < poses[v - 1].time_s)
      check.fail(at("/time_s", v), "at least " + plain_number(poses[v - 1].time_s) + ", the time before it",
                 plain_number(time_s));
  }
}

void check_unit(const Checker& check, const std::string& field, Vec3d axis) {
  if (!finite(axis)) check.fail(field, "finite numbers", vector(axis));
  if (std::abs(length(axis) - 1) > kAxisTolerance)
    check.fail(field, "a unit vector", vector(axis) + " of length " + plain_number(length(axis)));
}

void check_pose(const Checker& check, const Pose& pose, const VolumeGrid& volume, std::size_t v) {
  check.position(at("/geometry/source_mm", v), pose.source_mm);
  check.position(at("/geometry/detector_center_mm", v), pose.detector_center_mm);
  check_unit(check, at("/geometry/detector_u", v), pose.detector_u);
  check_unit(check, at("/geometry/detector_v", v), pose.detector_v);
  const double cosine = dot(pose.detector_u, pose.detector_v);
  if (std::abs(cosine) > kAxisTolerance)
    check.fail(at("/geometry/detector_v", v), "a vector orthogonal to detector_u",
               "their product " + plain_number(cosine));
  if (!(source_depth_mm(pose) > kLeastDepth * source_distance_mm(pose)))
    check.fail(at("/geometry/detector_center_mm", v), "a source outside the detector's plane",
               plain_number(source_depth_mm(pose)) + " mm between them");
  if (volume.contains(pose.source_mm))
    check.fail(at("/geometry/source_mm", v), "a source outside the volume", vector(pose.source_mm) + " inside it");
  // Depths along the detector's normal, from the source towards the detector.
  const Vec3d normal = cross(pose.detector_u, pose.detector_v);
  const double detector_depth = dot(pose.detector_center_mm - pose.source_mm, normal);
  const double volume_depth = dot(volume.center_mm() - pose.source_mm, normal) * (detector_depth < 0 ? -1 : 1);
  if (!(volume_depth > 0))
    check.fail(at("/geometry/source_mm", v), "the volume between source and detector",
               "the volume's centre " + plain_number(-volume_depth) + " mm behind the source");
  if (!(std::abs(detector_depth) > volume_depth))
    check.fail(at("/geometry/detector_center_mm", v),
               "a detector beyond the volume's centre, " + plain_number(volume_depth) + " mm from the source",
               plain_number(std::abs(detector_depth)) + " mm from the source");
}

void check_views(const Checker& check, const char* field, const std::vector<int>& views, int num_views) {
  for (std::size_t i = 0; i < views.size(); ++i) {
    if (views[i] < 0 || views[i] >= num_views)
      check.fail(at(field, i), "a view of 0 to " + std::to_string(num_views - 1), std::to_string(views[i]));
    if (i > 0 && views[i] <= views[i - 1])
      check.fail(at(field, i), "views in ascending order, each once",
                 std::to_string(views[i]) + " after " + std::to_string(views[i - 1]));
  }
}

void check_split(const Checker& check, const Acquisition& a) {
  check_views(check, "/split/train", a.train_views, a.num_views());
  check_views(check, "/split/test", a.test_views, a.num_views());
  for (std::size_t i = 0; i < a.test_views.size(); ++i)
    if (std::binary_search(a.train_views.begin(), a.train_views.end(), a.test_views[i]))
      check.fail(at("/split/test", i), "a view that is not in /split/train",
                 std::to_string(a.test_views[i]) + " in both");
}

void check_references(const Checker& check, const Acquisition& a) {
  if (a.reference_projections) {
    const ReferenceProjections& reference = *a.reference_projections;
    const int longest = std::max(a.detector.width_px, a.detector.height_px);
    if (reference.scale < 1 || reference.scale > kMaxExtent / longest)
      check.fail("/reference/projections@scale", "1 to " + std::to_string(kMaxExtent / longest),
                 std::to_string(reference.scale));
    const Detector fine = a.detector.refined(reference.scale);
    check.size("/reference/projections", a.poses.size() * fine.num_pixels(), reference.values.size());
    check.finite_images("/reference/projections", reference.values, static_cast<std::size_t>(fine.height_px),
                        static_cast<std::size_t>(fine.width_px));
  }
  if (a.reference_volume) {
    const ReferenceVolume& reference = *a.reference_volume;
    check.size("/reference/volume", a.volume.num_voxels(), reference.values.size());
    for (std::size_t i = 0; i < reference.values.size(); ++i)
      if (!std::isfinite(reference.values[i]))
        check.fail("/reference/volume", "finite numbers",
                   plain_number(reference.values[i]) + " at voxel " + std::to_string(i));
    if (reference.time_s && !is_time(*reference.time_s))
      check.fail("/reference/volume@time_s", "a time within 1e9 s", plain_number(*reference.time_s));
  }
}

/// Throws unless the view exists.
void require_view(const char* function, int view, int num_views) {
  if (view < 0 || view >= num_views)
    throw InvalidArgument(std::string("Acquisition::") + function + ": view: expected 0 to " +
                          std::to_string(num_views - 1) + ", found " + std::to_string(view));
}

void require_poses(const char* function, const std::vector<Pose>& poses) {
  if (poses.empty())
    throw InvalidArgument(std::string("Acquisition::") + function + ": poses: expected at least one view, found none");
}

/// Image of one view in an array [num_views,H,W], which must have that size.
template <class T>
std::span<const T> image_of(const char* function, const char* array, const std::vector<T>& values,
                            const Detector& detector, int num_views, int view) {
  const std::size_t n = detector.num_pixels(), expected = static_cast<std::size_t>(num_views) * n;
  if (values.size() != expected)
    throw InvalidArgument(std::string("Acquisition::") + function + ": " + array + ": expected " +
                          std::to_string(expected) + " values, found " + std::to_string(values.size()));
  return std::span<const T>(values).subspan(static_cast<std::size_t>(view) * n, n);
}

}  // namespace

std::vector<int> Acquisition::training_views() const try {
  // Ascending, each once, also before validate(): who asks searches them.
  std::set<int> views(train_views.begin(), train_views.end());
  if (views.empty()) {
    for (int v = 0; v < num_views(); ++v) views.insert(v);
    for (const int v : test_views) views.erase(v);
  }
  return {views.begin(), views.end()};
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

double Acquisition::first_time_s() const {
  require_poses("first_time_s", poses);
  return poses.front().time_s;
}

double Acquisition::last_time_s() const {
  require_poses("last_time_s", poses);
  return poses.back().time_s;
}

std::span<const float> Acquisition::projection(int view) const& {
  require_view("projection", view, num_views());
  return image_of("projection", "projections", projections, detector, num_views(), view);
}

std::span<const std::uint8_t> Acquisition::valid_pixels(int view) const& {
  require_view("valid_pixels", view, num_views());
  if (valid.empty()) return {};
  if (valid.size() == detector.num_pixels()) return valid;
  return image_of("valid_pixels", "valid", valid, detector, num_views(), view);
}

std::span<const float> Acquisition::reference_projection(int view) const& {
  require_view("reference_projection", view, num_views());
  if (!reference_projections)
    throw InvalidArgument("Acquisition::reference_projection: expected reference projections, found none");
  return image_of("reference_projection", "reference_projections.values", reference_projections->values,
                  detector.refined(reference_projections->scale), num_views(), view);
}

void Acquisition::validate() const try {
  const Checker check(name);
  if (poses.empty() || poses.size() > kMaxExtent)
    check.fail("/projections views", "1 to " + std::to_string(kMaxExtent), std::to_string(poses.size()));
  check_detector(check, detector);
  check_volume(check, volume);
  check_times(check, poses);
  for (std::size_t v = 0; v < poses.size(); ++v) check_pose(check, poses[v], volume, v);
  const std::size_t pixels = detector.num_pixels();
  check.size("/projections", poses.size() * pixels, projections.size());
  check.finite_images("/projections", projections, static_cast<std::size_t>(detector.height_px),
                      static_cast<std::size_t>(detector.width_px));
  if (!valid.empty() && valid.size() != pixels && valid.size() != poses.size() * pixels)
    check.fail("/valid", std::to_string(pixels) + " or " + std::to_string(poses.size() * pixels) + " values",
               std::to_string(valid.size()));
  check_split(check, *this);
  check_references(check, *this);
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

void split_evenly(Acquisition& acquisition, int num_train) try {
  std::vector<int> train = evenly_spaced_views(acquisition.num_views(), num_train), test;
  for (int v = 0; v < acquisition.num_views(); ++v)
    if (!std::binary_search(train.begin(), train.end(), v)) test.push_back(v);
  acquisition.train_views = std::move(train);
  acquisition.test_views = std::move(test);
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
