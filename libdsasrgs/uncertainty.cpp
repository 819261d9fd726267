// SPDX-License-Identifier: Apache-2.0
#include "dsasrgs/uncertainty.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "common/checks.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/fingerprint.hpp"
#include "elementwise/elementwise.hpp"
#include "field_pass.hpp"
#include "held.hpp"
#include "place_variance.hpp"
#include "project/project.hpp"
#include "rasterize/rasterize.hpp"
#include "report_progress.hpp"
#include "require_finite.hpp"
#include "shown_pixels.hpp"
#include "voxelize/voxelize.hpp"

namespace dsasrgs {

namespace {

constexpr const char* kUncertainty = "Uncertainty";

/// A Gaussian's density, place and shape are uncertain together. The squares of these modes, Hermite functions up to
/// the second degree, add up to 2·exp(−q)(1 + q²) in an image, q the squared Mahalanobis distance. It is drawn as the
/// Gaussian of the same peak and integral; likewise in a volume. (method.md section 8)
struct Spread {
  double peak;      ///< of the sum, times the square of the density's own mode
  double widening;  ///< of the Gaussian's covariance
};
constexpr Spread kImageSpread{2, 1.5};
constexpr Spread kVolumeSpread{2.5, 1.2599210498948732};  // (10 modes/2.5)^(2/3)/2

/// Of the misfit, what counts as the model's at least: noise that was fitted is an error, too.
constexpr double kLeastShare = 0.05;

/// Moments of a sweep over which the mean of the densities is taken.
constexpr int kMeanMoments = 64;

/// Knots of time at which what views tell is kept apart: as many as the offset table has, and for a neural field twice
/// as dense, so that a view tells of an eighth of the sweep to either side.
std::size_t num_knots(AttenuationKind kind) {
  if (kind == AttenuationKind::constant) return 1;
  return kind == AttenuationKind::offset_table ? 5 : 9;
}

/// Where a model time lies: weights of two neighbouring knots.
struct BetweenKnots {
  std::size_t knot[2];
  float weight[2];
};
BetweenKnots between_knots(float model_time, std::size_t knots) {
  if (knots == 1) return {{0, 0}, {1, 0}};
  const float place = model_time * static_cast<float>(knots - 1);
  const std::size_t first = std::min(static_cast<std::size_t>(place), knots - 2);
  const float second = place - static_cast<float>(first);
  return {{first, first + 1}, {1 - second, second}};
}

/// The Gaussians with their covariances `widening` times as large.
GaussianView widened(const GaussianCloud& cloud, double widening) {
  GaussianView view = cloud.view();
  const float factor = static_cast<float>(std::sqrt(widening));
  view.bounds = {view.bounds.min_mm * factor, view.bounds.max_mm * factor};
  return view;
}

/// out ← a·b.
void product(Context& ctx, View<const float> a, View<const float> b, Buffer<float>& out) {
  out.resize(ctx, a.size());
  zero_bytes(ctx, out.data(), a.size() * sizeof(float));
  add_product(ctx, a, b, out);
}

/// The views that the model was trained on. Throws unless they are those of the acquisition.
std::vector<int> views_trained_on(const Model& model, const Acquisition& a) {
  const ViewNuisance& fitted = model.nuisance;
  require_size(kUncertainty, "nuisance.gain", fitted.view.size(), fitted.gain.size());
  require_size(kUncertainty, "nuisance.offset", fitted.view.size(), fitted.offset.size());
  std::vector<int> views = fitted.view.empty() ? a.training_views() : fitted.view;
  require(!views.empty(), kUncertainty, "views: expected one that the model was trained on, found none");
  const std::string file = a.name.empty() ? "acquisition" : a.name;
  for (const int view : views)
    if (view < 0 || view >= a.num_views())
      throw BadInput(file, "/projections", "view " + std::to_string(view) + ", which the model was trained on",
                     std::to_string(a.num_views()) + " views");
  if (!model.measurement.empty() && model.measurement != measurement_fingerprint(a, views))
    throw BadInput(file, "/projections", "the views that the model was trained on", "other values");
  return views;
}

/// What a view measured, without its offset and 0 where a pixel does not count, and which count.
struct MeasuredView {
  std::vector<float> values, counts;
};
MeasuredView measured_view(const Acquisition& a, int view, float offset) {
  const auto image = a.projection(view);
  const auto valid = a.valid_pixels(view);
  require_finite_pixels(kUncertainty, "projection", view, image, a.detector.width_px, valid);
  MeasuredView measured{host_vector<float>(image.size()), host_vector<float>(image.size())};
  for (std::size_t p = 0; p < image.size(); ++p)
    if (valid.empty() || valid[p] != 0) {
      measured.values[p] = image[p] - offset;
      measured.counts[p] = 1;
    }
  return measured;
}

/// factor·sqrt(peak·variance); `where` names an element in the error for one that is not finite.
template <class Where>
std::vector<float> deviations(std::vector<float> variance, double factor, double peak, const Where& where) {
  for (std::size_t i = 0; i < variance.size(); ++i) {
    if (!std::isfinite(variance[i]))
      throw NumericalError(std::string(kUncertainty) + ": the model gives no number at " + where(i));
    variance[i] = static_cast<float>(factor * std::sqrt(peak * static_cast<double>(variance[i])));
  }
  return variance;
}

}  // namespace

struct Uncertainty::State {
  /// Gaussians of density 1 on a detector.
  struct UnitProjection {
    Buffer<float> ones, mean_px, conic, amplitude;
    Buffer<PixelBox> box;
    Detector detector;

