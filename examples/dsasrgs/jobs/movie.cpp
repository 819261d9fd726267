// SPDX-License-Identifier: Apache-2.0
#include "jobs/movie.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "cli/file_kind.hpp"
#include "cli/interruption.hpp"
#include "cli/terminal_text.hpp"
#include "cli/usage_error.hpp"
#include "dsasrgs/io.hpp"
#include "jobs/run_folder.hpp"

namespace dsasrgs::program {

namespace fs = std::filesystem;

namespace {

constexpr const char* kErrors = "errors.txt";

/// A folder of this process's own, which goes with it.
class WorkFolder {
 public:
  WorkFolder() {
    std::error_code error;
    const fs::path temporary = fs::temp_directory_path(error);
    if (error)
      throw UsageError("TMPDIR: expected a folder for temporary files, found none: " +
                       (std::getenv("TMPDIR") == nullptr ? std::string("/tmp") : std::getenv("TMPDIR")));
    std::string name = (temporary / "dsasrgs-movie-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      throw IoError(name + ": cannot write: " + std::generic_category().message(errno));
    path_ = name;
  }
  ~WorkFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// What a process is started with; nothing of it is read by a shell.
struct SpawnSettings {
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};

  explicit SpawnSettings(const fs::path& folder) {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
    int failed = ::posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
    failed |= ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    failed |= ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    failed |= ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, kErrors, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    // A group of its own: Ctrl-C is for this program, which ends the other one.
    failed |= ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
    sigset_t defaults;
    sigemptyset(&defaults);
    for (const int signal : {SIGPIPE, SIGXFSZ}) sigaddset(&defaults, signal);
    failed |= ::posix_spawnattr_setsigdefault(&attributes, &defaults);
    if (failed != 0) throw IoError("ffmpeg: cannot start: " + std::generic_category().message(ENOMEM));
  }
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
};

/// Waits for a process, and ends it where the user asks this one to stop. Its status, as waitpid has it.
int wait_for(pid_t process) {
  for (int status = 0;;) {
    const pid_t ended = ::waitpid(process, &status, WNOHANG);
    if (ended == process) return status;
    if (ended < 0 && errno != EINTR) throw IoError("ffmpeg: " + std::generic_category().message(errno));
    if (Interruption::requested()) {
      ::kill(process, SIGKILL);
      ::waitpid(process, &status, 0);
      Interruption::check();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

/// How a process ended that left this status, in words.
std::string end_in_words(int status) {
  constexpr int kKilledInShell = 128, kMostSignal = 64;  // what a shell says of a program that it ran
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0, of_shell = code - kKilledInShell;
  const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : of_shell > 0 && of_shell <= kMostSignal ? of_shell : 0;
  if (signal == 0) return "ended with code " + std::to_string(code);
  return "was killed by signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")" +
         (signal == SIGKILL ? ", perhaps for want of memory" : "");
}

/// Runs ffmpeg in a folder; its status, as waitpid has it.
int run_ffmpeg(const fs::path& folder, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "ffmpeg");
  std::vector<char*> words;
  words.reserve(arguments.size() + 1);
  for (std::string& a : arguments) words.push_back(a.data());
  words.push_back(nullptr);
  const SpawnSettings settings(folder);
  pid_t process = 0;
  const int code = ::posix_spawnp(&process, "ffmpeg", &settings.actions, &settings.attributes, words.data(), environ);
  if (code == ENOENT || code == EACCES)
    throw UsageError(
        "--output: expected the program ffmpeg, which makes .mp4 and .webp (Debian: apt-get install ffmpeg), found "
        "none");
  if (code != 0) throw IoError("ffmpeg: cannot start: " + std::generic_category().message(code));
  return wait_for(process);
}

std::string first_line(const fs::path& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  return line;
}

std::vector<std::string> encoder(MovieKind kind) {
  if (kind == MovieKind::webp) return {"-c:v", "libwebp_anim", "-lossless", "1", "-pix_fmt", "bgra", "-loop", "0"};
  return {"-vf",       "pad=ceil(iw/2)*2:ceil(ih/2)*2:color=white,format=yuv420p",
          "-c:v",      "libx264",
          "-crf",      "12",
          "-movflags", "+faststart"};
}

}  // namespace

void require_ffmpeg() {
  const WorkFolder folder;
  run_ffmpeg(folder.path(), {"-version"});
}

void write_movie(const fs::path& path, MovieKind kind, int frames, double frames_per_s,
                 const std::function<void(const fs::path&, int)>& write_frame) {
  const WorkFolder folder;
  for (int f = 0; f < frames; ++f) {
    Interruption::check();
    write_frame(folder.path() / view_file_name(f), f);
  }
  const std::string name = kind == MovieKind::webp ? "movie.webp" : "movie.mp4";
  std::vector<std::string> arguments{"-nostdin", "-loglevel", "error", "-f", "image2", "-framerate"};
  arguments.push_back(number_text(frames_per_s));
  for (const char* word : {"-start_number", "0", "-i", "view_%04d.png"}) arguments.emplace_back(word);
  for (std::string& word : encoder(kind)) arguments.push_back(std::move(word));
  arguments.push_back(name);
  if (const int status = run_ffmpeg(folder.path(), arguments); status != 0) {
    const std::string said = first_line(folder.path() / kErrors);
    throw IoError(path.string() + ": cannot write: ffmpeg " + end_in_words(status) + (said.empty() ? "" : ": " + said));
  }
  std::ifstream made(folder.path() / name, std::ios::binary);
  std::string film{std::istreambuf_iterator<char>(made), {}};
  if (film.empty()) throw IoError(path.string() + ": cannot write: ffmpeg ended well and wrote nothing");
  write_text(path, with_film_mark(std::move(film)));
}

}  // namespace dsasrgs::program
