#include "cli/run_program.hpp"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <new>
#include <string>

#include "cli/usage_error.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/version.hpp"

namespace dsasrgs::program {

int run_program(const Program& program, int argc, char** argv) {
  constexpr int kJobFailed = 1, kBadUsage = 2;
  const std::string name = program.name;
  const auto fail = [&](int exit_code, std::string message) {
    while (!message.empty() && message.back() == '\n') message.pop_back();
    std::replace(message.begin(), message.end(), '\n', ' ');
    std::fprintf(stderr, "%s: error: %s\n", name.c_str(), message.c_str());
    return exit_code;
  };
  try {
    CLI::App app{program.description, name};
    app.set_version_flag("--version", name + " " DSASRGS_VERSION_STRING);
    program.add_options(app);
    try {
      app.parse(argc, argv);
      return 0;
    } catch (const CLI::Success& e) {  // --help, --version
      return app.exit(e);
    }
  } catch (const CLI::ParseError& e) {
    return fail(kBadUsage, std::string(e.what()) + " (see " + name + " --help)");
  } catch (const UsageError& e) {
    return fail(kBadUsage, e.what());
  } catch (const BadInput& e) {
    return fail(kBadUsage, e.what());
  } catch (const InvalidArgument& e) {
    return fail(kBadUsage, e.what());
  } catch (const std::bad_alloc&) {
    return fail(kJobFailed, "out of memory");
  } catch (const std::exception& e) {
    return fail(kJobFailed, e.what());
  }
}

}  // namespace dsasrgs::program
