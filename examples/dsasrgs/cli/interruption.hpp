#pragma once
// Ctrl-C (and SIGTERM) as a request that loops answer at their next step.

#include <csignal>

#include "dsasrgs/error.hpp"

namespace dsasrgs::program {

/// The job was stopped from outside before it was done; exit code 1. The library throws the same when a callback of the
/// program tells it to stop.
using Interrupted = Cancelled;

/// While it lives, the first SIGINT or SIGTERM only sets a mark; a second one ends the program at once.
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
  struct sigaction previous_interrupt_ {};
  struct sigaction previous_terminate_ {};
};

}  // namespace dsasrgs::program
