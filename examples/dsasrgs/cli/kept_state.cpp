// SPDX-License-Identifier: Apache-2.0
#include "cli/kept_state.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "cli/interruption.hpp"
#include "cli/progress.hpp"
#include "dsasrgs/error.hpp"

namespace dsasrgs::program {

namespace fs = std::filesystem;

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kAgain{30}, kBetween{2}, kLongestWait{600};

std::vector<fs::path> other_places(const fs::path& file) {
  std::vector<fs::path> places;
  std::error_code error;
  const std::string name = "dsasrgs-" + std::to_string(::getpid()) + "-" + file.filename().string();
  if (const fs::path temporary = fs::temp_directory_path(error); !error) places.push_back(temporary / name);
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != 0) places.push_back(fs::path(home) / name);
  places.push_back(fs::current_path(error) / name);
  return places;
}

/// A limit on sizes of files does not go away, a full disk may.
bool may_wait() {
  rlimit limit{};
  return (::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) && !Interruption::requested();
}

}  // namespace

fs::path keep_state(const fs::path& file, const std::function<void(const fs::path&)>& write) {
  bool out_of_memory = false;  // for which waiting is no remedy
  const auto written = [&](const fs::path& place) {
    try {
      write(place);
      return true;
    } catch (const IoError&) {
      return false;
    } catch (const OutOfMemory&) {
      out_of_memory = true;
      return false;
    }
  };
  const Clock::time_point start = Clock::now();
  for (bool first = true;; first = false) {
    if (written(file)) return file;
    for (fs::path& place : other_places(file)) {
      std::error_code error;
      if (!fs::exists(fs::symlink_status(place, error)) && written(place)) return std::move(place);
    }
    if (out_of_memory || !may_wait() || Clock::now() - start > kLongestWait) return {};
    if (first)
      print_warning(false,
                    file.string() + ": cannot be written, nor can another folder; waiting for room, Ctrl-C gives up");
    std::this_thread::sleep_for(kBetween);
  }
}

bool Keeper::save() {
  tried_ = Clock::now();
  const auto failed = [&](const std::exception& e) {
    if (!failed_) print_warning(false, std::string(e.what()) + "; the training goes on and tries again");
    failed_ = true;
    return false;
  };
  try {
    save_();
  } catch (const IoError& e) {
    return failed(e);
  } catch (const OutOfMemory& e) {
    return failed(e);
  }
  failed_ = false;
  return true;
}

bool Keeper::due_again() const { return failed_ && Clock::now() - tried_ > kAgain; }

}  // namespace dsasrgs::program
