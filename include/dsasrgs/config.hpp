// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// Everything a reconstruction can be told. Nested plain structs; each field's comment gives its unit and source.
/// In TOML a field is `[section] name = value`, in apply_setting `section.name=value`.
///
/// A name that ends in a unit is in that unit, one in `_voxels` in mean voxel spacings. All other numbers that weigh
/// lengths or brightness are in the run's own units (TrainingUnits, reconstructor.hpp), in which they mean the same for
/// every scan: published values hold where half the volume's largest side and the brightest line integrals are 1, only
/// the proportions of published losses where the brightest line integrals are a third (kPublishedBrightness).

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "dsasrgs/export.hpp"

namespace DSASRGS_API dsasrgs {

/// How a Gaussian's central attenuation depends on time (method.md section 1).
enum class AttenuationKind {
  constant,      ///< `static`: softplus of one number per Gaussian (R²-Gaussian)
  offset_table,  ///< `offset-table`: softplus of a base and a 5-entry table over time, per Gaussian (after TOGS)
  neural         ///< `neural`: DNAF, hash grids of position and of position and time into a small network (4DRGS)
};

/// The name of an attenuation model in a configuration: `static`, `offset-table`, `neural`.
std::string_view name_of(AttenuationKind);

/// Where the first Gaussians come from (method.md section 2).
enum class InitialPoints { fdk, random };

/// A value that decays log-linearly over the run.
struct Decay {
  double first = 0, last = 0;
};

/// The brightest line integral that published losses, which leave line integrals as they are, are taken for: about that
/// of the simulated sweeps (chosen: method.md section 2).
inline constexpr double kPublishedBrightness = 1.0 / 3;
/// λ in units of the run for a published (1−λ)·L1 + λ·(1 − SSIM): the same proportions at that brightness.
constexpr double ssim_weight_of_published(double lambda) {
  return lambda / (lambda + (1 - lambda) * kPublishedBrightness);
}

/// The run and its loss (method.md section 2).
struct TrainingConfig {
  int steps = 30000;  ///< one view per step (4DRGS)
  /// λ in (1−λ)·L1 + λ·(1 − SSIM), both in units of the run's line integral (4DRGS: 0.2, here 0.43).
  double ssim_weight = ssim_weight_of_published(0.2);
  /// R, the data range of SSIM, in the run's line integral: C1 = (0.01·R)², C2 = (0.03·R)² (published: 1, here 3).
  double ssim_range = 1 / kPublishedBrightness;
  double time_jitter = 1.0;   ///< standard deviation of the training time, in units of 1/V of the sweep (4DRGS)
  bool clip_negative = true;  ///< training line integrals below 0 are set to 0 (method.md section 2)
  bool step_graph = true;     ///< CUDA: submit each step as one graph; the CPU ignores it
  /// Weight of the total variation of a random block of `tv_block`³ voxels at the step's time (R²-Gaussian), the
  /// attenuation being in units of the run. On CUDA the voxeliser waits: steps are then not
  /// captured as graphs.
  double tv_weight = 0;
  int tv_block = 32;
  double table_variation_weight = 0;  ///< of mean Σ|table_j − table_{j−1}| of `offset-table` (TOGS)
  std::int64_t seed = 0;              ///< of every random number of the run
};

/// The first Gaussians, and what all are held to (method.md sections 1 and 2).
struct GaussianConfig {
  InitialPoints init = InitialPoints::fdk;
  int initial = 30000;               ///< Gaussians drawn at the start, M (4DRGS)
  double init_threshold_per_mm = 0;  ///< δ: FDK voxels above this are candidates (4DRGS: 0.016); 0: use the percentile
  double init_percentile = 97;       ///< of the FDK volume (chosen: the data may have another scale)
  double min_scale_voxels = 0.1;     ///< bounded scaling, in mean voxel spacings (4DRGS)
  double max_scale_voxels = 10;      ///< bounded scaling (4DRGS)
  bool pixel_footprint = true;       ///< a detector pixel integrates over its area (chosen, method.md section 1)
};

/// Multi-resolution hash grid (Instant-NGP; sizes from 4DRGS).
struct GridConfig {
  int levels = 12;
  int log2_entries = 19;
  double base_resolution = 8;
  double growth = 1.45;
};

/// Factors of the network's hidden layers on CUDA.
enum class FieldPrecision {
  fp32,  ///< on tensor cores as two TF32 numbers each (compute capability 8.0 or later)
  bf16   ///< rounded to bfloat16 for tensor cores (compute capability 8.0 or later); sums and the output stay fp32
};

/// What the network's output goes through on its way to an attenuation, which is not negative.
enum class FieldOutput {
  relu,     ///< 4DRGS: a Gaussian whose output has become negative no longer learns its attenuation
  softplus  ///< ln(1 + e^(k·z)) / k: close to ReLU, and every Gaussian keeps a gradient
};

/// The attenuation model (method.md section 1).
struct FieldConfig {
  AttenuationKind kind = AttenuationKind::neural;
  GridConfig grid3d{12, 19, 8, 1.45};  ///< H₃D
  GridConfig grid4d{12, 19, 2, 1.40};  ///< H₄D
  int width = 64;                      ///< neurons of a hidden layer of Φ
  int hidden_layers = 2;
  /// Of Φ, in training and in renders of the model (chosen: fp32). The CPU rounds the same numbers and is no faster.
  /// bf16 needs a network that fits a multiprocessor (48 → 64 → … → 1: up to 4 hidden layers).
  FieldPrecision precision = FieldPrecision::fp32;
  FieldOutput output = FieldOutput::softplus;  ///< chosen: outputs below 0 can come back; 4DRGS: relu
  double output_sharpness = 10;                ///< k of `softplus`, per density scale (chosen)
};

/// Learning rates of Adam over the run.
struct LearningRateConfig {
  Decay position{1e-4, 1e-5};  ///< per largest side of the volume
  Decay scale{5e-3, 5e-4};
  Decay rotation{1e-3, 1e-4};
  Decay field{1e-3, 1e-4};
  Decay attenuation{1e-2, 1e-3};  ///< coefficients per Gaussian, of `static` (R²-Gaussian) and `offset-table`
  double weight_decay = 5e-5;     ///< of the field, coupled (4DRGS)
  bool sparse_tables = true;      ///< Adam leaves table entries without gradient alone (chosen: faster; off: 4DRGS)
};

/// Cloning, splitting and pruning by gradients (4DRGS; method.md section 2).
struct DensityControlConfig {
  int every = 200;       ///< steps between events (4DRGS)
  int first_step = 500;  ///< events in (first_step, last_step)
  int last_step = 15000;
  double gradient_threshold = 1e-4;  ///< τ_grad, of the loss per half a detector (4DRGS)
  Decay split_voxels{2.5, 0.5};      ///< p: split above this many mean voxel spacings, decays over the events
  double split_shrink = 1.6;
  /// ε of accumulated-attenuation pruning, in units of the run's attenuation (DSA-SRGS eq. 2: 1e-6/mm, which this is
  /// for half sides of 100 mm and line integrals of 1)
  double min_mean_density = 1e-4;
  double random_prune = 0;     ///< each event removes a Gaussian with this probability (TOGS)
  bool halve_density = false;  ///< clones, cloned and split Gaussians get half the density; `static` only
  int max_gaussians = 200000;  ///< no births beyond this count
  /// A view's gradient counts as much as the Gaussian covers pixels in it (Pixel-GS; DSA-SRGS), here and in RSD.
  bool pixel_weights = false;
};

/// Residual-guided splitting (RSD, DSA-SRGS eqs. 3–5) on the gradients of the high-resolution render.
struct ResidualSplitConfig {
  bool enabled = false;
  int every = 100;       ///< steps between events (DSA-SRGS)
  int first_step = 500;  ///< events in (first_step, last_step); the window and what follows: chosen
  int last_step = 15000;
  double gradient_threshold = 1e-4;  ///< τ_grad, as density control's
  Decay threshold_factor{1, 0.6};    ///< η_iter, decays over the events
  int children = 2;                  ///< K, in the parent's place
  double min_scale_voxels = 0.5;     ///< only Gaussians whose largest scale exceeds this many low-resolution voxels
  bool conserve_mass = true;         ///< β = K^(−1/3), α = 1 − β²; off: the two below
  double shrink = 1.6;               ///< 1/β of eq. 5
  double spread = 1;                 ///< α of eq. 5
};

/// Gaussians born where the training views see less attenuation than was measured (DSA-SRGS in prose; details chosen).
struct ResidualBirthsConfig {
  bool enabled = false;
  int every = 1000;      ///< steps between events
  int first_step = 500;  ///< events in (first_step, last_step)
  int last_step = 15000;
  double fraction = 0.01;     ///< at most this share of the Gaussians is added by one event
  double scale_voxels = 0.5;  ///< of a new Gaussian, in low-resolution voxels
  /// Consecutive training views that have to agree, as a share of all of them: contrast passes, so a vessel lacks
  /// attenuation in a part of the sweep only. 1: all views, as for an object that does not change.
  double window = 1.0 / 3;
  /// Of these, as many must see the voxel (fewer where the window is shorter): the rays of two views can cross
  /// anywhere by chance, a third one is a check.
  int min_views = 3;
};

/// Nuisance parameters of a real acquisition, one pair per training view, fitted with the model and reported apart;
/// they are never used for another view (chosen; see docs/method.md).
struct NuisanceConfig {
  bool view_offset = false;         ///< additive offset of each training view (exposure drift, 8-bit export)
  bool view_gain = false;           ///< multiplicative gain of each training view
  Decay learning_rate{5e-3, 5e-4};  ///< of a gain; of an offset in units of the run's line integral
};

/// Poses of the sweep, fitted with the model (chosen; docs/method.md section 7). Distances in pixels are root mean
/// squares over the volume, on the detector that measured.
struct GeometryConfig {
  bool refine = false;
  /// Poses change after each pass over the training views that lies in (first_step, last_step].
  int first_step = 500;
  int last_step = 15000;
  Decay rate_px{0.2, 0.002};  ///< twice the most that one pass changes a parameter by
  int knots = 8;              ///< control points of the smooth curve; a cubic needs 4
  /// A view's remainder is drawn to 0 as if a tenth of its gradients pointed there at this distance.
  double remainder_px = 2;
  /// What refinement makes of poses that are right. After last_step, the smooth part of the corrections and each
  /// remainder lose that: what moves the image by r px keeps 1 − (noise_px/r)² of itself, or nothing.
  double noise_px = 0.1;
  double largest_px = 20;  ///< a view's correction beyond this ends the run
};

/// What the high-resolution render is compared with (DSA-SRGS table 2).
enum class HighResolutionTarget {
  none,           ///< nothing: it is only averaged back to the detector
  upsampled,      ///< the bicubic upsampling of the measured view ("blurry supervision")
  pseudo_labels,  ///< the pseudo-label
  both,           ///< half of each
  teach,          ///< the confidence-weighted mix of both (eqs. 6 and 7)
  weighted        ///< the label, counted as far as it is trusted: by its own confidence, and as it agrees with its view
};

/// Training at s times the detector's resolution (DSA-SRGS; docs/method.md).
struct SuperResolutionConfig {
  int scale = 1;      ///< s: views are rendered s times finer and averaged back to the detector; 1: off
  double weight = 0;  ///< w in (1 − w)·L_gt + w·L_sr (eq. 8 and text: 0.4); 1: only the high-resolution target
  HighResolutionTarget target = HighResolutionTarget::none;
  /// Up to this step views are rendered as measured and compared with their measurement only: a coarse start costs less
  /// (chosen).
  int first_step = 0;
  double alpha = 1, beta = 1;    ///< start of the confidence's weights (eq. 6)
  double similarity_centre = 0;  ///< S₀; 0 with texture_centre 0: eq. 6 as printed, whose confidence is never below ½
  double texture_centre = 0;     ///< T₀
  bool learn_confidence = true;       ///< off: α and β stay as they start
  Decay confidence_rate{1e-3, 1e-4};  ///< learning rate of α and β
  /// After this step, once, labels are made anew from what the model shows by then (Reconstructor::set_label_refresh).
  /// 0: never.
  int refresh_step = 0;
  /// Confidence maps of the label file take the place of eq. 6; off: they are not read.
  bool given_confidence = true;
  bool consistency = true;  ///< `weighted`: labels count less where they are not what was measured (docs/method.md)
  /// Off: the label of a view is read and its maps are made anew at each step, for cases whose fine images do not fit
  /// into memory together. The result is the same. On CUDA steps are then not captured as graphs.
  bool keep_labels = true;
  /// Whether pseudo-labels are compared with: the target is made of them, and it counts.
  bool needs_labels() const {
    return scale > 1 && weight > 0 && target != HighResolutionTarget::none && target != HighResolutionTarget::upsampled;
  }
};

/// The whole configuration.
struct Config {
  std::string preset = "4drgs";
  TrainingConfig training;
  GaussianConfig gaussians;
  FieldConfig field;
  LearningRateConfig learning_rate;
  DensityControlConfig density_control;
  ResidualSplitConfig residual_split;
  ResidualBirthsConfig residual_births;
  NuisanceConfig nuisance;
  GeometryConfig geometry;
  SuperResolutionConfig super_resolution;
};

/// Names accepted by preset_config.
std::vector<std::string> preset_names();
/// Defaults of a preset: `4drgs` (docs/method.md sections 1 and 2), `static` (the same with a time-independent
/// attenuation), `togs` and `r2-gaussian` (the baselines of section 5) or `dsa-srgs` (4 times finer, pseudo-labels
/// weighed by trust, RSD and residual-guided births: section 3). Throws BadInput for another name, with `source`
/// as the file.
Config preset_config(std::string_view name, std::string_view source = "preset_config");

/// Reads a TOML file over a configuration. Throws IoError; BadInput naming the file and the field for an unknown name,
/// a wrong type or a value out of range. On an error the configuration is left as it was. Whether the fields agree with
/// each other is for validate(), once all are there.
void apply_toml_file(Config&, const std::filesystem::path&);
/// Applies "section.name=value". Throws BadInput as above, with `source` as the file; also for the preset's name, which
/// would change nothing else.
void apply_setting(Config&, std::string_view assignment, std::string_view source = "apply_setting");
/// The configuration as TOML; reading it back gives the same configuration.
std::string to_toml(const Config&);
/// The inverse of to_toml, for configurations kept inside other files; validate() too. Throws BadInput with `source` as
/// the file.
Config config_from_toml(std::string_view text, std::string_view source);
/// Checks ranges and that the fields agree: what needs an attenuation model of a kind has it, bounds are in order,
/// something is learnt. Reconstructor does so too. Throws BadInput with `source` as the file.
void validate(const Config&, std::string_view source);

/// Value of a decay after fraction f of the run: exp((1−f)·ln first + f·ln last); linear when either end is 0.
double decayed(const Decay&, double fraction);

}  // namespace dsasrgs
