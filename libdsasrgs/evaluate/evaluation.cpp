// SPDX-License-Identifier: Apache-2.0
#include "dsasrgs/evaluation.hpp"

#include <algorithm>
#include <string>

#include "common/checks.hpp"
#include "dsasrgs/baselines.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/renderer.hpp"
#include "evaluate/windowed_ssim.hpp"
#include "fdk_views.hpp"
#include "report_progress.hpp"
#include "require_finite.hpp"

namespace dsasrgs {

namespace {

constexpr double kSurfaceFraction = 0.2;  // of the reference's maximum

ViewScores score_renders(Renderer& renderer, const std::vector<Pose>& poses, const ProjectionTruth& truth,
                         const std::vector<int>& views, const ProgressCallback& progress) {
  const auto render = [&](int view) {
    return renderer.render(poses[static_cast<std::size_t>(view)], truth.detector()).values;
  };
  return score_views(truth, views, render, progress);
}

void check_reference_volume(const Acquisition& a) {
  const std::vector<float>& reference = a.reference_volume->values;
  require_size("evaluate", "reference volume", require_grid("evaluate", a.volume), reference.size());
  require_finite_voxels("evaluate", "reference volume", reference, a.volume);
}

VolumeEvaluation evaluate_volume(Renderer& renderer, const Acquisition& a, const EvaluationOptions& options,
                                 const ProgressCallback& progress) {
  const ReferenceVolume& reference = *a.reference_volume;
  const float largest = *std::max_element(reference.values.begin(), reference.values.end());
  VolumeEvaluation result;
  result.time_s = reference.time_s;
  result.reference_maximum_per_mm = static_cast<double>(largest);
  result.surface_threshold_per_mm =
      options.surface_threshold_per_mm.value_or(kSurfaceFraction * result.reference_maximum_per_mm);
  if (!(largest > 0)) return result;
  Volume made;
  std::span<const float> volume;
  if (options.mean_volume != nullptr && !reference.time_s) {
    volume = *options.mean_volume;
  } else {
    made = reference.time_s ? renderer.voxelize(a.volume, *reference.time_s)
                            : renderer.voxelize_mean(a.volume, a.num_views());
    volume = made.values;
  }
  result.score = score_volume(volume, reference.values, a.volume, result.surface_threshold_per_mm, progress);
  return result;
}

/// What scores are relative to has to be positive somewhere.
void require_positive(const Acquisition& a, const ProjectionTruth& truth, const char* field) {
  for (int v = 0; v < a.num_views(); ++v) {
    const auto image = truth.image(v);
    const auto valid = truth.valid(v);
    for (std::size_t p = 0; p < image.size(); ++p)
      if (image[p] > 0 && (valid.empty() || valid[p] != 0)) return;
  }
  throw BadInput(a.name, field, "a positive value in a valid pixel, to score by", "none");
}

}  // namespace

std::vector<BaselineScores> score_baselines(Context& ctx, const ProjectionTruth& truth, const std::vector<int>& views,
                                            const ProgressCallback& progress) try {
  const Acquisition& a = truth.acquisition();
  std::vector<BaselineScores> baselines;
  if (!a.train_views.empty() || !a.test_views.empty()) {
    const auto between = [&](int view) { return interpolate_views(a, view); };
    baselines.push_back({"interpolation", score_views(truth, views, between, with_stage("interpolating", progress))});
  }
  const std::vector<float> volume = fdk_volume(ctx, a, a.training_views(), a.volume);
  const auto reproject = [&](int view) {
    return reproject_volume(ctx, volume, a.volume, {a.poses[static_cast<std::size_t>(view)]}, truth.detector());
  };
  baselines.push_back({"fdk", score_views(truth, views, reproject, with_stage("reprojecting", progress))});
  return baselines;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

void require_scorable(const Acquisition& a, const ViewSet& set, bool baselines) {
  if (std::min(a.detector.width_px, a.detector.height_px) < kSsimWindow)
    throw BadInput(a.name, "/projections", "images of at least 7 x 7 pixels (the window of SSIM)",
                   std::to_string(a.detector.width_px) + " x " + std::to_string(a.detector.height_px));
  ViewSet scored = set;
  drop_views_without_pixels(a, scored);
  require_positive(a, ProjectionTruth::measured(a), "/projections");
  if (a.reference_projections) require_positive(a, ProjectionTruth::reference(a), "/reference/projections");
  if (!baselines) return;
  std::vector<Pose> poses;
  for (const int view : a.training_views()) poses.push_back(a.poses[static_cast<std::size_t>(view)]);
  require_fdk_views(a.name, poses, a.detector);
}

Evaluation evaluate(Context& ctx, const Model& model, const Acquisition& a, const ViewSet& set,
                    const EvaluationOptions& options, const ProgressCallback& progress) try {
  require_scorable(a, set, options.baselines);
  Evaluation result;
  result.views = set;
  result.without_valid_pixels = drop_views_without_pixels(a, result.views);
  const std::vector<int>& views = result.views.views;
  Renderer renderer(ctx, model);
  const ProjectionTruth measured = ProjectionTruth::measured(a);
  std::optional<ProjectionTruth> reference;
  if (a.reference_projections) reference = ProjectionTruth::reference(a);
  if (a.reference_volume) check_reference_volume(a);
  const std::vector<Pose> poses = poses_as_corrected(model, a);
  result.measured = score_renders(renderer, poses, measured, views, progress);
  if (reference) result.reference = score_renders(renderer, poses, *reference, views, progress);
  if (a.reference_volume) result.volume = evaluate_volume(renderer, a, options, progress);
  if (!options.baselines) return result;
  result.baselines = score_baselines(ctx, measured, views, progress);
  // Baselines come at the measured resolution, so only truth of that resolution can judge them.
  if (reference && reference->scale() == 1)
    result.reference_baselines = score_baselines(ctx, *reference, views, progress);
  return result;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
