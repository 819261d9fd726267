// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "c_api/call.hpp"
#include "c_api/handles.hpp"
#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/io.hpp"
#include "dsasrgs/mask_alignment.hpp"

using namespace dsasrgs::c_api;

namespace {

template <class To, class From>
std::vector<To> copied_array(const Call& call, const From* values, std::size_t count, const char* argument) {
  if (count == 0) return {};
  const From* first = &call.given(values, argument);
  return std::vector<To>(first, first + count);
}

/// The index of a view as the library has it; one that is not there is refused.
int view_index(const Call& call, const dsasrgs_acquisition& handle, std::size_t view) {
  const auto count = static_cast<std::size_t>(handle.acquisition.num_views());
  if (view >= count) call.refuse("view", "less than " + std::to_string(count), std::to_string(view));
  return static_cast<int>(view);
}

}  // namespace

dsasrgs_status dsasrgs_pose_of_carm(const dsasrgs_carm_view* view, dsasrgs_pose* pose) {
  return guarded(__func__, [&](const Call& call) {
    const dsasrgs_carm_view& v = call.given(view, "view");
    dsasrgs_pose& made = call.given(pose, "pose");
    made = to_c(dsasrgs::carm_pose({v.sod_mm, v.sdd_mm, v.primary_rad, v.secondary_rad, v.offset_u_mm, v.offset_v_mm},
                                   v.time_s));
  });
}

dsasrgs_status dsasrgs_acquisition_new(const dsasrgs_acquisition_arrays* arrays, dsasrgs_acquisition** acquisition) {
  return guarded(__func__, [&](const Call& call) {
    dsasrgs_acquisition*& made = call.new_handle(acquisition, "acquisition");
    const dsasrgs_acquisition_arrays given = call.copied(arrays, "arrays");
    auto handle = std::make_unique<dsasrgs_acquisition>();
    dsasrgs::Acquisition& a = handle->acquisition;
    a.name = given.name == nullptr ? "arrays" : given.name;
    a.detector = from_c(given.detector);
    a.volume = from_c(given.volume);
    if (given.num_views == 0 || given.num_views > kMostViews)
      call.refuse("arrays.num_views", "1 to " + std::to_string(kMostViews), std::to_string(given.num_views));
    const auto views = static_cast<int>(given.num_views);
    const std::size_t pixels = a.detector.num_pixels();
    const std::size_t all_pixels = dsasrgs::num_elements(a.detector.width_px, a.detector.height_px, views);
    const dsasrgs_pose* poses = &call.given(given.poses, "arrays.poses");
    for (int view = 0; view < views; ++view) a.poses.push_back(from_c(poses[view]));
    call.array(given.projections, given.num_pixels, all_pixels, "arrays.projections");
    a.projections = copied_array<float>(call, given.projections, given.num_pixels, "arrays.projections");
    if (given.num_valid != 0 && given.num_valid != pixels)
      call.array(given.valid, given.num_valid, all_pixels, "arrays.valid");
    a.valid = copied_array<std::uint8_t>(call, given.valid, given.num_valid, "arrays.valid");
    if (std::max(given.num_train_views, given.num_test_views) > given.num_views)
      call.refuse("arrays.num_train_views, arrays.num_test_views", "at most num_views",
                  std::to_string(std::max(given.num_train_views, given.num_test_views)));
    a.train_views = copied_array<int>(call, given.train_views, given.num_train_views, "arrays.train_views");
    a.test_views = copied_array<int>(call, given.test_views, given.num_test_views, "arrays.test_views");
    a.validate();
    made = handle.release();
  });
}

dsasrgs_status dsasrgs_acquisition_read(const char* path, dsasrgs_acquisition** acquisition) {
  return guarded(__func__, [&](const Call& call) {
    dsasrgs_acquisition*& made = call.new_handle(acquisition, "acquisition");
    made = new dsasrgs_acquisition{dsasrgs::read_acquisition(call.path(path, "path"))};
  });
}

