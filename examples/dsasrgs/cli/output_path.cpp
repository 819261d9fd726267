// SPDX-License-Identifier: Apache-2.0
#include "cli/output_path.hpp"

#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "cli/file_kind.hpp"
#include "cli/usage_error.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"

namespace dsasrgs::program {

namespace fs = std::filesystem;

namespace {

/// A path that cannot be is bad usage; what the system does not allow is not.
[[noreturn]] void refuse(const fs::path& path, int code) {
  const std::string message = path.string() + ": cannot write: " + std::generic_category().message(code);
  if (code == ENOENT || code == ENOTDIR || code == EISDIR || code == ENAMETOOLONG || code == ELOOP)
    throw UsageError(message);
  throw IoError(message);
}

void require_writable_folder(const fs::path& named, const fs::path& folder) {
  std::error_code error;
  const fs::file_status status = fs::status(folder, error);
  if (!fs::exists(status)) refuse(named, ENOENT);
  if (!fs::is_directory(status)) refuse(named, ENOTDIR);
  if (::access(folder.c_str(), W_OK | X_OK) != 0) refuse(named, errno);
}

/// Throws where it is, and is not to be replaced.
bool is_there(const std::string& option, const fs::path& output, bool force) {
  std::error_code ignored;
  if (!fs::exists(output, ignored)) return false;
  if (!force)
    throw UsageError(option + ": expected a new file (or --force), found one that is there: " + output.string());
  return true;
}

}  // namespace

void require_no_input(const std::string& option, const fs::path& output, const std::vector<fs::path>& inputs) {
  for (const fs::path& input : inputs) {
    std::error_code error;
    if (!input.empty() && fs::equivalent(output, input, error))
      throw UsageError(option + ": expected another file than the input " + input.string() + ", found " +
                       output.string());
  }
}

void require_writable_file(const std::string& option, const fs::path& path, const std::vector<fs::path>& inputs) {
  if (path.empty()) throw UsageError(option + ": expected a file, found an empty name");
  require_no_input(option, path, inputs);
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (error == std::errc::filename_too_long) refuse(path, ENAMETOOLONG);
  if (!path.has_filename() || fs::is_directory(status)) refuse(path, EISDIR);
  if (!fs::exists(status) && fs::is_symlink(fs::symlink_status(path, error)))
    throw UsageError(option + ": expected a file, or a name for one, found a link to nothing: " + path.string());
  if (fs::exists(status) && !fs::is_regular_file(status))
    throw UsageError(option + ": expected a file, or a name for one, found a device, pipe or socket: " + path.string());
  require_writable_folder(path, path.has_parent_path() ? path.parent_path() : fs::path("."));
}

void require_replaceable(const std::string& option, const fs::path& output, const char* format, bool force) {
  if (!is_there(option, output, force)) return;
  std::string found = "another kind of file";
  try {
    found = read_format(output);
  } catch (const BadInput&) {
  }
  if (found != format)
    throw UsageError(option + ": expected a new file, or with --force one of the format " + std::string(format) +
                     ", found " + found + ": " + output.string());
}

void require_replaceable(const std::string& option, const fs::path& output, bool force) {
  if (is_there(option, output, force) && !is_own_file(output))
    throw UsageError(
        option + ": expected a new file, or with --force one that dsasrgs wrote, found another: " + output.string());
}

OutputFolder::OutputFolder(fs::path path, const std::string& named_by) : path_(std::move(path)) {
  if (path_.empty()) throw UsageError(named_by + ": expected a folder, found an empty name");
  if (!path_.has_filename()) path_ = path_.parent_path();  // "folder/"
  std::error_code error;
  existing_ = fs::absolute(path_);
  while (!fs::exists(existing_, error) && existing_.has_relative_path()) existing_ = existing_.parent_path();
  if (fs::exists(existing_, error) && !fs::is_directory(existing_, error))
    throw UsageError(named_by + ": expected a folder, found the file " + existing_.string());
  fs::create_directories(path_, error);
  if (error) refuse(path_, error.value());
  require_writable_folder(path_, path_);
}

OutputFolder::~OutputFolder() {
  if (keep_) return;
  std::error_code error;
  for (fs::path made = fs::absolute(path_, error); made != existing_ && made.has_relative_path();
       made = made.parent_path())
    if (!fs::remove(made, error)) return;  // not empty
}

}  // namespace dsasrgs::program
