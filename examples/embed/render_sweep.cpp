// SPDX-License-Identifier: Apache-2.0
// Renders a sweep into this program's own memory: on a GPU into its device memory and on its stream, without a copy to
// the host.
#include <dsasrgs/dsasrgs.hpp>
#include <iostream>
#ifdef WITH_CUDA
#include <cuda_runtime.h>
#endif

using namespace dsasrgs;

/// images [V,H,W] ← one render for each pose. On CUDA this returns before the work is done.
void render_sweep(Context& ctx, const Model& model, const std::vector<Pose>& poses, View<float> images) {
  Renderer renderer(ctx, model);
  const std::size_t pixels = model.detector.num_pixels();
  for (std::size_t v = 0; v < poses.size(); ++v)
    renderer.render_into(poses[v], model.detector, images.subview(v * pixels, pixels));
}

int main(int argc, char** argv) try {  // render_sweep MODEL.h5
  if (argc != 2) return 2;
  CircularSweep sweep;
  sweep.num_views = 12;
  const std::vector<Pose> poses = circular_poses(sweep);
  std::vector<float> host;
#ifdef WITH_CUDA
  cudaStream_t stream = nullptr;
  if (cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) != cudaSuccess) return 77;
  {
    Context ctx = Context::cuda({.device = 0, .stream = stream});
    const Model model = read_model(ctx, argv[1]);
    host.resize(poses.size() * model.detector.num_pixels());
    const std::size_t bytes = host.size() * sizeof(float);
    void* images = nullptr;
    if (cudaMalloc(&images, bytes) != cudaSuccess) return 1;
    render_sweep(ctx, model, poses, {static_cast<float*>(images), host.size()});
    // What follows on the stream sees the images; a viewer would show them, here they are only fetched.
    cudaMemcpyAsync(host.data(), images, bytes, cudaMemcpyDeviceToHost, stream);
    if (cudaStreamSynchronize(stream) != cudaSuccess) return 1;
    cudaFree(images);
  }
  cudaStreamDestroy(stream);
#else
  Context ctx = Context::cpu();
  const Model model = read_model(ctx, argv[1]);
  host.resize(poses.size() * model.detector.num_pixels());
  render_sweep(ctx, model, poses, {host.data(), host.size()});  // on the CPU, host memory is the context's memory
#endif
  double sum = 0;
  for (const float value : host) sum += value;
  std::cout << host.size() << " pixels, mean " << sum / static_cast<double>(host.size()) << '\n';
} catch (const Error& e) {
  std::cerr << e.what() << "\n";
  return 1;
}
