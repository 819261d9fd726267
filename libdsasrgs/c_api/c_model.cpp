// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <string>

#include "c_api/call.hpp"
#include "c_api/handles.hpp"
#include "dsasrgs/evaluation.hpp"
#include "dsasrgs/model.hpp"
#include "dsasrgs/renderer.hpp"
#include "dsasrgs/splits.hpp"

using namespace dsasrgs::c_api;

namespace {

dsasrgs::Renderer& renderer_of(dsasrgs_model& handle) {
  const dsasrgs::Model& model = handle.model();
  if (!handle.renderer) handle.renderer = std::make_unique<dsasrgs::Renderer>(handle.context->context(), model);
  return *handle.renderer;
}

}  // namespace

dsasrgs_status dsasrgs_model_read(dsasrgs_context* context, const char* path, dsasrgs_model** model) {
  return guarded(__func__, [&](const Call& call) {
    dsasrgs_model*& made = call.new_handle(model, "model");
    const auto& shared = call.given(context, "context").context;
    auto file = std::make_unique<const dsasrgs::Model>(dsasrgs::read_model(shared->context(), call.path(path, "path")));
    made = new dsasrgs_model{shared, nullptr, std::move(file), nullptr};
  });
}

dsasrgs_status dsasrgs_model_write(const dsasrgs_model* model, const char* path) {
  return guarded(__func__, [&](const Call& call) {
    const dsasrgs_model& handle = call.given(model, "model");
    dsasrgs::write_model(handle.context->context(), call.path(path, "path"), handle.model());
  });
}

void dsasrgs_model_free(dsasrgs_model* model) { delete model; }

dsasrgs_status dsasrgs_model_times(const dsasrgs_model* model, double* first_s, double* last_s) {
  return guarded(__func__, [&](const Call& call) {
    const dsasrgs::TimeRange range = call.given(model, "model").model().time;
    double& last = call.given(last_s, "last_s");
    call.given(first_s, "first_s") = range.first_s;
    last = range.last_s;
  });
}

dsasrgs_status dsasrgs_model_volume(const dsasrgs_model* model, dsasrgs_grid* volume) {
  return guarded(__func__, [&](const Call& call) {
    const dsasrgs_model& handle = call.given(model, "model");
    call.given(volume, "volume") = to_c(handle.model().volume);
  });
}

dsasrgs_status dsasrgs_model_detector(const dsasrgs_model* model, dsasrgs_detector* detector) {
  return guarded(__func__, [&](const Call& call) {
    const dsasrgs_model& handle = call.given(model, "model");
    call.given(detector, "detector") = to_c(handle.model().detector);
  });
}

dsasrgs_status dsasrgs_model_size(const dsasrgs_model* model, size_t* gaussians) {
  return guarded(__func__, [&](const Call& call) {
    const dsasrgs_model& handle = call.given(model, "model");
    call.given(gaussians, "gaussians") = handle.model().cloud.size();
  });
}

dsasrgs_status dsasrgs_model_render(dsasrgs_model* model, const dsasrgs_pose* poses, size_t num_poses,
                                    const dsasrgs_detector* detector, float* pixels, size_t num_pixels) {
  return guarded(__func__, [&](const Call& call) {
    dsasrgs_model& handle = call.given(model, "model");
    render_poses(
        call, handle.context->context(), poses, num_poses, detector, pixels, num_pixels,
        [&](const dsasrgs::Pose& pose, const dsasrgs::Detector& d) { return renderer_of(handle).render(pose, d); });
  });
}

dsasrgs_status dsasrgs_model_voxelize(dsasrgs_model* model, const dsasrgs_grid* grid, double time_s, float* voxels,
                                      size_t num_voxels) {
  return guarded(__func__, [&](const Call& call) {
    dsasrgs_model& handle = call.given(model, "model");
    voxelize_grid(call, handle.context->context(), grid, voxels, num_voxels,
                  [&](const dsasrgs::VolumeGrid& g) { return renderer_of(handle).voxelize(g, time_s); });
  });
}

dsasrgs_status dsasrgs_model_voxelize_mean(dsasrgs_model* model, const dsasrgs_grid* grid, int32_t frames,
                                           float* voxels, size_t num_voxels) {
  return guarded(__func__, [&](const Call& call) {
    dsasrgs_model& handle = call.given(model, "model");
    voxelize_grid(call, handle.context->context(), grid, voxels, num_voxels,
                  [&](const dsasrgs::VolumeGrid& g) { return renderer_of(handle).voxelize_mean(g, frames); });
  });
}

dsasrgs_status dsasrgs_model_evaluate(dsasrgs_model* model, dsasrgs_acquisition* acquisition,
                                      dsasrgs_progress_callback progress, void* user, dsasrgs_scores* scores) {
  return guarded(__func__, [&](const Call& call) {
    dsasrgs_model& handle = call.given(model, "model");
    dsasrgs::Acquisition& a = call.given(acquisition, "acquisition").acquisition;
    dsasrgs_scores made = call.copied(scores, "scores");
    (void)dsasrgs::use_split_of_model(a, handle.model());
    dsasrgs::ViewSet set = dsasrgs::held_out_views(a);
    dsasrgs::require_scorable(a, set);
    dsasrgs::drop_views_without_pixels(a, set);
    dsasrgs::Renderer& renderer = renderer_of(handle);
    const dsasrgs::Context& ctx = handle.context->context();
    const std::vector<dsasrgs::Pose> poses = dsasrgs::poses_as_corrected(handle.model(), a);
    const auto image = [&](int view) {
      ctx.throw_if_stopped("evaluating");
      return renderer.render(poses[static_cast<std::size_t>(view)], a.detector).values;
    };
    const dsasrgs::ViewScores found =
        dsasrgs::score_views(dsasrgs::ProjectionTruth::measured(a), set.views, image, heard_by(progress, user));
    const dsasrgs::ProjectionScore mean = found.mean();
    made.num_views = found.views.size();
    made.held_out = dsasrgs::has_held_out_views(a) ? 1 : 0;
    made.psnr_fixed_db = mean.fixed.psnr_db;
    made.ssim_fixed = mean.fixed.ssim;
    made.psnr_normalized_db = mean.normalized.psnr_db;
    made.ssim_normalized = mean.normalized.ssim;
    call.copy_out(made, scores, "scores");
  });
}
