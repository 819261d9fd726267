// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "c_api/call.hpp"
#include "c_api/handles.hpp"
#include "dsasrgs/pose_correction.hpp"
#include "dsasrgs/splits.hpp"
#include "dsasrgs/uncertainty.hpp"

using namespace dsasrgs::c_api;

namespace {

int steps_done_of(const dsasrgs_model& model) {
  return model.training ? model.training->reconstructor.steps_done() : 0;
}

/// That of a model that is still as it was.
dsasrgs_uncertainty& current(const Call& call, dsasrgs_uncertainty* uncertainty) {
  dsasrgs_uncertainty& handle = call.given(uncertainty, "uncertainty");
  (void)handle.of.model();
  if (const int steps = steps_done_of(handle.of); steps != handle.steps_done)
    call.refuse("uncertainty", "one of the model after " + std::to_string(steps) + " steps",
                "one made after " + std::to_string(handle.steps_done));
  return handle;
}

}  // namespace

dsasrgs_status dsasrgs_uncertainty_new(const dsasrgs_model* model, const dsasrgs_acquisition* acquisition,
                                       dsasrgs_progress_callback progress, void* user,
                                       dsasrgs_uncertainty** uncertainty) {
  return guarded(__func__, [&](const Call& call) {
    dsasrgs_uncertainty*& made = call.new_handle(uncertainty, "uncertainty");
    const dsasrgs_model& of = call.given(model, "model");
    const dsasrgs::Acquisition& a = call.given(acquisition, "acquisition").acquisition;
    dsasrgs::Context& ctx = of.context->context();
    // Not within the braces: GCC 12 destroys what an inner brace made twice where a later member throws.
    dsasrgs::Uncertainty found(ctx, of.model(), a, {}, heard_and_heeded(ctx, progress, user));
    made = new dsasrgs_uncertainty{{of.context, of.training, of.file, nullptr}, steps_done_of(of), std::move(found)};
  });
}

void dsasrgs_uncertainty_free(dsasrgs_uncertainty* uncertainty) { delete uncertainty; }

dsasrgs_status dsasrgs_uncertainty_render(dsasrgs_uncertainty* uncertainty, const dsasrgs_pose* poses, size_t num_poses,
                                          const dsasrgs_detector* detector, float* pixels, size_t num_pixels) {
  return guarded(__func__, [&](const Call& call) {
    dsasrgs_uncertainty& handle = current(call, uncertainty);
    render_poses(
        call, handle.of.context->context(), poses, num_poses, detector, pixels, num_pixels,
        [&](const dsasrgs::Pose& pose, const dsasrgs::Detector& d) { return handle.uncertainty.render(pose, d); });
  });
}

dsasrgs_status dsasrgs_uncertainty_voxelize(dsasrgs_uncertainty* uncertainty, const dsasrgs_grid* grid, double time_s,
                                            float* voxels, size_t num_voxels) {
  return guarded(__func__, [&](const Call& call) {
    dsasrgs_uncertainty& handle = current(call, uncertainty);
    voxelize_grid(call, handle.of.context->context(), grid, voxels, num_voxels,
                  [&](const dsasrgs::VolumeGrid& g) { return handle.uncertainty.voxelize(g, time_s); });
  });
}

dsasrgs_status dsasrgs_uncertainty_voxelize_mean(dsasrgs_uncertainty* uncertainty, const dsasrgs_grid* grid,
                                                 float* voxels, size_t num_voxels) {
  return guarded(__func__, [&](const Call& call) {
    dsasrgs_uncertainty& handle = current(call, uncertainty);
    voxelize_grid(call, handle.of.context->context(), grid, voxels, num_voxels,
                  [&](const dsasrgs::VolumeGrid& g) { return handle.uncertainty.voxelize_mean(g); });
  });
}

dsasrgs_status dsasrgs_model_support(const dsasrgs_model* model, dsasrgs_acquisition* acquisition,
                                     const dsasrgs_grid* grid, dsasrgs_progress_callback progress, void* user,
                                     int32_t* views, float* spread_rad, size_t num_voxels) {
  return guarded(__func__, [&](const Call& call) {
    const dsasrgs_model& handle = call.given(model, "model");
    dsasrgs::Acquisition& a = call.given(acquisition, "acquisition").acquisition;
    const dsasrgs::VolumeGrid g = from_c(call.given(grid, "grid"));
    int32_t* counts = call.array(views, num_voxels, g.num_voxels(), "views");
    float* spread = call.array(spread_rad, num_voxels, g.num_voxels(), "spread_rad");
    (void)dsasrgs::use_split_of_model(a, handle.model());
    const dsasrgs::Context& ctx = handle.context->context();
    const dsasrgs::SupportMap map = dsasrgs::support_map(ctx, a, dsasrgs::poses_as_corrected(handle.model(), a),
                                                         a.training_views(), g, heard_and_heeded(ctx, progress, user));
    std::copy(map.views.begin(), map.views.end(), counts);
    std::copy(map.spread_rad.begin(), map.spread_rad.end(), spread);
  });
}
