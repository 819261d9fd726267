// SPDX-License-Identifier: Apache-2.0
#pragma once
// Why a file cannot be read, in one wording.

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>

#include "dsasrgs/no_such_file.hpp"

namespace dsasrgs {

/// Throws NoSuchFile for codes (errno) that say so of the name, IoError for others.
[[noreturn]] inline void throw_read_error(const std::string& file, int code) {
  const std::string message = file + ": cannot read: " + std::generic_category().message(code);
  if (code == ENOENT || code == ENOTDIR || code == EISDIR || code == ENAMETOOLONG || code == ELOOP)
    throw NoSuchFile(message);
  throw IoError(message);
}

/// Throws unless it is a regular file: nothing is waited for but disks.
inline void require_regular_file(const std::filesystem::path& path) {
  std::error_code code;
  const auto status = std::filesystem::status(path, code);
  if (!std::filesystem::exists(status)) throw_read_error(path.string(), code ? code.value() : ENOENT);
  if (std::filesystem::is_directory(status)) throw_read_error(path.string(), EISDIR);
  if (!std::filesystem::is_regular_file(status))
    throw NoSuchFile(path.string() + ": cannot read: expected a regular file, found a device, pipe or socket");
}

}  // namespace dsasrgs
