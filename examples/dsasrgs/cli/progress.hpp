// SPDX-License-Identifier: Apache-2.0
#pragma once
// How far a job is: a bar that redraws itself on a terminal, a plain line about every tenth otherwise.

#include <chrono>
#include <cstdint>
#include <string>

#include "dsasrgs/evaluation.hpp"

namespace dsasrgs::program {

class Progress {
 public:
  /// `total` things called `unit` ("steps", "views") are to be done, `done` of them already are.
  Progress(std::string task, std::string unit, std::int64_t total, bool quiet, std::int64_t done = 0);
  /// Ends the bar's line.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Draws when it is time to. `detail` stands before the speed.
  void update(std::int64_t done, const std::string& detail = "");

 private:
  using Clock = std::chrono::steady_clock;
  /// Speed and time left.
  std::string pace(std::int64_t done, Clock::time_point now);
  void draw_bar(std::int64_t done, const std::string& text);

  std::string task_, unit_;
  std::int64_t total_, tenth_;
  bool quiet_, terminal_, drawn_ = false;
  Clock::time_point measured_at_;
  std::int64_t measured_done_;
  double per_second_ = 0;
};

/// Shows the stages of an evaluation one after the other, unless quiet, and stops it when Interruption is requested.
ProgressCallback shown_progress(bool quiet);

/// "0:07", "12:30", "1:02:03".
std::string duration_text(double seconds);

/// Prints a line (or several) on stdout unless quiet, as terminal_text has it. Whether it could be written shows at the
/// program's end.
void print_line(bool quiet, const std::string& line);
/// "warning: LINE" on stderr unless quiet, as terminal_text has it.
void print_warning(bool quiet, const std::string& line);

}  // namespace dsasrgs::program
