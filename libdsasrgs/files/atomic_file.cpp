// SPDX-License-Identifier: Apache-2.0
#include "files/atomic_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"

namespace dsasrgs {

namespace {

constexpr std::size_t kLongestName = 255;  // bytes, of a file, on every file system in use

[[noreturn]] void throw_io_error(const std::filesystem::path& file, const char* action, int code) {
  throw IoError(file.string() + ": " + action + ": " + std::generic_category().message(code));
}

/// Makes the rename itself survive a power cut; folders that cannot be opened or synced (some network mounts) are let
/// be, since the file's own content is already on disk.
void sync_folder(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path target) : target_(std::move(target)), file_(target_) {
  static std::atomic<unsigned> count{0};
  if (!target_.has_filename()) throw IoError(target_.string() + ": cannot write: the path names no file");
  std::error_code ignored;
  if (const auto found = std::filesystem::status(target_, ignored); std::filesystem::exists(found)) {
    if (std::filesystem::is_directory(found)) throw_io_error(target_, "cannot write", EISDIR);
    if (!std::filesystem::is_regular_file(found))  // the rename would take the place of the device itself
      throw IoError(target_.string() + ": cannot write: expected a regular file, found a device, pipe or socket");
    if (std::filesystem::path there = std::filesystem::canonical(target_, ignored); !there.empty())
      file_ = std::move(there);  // a link stays, what it points at is replaced
  }
  // The mode of what is replaced stays: a file of one's own is not suddenly everybody's.
  struct stat replaced {};
  const bool replaces = ::stat(file_.c_str(), &replaced) == 0;
  const mode_t mode = replaces ? replaced.st_mode & 0777U : 0666U;
  // A name of this process and call, created exclusively: unlike mkstemp this leaves the mode to the umask.
  do {
    std::string end(".");
    end.append(std::to_string(::getpid())).append("-").append(std::to_string(count++)).append(".tmp");
    std::string name(".");
    name.append(file_.filename().string());
    name.resize(std::min(name.size(), kLongestName - end.size()));
    temporary_ = file_.parent_path() / name.append(end);
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  } while (descriptor_ < 0 && errno == EEXIST);
  if (descriptor_ < 0) throw_io_error(target_, "cannot write", errno);
  if (replaces) static_cast<void>(::fchmod(descriptor_, mode));  // past the umask; a file system without modes refuses
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

void AtomicFile::write(const void* data, std::size_t bytes) {
  const char* next = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t written = ::write(descriptor_, next, bytes);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw_io_error(target_, "cannot write", errno);
    next += written;
    bytes -= static_cast<std::size_t>(written);
  }
}

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) throw_io_error(target_, "cannot flush to disk", errno);
  if (::rename(temporary_.c_str(), file_.c_str()) != 0) throw_io_error(target_, "cannot rename into place", errno);
  ::close(descriptor_);
  descriptor_ = -1;
  sync_folder(file_.has_parent_path() ? file_.parent_path() : std::filesystem::path("."));
}

void write_text(const std::filesystem::path& path, std::string_view text) try {
  AtomicFile file(path);
  file.write(text.data(), text.size());
  file.commit();
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