dsasrgs_status dsasrgs_acquisition_read_aligned(const dsasrgs_context* context, const char* path, double largest_px,
                                                double leave_out, dsasrgs_progress_callback progress, void* user,
                                                dsasrgs_acquisition** acquisition) {
  return guarded(__func__, [&](const Call& call) {
    dsasrgs_acquisition*& made = call.new_handle(acquisition, "acquisition");
    const dsasrgs::Context& ctx = call.given(context, "context").context->context();
    dsasrgs::MaskAlignmentOptions options;
    for (const auto& [name, given, field] :
         {std::tuple{"largest_px", largest_px, &options.largest_px}, {"leave_out", leave_out, &options.leave_out}}) {
      if (!(given >= 0)) call.refuse(name, "a positive number, or 0", std::to_string(given));
      if (given > 0) *field = given;
    }
    dsasrgs::MaskedAcquisition masked = dsasrgs::read_masked_acquisition(call.path(path, "path"));
    std::vector<int> views(masked.acquisition.poses.size());
    std::iota(views.begin(), views.end(), 0);
    dsasrgs::align_masks(ctx, masked, views, options, heard_and_heeded(ctx, progress, user));
    made = new dsasrgs_acquisition{std::move(masked.acquisition)};
  });
}

dsasrgs_status dsasrgs_acquisition_write(const dsasrgs_acquisition* acquisition, const char* path) {
  return guarded(__func__, [&](const Call& call) {
    dsasrgs::write_acquisition(call.path(path, "path"), call.given(acquisition, "acquisition").acquisition);
  });
}

void dsasrgs_acquisition_free(dsasrgs_acquisition* acquisition) { delete acquisition; }

dsasrgs_status dsasrgs_acquisition_split_evenly(dsasrgs_acquisition* acquisition, int32_t num_train) {
  return guarded(__func__, [&](const Call& call) {
    dsasrgs::split_evenly(call.given(acquisition, "acquisition").acquisition, num_train);
  });
}

dsasrgs_status dsasrgs_acquisition_num_views(const dsasrgs_acquisition* acquisition, size_t* num_views) {
  return guarded(__func__, [&](const Call& call) {
    const dsasrgs_acquisition& handle = call.given(acquisition, "acquisition");
    call.given(num_views, "num_views") = static_cast<std::size_t>(handle.acquisition.num_views());
  });
}

dsasrgs_status dsasrgs_acquisition_detector(const dsasrgs_acquisition* acquisition, dsasrgs_detector* detector) {
  return guarded(__func__, [&](const Call& call) {
    const dsasrgs_acquisition& handle = call.given(acquisition, "acquisition");
    call.given(detector, "detector") = to_c(handle.acquisition.detector);
  });
}

dsasrgs_status dsasrgs_acquisition_volume(const dsasrgs_acquisition* acquisition, dsasrgs_grid* volume) {
  return guarded(__func__, [&](const Call& call) {
    const dsasrgs_acquisition& handle = call.given(acquisition, "acquisition");
    call.given(volume, "volume") = to_c(handle.acquisition.volume);
  });
}

dsasrgs_status dsasrgs_acquisition_pose(const dsasrgs_acquisition* acquisition, size_t view, dsasrgs_pose* pose) {
  return guarded(__func__, [&](const Call& call) {
    const dsasrgs_acquisition& handle = call.given(acquisition, "acquisition");
    view_index(call, handle, view);
    call.given(pose, "pose") = to_c(handle.acquisition.poses[view]);
  });
}

dsasrgs_status dsasrgs_acquisition_projection(const dsasrgs_acquisition* acquisition, size_t view, float* pixels,
                                              size_t num_pixels) {
  return guarded(__func__, [&](const Call& call) {
    const dsasrgs_acquisition& handle = call.given(acquisition, "acquisition");
    const std::span<const float> image = handle.acquisition.projection(view_index(call, handle, view));
    std::copy(image.begin(), image.end(), call.array(pixels, num_pixels, image.size(), "pixels"));
  });
}

dsasrgs_status dsasrgs_acquisition_training_views(const dsasrgs_acquisition* acquisition, int32_t* views,
                                                  size_t capacity, size_t* num_views) {
  return guarded(__func__, [&](const Call& call) {
    const std::vector<int> training = call.given(acquisition, "acquisition").acquisition.training_views();
    call.given(num_views, "num_views") = training.size();
    if (views != nullptr) std::copy_n(training.begin(), std::min(capacity, training.size()), views);
  });
}
