// SPDX-License-Identifier: Apache-2.0
// The numbers of tests/oracle/network_reference.py, which PyTorch computed; tests/oracle/torch.sh makes them and names
// the file.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/network_problem.hpp"

using namespace dsasrgs;

namespace {

std::vector<double> numbers(std::istream& file, std::size_t n) {
  std::vector<double> v(n);
  for (double& x : v) file >> x;
  REQUIRE_FALSE(file.fail());
  return v;
}

}  // namespace

TEST_CASE("residual network: output and gradients are PyTorch's", "[network][torch]") {
  const char* name = std::getenv("DSASRGS_TORCH_NETWORK");
  REQUIRE(name != nullptr);
  std::ifstream file(name);
  int networks = 0;
  for (NetworkShape shape; file >> shape.scale; ++networks) {
    NetworkBatch batch;
    file >> shape.channels >> shape.blocks >> shape.with_error >> batch.images >> batch.height_px >> batch.width_px;
    REQUIRE_FALSE(file.fail());
    test::NetworkProblem problem(shape, batch);
    for (std::vector<float>* array : {&problem.parameters, &problem.image, &problem.grad_output}) {
      const std::vector<double> read = numbers(file, array->size());
      array->assign(read.begin(), read.end());
    }
    Context ctx = test::make_context();
    CHECK(test::relative_l2(problem.forward(ctx), numbers(file, problem.grad_output.size())) < 1e-6);
    CHECK(test::relative_l2(problem.gradient(ctx), numbers(file, problem.parameters.size())) < 5e-6);
  }
  CHECK(networks == 3);
}
