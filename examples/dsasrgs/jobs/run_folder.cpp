// SPDX-License-Identifier: Apache-2.0
#include "jobs/run_folder.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>

#include "cli/usage_error.hpp"
#include "dsasrgs/error.hpp"

namespace dsasrgs::program {

namespace fs = std::filesystem;

namespace {

// The mark of a finished run stands first: it goes first and comes last, so that no part of a run ever looks like one.
constexpr std::array kFiles{"metrics.json",        "config.toml",   "log.csv",    "model.h5",
                            "checkpoint.h5",       "volume.nii.gz", "mip.png",    "labels.h5",
                            "refreshed_labels.h5", "new_labels.h5", "report.html"};
constexpr const char* kViews = "views";
constexpr const char* kLock = ".lock";

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(fs::symlink_status(path, error));
}

/// The name of a run's file that is in the folder; empty: none is.
std::string found_file(const fs::path& folder) {
  for (const char* name : kFiles)
    if (is_there(folder / name)) return name;
  return is_there(folder / kViews) ? kViews : "";
}

/// Every run has a config.toml from its first step on, as to_toml() writes it.
bool is_run(const fs::path& folder) {
  constexpr std::string_view kBegin = "preset = '";
  std::ifstream config(folder / "config.toml");
  std::string line;
  return std::getline(config, line) && line.starts_with(kBegin);
}

bool is_view_picture(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.starts_with("view_") && name.ends_with(".png");
}

/// Whether something is there that cost time: a model, or a checkpoint to go on from.
bool has_result(const fs::path& folder) { return is_there(folder / "model.h5") || is_there(folder / "checkpoint.h5"); }

void remove_run(const fs::path& folder) {
  std::error_code error;
  for (const char* name : kFiles) fs::remove(folder / name, error);
  for (const auto& entry : fs::directory_iterator(folder / kViews, error))
    if (is_view_picture(entry.path())) fs::remove(entry.path(), error);
  fs::remove(folder / kViews, error);  // only when empty
}

/// What runs that were killed left while they wrote.
void remove_leftovers(const fs::path& folder) {
  remove_dead_temporaries(folder, [](const std::string& name) {
    return std::any_of(kFiles.begin(), kFiles.end(), [&](const char* own) { return name == own; });
  });
  remove_dead_temporaries(folder / kViews, [](const std::string& name) { return is_view_picture(name); });
}

/// A folder that was not there before.
fs::path make_new_folder(const fs::path& in) {
  for (int i = 1;; ++i) {
    fs::path folder = in / (i == 1 ? "new" : "new-" + std::to_string(i));
    if (is_there(folder)) continue;
    std::error_code error;
    if (fs::create_directory(folder, error)) return folder;
    if (error) throw IoError(folder.string() + ": cannot write: " + error.message());
  }
}

/// A pipe would be waited for.
void require_files(const fs::path& folder) {
  for (const char* name : kFiles) {
    std::error_code error;
    const fs::file_status status = fs::status(folder / name, error);
    if (fs::exists(status) && !fs::is_regular_file(status))
      throw UsageError("--output: expected a folder whose " + std::string(name) +
                       " is a file, found a folder, device, pipe or socket: " + (folder / name).string());
  }
}

void require_start(const fs::path& folder, RunFolder::Start start) {
  using Start = RunFolder::Start;
  require_files(folder);
  const std::string found = found_file(folder), in = " in " + folder.string();
  const bool run = is_run(folder), finished = is_there(folder / "metrics.json");
  const fs::path checkpoint = folder / "checkpoint.h5";
  if (start == Start::resume) {
    if (!is_there(checkpoint) && finished)
      throw UsageError("--resume: expected a run with checkpoint.h5, found a finished one without" + in);
    if (!is_there(checkpoint))
      throw UsageError("--resume: expected a checkpoint, found none at " + checkpoint.string());
    return;
  }
  if (found.empty()) return;
  if (!run)
    throw UsageError("--output: expected a new or empty folder, or a run's with --force, found " + found +
                     ", which no run left there," + in);
  if (start == Start::over_earlier_run) return;
  const std::string expected = "--output: expected a new or empty folder, found ";
  if (finished)
    throw UsageError(expected + "a finished run" + in + " (--force replaces it, --resume --steps N trains it further)");
  if (is_there(checkpoint))
    throw UsageError(expected + "an unfinished run" + in + " (--resume goes on with it, --force replaces it)");
  throw UsageError(expected + found + " of an unfinished run" + in + " (--force replaces it)");
}

}  // namespace

RunFolder::RunFolder(fs::path path, Start start) : folder_(std::move(path)), path_(folder_.path()), start_(start) {
  lock_.emplace(path_ / kLock, path_);  // before anything is looked at
  require_start(path_, start);
  replaces_ = start == Start::over_earlier_run && is_run(path_) && has_result(path_);
}

std::vector<fs::path> RunFolder::own_files() const {
  std::vector<fs::path> files;
  files.reserve(kFiles.size());
  for (const char* name : kFiles) files.push_back(folder_.path() / name);
  return files;
}

void RunFolder::begin() {
  remove_leftovers(path_);
  if (replaces_) {
    path_ = make_new_folder(path_);  // inside: on the same file system, and no other folder is written
    new_lock_.emplace(path_ / kLock, path_);
  } else if (start_ != Start::resume && is_run(path_)) {
    remove_run(path_);
  }
  began_ = true;
}

RunFolder::~RunFolder() {
  if (!began_ || finished_) return;
  if (kept_ || has_result(path_)) {
    folder_.keep();
    return;
  }
  remove_run(path_);
  new_lock_.reset();
  std::error_code error;
  if (replaces_) fs::remove(path_, error);
}

fs::path RunFolder::view(int view) const { return file(kViews) / view_file_name(view); }

void RunFolder::make_view_folder() const {
  std::error_code error;
  fs::create_directories(file(kViews), error);
  if (error) throw IoError(file(kViews).string() + ": cannot write: " + error.message());
}

void RunFolder::finish(bool keep_checkpoint) {
  finished_ = true;
  folder_.keep();
  std::error_code error;
  if (!keep_checkpoint) fs::remove(checkpoint(), error);
  fs::remove(report(), error);
  if (replaces_) replace_earlier_run();
}

void RunFolder::replace_earlier_run() {
  const fs::path& place = folder_.path();
  try {
    remove_run(place);
    fs::create_directory(place / kViews);  // there still if it holds files that are not the run's
    std::vector<fs::path> pictures;
    for (const auto& entry : fs::directory_iterator(path_ / kViews)) pictures.push_back(entry.path());
    for (const fs::path& picture : pictures) fs::rename(picture, place / kViews / picture.filename());
    for (auto name = kFiles.rbegin(); name != kFiles.rend(); ++name)
      if (is_there(path_ / *name)) fs::rename(path_ / *name, place / *name);
  } catch (const fs::filesystem_error& e) {
    throw IoError(place.string() + ": cannot replace the earlier run: " + e.code().message() +
                  "; the new one is whole in " + path_.string() + " but for what was moved");
  }
  new_lock_.reset();
  std::error_code error;
  fs::remove(path_ / kViews, error);
  fs::remove(path_, error);
  path_ = place;
}

std::string view_file_name(int view) {
  char text[32];
  std::snprintf(text, sizeof text, "view_%04d.png", view);
  return text;
}

}  // namespace dsasrgs::program
