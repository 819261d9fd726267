// SPDX-License-Identifier: Apache-2.0
#include "files/input_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>

#include "dsasrgs/error.hpp"
#include "files/read_error.hpp"

namespace dsasrgs {

namespace {

void require_regular(const std::filesystem::path& file, const struct stat& status) {
  if (S_ISDIR(status.st_mode)) throw_read_error(file.string(), EISDIR);
  if (!S_ISREG(status.st_mode))
    throw NoSuchFile(file.string() + ": cannot read: expected a regular file, found a device, pipe or socket");
}

bool wants_lock() {
  const char* setting = std::getenv("HDF5_USE_FILE_LOCKING");
  return setting == nullptr || (std::string_view(setting) != "FALSE" && std::string_view(setting) != "0");
}

}  // namespace

InputFile::InputFile(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) throw_read_error(path.string(), errno);
  require_regular(path, status);  // before it is opened: opening a device may do something
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) throw_read_error(path.string(), errno);
  try {
    if (::fstat(descriptor_, &status) != 0) throw_read_error(path.string(), errno);
    require_regular(path, status);
    size_ = static_cast<std::size_t>(status.st_size);
    if (wants_lock() && ::flock(descriptor_, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK)
      throw IoError(path.string() + ": cannot read: another program has it open for writing");
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

InputFile::~InputFile() { ::close(descriptor_); }

bool InputFile::is_hdf5() const {
  constexpr std::array<char, 8> kSignature = {'\x89', 'H', 'D', 'F', '\r', '\n', '\x1a', '\n'};
  for (std::size_t at = 0; at + kSignature.size() <= size_; at = std::max<std::size_t>(512, 2 * at)) {
    std::array<char, 8> found{};
    if (::pread(descriptor_, found.data(), found.size(), static_cast<off_t>(at)) < static_cast<ssize_t>(found.size()))
      return false;
    if (found == kSignature) return true;
  }
  return false;
}

}  // namespace dsasrgs
