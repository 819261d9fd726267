#include "run_folder.hpp"

#include <cstdio>
#include <system_error>
#include <utility>

#include "dsasrgs/error.hpp"
#include "usage_error.hpp"

namespace dsasrgs::program {

namespace fs = std::filesystem;

namespace {

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

}  // namespace

RunFolder::RunFolder(fs::path path, Start start) : folder_(std::move(path)), start_(start) {
  const std::string name = folder_.path().string();
  if (start != Start::over_earlier_run && is_there(metrics()))
    throw UsageError("--output: expected a new or empty folder, found a finished run in " + name +
                     " (--force replaces it)");
  if (start == Start::fresh && is_there(checkpoint()))
    throw UsageError("--output: expected a new or empty folder, found an unfinished run in " + name +
                     " (--resume goes on with it, --force replaces it)");
  if (start == Start::resume && !is_there(checkpoint()))
    throw UsageError("--resume: expected a checkpoint, found none at " + checkpoint().string());
}

void RunFolder::begin() {
  began_ = true;
  if (start_ == Start::over_earlier_run) remove_files();
}

RunFolder::~RunFolder() {
  if (!began_ || finished_) return;
  if (is_there(checkpoint()) || is_there(model()))
    folder_.keep();
  else
    remove_files();
}

fs::path RunFolder::view(int view) const { return file("views") / view_file_name(view); }

void RunFolder::make_view_folder() const {
  std::error_code error;
  fs::create_directories(file("views"), error);
  if (error) throw IoError(file("views").string() + ": cannot write: " + error.message());
}

void RunFolder::finish() {
  std::error_code error;
  fs::remove(checkpoint(), error);
  finished_ = true;
  folder_.keep();
}

void RunFolder::remove_files() const {
  std::error_code error;
  // The mark of a finished run goes first, so that what is left never looks like one.
  for (const fs::path& f : {metrics(), config(), log(), model(), checkpoint(), volume(), projection()})
    fs::remove(f, error);
  for (const auto& entry : fs::directory_iterator(file("views"), error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("view_") && name.ends_with(".png")) fs::remove(entry.path(), error);
  }
  fs::remove(file("views"), error);  // only when empty
}

std::string view_file_name(int view) {
  char text[32];
  std::snprintf(text, sizeof text, "view_%04d.png", view);
  return text;
}

}  // namespace dsasrgs::program
