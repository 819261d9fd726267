// SPDX-License-Identifier: Apache-2.0
#include "jobs/vessel_source.hpp"

#include <algorithm>

#include "cli/file_kind.hpp"
#include "cli/terminal_text.hpp"
#include "cli/usage_error.hpp"
#include "cli/value_checks.hpp"

namespace dsasrgs::program {

namespace {

bool ends_with_any(const std::string& text, std::initializer_list<const char*> endings) {
  return std::any_of(endings.begin(), endings.end(), [&](const char* e) { return is_named(text, e); });
}

VesselTree placed(VesselTree tree, const VesselSourceOptions& options) {
  smooth_vessels(tree, options.smooth_passes);
  if (options.up_axis == "y") rotate_vessels(tree, {{1, 0, 0}, {0, 0, -1}, {0, 1, 0}});
  if (!options.keep_position) center_vessels(tree);
  return tree;
}

bool is_raw(const std::string& vessels) { return ends_with_any(vessels, {".raw", ".raw.gz"}); }
bool is_volume(const std::string& vessels) { return is_raw(vessels) || ends_with_any(vessels, {".nii", ".nii.gz"}); }

VesselVolume read_volume(const VesselSourceOptions& options) {
  VesselVolume vessels;
  vessels.threshold = *options.threshold;
  if (is_raw(options.vessels)) {
    const auto n = *options.volume_size;
    const auto s = *options.volume_spacing_mm;
    const Vec3d spacing{s[0], s[1], s[2]};
    vessels.volume = read_raw_volume(options.vessels, {n[0], n[1], n[2], spacing, {}});
  } else {
    vessels.volume = read_nifti(options.vessels);
  }
  if (options.up_axis == "y") vessels.volume = stand_volume_up(vessels.volume);
  VolumeGrid& grid = vessels.volume.grid;
  if (!options.keep_position) grid.origin_mm = grid.extent_mm() * -0.5;
  return vessels;
}

}  // namespace

void add_vessel_source(OptionList& list, VesselSourceOptions& o) {
  list.group("Vessels");
  list.add("vessels", o.vessels,
           "tree (built in), FILE.swc, FILE.vtk or .vtp (centrelines), FILE.raw[.gz] (uint8) or FILE.nii[.gz]");
  list.add("tree-seed", o.tree_seed, "seed of the built-in tree; default: --seed").at_least(0);
  list.add("tree-inlets", o.tree.num_inlets, "feeding arteries").between(1, 100);
  list.add("tree-inlet-radius-mm", o.tree.inlet_radius_mm, "").positive();
  list.add("tree-min-radius-mm", o.tree.min_radius_mm, "").within(1e-3, 1000);
  list.add("tree-half-axes-mm", o.tree_half_axes_mm, "of the ellipsoid the tree fills: x y z").above(0, 1000);
  list.add("smooth-passes", o.smooth_passes, "smoothing of centrelines read from a file").between(0, 10000);
  list.add("centerline-radius-mm", o.centerline_radius_mm, "radius of the vessels of a .vtk or .vtp file that has none")
      .positive();
  list.add("min-radius-mm", o.min_radius_mm, "radii of a .swc file below this, 0 too, become it").not_negative();
  list.add("up-axis", o.up_axis, "axis of a file's vessels that points to the top of the head: y or z")
      .one_of({"y", "z"});
  list.add("keep-position", o.keep_position, "do not centre vessels from a file at the isocentre");
  list.add("volume-size", o.volume_size, "voxels of a raw volume: x y z").between(1, 1 << 20);
  list.add("volume-spacing-mm", o.volume_spacing_mm, "voxel size of a raw volume: x y z").positive();
  list.add("vessel-threshold", o.threshold, "voxel value above which a volume is vessel").not_negative();
}

UnheededOption unheeded_option(const VesselSourceOptions& options, const std::vector<std::string>& given) {
  const std::string& source = options.vessels;
  const bool built_in = source == kBuiltInTree, vtk = ends_with_any(source, {".vtk"}),
             centrelines = vtk || ends_with_any(source, {".swc"});
  for (const std::string& name : given) {
    if (name.starts_with("tree-") && !built_in) return {name, kBuiltInTree};
    if (name == "smooth-passes" && !centrelines) return {name, "FILE.swc or FILE.vtk"};
    if (name == "centerline-radius-mm" && !vtk) return {name, "FILE.vtk"};
    if (name == "min-radius-mm" && !ends_with_any(source, {".swc"})) return {name, "FILE.swc"};
    if ((name == "up-axis" || (name == "keep-position" && options.keep_position)) && built_in) return {name, "FILE"};
    if (name.starts_with("volume-") && !is_raw(source)) return {name, "FILE.raw or FILE.raw.gz"};
    if (name == "vessel-threshold" && !is_volume(source)) return {name, "a volume"};
  }
  return {};
}

void check_vessel_source(const VesselSourceOptions& options) {
  const std::string& source = options.vessels;
  if (source == kBuiltInTree) {
    if (!(options.tree.inlet_radius_mm >= options.tree.min_radius_mm))
      throw UsageError("--tree-inlet-radius-mm: expected at least --tree-min-radius-mm " +
                       number_text(options.tree.min_radius_mm) + ", found " +
                       number_text(options.tree.inlet_radius_mm));
    const auto& axes = options.tree_half_axes_mm;
    if (const double shortest = *std::min_element(axes.begin(), axes.end()); options.tree.inlet_radius_mm > shortest)
      throw UsageError("--tree-inlet-radius-mm: expected at most the shortest of --tree-half-axes-mm " +
                       number_text(shortest) + ", found " + number_text(options.tree.inlet_radius_mm));
    return;
  }
  if (!is_volume(source) && !ends_with_any(source, {".swc", ".vtk", ".vtp"}))
    throw UsageError(
        "--vessels: expected tree or a file named .swc, .vtk, .vtp, .raw, .raw.gz, .nii or .nii.gz, found " + source);
  if (is_volume(source) && !options.threshold)
    throw UsageError("--vessel-threshold: expected the voxel value above which " + source + " is vessel, found none");
  if (is_raw(source) && (!options.volume_size || !options.volume_spacing_mm))
    throw UsageError("--vessels: expected --volume-size and --volume-spacing-mm beside a raw volume, found " + source +
                     " without");
}

std::variant<VesselTree, VesselVolume> read_vessels(const VesselSourceOptions& options, std::uint64_t seed) {
  check_vessel_source(options);
  const std::string& source = options.vessels;
  if (const std::string reason = source == kBuiltInTree ? "" : no_file(source); !reason.empty())
    throw UsageError("--vessels: " + reason);
  if (source == kBuiltInTree) {
    VesselTreeOptions tree = options.tree;
    tree.seed = options.tree_seed.value_or(seed);
    const auto& h = options.tree_half_axes_mm;
    tree.ellipsoid_half_axes_mm = {h[0], h[1], h[2]};
    return generate_vessel_tree(tree);
  }
  if (ends_with_any(source, {".swc"})) return placed(read_swc(source, options.min_radius_mm), options);
  if (ends_with_any(source, {".vtk", ".vtp"}))
    return placed(read_vtk_centerlines(source, options.centerline_radius_mm), options);
  return read_volume(options);
}

}  // namespace dsasrgs::program
