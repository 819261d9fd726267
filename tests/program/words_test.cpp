// SPDX-License-Identifier: Apache-2.0
// What the program makes of words: names that are near, lists, text for a terminal, files that are kept.
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "cli/argument_words.hpp"
#include "cli/kept_state.hpp"
#include "cli/run_lock.hpp"
#include "cli/terminal_text.hpp"
#include "cli/usage_error.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using namespace dsasrgs::program;

TEST_CASE("words: the nearest name is a slip away, or none is", "[program]") {
  const std::vector<std::string> names{"--output", "--steps", "--train-views", "--seed", "--set"};
  CHECK(nearest_name("--ouput", names) == "--output");
  CHECK(nearest_name("--setps", names) == "--steps");  // two letters exchanged are one slip
  CHECK(nearest_name("--sed", names) == "--seed");
  CHECK(nearest_name("--views", names) == "--train-views");
  CHECK(nearest_name("--frobnicate", names).empty());
  CHECK(nearest_name(std::string(100000, '-'), names).empty());
}

TEST_CASE("words: what a terminal obeys is written out, and what is long is cut", "[program]") {
  CHECK(terminal_text("a\x1b[31mb\r\n\x7f") == "a\\x1b[31mb\\r\\n\\x7f");
  CHECK(terminal_text("a\nb", true) == "a\nb");
  CHECK(terminal_text("\xc2\x9b"
                      "1m") == "\\x9b1m");  // U+009B is an escape too
  CHECK(terminal_text("Gefäß") == "Gefäß");
  CHECK(terminal_text(std::string(1000, 'x'), false, 100) ==
        std::string(75, 'x') + " ... (900 bytes) ... " + std::string(25, 'x'));
  CHECK(number_text(1e300) == "1e+300");
  CHECK(shell_word("a b'c") == "'a b'\\''c'");
}

TEST_CASE("words: a message of the library loses the function and nothing else", "[program]") {
  CHECK(without_function("carm_pose: sod_mm: expected more") == "sod_mm: expected more");
  CHECK(without_function("Reconstructor::step: expected more") == "expected more");
  CHECK(without_function("sod_mm: expected more") == "sod_mm: expected more");
  CHECK(without_function("Renderer: expected more") == "expected more");
  CHECK(without_function("case.h5: /projections: expected more") == "case.h5: /projections: expected more");
  CHECK(without_function("--size: expected more") == "--size: expected more");
}

TEST_CASE("lock: one holder at a time, by name, and free after it", "[program]") {
  const test::TemporaryFolder folder;
  const auto file = folder.path() / ".lock";
  {
    const RunLock lock(file, "RUN");
    CHECK_THROWS_WITH(RunLock(file, "RUN"), Catch::Contains("found RUN in use by ") &&
                                                Catch::Contains(", process " + std::to_string(getpid()) + ", since "));
  }
  CHECK_FALSE(std::filesystem::exists(file));
  std::ofstream(file) << "another host, process 1, since long ago";  // left by one that was killed
  CHECK_NOTHROW(RunLock(file, "RUN"));
}

TEST_CASE("kept state: a save that fails is warned of, and due again only some time later", "[program]") {
  bool room = false;
  Keeper keeper([&] {
    if (!room) throw IoError("checkpoint.h5: cannot write: no room (a test says so)");
  });
  CHECK_FALSE(keeper.due_again());
  CHECK_FALSE(keeper.save());
  CHECK_FALSE(keeper.due_again());
  room = true;
  CHECK(keeper.save());
}

TEST_CASE("files: what is replaced keeps its mode, and a name of 255 bytes is no trouble", "[io]") {
  const test::TemporaryFolder folder;
  const auto file = folder.path() / "own";
  write_text(file, "1");
  for (const mode_t mode : {0600, 0640, 0666}) {
    REQUIRE(chmod(file.c_str(), mode) == 0);
    write_text(file, "2");
    struct stat found {};
    REQUIRE(stat(file.c_str(), &found) == 0);
    CHECK((found.st_mode & 0777U) == mode);
  }
  const auto longest = folder.path() / std::string(255, 'n');
  write_text(longest, "3");
  CHECK(std::filesystem::file_size(longest) == 1);
}
