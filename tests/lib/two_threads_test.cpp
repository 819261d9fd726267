// SPDX-License-Identifier: Apache-2.0
// Two runs in two threads of one process, each with its own context and files.
#include <catch2/catch.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "dsasrgs/io.hpp"
#include "dsasrgs/model.hpp"
#include "dsasrgs/reconstructor.hpp"
#include "support/context.hpp"
#include "support/labels.hpp"
#include "support/small_case.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using namespace dsasrgs::test;

namespace {

/// A run that reads and writes HDF5 all the time: the case, labels at every step, checkpoints at every other, a resume,
/// the model. Gives the bytes of the last checkpoint and of the model.
std::string run(const std::filesystem::path& case_file, const std::filesystem::path& folder, int seed) {
  std::filesystem::create_directory(folder);
  Context ctx = make_context(1);
  const Acquisition a = read_acquisition(case_file);
  Config config = small_config(10, "dsa-srgs");
  config.training.seed = seed;
  config.gaussians.initial = 100;
  config.super_resolution.scale = 2;
  config.super_resolution.first_step = 3;
  config.super_resolution.keep_labels = false;
  config.density_control.first_step = config.density_control.every = 4;
  config.density_control.last_step = 8;
  const auto labels = std::make_shared<const PseudoLabels>(lanczos_labels(a, 2, folder / "labels.h5"));
  const auto checkpoint = folder / "checkpoint.h5", model = folder / "model.h5";
  const auto keep = [&](Reconstructor& r, int until) {
    r.run([&](const StepReport& report) {
      if (report.step % 2 == 0) r.save_checkpoint(checkpoint);
      return report.step < until;
    });
  };
  {
    Reconstructor first(ctx, a, config, labels);
    keep(first, 6);
  }
  Reconstructor second(ctx, a, checkpoint, labels);
  keep(second, 10);
  write_model(ctx, model, second.model());
  return read_bytes(checkpoint) + read_bytes(model);
}

}  // namespace

TEST_CASE("two threads: each run gives what it gives alone", "[threads]") {
  const TemporaryFolder folder;
  Context cpu = Context::cpu(1);
  write_acquisition(folder / "case.h5", small_simulation(cpu).acquisition);
  const std::string alone[2] = {run(folder / "case.h5", folder / "alone1", 1),
                                run(folder / "case.h5", folder / "alone2", 2)};
  REQUIRE((alone[0] != alone[1]));
  for (int round = 0; round < (kThreadSanitized ? 1 : 3); ++round) {
    std::string together[2];
    const std::filesystem::path at = folder / ("round" + std::to_string(round));
    std::filesystem::create_directory(at);
    std::thread other([&] { together[1] = run(folder / "case.h5", at / "2", 2); });
    together[0] = run(folder / "case.h5", at / "1", 1);
    other.join();
    CHECK((together[0] == alone[0]));
    CHECK((together[1] == alone[1]));
  }
}
