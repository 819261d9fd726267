#pragma once
// The folder a reconstruction leaves behind. Every file in it is whole; a run is finished when metrics.json is there.

#include <filesystem>
#include <string>

#include "output_path.hpp"

namespace dsasrgs::program {

class RunFolder {
 public:
  enum class Start { fresh, over_earlier_run, resume };

  /// Throws UsageError when the folder holds a finished run (or an unfinished one with a checkpoint) and the start is
  /// `fresh`, or no checkpoint and the start is `resume`; IoError when it cannot be written. Changes nothing then.
  RunFolder(std::filesystem::path path, Start start);
  /// Unless a checkpoint or a model is in it, an unfinished run leaves nothing behind.
  ~RunFolder();

  std::filesystem::path config() const { return file("config.toml"); }
  std::filesystem::path log() const { return file("log.csv"); }
  std::filesystem::path metrics() const { return file("metrics.json"); }
  std::filesystem::path model() const { return file("model.h5"); }
  std::filesystem::path checkpoint() const { return file("checkpoint.h5"); }
  std::filesystem::path volume() const { return file("volume.nii.gz"); }
  std::filesystem::path projection() const { return file("mip.png"); }
  std::filesystem::path view(int view) const;
  const std::filesystem::path& path() const { return folder_.path(); }

  /// Removes the files of an earlier run that is to be replaced; from here on the folder is this run's.
  void begin();
  /// Makes the folder for the pictures.
  void make_view_folder() const;
  /// The run is complete: keeps the folder and removes the checkpoint, which is of no more use.
  void finish();

 private:
  std::filesystem::path file(const char* name) const { return folder_.path() / name; }
  void remove_files() const;

  OutputFolder folder_;
  Start start_;
  bool began_ = false, finished_ = false;
};

/// "view_007.png": names sort in the order of the views.
std::string view_file_name(int view);

}  // namespace dsasrgs::program
