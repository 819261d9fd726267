// dsasrgs: 4D vessel models from rotational DSA, on the command line.
// Exit codes: 0 done · 1 the job failed · 2 bad usage or bad input.

#include <algorithm>
#include <cstdio>
#include <exception>
#include <new>
#include <string>

#include "dsasrgs/error.hpp"
#include "dsasrgs/version.hpp"
#include "subcommands.hpp"
#include "cli/usage_error.hpp"

namespace {

constexpr int kJobFailed = 1, kBadUsage = 2;

/// One line on stderr, whatever the message holds.
int fail(int exit_code, std::string message) {
  while (!message.empty() && message.back() == '\n') message.pop_back();
  std::replace(message.begin(), message.end(), '\n', ' ');
  std::fprintf(stderr, "dsasrgs: error: %s\n", message.c_str());
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace dsasrgs;
  CLI::App app{"4D vessel models from one rotational DSA acquisition (research software, not a medical device)",
               "dsasrgs"};
  app.set_version_flag("--version", "dsasrgs " DSASRGS_VERSION_STRING);
  app.require_subcommand(1);
  program::add_simulate(app);
  program::add_reconstruct(app);
  program::add_render(app);
  program::add_voxelize(app);
  program::add_evaluate(app);
  program::add_labels(app);
  program::add_study(app);
  program::add_inspect(app);
  try {
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::Success& e) {  // --help, --version
    return app.exit(e);
  } catch (const CLI::ParseError& e) {
    return fail(kBadUsage, std::string(e.what()) + " (see dsasrgs --help)");
  } catch (const program::UsageError& e) {
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
