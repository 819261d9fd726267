#pragma once
// Ctrl-C (and SIGTERM) as a request that loops answer at their next step.

#include <csignal>
#include <stdexcept>

namespace dsasrgs::program {

/// The job was stopped from outside before it was done; exit code 1.
class Interrupted : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

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
