// SPDX-License-Identifier: Apache-2.0
#pragma once
// The one list of configuration fields: names, ranges, order. Reading, writing and checking all walk it.

#include "dsasrgs/config.hpp"

namespace dsasrgs {

/// Inclusive range of a number.
struct Range {
  double low, high;
};
inline constexpr Range kPositiveCount{1, 2e9};
inline constexpr Range kCount{0, 2e9};
inline constexpr Range kFraction{0, 1};
inline constexpr Range kNonNegative{0, 1e12};
inline constexpr Range kPositive{1e-30, 1e12};

/// Calls v.section(name, body) and v.field(name, value, range) for every section and field. `C` is Config or const
/// Config.
template <class C, class V>
void visit_fields(C& c, V& v) {
  v.field("preset", c.preset);
  v.section("training", [&] {
    v.field("steps", c.training.steps, kPositiveCount);
    v.field("ssim_weight", c.training.ssim_weight, kFraction);
    v.field("ssim_range", c.training.ssim_range, Range{0.1, 100});
    v.field("time_jitter", c.training.time_jitter, kNonNegative);
    v.field("clip_negative", c.training.clip_negative);
    v.field("step_graph", c.training.step_graph);
    v.field("tv_weight", c.training.tv_weight, kNonNegative);
    v.field("tv_block", c.training.tv_block, Range{2, 1024});
    v.field("table_variation_weight", c.training.table_variation_weight, kNonNegative);
    v.field("seed", c.training.seed, Range{0, 9e15});
  });
  v.section("gaussians", [&] {
    v.field("init", c.gaussians.init);
    v.field("initial", c.gaussians.initial, kPositiveCount);
    v.field("init_threshold_per_mm", c.gaussians.init_threshold_per_mm, kNonNegative);
    v.field("init_percentile", c.gaussians.init_percentile, Range{0, 100});
    v.field("min_scale_voxels", c.gaussians.min_scale_voxels, kPositive);
    v.field("max_scale_voxels", c.gaussians.max_scale_voxels, kPositive);
    v.field("pixel_footprint", c.gaussians.pixel_footprint);
  });
  v.section("field", [&] {
    v.field("kind", c.field.kind);
    v.field("width", c.field.width, Range{1, 256});
    v.field("hidden_layers", c.field.hidden_layers, Range{1, 8});
    const auto grid = [&](const char* name, auto& g) {
      v.section(name, [&] {
        v.field("levels", g.levels, Range{1, 32});
        v.field("log2_entries", g.log2_entries, Range{4, 28});
        v.field("base_resolution", g.base_resolution, Range{1, 4096});
        v.field("growth", g.growth, Range{1, 4});
      });
    };
    v.field("precision", c.field.precision);
    v.field("output", c.field.output);
    v.field("output_sharpness", c.field.output_sharpness, Range{0.1, 1000});
    grid("grid3d", c.field.grid3d);
    grid("grid4d", c.field.grid4d);
  });
  v.section("learning_rate", [&] {
    v.field("position", c.learning_rate.position);
    v.field("scale", c.learning_rate.scale);
    v.field("rotation", c.learning_rate.rotation);
    v.field("field", c.learning_rate.field);
    v.field("attenuation", c.learning_rate.attenuation);
    v.field("weight_decay", c.learning_rate.weight_decay, kNonNegative);
    v.field("sparse_tables", c.learning_rate.sparse_tables);
  });
  v.section("density_control", [&] {
    v.field("every", c.density_control.every, kPositiveCount);
    v.field("first_step", c.density_control.first_step, kCount);
    v.field("last_step", c.density_control.last_step, kCount);
    v.field("gradient_threshold", c.density_control.gradient_threshold, kNonNegative);
    v.field("split_voxels", c.density_control.split_voxels);
    v.field("split_shrink", c.density_control.split_shrink, Range{1, 100});
    v.field("min_mean_density", c.density_control.min_mean_density, kNonNegative);
    v.field("random_prune", c.density_control.random_prune, kFraction);
    v.field("halve_density", c.density_control.halve_density);
    v.field("max_gaussians", c.density_control.max_gaussians, kPositiveCount);
    v.field("pixel_weights", c.density_control.pixel_weights);
  });
  v.section("residual_split", [&] {
    v.field("enabled", c.residual_split.enabled);
    v.field("every", c.residual_split.every, kPositiveCount);
    v.field("first_step", c.residual_split.first_step, kCount);
    v.field("last_step", c.residual_split.last_step, kCount);
    v.field("gradient_threshold", c.residual_split.gradient_threshold, kNonNegative);
    v.field("threshold_factor", c.residual_split.threshold_factor);
    v.field("children", c.residual_split.children, Range{2, 255});
    v.field("min_scale_voxels", c.residual_split.min_scale_voxels, kNonNegative);
    v.field("conserve_mass", c.residual_split.conserve_mass);
    v.field("shrink", c.residual_split.shrink, Range{1, 100});
    v.field("spread", c.residual_split.spread, Range{0, 100});
  });
  v.section("residual_births", [&] {
    v.field("enabled", c.residual_births.enabled);
    v.field("every", c.residual_births.every, kPositiveCount);
    v.field("first_step", c.residual_births.first_step, kCount);
    v.field("last_step", c.residual_births.last_step, kCount);
    v.field("fraction", c.residual_births.fraction, kFraction);
    v.field("scale_voxels", c.residual_births.scale_voxels, kPositive);
    v.field("window", c.residual_births.window, Range{1e-6, 1});
    v.field("min_views", c.residual_births.min_views, kPositiveCount);
  });
  v.section("nuisance", [&] {
    v.field("view_offset", c.nuisance.view_offset);
    v.field("view_gain", c.nuisance.view_gain);
    v.field("learning_rate", c.nuisance.learning_rate);
  });
  v.section("geometry", [&] {
    v.field("refine", c.geometry.refine);
    v.field("first_step", c.geometry.first_step, kCount);
    v.field("last_step", c.geometry.last_step, kCount);
    v.field("rate_px", c.geometry.rate_px);
    v.field("knots", c.geometry.knots, Range{4, 64});
    v.field("remainder_px", c.geometry.remainder_px, kPositive);
    v.field("noise_px", c.geometry.noise_px, kNonNegative);
    v.field("largest_px", c.geometry.largest_px, kPositive);
  });
  v.section("super_resolution", [&] {
    v.field("scale", c.super_resolution.scale, Range{1, 16});
    v.field("weight", c.super_resolution.weight, kFraction);
    v.field("target", c.super_resolution.target);
    v.field("first_step", c.super_resolution.first_step, kCount);
    v.field("alpha", c.super_resolution.alpha, Range{-1e6, 1e6});
    v.field("beta", c.super_resolution.beta, Range{-1e6, 1e6});
    v.field("similarity_centre", c.super_resolution.similarity_centre, Range{-1, 1});
    v.field("texture_centre", c.super_resolution.texture_centre, Range{-1, 1});
    v.field("learn_confidence", c.super_resolution.learn_confidence);
    v.field("confidence_rate", c.super_resolution.confidence_rate);
    v.field("refresh_step", c.super_resolution.refresh_step, kCount);
    v.field("given_confidence", c.super_resolution.given_confidence);
    v.field("consistency", c.super_resolution.consistency);
    v.field("keep_labels", c.super_resolution.keep_labels);
  });
}

}  // namespace dsasrgs
