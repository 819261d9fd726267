#include <cstdlib>
#include <dsasrgs/dsasrgs.hpp>
#include <iostream>

int main(int argc, char** argv) {  // embed CASE.h5 STEPS
  using namespace dsasrgs;
  if (argc != 3) return 2;
  Context ctx = Context::cpu();
  const Acquisition acquisition = read_acquisition(argv[1]);
  Config config = preset_config("4drgs");
  config.training.steps = std::atoi(argv[2]);
  Reconstructor reconstructor(ctx, acquisition, config);
  reconstructor.run();

  Renderer renderer(ctx, reconstructor.model());
  const Detector sharp = acquisition.detector.refined(2);
  const std::vector<float> image = renderer.render(acquisition.poses.front(), sharp);
  write_png("view.png", view_of(image), sharp.width_px, sharp.height_px, GreyWindow{1.5f, 0.0f});
  std::cout << reconstructor.model().cloud.size() << " Gaussians\n";
}
