// SPDX-License-Identifier: Apache-2.0
#pragma once
// A call of dsasrgs.h: arguments checked, exceptions turned into a status and a message.

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>

#include "dsasrgs/context.hpp"
#include "dsasrgs/dsasrgs.h"
#include "dsasrgs/error.hpp"
#include "dsasrgs/geometry.hpp"
#include "dsasrgs/image.hpp"
#include "dsasrgs/progress.hpp"

namespace dsasrgs::c_api {

/// As many views as an acquisition may have.
inline constexpr std::size_t kMostViews = std::size_t{1} << 20;

/// A callback of the host threw; the message is what it said.
class CallbackFailed : public Error {
 public:
  using Error::Error;
};

/// Calls the host's callback. Throws CallbackFailed whatever it throws.
template <class Callback, class... Arguments>
auto call_host(Callback callback, Arguments... arguments) {
  try {
    return callback(arguments...);
  } catch (const std::exception& e) {
    throw CallbackFailed(std::string("the callback threw an exception: ") + e.what());
  } catch (...) {
    throw CallbackFailed("the callback threw what is no std::exception");
  }
}

/// Tells the host what is done, unless `progress` is NULL.
ProgressCallback heard_by(dsasrgs_progress_callback progress, void* user);
/// The same, and heeds a stop of the context, which must outlive it.
ProgressCallback heard_and_heeded(const Context& ctx, dsasrgs_progress_callback progress, void* user);

/// Checks the arguments of one function. All throw InvalidArgument that names function and argument.
class Call {
 public:
  explicit Call(const char* function) : function_(function) {}

  [[noreturn]] void refuse(const char* argument, const std::string& expected, const std::string& found) const;
  template <class T>
  T& given(T* pointer, const char* argument) const {
    if (pointer == nullptr) refuse(argument, "a pointer", "NULL");
    return *pointer;
  }
  /// Where a new handle goes: NULL until there is one.
  template <class T>
  T*& new_handle(T** pointer, const char* argument) const {
    return given(pointer, argument) = nullptr;
  }
  const char* text(const char* argument_text, const char* argument) const { return &given(argument_text, argument); }
  std::filesystem::path path(const char* utf8, const char* argument) const;
  /// Like path(); NULL: empty.
  std::filesystem::path optional_path(const char* utf8) const;
  /// An array of the caller's with as many elements as expected.
  template <class T>
  T* array(T* values, std::size_t count, std::size_t expected, const char* argument) const {
    if (count != expected) refuse(argument, std::to_string(expected) + " elements", std::to_string(count));
    return &given(values, argument);
  }
  /// A struct that may have grown since the host was compiled, zero where the host's is shorter.
  template <class T>
  T copied(const T* from, const char* argument) const {
    T to{};
    const std::size_t size = given(from, argument).struct_size;
    copy_struct(&to, sizeof to, from, size, argument);
    to.struct_size = sizeof to;
    return to;
  }
  /// The other way: as much of it as the host's has.
  template <class T>
  void copy_out(const T& from, T* to, const char* argument) const {
    const std::size_t size = given(to, argument).struct_size;
    copy_struct(to, size, &from, sizeof from, argument);
    to->struct_size = size;
  }

 private:
  void copy_struct(void* to, std::size_t to_size, const void* from, std::size_t from_size, const char* argument) const;
  const char* function_;
};

/// Keeps the message of the exception that is being handled for dsasrgs_last_error(); of a wrong argument with the name
/// of the `function` of dsasrgs.h instead of that of C++ that refused it.
dsasrgs_status report_exception(const char* function) noexcept;

/// Runs the body of a function of dsasrgs.h, which is given a Call.
template <class Body>
dsasrgs_status guarded(const char* function, Body&& body) noexcept {
  try {
    std::forward<Body>(body)(Call(function));
    return DSASRGS_OK;
  } catch (...) {
    return report_exception(function);
  }
}

dsasrgs_pose to_c(const Pose&);
dsasrgs_detector to_c(const Detector&);
dsasrgs_grid to_c(const VolumeGrid&);
Pose from_c(const dsasrgs_pose&);
Detector from_c(const dsasrgs_detector&);
VolumeGrid from_c(const dsasrgs_grid&);

/// `pixels` [V,H,W] ← render(pose, detector).values of each pose. Heeds a stop between them.
template <class Render>
void render_poses(const Call& call, const Context& ctx, const dsasrgs_pose* poses, std::size_t num_poses,
                  const dsasrgs_detector* detector, float* pixels, std::size_t num_pixels, const Render& render) {
  const dsasrgs_pose* first = &call.given(poses, "poses");
  const Detector d = from_c(call.given(detector, "detector"));
  if (num_poses == 0 || num_poses > kMostViews)
    call.refuse("num_poses", "1 to " + std::to_string(kMostViews), std::to_string(num_poses));
  const std::size_t expected = num_elements(d.width_px, d.height_px, static_cast<int>(num_poses));
  float* to = call.array(pixels, num_pixels, expected, "pixels");
  for (std::size_t i = 0; i < num_poses; ++i) {
    ctx.throw_if_stopped("rendering");
    const Image image = render(from_c(first[i]), d);
    to = std::copy(image.values.begin(), image.values.end(), to);
  }
}

/// `voxels` [z,y,x] ← voxelize(grid).values.
template <class Voxelize>
void voxelize_grid(const Call& call, const Context& ctx, const dsasrgs_grid* grid, float* voxels,
                   std::size_t num_voxels, const Voxelize& voxelize) {
  const VolumeGrid g = from_c(call.given(grid, "grid"));
  float* to = call.array(voxels, num_voxels, g.num_voxels(), "voxels");
  ctx.throw_if_stopped("voxelizing");
  const Volume volume = voxelize(g);
  std::copy(volume.values.begin(), volume.values.end(), to);
}

}  // namespace dsasrgs::c_api
