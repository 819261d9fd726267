// SPDX-License-Identifier: Apache-2.0
// The numbers of tests/oracle/convolve_reference.py, which PyTorch computed; tests/oracle/torch.sh makes them and names
// the file.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "support/context.hpp"
#include "support/convolve_problem.hpp"
#include "support/gradient.hpp"

using namespace dsasrgs;
using test::ConvolveProblem;

namespace {

std::vector<double> numbers(std::istream& file, std::size_t n) {
  std::vector<double> v(n);
  for (double& x : v) file >> x;
  REQUIRE_FALSE(file.fail());
  return v;
}
std::vector<float> floats(std::istream& file, std::size_t n) {
  const auto v = numbers(file, n);
  return {v.begin(), v.end()};
}

void compare_layer(std::istream& file) {
  ConvolveShape shape;
  int relu = 0;
  file >> shape.images >> shape.inputs >> shape.outputs >> shape.height_px >> shape.width_px >> relu;
  REQUIRE_FALSE(file.fail());
  if (relu != 0) shape.activation = ConvolveActivation::relu;
  ConvolveProblem problem(shape);
  INFO(problem.described());
  for (std::vector<float>* array : {&problem.weights, &problem.bias, &problem.image, &problem.grad_output})
    *array = floats(file, array->size());
  Context ctx = test::make_context();
  CHECK(test::relative_l2(problem.forward(ctx), numbers(file, problem.grad_output.size())) < 5e-7);
  const auto found = problem.backward(ctx);
  CHECK(test::relative_l2(found.image, numbers(file, problem.image.size())) < 5e-7);
  CHECK(test::relative_l2(found.weights, numbers(file, problem.weights.size())) < 2e-6);
  CHECK(test::relative_l2(found.bias, numbers(file, problem.bias.size())) < 2e-6);
}

void compare_shuffle(std::istream& file) {
  PixelShuffleShape s;
  file >> s.images >> s.channels >> s.low_height_px >> s.low_width_px >> s.scale;
  REQUIRE_FALSE(file.fail());
  const auto n = static_cast<std::size_t>(s.images * s.channels * s.scale * s.scale * s.low_width_px * s.low_height_px);
  Context ctx = test::make_context();
  const auto low = Buffer<float>::from_host(ctx, floats(file, n));
  Buffer<float> found(ctx, n);
  pixel_shuffle(ctx, s, low, found);
  CHECK(found.to_host(ctx) == floats(file, n));
  const auto grad_high = Buffer<float>::from_host(ctx, floats(file, n));
  pixel_shuffle_adjoint(ctx, s, grad_high, GradientMode::overwrite, found);
  CHECK(found.to_host(ctx) == floats(file, n));
}

}  // namespace

TEST_CASE("convolve: layers and pixel shuffles are PyTorch's, and so are their gradients", "[convolve][torch]") {
  std::ifstream file(std::getenv("DSASRGS_TORCH_REFERENCE"));
  REQUIRE_FALSE(file.fail());
  int layers = 0, shuffles = 0;
  for (std::string name; file >> name;) {
    if (name == "convolve") {
      compare_layer(file);
      ++layers;
    } else {
      REQUIRE(name == "pixel_shuffle");
      compare_shuffle(file);
      ++shuffles;
    }
  }
  CHECK(layers == 4);
  CHECK(shuffles == 3);
}
