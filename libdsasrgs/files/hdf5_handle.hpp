// SPDX-License-Identifier: Apache-2.0
#pragma once
// What hdf5_local.cpp and hdf5_writer.cpp share of the HDF5 C API: identifiers that close themselves, and errors.

#include <hdf5.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <new>
#include <string>
#include <utility>

#include "files/hdf5_memory.hpp"

namespace dsasrgs {

static_assert(sizeof(hid_t) == sizeof(std::int64_t));

/// One thread of the process at a time calls HDF5, which need not be built thread-safe, for as long as one of these
/// lives; and HDF5 does not print its error stack meanwhile. Throws std::bad_alloc where HDF5 might run out of memory.
class QuietErrors {
 public:
  QuietErrors() : QuietErrors(std::nothrow) { require_room_for_hdf5(); }
  /// To close what is open, in destructors.
  explicit QuietErrors(std::nothrow_t) : alone_(mutex()) {
    H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }
  ~QuietErrors() { H5Eset_auto2(H5E_DEFAULT, function_, data_); }
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;

 private:
  static std::recursive_mutex& mutex() {
    static std::recursive_mutex one;
    return one;
  }

  std::unique_lock<std::recursive_mutex> alone_;
  H5E_auto2_t function_ = nullptr;
  void* data_ = nullptr;
};

/// Owns an HDF5 identifier.
class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  Handle(Handle&& o) noexcept : id_(std::exchange(o.id_, H5I_INVALID_HID)), close_(o.close_) {}
  Handle& operator=(Handle&&) = delete;
  ~Handle() { finish(); }
  /// Closes it now. Below 0 where HDF5 fails to: some of what was written is written only now.
  herr_t finish() { return id_ >= 0 ? close_(std::exchange(id_, H5I_INVALID_HID)) : 0; }
  operator hid_t() const { return id_; }  // NOLINT: passed where HDF5 asks for an identifier
  explicit operator bool() const { return id_ >= 0; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

/// HDF5's words for the failure that started the error stack.
inline std::string innermost_error() {
  std::string text = "no reason given";
  const auto first = [](unsigned, const H5E_error2_t* error, void* data) -> herr_t {
    if (error->desc != nullptr) *static_cast<std::string*>(data) = error->desc;
    return 1;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, first, &text);
  return text;
}

/// Whether HDF5 failed for want of memory.
inline bool is_memory_error() {
  bool found = false;
  const auto each = [](unsigned, const H5E_error2_t* error, void* data) -> herr_t {
    if ((error->maj_num == H5E_RESOURCE && error->min_num == H5E_NOSPACE) || error->min_num == H5E_CANTALLOC)
      *static_cast<bool*>(data) = true;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, each, &found);
  return found;
}

/// The system's error in HDF5's words where the file is not to blame for it, else 0.
inline int system_error_in(const std::string& words) {
  const std::size_t at = words.find("errno = ");
  const int code = at == std::string::npos ? 0 : std::atoi(words.c_str() + at + 8);
  for (const int system : {EMFILE, ENFILE, EIO, ESTALE, EACCES, EPERM})
    if (code == system) return code;
  return 0;
}

}  // namespace dsasrgs
