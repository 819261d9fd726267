// Catch2 runner with --backend cpu|cuda. Exit code 77 (shown as Skipped by ctest): the backend is not here.
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#include <iostream>
#include <string>

#include "dsasrgs/error.hpp"
#include "support/context.hpp"

int main(int argc, char** argv) {
  Catch::Session session;
  std::string backend = "cpu";
  session.cli(session.cli() | Catch::clara::Opt(backend, "cpu|cuda")["--backend"]("backend the operators run on"));
  if (const int code = session.applyCommandLine(argc, argv); code != 0) return code;
  if (backend != "cpu" && backend != "cuda") {
    std::cerr << "--backend: expected cpu or cuda, found " << backend << '\n';
    return 2;
  }
  dsasrgs::test::select_backend(backend == "cpu" ? dsasrgs::Backend::cpu : dsasrgs::Backend::cuda);
  try {
    dsasrgs::test::make_context();
  } catch (const dsasrgs::BackendUnavailable& e) {
    std::cerr << "Skipped: " << e.what() << '\n';
    return 77;
  }
  return session.run();
}
