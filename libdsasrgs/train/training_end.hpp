// SPDX-License-Identifier: Apache-2.0
#pragma once
// How a training ends before its last step, and what can be done about it.

#include <exception>
#include <filesystem>
#include <string>
#include <utility>

#include "common/host_vector.hpp"
#include "dsasrgs/error.hpp"

namespace dsasrgs {

/// Keeps what ended a training: it is thrown again by whatever is asked of the training from then on.
class TrainingEnd {
 public:
  /// For messages.
  void note_checkpoint(int step, const std::filesystem::path& path) {
    last_checkpoint_ = "; the last checkpoint, of step " + std::to_string(step) + ", is " + path.string();
  }

  /// body(), which ends the training with a NumericalError. The last checkpoint is added to that.
  template <class Body>
  decltype(auto) unless_ended(Body&& body) {
    if (ended_) std::rethrow_exception(ended_);
    try {
      return with_host_memory(body);
    } catch (const NumericalError& e) {
      if (!ended_) ended_ = std::make_exception_ptr(NumericalError(e.what() + last_checkpoint_));
      std::rethrow_exception(ended_);
    }
  }

  /// body(), a step, which adds 1 to `steps` and calls begin_changes(). What it throws before it has changed anything,
  /// as for want of memory, leaves all as it was: it can be tried again. Later it has ended the training.
  template <class Body>
  auto step(int& steps, Body&& body) {
    return unless_ended([&] {
      const int done = steps;
      changing_ = false;
      try {
        return with_host_memory(body);
      } catch (const NumericalError&) {
        throw;
      } catch (const OutOfMemory& e) {
        if (!changing_) steps = done;
        if (!changing_) throw;
        ended_ = std::make_exception_ptr(OutOfMemory(e.what() + ("; step " + std::to_string(steps)) +
                                                     " of the training was left half done" + last_checkpoint_));
        std::rethrow_exception(ended_);
      } catch (...) {
        if (changing_)
          ended_ = std::current_exception();
        else
          steps = done;
        throw;
      }
    });
  }
  void begin_changes() { changing_ = true; }

 private:
  std::exception_ptr ended_;
  bool changing_ = false;
  std::string last_checkpoint_ = "; no checkpoint was kept";
};

}  // namespace dsasrgs
