// The first ten losses of every preset, recorded: both backends together cannot drift unnoticed.
//
// The numbers are those that this test printed (what StepReport::loss was, CPU backend, x86-64, g++ 12) at the commit
// that added it; the models of 300 steps had then the same bits as those of the version before. A change of method that
// means to change them records new ones: run the test, read what it found, say why in the commit.

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "dsasrgs/reconstructor.hpp"
#include "support/context.hpp"
#include "support/labels.hpp"
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
    {"4drgs",
     {0.0431718654, 0.0661790445, 0.0611374368, 0.0326096673, 0.048716013, 0.0731346671, 0.0694309422, 0.033579562,
      0.0509251878, 0.068554335}},
    {"static",
     {0.0314063918, 0.0544286507, 0.057229875, 0.0265864147, 0.0349495125, 0.0646305757, 0.0625713713, 0.0250604604,
      0.0392774551, 0.0615196679}},
    {"dsa-srgs",
     {0.0436231653, 0.0650888742, 0.0590928492, 0.0324481837, 0.0491954653, 0.0712959089, 0.0676546738, 0.0339809534,
      0.051192955, 0.0671180518}},
    {"togs",
     {0.0193767043, 0.0351290653, 0.0338581774, 0.0178118047, 0.0205464612, 0.0373792002, 0.0363522432, 0.0162572606,
      0.0225133694, 0.0353699325}},
    {"r2-gaussian",
     {0.0315364103, 0.0545533495, 0.0573459236, 0.026723615, 0.0350772486, 0.0647514958, 0.0626903641, 0.0251840339,
      0.0393865237, 0.061632828}},
};

}  // namespace

TEST_CASE("recorded losses: the first ten steps of every preset", "[reconstructor][recorded]") {
  const TemporaryFolder folder;
  Context cpu = Context::cpu(1), ctx = make_context();
  const Simulation simulation = small_simulation(cpu);
  for (const Recorded& recorded : kRecorded) {
    Config config = small_config(10, recorded.preset);
    if (config.super_resolution.scale > 1) config.super_resolution.scale = 2;
    std::shared_ptr<const PseudoLabels> labels;
    if (config.super_resolution.needs_labels())
      labels = std::make_shared<const PseudoLabels>(lanczos_labels(simulation.acquisition, 2, folder / "labels.h5"));
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
