// SPDX-License-Identifier: Apache-2.0
#include "cli/run_program.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <new>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "cli/argument_words.hpp"
#include "cli/file_reading.hpp"
#include "cli/interruption.hpp"
#include "cli/standard_streams.hpp"
#include "cli/terminal_text.hpp"
#include "cli/usage_error.hpp"
#include "cli/version_text.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/file_reading.hpp"
#include "dsasrgs/no_such_file.hpp"

namespace dsasrgs::program {

namespace {

/// "[64,64]" and "--size=[64,64]", as --help shows lists, without the brackets.
std::string without_brackets(const std::string& word) {
  const std::size_t begin = word.starts_with("--") ? word.find('=') + 1 : 0;
  if (begin >= word.size() || word[begin] != '[' || word.back() != ']') return word;
  const std::string list = word.substr(begin + 1, word.size() - begin - 2);
  if (list.empty() || list.find_first_not_of("0123456789+-.eE,") != std::string::npos) return word;
  return word.substr(0, begin) + list;
}

/// As CLI11 takes them, the last one first. "help" and "help SUBCOMMAND" are --help.
std::vector<std::string> arguments(const CLI::App& app, int argc, char** argv) {
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  if (app.get_require_subcommand_min() > 0 && !words.empty() && words.front() == "help") {
    words.erase(words.begin());
    words.emplace_back("--help");
  }
  std::transform(words.begin(), words.end(), words.begin(), without_brackets);
  std::reverse(words.begin(), words.end());
  return words;
}

/// The library says how much it asked for; what the program itself could not have is told by what it had.
std::string out_of_memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return "out of memory: the program held up to " + std::to_string(usage.ru_maxrss / 1024) +
         " MiB when the system refused more";
}

}  // namespace

int run_program(const Program& program, int argc, char** argv) {
  if (reads_for_another(argc, argv)) return serve_file_reading();
  read_files_in_a_child();
  constexpr int kJobFailed = 1, kBadUsage = 2;
  guard_standard_streams();
  const std::string name = program.name;
  const auto fail = [&](int exit_code, const std::string& message) {
    std::fprintf(stderr, "%s: error: %s\n", name.c_str(), message.c_str());
    return exit_code;
  };
  const auto end = [&](int exit_code) {
    const std::string unwritten = unwritten_output();
    return unwritten.empty() ? exit_code : fail(kJobFailed, unwritten);
  };
  const auto one_line = [](std::string message) {
    while (!message.empty() && message.back() == '\n') message.pop_back();
    std::replace(message.begin(), message.end(), '\n', ' ');
    return terminal_text(message);
  };
  CLI::App app{program.description, name};
  try {
    bool verbose = false;
    for (int i = 1; i < argc; ++i) verbose = verbose || std::string_view(argv[i]) == "--verbose";
    app.set_version_flag(
        "--version", [&] { return version_text(name, verbose); },
        "print the version; with --verbose build and machine");
    app.add_flag("--verbose")->group("");  // not shown: goes with --version alone
    program.add_options(app);
    try {
      app.parse(arguments(app, argc, argv));
      return end(0);
    } catch (const CLI::Success& e) {  // --help, --version
      std::ostringstream text;
      const int code = app.exit(e, text, text);
      std::fputs(text.str().c_str(), stdout);
      return end(code);
    }
  } catch (const CLI::ParseError& e) {
    return fail(kBadUsage, one_line(explain(app, e)));
  } catch (const UsageError& e) {
    return fail(kBadUsage, one_line(e.what()));
  } catch (const BadInput& e) {
    return fail(kBadUsage, one_line(e.what()));
  } catch (const NoSuchFile& e) {
    return fail(kBadUsage, one_line(e.what()));
  } catch (const InvalidArgument& e) {
    return fail(kBadUsage, one_line(in_options(app, e.what())));
  } catch (const Interrupted& e) {  // whole: it is a command to carry out
    return fail(kJobFailed, e.what());
  } catch (const std::bad_alloc&) {
    return fail(kJobFailed, out_of_memory());
  } catch (const std::length_error&) {  // more than an address can name
    return fail(kJobFailed, out_of_memory());
  } catch (const std::exception& e) {
    return fail(kJobFailed, one_line(e.what()));
  }
}

}  // namespace dsasrgs::program
