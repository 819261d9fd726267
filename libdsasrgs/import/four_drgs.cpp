// SPDX-License-Identifier: Apache-2.0
// 4DRGS's folders.

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "common/host_vector.hpp"
#include "common/plain_number.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "files/nifti_pictures.hpp"
#include "import/element_sizes.hpp"
#include "import/imported_case.hpp"
#include "import/json_file.hpp"
#include "number_text.hpp"

namespace dsasrgs {

namespace {

constexpr double kUsualSweep_s = 5;

NumberArray<float> read_run(const std::filesystem::path& file, const std::vector<std::size_t>& shape) {
  NumberArray<float> run = read_nifti_pictures(file);
  if (run.shape[0] < shape[0] || run.shape[1] != shape[1] || run.shape[2] != shape[2])
    throw BadInput(file.string(), "dim", shape_text(shape) + ": N_views, and proj_resolution's rows and columns",
                   shape_text(run.shape));
  run.values.resize(num_numbers(shape));  // 4DRGS reads the first N_views
  return run;
}

void read_runs(const std::filesystem::path& folder, const std::vector<std::size_t>& shape, ImportedCase& imported) {
  Acquisition& a = imported.acquisition;
  const std::filesystem::path mask_file = folder / "mask_run.nii.gz", fill_file = folder / "fill_run.nii.gz";
  if (!std::filesystem::exists(mask_file) && !std::filesystem::exists(fill_file)) {
    a.projections = read_run(folder / "DSA.nii.gz", shape).values;
    imported.found.push_back("projections: DSA.nii.gz");
    if (std::ranges::none_of(a.projections, [](float v) { return v < 0; }))
      imported.warnings.push_back(a.name +
                                  ": DSA.nii.gz: expected noise of both signs, found no value below 0 (4DRGS "
                                  "clips it there; mask_run.nii.gz and fill_run.nii.gz would be whole)");
    return;
  }
  const NumberArray<float> mask = read_run(mask_file, shape), fill = read_run(fill_file, shape);
  a.projections.resize(mask.values.size());
  a.valid.resize(mask.values.size());
  const std::size_t refused =
      subtract_counts(mask.values.data(), fill.values.data(), mask.values.size(), a.projections.data(), a.valid.data());
  if (refused == 0) a.valid.clear();
  imported.found.push_back("projections: ln(mask_run.nii.gz) - ln(fill_run.nii.gz)");
}

/// Returns the largest angle, in rad.
double read_frames(const JsonFields& json, const FourDrgsImportOptions& options, std::size_t count,
                   ImportedCase& imported) {
  const std::vector<JsonFields> frames = json.objects("frames");
  if (frames.size() < count)
    json.refuse("frames", std::to_string(count) + ", as N_views says", std::to_string(frames.size()));
  double largest_primary = 0, largest_secondary = 0;
  for (std::size_t v = 0; v < count; ++v) {
    CArmView view;
    view.sod_mm = json.number("sad");
    view.sdd_mm = json.number("sid");
    view.primary_rad = frames[v].number("PrimaryAngle");
    largest_primary = std::max(largest_primary, std::abs(view.primary_rad));
    const double secondary = frames[v].number("SecondaryAngle", 0);
    largest_secondary = std::max(largest_secondary, std::abs(secondary));
    view.secondary_rad = options.secondary_angles ? -secondary : 0;
    if (!(view.sod_mm > 0) || !(view.sdd_mm > view.sod_mm))
      json.refuse("sid", "0 < sad < sid", plain_number(view.sod_mm) + " and " + plain_number(view.sdd_mm));
    constexpr double kTurn = 2 * std::numbers::pi;
    if (!(std::abs(view.primary_rad) <= 2 * kTurn))
      frames[v].refuse("PrimaryAngle", "radians within two turns", plain_number(view.primary_rad));
    if (!(std::abs(view.secondary_rad) <= kTurn))
      frames[v].refuse("SecondaryAngle", "radians within a turn", plain_number(view.secondary_rad));
    imported.acquisition.poses.push_back(carm_pose(view, 0));
  }
  if (largest_secondary > 0 && !options.secondary_angles)
    imported.warnings.push_back(imported.acquisition.name + ": frames.SecondaryAngle: expected 0, found up to " +
                                rounded_text(largest_secondary * 180 / std::numbers::pi) +
                                " degrees, which 4DRGS reads as 0 (options.secondary_angles takes it)");
  return std::max(largest_primary, largest_secondary);
}

}  // namespace

ImportedCase import_4drgs(const std::filesystem::path& folder, const FourDrgsImportOptions& options) try {
  const std::filesystem::path file = folder / "transforms.json";
  const JsonFields json(file);
  return with_host_memory([&] {
    ImportedCase imported;
    Acquisition& a = imported.acquisition;
    a.name = file.string();
    const std::vector<int> pixels = json.sides("proj_resolution", 2);
    const std::vector<double> pitch = element_sizes(json, "proj_spacing", "proj_phy", pixels, "proj_resolution");
    a.detector = {pixels[0], pixels[1], pitch[0], pitch[1]};
    const std::vector<int> voxels = json.sides("volume_resolution", 3);
    const std::vector<double> spacing =
                                  element_sizes(json, "volume_spacing", "volume_phy", voxels, "volume_resolution"),
                              whole = json.numbers("volume_phy", 3);
    a.volume = {voxels[0], voxels[1], voxels[2], {spacing[0], spacing[1], spacing[2]}, {}};
    a.volume.origin_mm = Vec3d{whole[0], whole[1], whole[2]} * -0.5;
    const int views = json.has("N_views") ? json.side("N_views") : static_cast<int>(json.length("frames"));
    const double largest_angle = read_frames(json, options, static_cast<std::size_t>(views), imported);
    read_runs(
        folder,
        {static_cast<std::size_t>(views), static_cast<std::size_t>(pixels[1]), static_cast<std::size_t>(pixels[0])},
        imported);
    finish_import(imported, options,
                  {false,
                   true,
                   kUsualSweep_s,
                   largest_angle,
                   {"PrimaryAngle, SecondaryAngle", "sad", "sid", "proj_spacing or proj_phy",
                    "volume_resolution, volume_spacing, volume_phy"}});
    return imported;
  });
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
