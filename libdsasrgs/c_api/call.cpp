// SPDX-License-Identifier: Apache-2.0
#include "c_api/call.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include "dsasrgs/file_reading.hpp"

namespace dsasrgs::c_api {

namespace {

/// In two parts, because the string cannot be kept where there is no memory.
struct LastError {
  std::string text;
  const char* shown = "";
};
LastError& last_error() {
  thread_local LastError error;
  return error;
}

dsasrgs_status keep(dsasrgs_status status, const char* message) noexcept {
  LastError& error = last_error();
  try {
    error.text = message;
    error.shown = error.text.c_str();
  } catch (...) {
    error.shown = "out of memory";
  }
  return status;
}

/// "function: argument: expected …" of what begins with another function's name, or with none.
std::string in_function(const std::string& function, const std::string& message) {
  if (message.starts_with(function + ": ")) return message;
  const std::size_t colon = std::min(message.find(": "), message.size()), expected = message.find("expected ");
  const bool is_name = message.find_first_of(" .[/@") > colon;
  const bool is_function = message.find("::") < colon || message.find(": ", colon + 1) < expected;
  return function + ": " + (is_name && is_function ? message.substr(colon + 2) : message);
}

Vec3d vector(const double (&v)[3]) { return {v[0], v[1], v[2]}; }

void assign(double (&to)[3], const Vec3d& v) {
  to[0] = v.x;
  to[1] = v.y;
  to[2] = v.z;
}

}  // namespace

ProgressCallback heard_by(dsasrgs_progress_callback progress, void* user) {
  return [progress, user](const ProgressReport& report) {
    return progress == nullptr || call_host(progress, report.done, report.total, user) != 0;
  };
}

ProgressCallback heard_and_heeded(const Context& ctx, dsasrgs_progress_callback progress, void* user) {
  return [&ctx, heard = heard_by(progress, user)](const ProgressReport& report) {
    ctx.throw_if_stopped(report.stage);
    return heard(report);
  };
}

void Call::refuse(const char* argument, const std::string& expected, const std::string& found) const {
  throw InvalidArgument(std::string(function_) + ": " + argument + ": expected " + expected + ", found " + found);
}

std::filesystem::path Call::path(const char* utf8, const char* argument) const {
  if (*text(utf8, argument) == '\0') refuse(argument, "a path", "an empty one");
  return optional_path(utf8);
}

std::filesystem::path Call::optional_path(const char* utf8) const {
  if (utf8 == nullptr) return {};
  const std::string bytes(utf8);
  return std::u8string(bytes.begin(), bytes.end());
}

void Call::copy_struct(void* to, std::size_t to_size, const void* from, std::size_t from_size,
                       const char* argument) const {
  // A size beyond all that will ever be is one that was not set.
  constexpr std::size_t kLargest = 4096;
  const std::size_t size = std::max(to_size, from_size), least = std::min(to_size, from_size);
  if (least < sizeof(std::size_t) || size > kLargest)
    refuse(argument, "struct_size set to the struct's sizeof",
           std::to_string(least < sizeof(std::size_t) ? least : size));
  std::memcpy(to, from, least);
}

dsasrgs_status report_exception(const char* function) noexcept {
  try {
    throw;
  } catch (const CallbackFailed& e) {
    return keep(DSASRGS_ERROR_CALLBACK, e.what());
  } catch (const InvalidArgument& e) {
    try {
      return keep(DSASRGS_ERROR_INVALID_ARGUMENT, in_function(function, e.what()).c_str());
    } catch (...) {  // no memory for more words
      return keep(DSASRGS_ERROR_INVALID_ARGUMENT, e.what());
    }
  } catch (const BadInput& e) {
    return keep(DSASRGS_ERROR_BAD_INPUT, e.what());
  } catch (const IoError& e) {
    return keep(DSASRGS_ERROR_IO, e.what());
  } catch (const OutOfMemory& e) {
    return keep(DSASRGS_ERROR_OUT_OF_MEMORY, e.what());
  } catch (const BackendUnavailable& e) {
    return keep(DSASRGS_ERROR_BACKEND_UNAVAILABLE, e.what());
  } catch (const CudaError& e) {
    return keep(DSASRGS_ERROR_CUDA, e.what());
  } catch (const NumericalError& e) {
    return keep(DSASRGS_ERROR_NUMERICAL, e.what());
  } catch (const Cancelled& e) {
    return keep(DSASRGS_ERROR_CANCELLED, e.what());
  } catch (const std::bad_alloc&) {
    return keep(DSASRGS_ERROR_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& e) {
    return keep(DSASRGS_ERROR_INTERNAL, e.what());
  } catch (...) {
    return keep(DSASRGS_ERROR_INTERNAL, "an exception that is no std::exception");
  }
}

dsasrgs_pose to_c(const Pose& pose) {
  dsasrgs_pose c{};
  assign(c.source_mm, pose.source_mm);
  assign(c.detector_center_mm, pose.detector_center_mm);
  assign(c.detector_u, pose.detector_u);
  assign(c.detector_v, pose.detector_v);
  c.time_s = pose.time_s;
  return c;
}

dsasrgs_detector to_c(const Detector& d) { return {d.width_px, d.height_px, d.pitch_u_mm, d.pitch_v_mm}; }

dsasrgs_grid to_c(const VolumeGrid& grid) {
  dsasrgs_grid c{{grid.size_x, grid.size_y, grid.size_z}, {}, {}};
  assign(c.spacing_mm, grid.spacing_mm);
  assign(c.origin_mm, grid.origin_mm);
  return c;
}

Pose from_c(const dsasrgs_pose& c) {
  return {vector(c.source_mm), vector(c.detector_center_mm), vector(c.detector_u), vector(c.detector_v), c.time_s};
}

Detector from_c(const dsasrgs_detector& c) { return {c.width_px, c.height_px, c.pitch_u_mm, c.pitch_v_mm}; }

VolumeGrid from_c(const dsasrgs_grid& c) {
  return {c.size[0], c.size[1], c.size[2], vector(c.spacing_mm), vector(c.origin_mm)};
}

}  // namespace dsasrgs::c_api

using namespace dsasrgs::c_api;

const char* dsasrgs_version(void) { return DSASRGS_VERSION_STRING; }

const char* dsasrgs_last_error(void) { return last_error().shown; }

const char* dsasrgs_status_name(dsasrgs_status status) {
  switch (status) {
    case DSASRGS_OK:
      return "ok";
    case DSASRGS_ERROR_INVALID_ARGUMENT:
      return "invalid argument";
    case DSASRGS_ERROR_BAD_INPUT:
      return "bad input";
    case DSASRGS_ERROR_IO:
      return "input or output refused";
    case DSASRGS_ERROR_OUT_OF_MEMORY:
      return "out of memory";
    case DSASRGS_ERROR_BACKEND_UNAVAILABLE:
      return "backend unavailable";
    case DSASRGS_ERROR_CUDA:
      return "CUDA error";
    case DSASRGS_ERROR_NUMERICAL:
      return "numerical error";
    case DSASRGS_ERROR_CANCELLED:
      return "cancelled";
    case DSASRGS_ERROR_CALLBACK:
      return "a callback threw";
    case DSASRGS_ERROR_INTERNAL:
      return "internal error";
    default:
      return "unknown status";
  }
}

dsasrgs_status dsasrgs_read_files_through(const char* const* command, size_t count) {
  return guarded(__func__, [&](const Call& call) {
    std::vector<std::string> words;
    for (std::size_t i = 0; i < count; ++i)
      words.emplace_back(call.text((&call.given(command, "command"))[i], "command"));
    dsasrgs::read_files_through(std::move(words));
  });
}

int dsasrgs_serve_file_reading(void) {
  try {
    return dsasrgs::serve_file_reading();
  } catch (...) {
    report_exception(__func__);
    return 2;
  }
}
