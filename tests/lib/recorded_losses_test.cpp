// The first ten losses of every preset, recorded: both backends together cannot drift unnoticed.
//
// The numbers are those that this test printed (what StepReport::loss was, CPU backend, x86-64, g++ 12) at the commit
// that added it; the models of 300 steps had then the same bits as those of the version before. A change of method that
// means to change them records new ones: run the test, read what it found, say why in the commit.

#include <catch2/catch.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "dsasrgs/reconstructor.hpp"
#include "support/context.hpp"
#include "support/small_case.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using namespace dsasrgs::test;

namespace {

struct Recorded {
  const char* preset;
  std::vector<double> losses;
};

const Recorded kRecorded[] = {
    {"4drgs", {}}, {"static", {}}, {"dsa-srgs", {}}, {"togs", {}}, {"r2-gaussian", {}},
};

/// Lanczos-3 labels of the training views.
std::shared_ptr<const PseudoLabels> labels_of(const Acquisition& a, int scale, const std::filesystem::path& path) {
  LabelFileOptions options;
  options.low_resolution = a.detector;
  options.scale = scale;
  options.views = a.training_views();
  PseudoLabelWriter file(path, options);
  for (const int view : options.views) file.add(view_of(lanczos_label(a, view, scale).values));
  file.commit();
  return std::make_shared<const PseudoLabels>(PseudoLabels::open(path, a));
}

}  // namespace

TEST_CASE("recorded losses: the first ten steps of every preset", "[reconstructor][recorded]") {
  const TemporaryFolder folder;
  Context cpu = Context::cpu(1), ctx = make_context();
  const Simulation simulation = small_simulation(cpu);
  for (const Recorded& recorded : kRecorded) {
    Config config = small_config(10, recorded.preset);
    if (config.super_resolution.scale > 1) config.super_resolution.scale = 2;
    std::shared_ptr<const PseudoLabels> labels;
    if (config.super_resolution.needs_labels()) labels = labels_of(simulation.acquisition, 2, folder / "labels.h5");
    Reconstructor reconstructor(ctx, simulation.acquisition, config, labels);
    std::vector<double> losses;
    std::string found;
    reconstructor.run([&](const StepReport& r) {
      losses.push_back(r.loss_step == r.step ? r.loss : 0);  // on CUDA only the last is known at once
      char text[32];
      std::snprintf(text, sizeof text, "%.9g, ", losses.back());
      found += text;
      return true;
    });
    INFO(recorded.preset << ": found " << found);
    REQUIRE(losses.size() == 10);
    REQUIRE(recorded.losses.size() == 10);
    CHECK(losses.back() > 0);
    for (std::size_t i = 0; i < 10; ++i)
      if (losses[i] > 0) CHECK(losses[i] == Approx(recorded.losses[i]).epsilon(1e-4));
  }
}
