// The first ten losses of every preset, recorded: both backends together cannot drift unnoticed.
//
// The numbers are those that this test printed (what StepReport::loss was, CPU backend, x86-64, g++ 12) when losses
// became relative to the data's brightness. A change of method that means to change them records new ones: run the
// test, read what it found, say why in the commit.

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
     {0.0738905389, 0.105558772, 0.0895547176, 0.0536896142, 0.0847027439, 0.112322058, 0.104117621, 0.0572110437,
      0.089433613, 0.108598032}},
    {"static",
     {0.0568967486, 0.0902247047, 0.0842498854, 0.0447070313, 0.0651239334, 0.102440587, 0.0961910742, 0.0446360372,
      0.0727463685, 0.100533264}},
    {"dsa-srgs",
     {0.0745307572, 0.104243535, 0.0866706895, 0.0539315196, 0.0849464784, 0.109214402, 0.101252092, 0.0581438329,
      0.088933405, 0.105573552}},
    {"togs",
     {0.0370656254, 0.0635785566, 0.0543098474, 0.0328503442, 0.0398077547, 0.0631184076, 0.0599995912, 0.0310628634,
      0.0432368954, 0.0611848105}},
    {"r2-gaussian",
     {0.0572017435, 0.0905094684, 0.0845255037, 0.045023075, 0.0654287843, 0.102729679, 0.096474697, 0.0449224994,
      0.0730116869, 0.100807567}},
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
