// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <string_view>
#include <utility>

#include "cli/interruption.hpp"
#include "cli/terminal_text.hpp"

namespace dsasrgs::program {

namespace {

constexpr double kRedrawSeconds = 0.1;
constexpr double kLineSeconds = 1;  // between plain lines, so that quick jobs do not fill the screen
constexpr int kBarWidth = 24;
constexpr double kSpeedSmoothing = 0.2;  // weight of the newest measurement

std::size_t terminal_columns() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string significant(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", value);
  return text;
}

}  // namespace

std::string duration_text(double seconds) {
  const auto s = static_cast<long long>(std::llround(std::clamp(seconds, 0.0, 1e9)));
  char text[48];
  if (s < 3600)
    std::snprintf(text, sizeof text, "%lld:%02lld", s / 60, s % 60);
  else
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
  return text;
}

void print_line(bool quiet, const std::string& line) {
  if (quiet) return;
  std::printf("%s\n", terminal_text(line, true).c_str());
  std::fflush(stdout);
}

void print_warning(bool quiet, const std::string& line) {
  if (!quiet) std::fprintf(stderr, "warning: %s\n", terminal_text(line).c_str());
}

Progress::Progress(std::string task, std::string unit, std::int64_t total, bool quiet, std::int64_t done)
    : task_(std::move(task)),
      unit_(std::move(unit)),
      total_(std::max<std::int64_t>(total, 1)),
      tenth_(done * 10 / std::max<std::int64_t>(total, 1)),
      quiet_(quiet),
      terminal_(isatty(STDERR_FILENO) == 1),
      measured_at_(Clock::now()),
      measured_done_(done) {}

Progress::~Progress() {
  if (drawn_) std::fputc('\n', stderr);
}

void Progress::update(std::int64_t done, const std::string& detail) {
  if (quiet_) return;
  const auto now = Clock::now();
  const double since = std::chrono::duration<double>(now - measured_at_).count();
  const bool due = terminal_ ? since >= kRedrawSeconds : since >= kLineSeconds && done * 10 / total_ != tenth_;
  if (!due && done < total_) return;
  tenth_ = done * 10 / total_;
  std::string text = std::to_string(done) + "/" + std::to_string(total_) + " " + unit_;
  if (!detail.empty()) text += ", " + detail;
  text += pace(done, now);
  if (terminal_) {
    draw_bar(done, text);
  } else {
    std::fprintf(stderr, "%s %3d %%: %s\n", task_.c_str(), static_cast<int>(done * 100 / total_), text.c_str());
  }
}

ProgressCallback shown_progress(bool quiet) {
  const auto bar = std::make_shared<std::unique_ptr<Progress>>();
  return [quiet, bar](const ProgressReport& report) {
    if (report.done == 0) {
      bar->reset();  // ends its line before the next begins
      *bar = std::make_unique<Progress>(report.stage, report.unit, static_cast<std::int64_t>(report.total), quiet);
    } else if (*bar) {
      (*bar)->update(static_cast<std::int64_t>(report.done));
    }
    if (report.done == report.total) bar->reset();
    return !Interruption::requested();
  };
}

std::string Progress::pace(std::int64_t done, Clock::time_point now) {
  const double since = std::chrono::duration<double>(now - measured_at_).count();
  if (since > 0 && done > measured_done_) {
    const double speed = static_cast<double>(done - measured_done_) / since;
    per_second_ = per_second_ == 0 ? speed : per_second_ + kSpeedSmoothing * (speed - per_second_);
    measured_at_ = now;
    measured_done_ = done;
  }
  if (per_second_ == 0) return "";
  return ", " + significant(per_second_) + " " + unit_ + "/s, " +
         duration_text(static_cast<double>(total_ - done) / per_second_) + " left";
}

void Progress::draw_bar(std::int64_t done, const std::string& text) {
  const auto filled = static_cast<std::size_t>(done * kBarWidth / total_);
  std::string line = task_ + " [" + std::string(filled, '=') + std::string(kBarWidth - filled, ' ') + "] " + text;
  // A line longer than the terminal would wrap, and \r would no longer reach its start.
  line.resize(std::min(line.size(), terminal_columns() - 1));
  std::fprintf(stderr, "\r\033[K%s", line.c_str());
  std::fflush(stderr);
  drawn_ = true;
}

}  // namespace dsasrgs::program
