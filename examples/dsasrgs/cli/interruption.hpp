// SPDX-License-Identifier: Apache-2.0
#pragma once
// Ctrl-C (SIGTERM, SIGHUP too) as a request that loops answer at their next step.

#include <array>
#include <csignal>

#include "dsasrgs/error.hpp"

namespace dsasrgs::program {

/// The job was stopped from outside before it was done; exit code 1. The library throws the same when a callback of the
/// program tells it to stop.
using Interrupted = Cancelled;

/// While it lives, the first SIGINT, SIGTERM or SIGHUP (a terminal that is gone) only sets a mark; a second one of a
/// kind ends the program at once. One that is ignored stays so (nohup).
class Interruption {
 public:
  Interruption();
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  static bool requested();
  /// Throws Interrupted when requested.
  static void check();

 private:
  static constexpr std::array kSignals{SIGINT, SIGTERM, SIGHUP};
  std::array<struct sigaction, kSignals.size()> previous_{};
};

}  // namespace dsasrgs::program
