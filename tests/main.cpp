// SPDX-License-Identifier: Apache-2.0
// Catch2 runner with --backend cpu|cuda. Exit code 77 (shown as Skipped by ctest): the backend is not here, or there is
// nothing left of what was asked for because what it needs is not here.
#define CATCH_CONFIG_RUNNER
#include <hdf5.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

#include "dsasrgs/error.hpp"
#include "dsasrgs/file_reading.hpp"
#include "support/context.hpp"
#include "support/reading_child.hpp"

namespace {

std::size_t num_asked_for(Catch::Session& session) {
  const Catch::Config& config = session.config();
  return Catch::filterTests(Catch::getAllTestCasesSorted(config), config.testSpec(), config).size();
}

/// Leaves cases with `tag` out of what was asked for: they do not count as passed. Says how many and why.
void leave_out(Catch::Session& session, const std::string& tag, const std::string& why) {
  const std::size_t before = num_asked_for(session);
  Catch::ConfigData data = session.configData();
  for (std::string& cases : data.testsOrTags) {
    std::string narrowed;
    bool quoted = false;
    for (const char c : cases) {
      if (c == '"') quoted = !quoted;
      if (c == ',' && !quoted) narrowed += "~" + tag;  // each of the alternatives
      narrowed += c;
    }
    cases = narrowed;
  }
  data.testsOrTags.push_back("~" + tag);
  session.useConfigData(data);
  if (const std::size_t left_out = before - num_asked_for(session); left_out > 0)
    std::cerr << "Not run: " << left_out << ' ' << tag << ", " << why << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string(argv[1]) == dsasrgs::test::kReadForAnother) return dsasrgs::serve_file_reading();
  H5dont_atexit();  // some cases read damaged files in this process, after which HDF5 cannot end
  Catch::Session session;
  std::string backend = "cpu";
  session.cli(session.cli() | Catch::clara::Opt(backend, "cpu|cuda")["--backend"]("backend the operators run on"));
  if (const int code = session.applyCommandLine(argc, argv); code != 0) return code;
  if (backend != "cpu" && backend != "cuda") {
    std::cerr << "--backend: expected cpu or cuda, found " << backend << '\n';
    return 2;
  }
  dsasrgs::test::select_backend(backend == "cpu" ? dsasrgs::Backend::cpu : dsasrgs::Backend::cuda);
  bool emulated = false;
  try {
    emulated = dsasrgs::test::is_emulated(dsasrgs::test::make_context());
  } catch (const dsasrgs::BackendUnavailable& e) {
    std::cerr << "Skipped: " << e.what() << '\n';
    return 77;
  }
  if (session.configData().testsOrTags.empty()) session.configData().testsOrTags.push_back("~[.]");
  const bool any = num_asked_for(session) > 0;
  if (backend == "cpu") leave_out(session, "[parity]", "which compare CUDA with the CPU: --backend cuda");
  if (emulated) leave_out(session, "[long]", "too long for the emulated device");
  if (!std::filesystem::exists(DSASRGS_SHARED_DATA)) leave_out(session, "[real]", "there is no " DSASRGS_SHARED_DATA);
  if (std::getenv("DSASRGS_TORCH_REFERENCE") == nullptr)
    leave_out(session, "[torch]", "which compare with PyTorch: tests/oracle/torch.sh");
  if (std::getenv("DSASRGS_NIFTI_FILES") == nullptr)
    leave_out(session, "[nibabel]", "which read files of nibabel's: tests/formats/run.sh");
  return any && num_asked_for(session) == 0 ? 77 : session.run();
}
