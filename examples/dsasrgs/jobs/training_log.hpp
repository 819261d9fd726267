// SPDX-License-Identifier: Apache-2.0
#pragma once
// log.csv of a run: the loss over the steps, and what density control did. Lines reach the disk as they are made, or,
// where it is full, as soon as there is room.

#include <filesystem>
#include <string>

#include "cli/log_file.hpp"
#include "dsasrgs/reconstructor.hpp"

namespace dsasrgs::program {

class TrainingLog {
 public:
  /// Begins the file, with a line every `every` steps and after the last one to come. When `done_steps` > 0, lines up
  /// to there are taken over from an earlier log at `path`. Throws IoError.
  TrainingLog(const std::filesystem::path& path, int every, int done_steps);

  /// `always`: this step gets a line whatever its number (before a checkpoint, so that no event is lost).
  void add(const StepReport&, double seconds, bool always);
  /// Seconds of training before this session, by the lines taken over.
  double earlier_seconds() const { return earlier_seconds_; }

 private:
  int every_;
  std::size_t cloned_ = 0, split_ = 0, pruned_ = 0, residual_split_ = 0, born_ = 0;  // since the last line
  double earlier_seconds_ = 0;
  LogFile file_;
};

}  // namespace dsasrgs::program
