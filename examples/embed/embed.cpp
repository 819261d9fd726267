// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <dsasrgs/dsasrgs.hpp>
#include <iostream>

int main(int argc, char** argv) try {  // embed CASE.h5 STEPS
  using namespace dsasrgs;
  if (argc != 3) return 2;
  Context ctx = Context::cpu();
  const Acquisition acquisition = read_acquisition(argv[1]);
  Config config = preset_config("4drgs");
  config.training.steps = std::atoi(argv[2]);
  Reconstructor reconstructor(ctx, acquisition, config);
  reconstructor.run();
  write_model(ctx, "model.h5", reconstructor.model());

  Renderer renderer(ctx, reconstructor.model());
  const Image image = renderer.render(acquisition.poses.front(), acquisition.detector.refined(2));
  write_png("view.png", image, GreyWindow{1.5f, 0.0f});
  std::cout << reconstructor.model().cloud.size() << " Gaussians\n";
} catch (const dsasrgs::Error& e) {  // one line that says what was expected, what was found, and where
  std::cerr << e.what() << "\n";
  return 1;
}
