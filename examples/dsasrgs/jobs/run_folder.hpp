// SPDX-License-Identifier: Apache-2.0
#pragma once
// The folder a reconstruction leaves behind. Every file in it is whole; a run is finished when metrics.json is there.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/output_path.hpp"
#include "cli/run_lock.hpp"

namespace dsasrgs::program {

class RunFolder {
 public:
  /// `over_earlier_run` takes an empty folder too. A run there stays as it is until the new one, made in a folder "new"
  /// inside of it, is finished; other files of the folder stay for good.
  enum class Start { fresh, over_earlier_run, resume };

  /// Takes the folder, which no other process can take as long as this lives. Throws UsageError when one has it, when a
  /// file of a run's names is there and the start is `fresh`, or `over_earlier_run` and no run left it there; for
  /// `resume` without a checkpoint. IoError when the folder cannot be written. Changes nothing then.
  RunFolder(std::filesystem::path path, Start start);
  /// Unless a checkpoint or a model is in it, or after keep(), an unfinished run leaves nothing behind.
  ~RunFolder();

  std::filesystem::path config() const { return file("config.toml"); }
  std::filesystem::path log() const { return file("log.csv"); }
  std::filesystem::path metrics() const { return file("metrics.json"); }
  std::filesystem::path model() const { return file("model.h5"); }
  std::filesystem::path checkpoint() const { return file("checkpoint.h5"); }
  std::filesystem::path labels() const { return file("labels.h5"); }
  /// Labels that are being made anew: they become refreshed_labels() once they are found good.
  std::filesystem::path new_labels() const { return file("new_labels.h5"); }
  std::filesystem::path refreshed_labels() const { return file("refreshed_labels.h5"); }
  std::filesystem::path volume() const { return file("volume.nii.gz"); }
  std::filesystem::path projection() const { return file("mip.png"); }
  std::filesystem::path report() const { return file("report.html"); }
  std::filesystem::path view(int view) const;
  /// Where the run is now; that of the constructor but between begin() and finish() of a run that replaces another.
  const std::filesystem::path& path() const { return path_; }
  /// Files of the constructor's folder that the run will write or remove, but for pictures of views.
  std::vector<std::filesystem::path> own_files() const;

  /// From here on path() is this run's. What a failed run kept there goes, and the temporary files of killed ones.
  void begin();
  /// What is there stays, although the run is not finished.
  void keep() { kept_ = true; }
  /// Makes the folder for the pictures.
  void make_view_folder() const;
  /// The run is complete: it takes the place of an earlier one. Its checkpoint stays, to be gone on from with more
  /// steps, where it is of the last step. A report of what was there before goes. Throws IoError when the earlier run
  /// cannot be replaced; the new one is left in path() then.
  void finish(bool keep_checkpoint);

 private:
  std::filesystem::path file(const char* name) const { return path_ / name; }
  void replace_earlier_run();

  OutputFolder folder_;
  std::optional<RunLock> lock_, new_lock_;  // of folder_, and of the folder in it that a replacing run is made in
  std::filesystem::path path_;
  Start start_;
  bool replaces_ = false, began_ = false, kept_ = false, finished_ = false;
};

/// "view_007.png": names sort in the order of the views.
std::string view_file_name(int view);

}  // namespace dsasrgs::program