    void make(Context& context, const GaussianView& gaussians, const Pose& pose, const Detector& on,
              bool pixel_footprint) {
      const std::size_t n = gaussians.size();
      if (ones.size() != n) ones = Buffer<float>::from_host(context, host_vector<float>(n, 1));
      mean_px.resize(context, 2 * n);
      conic.resize(context, 3 * n);
      amplitude.resize(context, n);
      box.resize(context, n);
      detector = on;
      project_forward(context, {gaussians, ones, pose, on, pixel_footprint}, {mean_px, conic, amplitude, box});
    }
    RasterizeInput with(View<const float> shape, View<const float> amplitudes) const {
      return {detector.width_px, detector.height_px, mean_px, shape, amplitudes, box};
    }
  };

  Context* ctx;
  const Model* model;
  UncertaintyOptions options;
  std::vector<Buffer<float>> information, scatter;  // [knots][N]: H and S of method.md section 8
  double scale = 1;                                 // of all variances
  std::vector<Pose> poses;                          // of the acquisition's views, as the model sees them
  std::optional<PlaceVariance> place;               // from the views that the model was trained on

  FieldPass field;
  UnitProjection projection, wide;
  RasterizeScratch raster;
  Buffer<float> density, squares, values, image, residual, counts;

  State(Context& c, const Model& m, const UncertaintyOptions& o);
  /// Renders a training view into `image` and leaves its residual, 0 where pixels do not count.
  void render_view(const Acquisition&, int view, float gain, float offset);
  /// image ← variance, without what peak_of has.
  void render_variance(const Pose&, const Detector&);
  /// Peak of place and shape in a render.
  double peak_of(const Pose& pose) const {
    return kImageSpread.peak * place->ratio(model->volume.center_mm() - pose.source_mm);
  }
  /// Adds what a view tells.
  void weigh(const Acquisition&, int view, float gain, float offset);
  /// Of a view that was weighed.
  ShownPixels compare(const Acquisition&, int view, float gain, float offset);
  const Buffer<float>& density_at(float model_time);
  /// Of the Gaussians' densities [N], from what was gathered and the densities themselves.
  std::vector<float> variances(std::vector<float> density, const std::vector<float>& information,
                               const std::vector<float>& scatter) const;
  std::vector<float> variances_at(float model_time);
  std::vector<float> variances_of_mean();
  Volume volume(const VolumeGrid&, const std::vector<float>& variances);
};

Uncertainty::State::State(Context& c, const Model& m, const UncertaintyOptions& o) : ctx(&c), model(&m), options(o) {
  for (std::size_t k = 0; k < num_knots(m.field.config().kind); ++k) {
    information.push_back(Buffer<float>::zeros(c, m.cloud.size()));
    scatter.push_back(Buffer<float>::zeros(c, m.cloud.size()));
  }
}

const Buffer<float>& Uncertainty::State::density_at(float model_time) {
  density.resize(*ctx, model->cloud.size());
  field.forward(*ctx, model->field, model->cloud, model_time, density);
  return density;
}

void Uncertainty::State::render_view(const Acquisition& a, int view, float gain, float offset) {
  const Pose& pose = poses[static_cast<std::size_t>(view)];
  const MeasuredView measured = measured_view(a, view, offset);
  counts = Buffer<float>::from_host(*ctx, measured.counts);
  residual = Buffer<float>::from_host(*ctx, measured.values);
  projection.make(*ctx, model->cloud.view(), pose, a.detector, model->pixel_footprint);
  product(*ctx, projection.amplitude, density_at(model->time.model_time(pose.time_s)), values);
  image.resize(*ctx, a.detector.num_pixels());
  rasterize_forward(*ctx, projection.with(projection.conic, values), raster, image);
  Buffer<float> shown;
  product(*ctx, image, counts, shown);
  add_scaled(*ctx, -gain, shown, residual);
}

void Uncertainty::State::weigh(const Acquisition& a, int view, float gain, float offset) {
  const std::size_t n = model->cloud.size();
  render_view(a, view, gain, offset);
  product(*ctx, residual, residual, image);
  const double misfit = sum_and_product(*ctx, image, counts).sum;
  if (!std::isfinite(misfit))
    throw NumericalError(std::string(kUncertainty) + ": the model gives no number at view " + std::to_string(view));

  // The square of a footprint is a footprint of twice the conic: its amplitude's gradient is Σ_p G²·(grad of p).
  Buffer<float> steep(*ctx, 3 * n), grad_mean(*ctx, 2 * n), grad_conic(*ctx, 3 * n), sum(*ctx, n);
  scale_values(*ctx, 2, projection.conic, steep);
  product(*ctx, projection.amplitude, projection.amplitude, squares);
  const float time = model->time.model_time(poses[static_cast<std::size_t>(view)].time_s);
  const BetweenKnots between = between_knots(time, information.size());
  const auto add = [&](View<const float> of_pixels, std::vector<Buffer<float>>& gathered) {
    rasterize_backward(*ctx, projection.with(steep, projection.amplitude), of_pixels, GradientMode::overwrite,
                       {grad_mean, grad_conic, sum});
    product(*ctx, squares, sum, values);
    for (std::size_t k = 0; k < 2; ++k)
      if (between.weight[k] > 0) add_scaled(*ctx, between.weight[k] * gain * gain, values, gathered[between.knot[k]]);
  };
  add(counts, information);
  add(image, scatter);
}

ShownPixels Uncertainty::State::compare(const Acquisition& a, int view, float gain, float offset) {
  render_view(a, view, gain, offset);
  const std::vector<float> render = image.to_host(*ctx), misfit = residual.to_host(*ctx), used = counts.to_host(*ctx);
  render_variance(poses[static_cast<std::size_t>(view)], a.detector);
  ShownPixels sums = shown_pixels(a.detector, render, misfit, image.to_host(*ctx), used);
  sums.predicted *=
      peak_of(poses[static_cast<std::size_t>(view)]) * static_cast<double>(gain) * static_cast<double>(gain);
  return sums;
}

void Uncertainty::State::render_variance(const Pose& pose, const Detector& detector) {
  const Buffer<float> variance = Buffer<float>::from_host(*ctx, variances_at(model->time.model_time(pose.time_s)));
  projection.make(*ctx, model->cloud.view(), pose, detector, model->pixel_footprint);
  wide.make(*ctx, widened(model->cloud, kImageSpread.widening), pose, detector, model->pixel_footprint);
  product(*ctx, projection.amplitude, projection.amplitude, squares);
  product(*ctx, squares, variance, values);
  image.resize(*ctx, detector.num_pixels());
  rasterize_forward(*ctx, wide.with(wide.conic, values), raster, image);
}

std::vector<float> Uncertainty::State::variances(std::vector<float> rho, const std::vector<float>& of_information,
                                                 const std::vector<float>& of_scatter) const {
  double prior = 0;
  for (const float r : rho) prior += static_cast<double>(r) * static_cast<double>(r);
  prior /= static_cast<double>(std::max<std::size_t>(rho.size(), 1));
  for (std::size_t i = 0; i < rho.size(); ++i) {
    // 1/(H²/S + 1/prior), where nothing may be 0.
    const double h = static_cast<double>(of_information[i]), s = static_cast<double>(of_scatter[i]);
    const double both = prior * h * h + s;
    rho[i] = static_cast<float>(!(h > 0) ? prior : (both > 0 ? prior * (s / both) : 0));
  }
  return rho;
}

std::vector<float> Uncertainty::State::variances_at(float model_time) {
  const BetweenKnots between = between_knots(model_time, information.size());
  const auto at = [&](const std::vector<Buffer<float>>& gathered) {
    scale_values(*ctx, between.weight[0], gathered[between.knot[0]], values);
    add_scaled(*ctx, between.weight[1], gathered[between.knot[1]], values);
    return values.to_host(*ctx);
  };
  values.resize(*ctx, model->cloud.size());
  const std::vector<float> h = at(information), s = at(scatter);
  return variances(density_at(model_time).to_host(*ctx), h, s);
}

std::vector<float> Uncertainty::State::variances_of_mean() {
  const std::size_t n = model->cloud.size();
  const auto all = [&](const std::vector<Buffer<float>>& gathered) {
    Buffer<float> sum = Buffer<float>::zeros(*ctx, n);
    for (const Buffer<float>& of_knot : gathered) add_scaled(*ctx, 1, of_knot, sum);
    return sum.to_host(*ctx);
  };
  Buffer<float> mean = Buffer<float>::zeros(*ctx, n);
  for (int m = 0; m < kMeanMoments; ++m)
    add_scaled(*ctx, 1.0f / kMeanMoments, density_at(static_cast<float>(m) / (kMeanMoments - 1)), mean);
  return variances(mean.to_host(*ctx), all(information), all(scatter));
}

Volume Uncertainty::State::volume(const VolumeGrid& grid, const std::vector<float>& of) {
  const Buffer<float> variance = Buffer<float>::from_host(*ctx, of);
  image.resize(*ctx, grid.num_voxels());
  voxelize_forward(*ctx, {widened(model->cloud, kVolumeSpread.widening), variance, grid}, image);
  const double peak = kVolumeSpread.peak * place->ratio_in_space() * scale;
  const auto where = [](std::size_t i) { return "voxel " + std::to_string(i) + " of the volume"; };
  return {grid, deviations(image.to_host(*ctx), options.volume_factor, peak, where), 1};
}

Uncertainty::Uncertainty(Context& ctx, const Model& model, const Acquisition& a, const UncertaintyOptions& options,
                         const ProgressCallback& progress) try {
  for (const double factor : {options.image_factor, options.volume_factor})
    require(factor > 0 && std::isfinite(factor), kUncertainty, "factor: expected a positive number, found ", factor);
  const std::vector<int> views = views_trained_on(model, a);
  state_ = std::make_unique<State>(ctx, model, options);
  state_->poses = poses_as_corrected(model, a);
  std::vector<Vec3d> directions;
  directions.reserve(views.size());
  for (const int view : views)
    directions.push_back(
        normalized(model.volume.center_mm() - state_->poses[static_cast<std::size_t>(view)].source_mm));
  state_->place.emplace(directions);
  const bool fitted = !model.nuisance.view.empty();
  const auto for_each_view = [&](const char* stage, const auto& body) {
    for (std::size_t i = 0; i < views.size(); ++i) {
      report_progress(progress, {stage, i, views.size()});
      body(views[i], fitted ? model.nuisance.gain[i] : 1, fitted ? model.nuisance.offset[i] : 0);
    }
    report_progress(progress, {stage, views.size(), views.size()});
  };
  for_each_view("weighing", [&](int view, float gain, float offset) { state_->weigh(a, view, gain, offset); });
  if (!options.match_misfit) return;
  ShownPixels all;
  for_each_view("matching", [&](int view, float gain, float offset) {
    const ShownPixels of = state_->compare(a, view, gain, offset);
    all.misfit += of.misfit;
    all.noise += of.noise;
    all.predicted += of.predicted;
  });
  if (all.predicted > 0)
    state_->scale = std::sqrt(std::max(all.misfit - all.noise, kLeastShare * all.misfit) / all.predicted);
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}
Uncertainty::Uncertainty(Uncertainty&&) noexcept = default;
Uncertainty& Uncertainty::operator=(Uncertainty&&) noexcept = default;
Uncertainty::~Uncertainty() = default;

Uncertainty::State& Uncertainty::state() const { return held(state_, kUncertainty); }

Image Uncertainty::render(const Pose& pose, const Detector& detector) try {
  State& s = state();
  require_image("Uncertainty::render", "detector", detector.width_px, detector.height_px);
  s.render_variance(pose, detector);
  const auto where = [&](std::size_t i) { return pixel_name(i, detector.width_px); };
  return {detector.width_px, detector.height_px,
          deviations(s.image.to_host(*s.ctx), s.options.image_factor, s.peak_of(pose) * s.scale, where)};
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

Volume Uncertainty::voxelize(const VolumeGrid& grid, double time_s) try {
  State& s = state();
  require_grid("Uncertainty::voxelize", grid);
  return s.volume(grid, s.variances_at(s.model->time.model_time(time_s)));
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

Volume Uncertainty::voxelize_mean(const VolumeGrid& grid) try {
  State& s = state();
  require_grid("Uncertainty::voxelize_mean", grid);
  return s.volume(grid, s.variances_of_mean());
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

std::vector<float> Uncertainty::density_deviation(double time_s) try {
  std::vector<float> values = state().variances_at(state().model->time.model_time(time_s));
  for (float& v : values) v = std::sqrt(v);
  return values;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
