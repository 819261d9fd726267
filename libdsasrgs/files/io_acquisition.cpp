// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <span>
#include <string>
#include <utility>

#include "common/checks.hpp"
#include "common/plain_number.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "dsasrgs/mask_alignment.hpp"
#include "files/hdf5_file.hpp"
#include "files/stored_intensities.hpp"

namespace dsasrgs {

namespace {

constexpr const char* kFormat = "dsasrgs.acquisition";
constexpr int kVersion = 1;

/// A value per view that the file may also give once for all.
std::vector<double> read_per_view(const Hdf5Reader& file, const std::string& field, std::size_t num_views) {
  std::vector<double> values = file.read<double>(field, {kAnyExtent});
  if (values.size() == 1) return std::vector<double>(num_views, values[0]);
  if (values.size() != num_views)
    throw BadInput(file.name(), field, "a scalar or shape " + describe({num_views}), describe(file.shape(field)));
  return values;
}

/// Throws BadInput unless primary angles are radians: within ±2π, or, because a sweep may begin anywhere (from 200° to
/// 400°), within ±4π where they are those of one sweep, of at most 450° in steps of at most 90° on average, which
/// angles in degrees are not.
void require_radians(const Hdf5Reader& file, const std::string& field, const std::vector<double>& angles) {
  constexpr double kPi = std::numbers::pi, kLongestSweep = 2.5 * kPi, kLargestStep = 0.5 * kPi;
  const auto [low, high] = std::minmax_element(angles.begin(), angles.end());
  const double span = *high - *low;
  const bool sweep = span > 0 && span <= kLongestSweep && span <= kLargestStep * static_cast<double>(angles.size() - 1);
  const double most = sweep ? 4 * kPi : 2 * kPi;
  for (std::size_t v = 0; v < angles.size(); ++v)
    if (!(std::abs(angles[v]) <= most))
      throw BadInput(file.name(), field, "radians within ±2π, or ±4π in a sweep of at most 450 degrees",
                     plain_number(angles[v]) + " at view " + std::to_string(v));
}

void read_carm(const Hdf5Reader& file, std::vector<Pose>& poses) {
  const std::size_t num_views = poses.size();
  const std::string group = "/geometry/carm/";
  const std::vector<double> sod_mm = read_per_view(file, group + "sod_mm", num_views);
  const std::vector<double> sdd_mm = read_per_view(file, group + "sdd_mm", num_views);
  const std::vector<double> primary_rad = file.read<double>(group + "primary_rad", {num_views});
  const std::vector<double> secondary_rad = file.read<double>(group + "secondary_rad", {num_views});
  require_radians(file, group + "primary_rad", primary_rad);
  const std::vector<double> offset_mm = file.read<double>(group + "detector_offset_mm", {num_views, 2});
  for (std::size_t v = 0; v < num_views; ++v) {
    const auto require = [&](bool ok, const char* field, const std::string& expected, double found) {
      if (!ok)
        throw BadInput(file.name(), group + field, expected, plain_number(found) + " at view " + std::to_string(v));
    };
    constexpr double kFullTurn = 2 * std::numbers::pi;
    require(std::isfinite(sod_mm[v]) && sod_mm[v] > 0, "sod_mm", "a positive length", sod_mm[v]);
    require(std::isfinite(sdd_mm[v]) && sdd_mm[v] > sod_mm[v], "sdd_mm", "more than sod_mm, " + plain_number(sod_mm[v]),
            sdd_mm[v]);
    require(std::abs(secondary_rad[v]) <= kFullTurn, "secondary_rad", "radians within ±2π", secondary_rad[v]);
    for (std::size_t axis = 0; axis < 2; ++axis)
      require(std::isfinite(offset_mm[2 * v + axis]), "detector_offset_mm", "finite lengths", offset_mm[2 * v + axis]);
    poses[v] = carm_pose({.sod_mm = sod_mm[v],
                          .sdd_mm = sdd_mm[v],
                          .primary_rad = primary_rad[v],
                          .secondary_rad = secondary_rad[v],
                          .offset_u_mm = offset_mm[2 * v],
                          .offset_v_mm = offset_mm[2 * v + 1]},
                         poses[v].time_s);
  }
}

void read_free_geometry(const Hdf5Reader& file, std::vector<Pose>& poses) {
  const auto read_axis = [&](const char* field, Vec3d Pose::*member) {
    const std::vector<double> values = file.read<double>(field, {poses.size(), 3});
    for (std::size_t v = 0; v < poses.size(); ++v)
      poses[v].*member = {values[3 * v], values[3 * v + 1], values[3 * v + 2]};
  };
  read_axis("/geometry/source_mm", &Pose::source_mm);
  read_axis("/geometry/detector_center_mm", &Pose::detector_center_mm);
  read_axis("/geometry/detector_u", &Pose::detector_u);
  read_axis("/geometry/detector_v", &Pose::detector_v);
}

void read_geometry(const Hdf5Reader& file, Acquisition& a) {
  const std::vector<double> pitch_mm = file.attribute_vector<double>("/geometry", "pixel_pitch_mm", 2);
  a.detector.pitch_u_mm = pitch_mm[0];
  a.detector.pitch_v_mm = pitch_mm[1];
  const std::vector<double> time_s = file.read<double>("/time_s", {a.poses.size()});
  for (std::size_t v = 0; v < a.poses.size(); ++v) {
    if (!is_time(time_s[v]))
      throw BadInput(file.name(), "/time_s[" + std::to_string(v) + "]", "a time within 1e9 s", plain_number(time_s[v]));
    a.poses[v].time_s = time_s[v];
  }
  const bool has_carm = file.has("/geometry/carm");
  if (has_carm && file.has("/geometry/source_mm"))
    throw BadInput(file.name(), "/geometry", "either carm or source_mm", "both");
  if (has_carm)
    read_carm(file, a.poses);
  else
    read_free_geometry(file, a.poses);
}

VolumeGrid read_grid(const Hdf5Reader& file) {
  const std::vector<std::int32_t> size = file.attribute_vector<std::int32_t>("/volume", "size", 3);
  const std::vector<double> spacing = file.attribute_vector<double>("/volume", "spacing_mm", 3);
  const std::vector<double> origin = file.attribute_vector<double>("/volume", "origin_mm", 3);
  return {size[0], size[1], size[2], {spacing[0], spacing[1], spacing[2]}, {origin[0], origin[1], origin[2]}};
}

void read_valid(const Hdf5Reader& file, Acquisition& a, const Shape& images) {
  const Shape found = file.shape("/valid"), one{images[1], images[2]};
  if (found != one && found != images)
    throw BadInput(file.name(), "/valid", "shape " + describe(one) + " or " + describe(images), describe(found));
  a.valid = file.read<std::uint8_t>("/valid", found);
}

std::vector<int> read_views(const Hdf5Reader& file, const std::string& field) {
  if (!file.has(field)) return {};
  std::vector<int> views = file.read<std::int32_t>(field, {kAnyExtent});
  if (views.empty()) throw BadInput(file.name(), field, "at least one view", "none");
  std::sort(views.begin(), views.end());
  return views;
}

ReferenceProjections read_reference_projections(const Hdf5Reader& file, const Shape& images) {
  const std::string field = "/reference/projections";
  const Shape found = file.require_shape(field, {images[0], kAnyExtent, kAnyExtent});
  const std::size_t scale = found[1] / images[1];
  if (scale < 1 || found[1] != scale * images[1] || found[2] != scale * images[2])
    throw BadInput(file.name(), field, "a whole multiple of " + describe({images[1], images[2]}) + " pixels",
                   describe({found[1], found[2]}));
  ReferenceProjections reference;
  reference.scale = static_cast<int>(scale);
  if (file.has_attribute(field, "scale")) {
    const std::int64_t stated = file.attribute<std::int64_t>(field, "scale");
    if (stated != reference.scale)
      throw BadInput(file.name(), field + "@scale", std::to_string(scale) + ", as the shapes say",
                     std::to_string(stated));
  }
  reference.values = file.read<float>(field, found);
  return reference;
}

ReferenceVolume read_reference_volume(const Hdf5Reader& file, const VolumeGrid& grid) {
  const auto extent = [](int size) { return static_cast<std::size_t>(std::max(size, 0)); };
  ReferenceVolume reference;
  reference.values =
      file.read<float>("/reference/volume", {extent(grid.size_z), extent(grid.size_y), extent(grid.size_x)});
  if (file.has_attribute("/reference/volume", "time_s"))
    reference.time_s = file.attribute<double>("/reference/volume", "time_s");
  return reference;
}

void require_raw(const RawIntensity& raw, const Acquisition& a) {
  const std::size_t pixels = a.detector.num_pixels(), all = a.poses.size() * pixels;
  const auto require_size = [](bool ok, const char* what, std::size_t expected, std::size_t found) {
    if (!ok)
      throw InvalidArgument(std::string("write_acquisition: raw.") + what + ": expected " + std::to_string(expected) +
                            " values, found " + std::to_string(found));
  };
  require_size(raw.fill.size() == all, "fill", all, raw.fill.size());
  require_size(raw.mask.size() == all || raw.mask.size() == pixels, "mask", all, raw.mask.size());
  const std::size_t width = static_cast<std::size_t>(a.detector.width_px);
  const auto require_positive = [&](const char* what, const std::vector<float>& values) {
    for (std::size_t i = 0; i < values.size(); ++i)
      if (!(values[i] > 0) || !std::isfinite(values[i]))
        throw InvalidArgument(std::string("write_acquisition: raw.") + what +
                              ": expected positive intensities, found " + plain_number(values[i]) + " at " +
                              pixel_name(i / pixels, i % pixels, width));
  };
  require_positive("fill", raw.fill);
  require_positive("mask", raw.mask);
}

/// What is kept beside the projections: empty, or as many finite numbers as there are pixels, or 4 for each view.
void require_beside(const BesideProjections& beside, const Acquisition& a) {
  const std::size_t pixels = a.detector.num_pixels(), width = static_cast<std::size_t>(a.detector.width_px);
  const auto require_each = [](const char* name, const auto& values, std::size_t expected, const char* what,
                               const auto& fits, const auto& place) {
    if (values.empty()) return;
    if (values.size() != expected)
      throw InvalidArgument(std::string("write_acquisition: ") + name + ": expected " + std::to_string(expected) +
                            " values, found " + std::to_string(values.size()));
    for (std::size_t i = 0; i < expected; ++i)
      if (!fits(values[i]))
        throw InvalidArgument(std::string("write_acquisition: ") + name + ": expected " + what + ", found " +
                              plain_number(values[i]) + " at " + place(i));
  };
  const auto at_pixel = [&](std::size_t i) { return pixel_name(i / pixels, i % pixels, width); };
  const auto finite = [](auto value) { return std::isfinite(value); };
  const std::size_t all = a.poses.size() * pixels;
  require_each(
      "uncertainty", beside.uncertainty, all, "standard deviations",
      [](float value) { return value >= 0 && std::isfinite(value); }, at_pixel);
  require_each("residue", beside.residue, all, "finite numbers", finite, at_pixel);
  require_each("mask_motions", beside.mask_motions, 4 * a.poses.size(), "finite numbers", finite,
               [](std::size_t i) { return "view " + std::to_string(i / 4); });
}

void write_geometry(Hdf5Writer& file, const Acquisition& a) {
  const std::size_t num_views = a.poses.size();
  const auto write_axis = [&](const char* field, Vec3d Pose::*member) {
    std::vector<double> values;
    for (const Pose& pose : a.poses) {
      const Vec3d v = pose.*member;
      values.insert(values.end(), {v.x, v.y, v.z});
    }
    file.write(field, values, {num_views, 3});
  };
  write_axis("/geometry/source_mm", &Pose::source_mm);
  write_axis("/geometry/detector_center_mm", &Pose::detector_center_mm);
  write_axis("/geometry/detector_u", &Pose::detector_u);
  write_axis("/geometry/detector_v", &Pose::detector_v);
  file.attribute("/geometry", "pixel_pitch_mm", std::vector<double>{a.detector.pitch_u_mm, a.detector.pitch_v_mm});
  std::vector<double> time_s;
  for (const Pose& pose : a.poses) time_s.push_back(pose.time_s);
  file.write("/time_s", time_s, {num_views});
}

void write_grid(Hdf5Writer& file, const VolumeGrid& grid) {
  file.group("/volume");
  file.attribute("/volume", "size", std::vector<std::int64_t>{grid.size_x, grid.size_y, grid.size_z});
  file.attribute("/volume", "spacing_mm", std::vector<double>{grid.spacing_mm.x, grid.spacing_mm.y, grid.spacing_mm.z});
  file.attribute("/volume", "origin_mm", std::vector<double>{grid.origin_mm.x, grid.origin_mm.y, grid.origin_mm.z});
}

}  // namespace

std::string read_format(const std::filesystem::path& path) try {
  return Hdf5Reader(path).attribute<std::string>("/", "format");
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

namespace {

/// The file's acquisition; of intensities, which it then has to hold, the masks' logarithms too unless `log_masks` is
/// null.
Acquisition read(const std::filesystem::path& path, std::vector<float>* log_masks) {
  const Hdf5Reader file(path);
  file.require_format(kFormat, kVersion);
  Acquisition a;
  a.name = file.name();
  const Shape images = require_images(file, "/projections", {kAnyExtent, kAnyExtent, kAnyExtent});
  a.poses = host_vector<Pose>(images[0]);
  a.detector.height_px = static_cast<int>(images[1]);
  a.detector.width_px = static_cast<int>(images[2]);
  read_geometry(file, a);
  a.volume = read_grid(file);
  if (file.has("/valid")) read_valid(file, a, images);
  a.train_views = read_views(file, "/split/train");
  a.test_views = read_views(file, "/split/test");

  const std::string quantity = file.attribute<std::string>("/projections", "quantity");
  const bool has_dark = file.has("/dark");
  if (quantity == "line_integral" && (has_dark || file.has_attribute("/projections", "saturation")))
    throw BadInput(file.name(), has_dark ? "/dark" : "/projections@saturation", "intensities for it to belong to",
                   "line integrals");
  if (quantity == "line_integral" && log_masks != nullptr)
    throw BadInput(file.name(), "/projections@quantity", "\"intensity\", with masks in /mask_projections",
                   "\"line_integral\", from which masks have been subtracted already");
  if (quantity == "line_integral")
    a.projections = file.read<float>("/projections", images);
  else if (quantity == "intensity")
    read_intensities(file, a, log_masks);
  else
    throw BadInput(file.name(), "/projections@quantity", "\"line_integral\" or \"intensity\"", '"' + quantity + '"');

  if (file.has("/reference/projections")) a.reference_projections = read_reference_projections(file, images);
  if (file.has("/reference/volume")) a.reference_volume = read_reference_volume(file, a.volume);
  a.validate();
  return a;
}

}  // namespace

Acquisition read_acquisition(const std::filesystem::path& path) try {
  return read(path, nullptr);
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

MaskedAcquisition read_masked_acquisition(const std::filesystem::path& path) try {
  MaskedAcquisition masked;
  masked.acquisition = read(path, &masked.log_masks);
  return masked;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

std::vector<MaskMotion> read_mask_motions(const std::filesystem::path& path) try {
  const Hdf5Reader file(path);
  file.require_format(kFormat, kVersion);
  if (!file.has("/mask_motions")) return {};
  const Shape images = require_images(file, "/projections", {kAnyExtent, kAnyExtent, kAnyExtent});
  const std::vector<double> numbers = file.read<double>("/mask_motions", {images[0], 4});
  std::vector<MaskMotion> motions = host_vector<MaskMotion>(images[0]);
  for (std::size_t v = 0; v < motions.size(); ++v) {
    const double* const n = numbers.data() + 4 * v;
    for (int k = 0; k < 4; ++k)
      if (!std::isfinite(n[k]))
        throw BadInput(file.name(), "/mask_motions", "finite numbers",
                       plain_number(n[k]) + " at view " + std::to_string(v));
    motions[v] = {n[0], n[1], n[2], n[3]};
  }
  return motions;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

void write_acquisition(const std::filesystem::path& path, const Acquisition& a, const RawIntensity* raw,
                       const BesideProjections& beside) try {
  a.validate();
  if (raw != nullptr) require_raw(*raw, a);
  require_beside(beside, a);
  const std::size_t num_views = a.poses.size();
  const std::size_t height = static_cast<std::size_t>(a.detector.height_px);
  const std::size_t width = static_cast<std::size_t>(a.detector.width_px);
  const Shape images{num_views, height, width};

  Hdf5Writer file(path);
  file.set_format(kFormat, kVersion);
  file.write("/projections", raw != nullptr ? raw->fill : a.projections, images, Hdf5Storage::compressed);
  file.attribute("/projections", "quantity", raw != nullptr ? "intensity" : "line_integral");
  if (raw != nullptr)
    file.write("/mask_projections", raw->mask, {raw->mask.size() / a.detector.num_pixels(), height, width},
               Hdf5Storage::compressed);
  if (!beside.uncertainty.empty()) file.write("/uncertainty", beside.uncertainty, images, Hdf5Storage::compressed);
  if (!beside.residue.empty()) file.write("/residue", beside.residue, images, Hdf5Storage::compressed);
  if (!beside.mask_motions.empty()) file.write("/mask_motions", beside.mask_motions, {num_views, 4});
  write_geometry(file, a);
  write_grid(file, a.volume);
  if (!a.valid.empty())
    file.write("/valid", a.valid, a.valid.size() == height * width ? Shape{height, width} : images,
               Hdf5Storage::compressed);
  if (!a.train_views.empty()) file.write("/split/train", a.train_views, {a.train_views.size()});
  if (!a.test_views.empty()) file.write("/split/test", a.test_views, {a.test_views.size()});
  if (a.reference_projections) {
    const std::size_t scale = static_cast<std::size_t>(a.reference_projections->scale);
    file.write("/reference/projections", a.reference_projections->values, {num_views, scale * height, scale * width},
               Hdf5Storage::compressed);
    file.attribute("/reference/projections", "scale", a.reference_projections->scale);
  }
  if (a.reference_volume) {
    file.write("/reference/volume", a.reference_volume->values,
               {static_cast<std::size_t>(a.volume.size_z), static_cast<std::size_t>(a.volume.size_y),
                static_cast<std::size_t>(a.volume.size_x)},
               Hdf5Storage::compressed);
    if (a.reference_volume->time_s) file.attribute("/reference/volume", "time_s", *a.reference_volume->time_s);
  }
  file.commit();
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
