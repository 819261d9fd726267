// SPDX-License-Identifier: Apache-2.0
#include "cli/log_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/progress.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"

namespace dsasrgs::program {

LogFile::~LogFile() {
  if (descriptor_ < 0) return;
  flush();
  ::close(descriptor_);
}

void LogFile::begin(const std::filesystem::path& path, const std::string& text) {
  path_ = path;
  write_text(path, text);
  descriptor_ = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (descriptor_ < 0) throw IoError(path.string() + ": cannot write: " + std::strerror(errno));
}

void LogFile::add(const std::string& text) {
  pending_ += text;
  flush();
}

void LogFile::flush() {
  while (!pending_.empty()) {
    const ssize_t written = ::write(descriptor_, pending_.data(), pending_.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      if (!warned_)
        print_warning(false, path_.string() + ": cannot write: " + std::strerror(errno) +
                                 "; the job goes on, its lines are kept and written later");
      warned_ = true;
      return;
    }
    pending_.erase(0, static_cast<std::size_t>(written));
  }
}

}  // namespace dsasrgs::program
