// SPDX-License-Identifier: Apache-2.0
// Every allocation of every operator fails once, on one thread and on two: OutOfMemory with the amount comes out and
// nothing else, and the next call gives what a call that was never disturbed gives.
#include <catch2/catch.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "adam/adam.hpp"
#include "attenuation/attenuation.hpp"
#include "convolve/convolve.hpp"
#include "densify/densify.hpp"
#include "dsasrgs/baselines.hpp"
#include "dsasrgs/error.hpp"
#include "elementwise/elementwise.hpp"
#include "fdk/fdk.hpp"
#include "hash_grid/hash_grid.hpp"
#include "label_loss/label_loss.hpp"
#include "mlp/mlp.hpp"
#include "morton/morton.hpp"
#include "out_of_memory/failing_allocations.hpp"
#include "point_tree.hpp"
#include "rasterize/rasterize.hpp"
#include "raycast/raycast.hpp"
#include "resample/resample.hpp"
#include "residual/residual.hpp"
#include "ssim/ssim.hpp"
#include "support/random_values.hpp"
#include "teach/teach.hpp"
#include "tile/tile.hpp"
#include "tv/tv.hpp"
#include "voxelize/voxelize.hpp"

using namespace dsasrgs;

namespace {

/// `call` computes and keeps its results; `result` copies them. Returns how many allocations failed.
long fail_each_allocation(const std::string& name, const std::function<void()>& call,
                          const std::function<std::vector<float>()>& result) {
  return test::fail_allocations(name, test::Which::every, {call, [&] {
                                                             const std::vector<float> values = result();
                                                             return std::string(
                                                                 reinterpret_cast<const char*>(values.data()),
                                                                 values.size() * sizeof(float));
                                                           }});
}

struct Arrays {
  explicit Arrays(Context& context) : ctx(context) {}
  Context& ctx;
  Buffer<float> values(std::size_t n, float low = -1, float high = 1, std::uint32_t seed = 1) {
    return Buffer<float>::from_host(ctx, test::random_values(n, low, high, seed));
  }
  std::vector<float> host(const Buffer<float>& b) { return b.to_host(ctx); }
  template <class T>
  std::vector<float> numbers(const Buffer<T>& b) {
    const std::vector<T> host = b.to_host(ctx);
    std::vector<float> all;
    for (const T& v : host) all.push_back(static_cast<float>(v));
    return all;
  }
};

const VolumeGrid kGrid{12, 10, 14, {1, 1, 1}, {-6, -5, -7}};
const Detector kDetector{24, 20, 2, 2};

/// A cloud in the grid.
struct Cloud {
  Cloud(Arrays& a, std::size_t n)
      : position(a.values(3 * n, -5, 5, 1)),
        raw_scale(a.values(3 * n, -1, 1, 2)),
        rotation(a.values(4 * n, 0.1f, 1, 3)),
        density(a.values(n, 0.1f, 1, 4)) {}
  GaussianView view() const { return {position, raw_scale, rotation, {0.3f, 3.0f}}; }
  Buffer<float> position, raw_scale, rotation, density;
};

}  // namespace

TEST_CASE("out of memory: operators on images", "[out_of_memory]") {
  for (const int threads : {1, 2}) {
    Context ctx = Context::cpu(threads);
    Arrays a(ctx);
    const std::size_t pixels = kDetector.num_pixels();
    const Buffer<float> x = a.values(pixels, 0, 1, 1), y = a.values(pixels, 0, 1, 2), fine = a.values(4 * pixels);
    std::vector<std::uint8_t> mask(pixels, 1);
    mask[7] = 0;
    const auto valid = Buffer<std::uint8_t>::from_host(ctx, mask);
    const ImageLossShape shape{kDetector.width_px, kDetector.height_px};
    Buffer<float> out(ctx, pixels), high(ctx, 4 * pixels);
    CHECK(fail_each_allocation(
              "ssim",
              [&] {
                ImageLossSaved saved;
                const ImageLossInput input{x, y, valid, pixels - 1};
                image_loss_forward(ctx, shape, input, saved);
                image_loss_backward(ctx, shape, input, saved, 1, GradientMode::overwrite, out);
                ssim_map(ctx, shape, x, y, high.view().subview(0, pixels));
              },
              [&] { return a.host(out); }) >= 4);
    const ResampleShape fine_shape{kDetector.width_px, kDetector.height_px, 2};
    CHECK(fail_each_allocation(
              "resample",
              [&] {
                upsample_bicubic(ctx, fine_shape, x, high);
                pool_average(ctx, fine_shape, fine, out);
                pool_average_adjoint(ctx, fine_shape, out, GradientMode::accumulate, high);
              },
              [&] { return a.host(high); }) >= 4);
    Buffer<float> weights = a.values(2), grad_weights = Buffer<float>::zeros(ctx, 2);
    CHECK(fail_each_allocation(
              "teach",
              [&] {
                TeachScratch scratch;
                zero_bytes(ctx, grad_weights.data(), 2 * sizeof(float));
                texture_richness(ctx, {kDetector.width_px, kDetector.height_px}, x, out);
                teach_backward(ctx, {x, y, y, out, {}}, {}, weights, y, scratch, grad_weights);
              },
              [&] { return a.host(grad_weights); }) >= 3);
    const ConvolveShape layer{1, 1, 4, kDetector.width_px, kDetector.height_px, ConvolveActivation::relu};
    const Buffer<float> layer_weights = a.values(36), layer_bias = a.values(4);
    Buffer<float> grad_layer_weights = Buffer<float>::zeros(ctx, 36), grad_layer_bias = Buffer<float>::zeros(ctx, 4);
    CHECK(fail_each_allocation(
              "convolve",
              [&] {
                ConvolveScratch scratch;
                zero_bytes(ctx, grad_layer_weights.data(), 36 * sizeof(float));
                convolve_forward(ctx, {layer, layer_weights, layer_bias, x}, high);
                convolve_backward(ctx, {layer, layer_weights, layer_bias, x}, high, fine,
                                  {out, grad_layer_weights, grad_layer_bias}, scratch);
              },
              [&] {
                std::vector<float> all = a.host(grad_layer_weights);
                for (const Buffer<float>* image : {&out, &high})
                  for (const float v : a.host(*image)) all.push_back(v);
                return all;
              }) >= 7);
    double sum = 0;
    CHECK(fail_each_allocation(
              "elementwise", [&] { sum = sum_and_product(ctx, x, y).product; },
              [&] { return std::vector<float>{static_cast<float>(sum)}; }) >= 1);
    CHECK(fail_each_allocation(
              "label_loss",
              [&] {
                sum = label_loss(ctx, {1, pixels, false}, x, y, out).l1;
              },
              [&] { return std::vector<float>{static_cast<float>(sum)}; }) >= 1);
  }
}

TEST_CASE("out of memory: operators on Gaussians", "[out_of_memory]") {
  for (const int threads : {1, 2}) {
    Context ctx = Context::cpu(threads);
    Arrays a(ctx);
    constexpr std::size_t n = 300;
    const Cloud cloud(a, n);
    Buffer<float> mean(ctx, 2 * n), conic(ctx, 3 * n), amplitude(ctx, n), image(ctx, kDetector.num_pixels());
    Buffer<float> grad_mean(ctx, 2 * n), grad_conic(ctx, 3 * n), grad_amplitude(ctx, n);
    Buffer<PixelBox> box(ctx, n);
    CHECK(fail_each_allocation(
              "project, tile, rasterize",
              [&] {
                project_forward(ctx, {cloud.view(), cloud.density, carm_pose({}, 0), kDetector},
                                {mean, conic, amplitude, box});
                RasterizeScratch scratch;
                const RasterizeInput in{kDetector.width_px, kDetector.height_px, mean, conic, amplitude, box};
                rasterize_forward(ctx, in, scratch, image);
                rasterize_backward(ctx, in, image, GradientMode::overwrite, {grad_mean, grad_conic, grad_amplitude});
                TileLists lists;
                tile_bin(ctx, box, {kDetector.width_px, kDetector.height_px, 8, 8}, lists);
              },
              [&] { return a.host(grad_conic); }) >= 6);
    Buffer<float> sums(ctx, kPoseSums);
    CHECK(fail_each_allocation(
              "project_pose_backward",
              [&] {
                PoseScratch scratch;
                project_pose_backward(ctx, {cloud.view(), cloud.density, carm_pose({}, 0), kDetector},
                                      {grad_mean, grad_conic, grad_amplitude}, scratch, sums);
              },
              [&] { return a.host(sums); }) >= 1);
    Buffer<float> volume(ctx, kGrid.num_voxels()), gp(ctx, 3 * n), gs(ctx, 3 * n), gr(ctx, 4 * n), gd(ctx, n);
    CHECK(fail_each_allocation(
              "voxelize, tv",
              [&] {
                voxelize_forward(ctx, {cloud.view(), cloud.density, kGrid}, volume);
                voxelize_backward(ctx, {cloud.view(), cloud.density, kGrid}, volume, GradientMode::overwrite,
                                  {gp, gs, gr, gd});
                TotalVariationSaved saved;
                total_variation_forward(ctx, kGrid, volume, saved);
              },
              [&] { return a.host(gs); }) >= 11);
    DensityStatistics statistics = DensityStatistics::zeros(ctx, n);
    density_statistics_add(ctx, kDetector, a.values(2 * n, -9, 9), box, cloud.density, statistics);
    DensityControl control;
    control.box = kGrid;
    control.max_gaussians = n + 20;
    DensityPlan plan;
    CHECK(fail_each_allocation(
              "densify",
              [&] {
                plan = plan_density_control(ctx, control, cloud.view(), statistics);
                Buffer<float> raw = Buffer<float>::zeros(ctx, plan.size());
                halve_density(ctx, plan, raw);
                gather_statistics(ctx, plan, statistics);
              },
              [&] { return a.numbers(plan.source); }) >= 8);
    const Buffer<float> unit = a.values(3 * n, 0, 1);
    Buffer<std::uint32_t> order(ctx, n);
    CHECK(fail_each_allocation(
              "morton", [&] { morton_order(ctx, unit, order); }, [&] { return a.numbers(order); }) >= 2);
    const Buffer<float> coefficients = a.values(6 * n);
    float smoothness = 0;
    CHECK(fail_each_allocation(
              "attenuation",
              [&] {
                OffsetTableSmoothness saved;
                offset_table_smoothness_forward(ctx, 1, coefficients, saved);
                smoothness = offset_table_smoothness_value(ctx, saved);
              },
              [&] { return std::vector<float>{smoothness}; }) >= 3);
  }
}

TEST_CASE("out of memory: the field", "[out_of_memory]") {
  for (const int threads : {1, 2}) {
    Context ctx = Context::cpu(threads);
    Arrays a(ctx);
    constexpr std::size_t n = 300;
    const HashGridShape grid{3, 4, 8, 4, 1.5};
    const MlpShape shape{8, 16, 2};
    const Buffer<float> unit = a.values(3 * n, 0, 1), parameters = a.values(mlp_num_parameters(shape));
    const Buffer<float> table = a.values(hash_grid_num_parameters(grid));
    Buffer<float> features(ctx, 8 * n), output(ctx, n), grad_features(ctx, 8 * n), grad_position(ctx, 3 * n);
    CHECK(fail_each_allocation(
              "hash_grid, mlp, adam",
              [&] {
                hash_grid_forward(ctx, {grid, unit, 0, table}, features);
                mlp_forward(ctx, {shape, parameters, features}, output);
                MlpScratch mlp_scratch;
                HashGridScratch scratch;
                Buffer<float> grad_parameters = Buffer<float>::zeros(ctx, parameters.size());
                mlp_backward(ctx, {shape, parameters, features}, output, {grad_parameters, grad_features}, mlp_scratch);
                hash_grid_backward(ctx, {grid, unit, 0, table}, grad_features, {grad_position}, scratch);
                Buffer<float> m = Buffer<float>::zeros(ctx, table.size()), v = Buffer<float>::zeros(ctx, table.size());
                Buffer<float> p = Buffer<float>::zeros(ctx, table.size());
                adam_update(ctx, {}, {p, scratch.table, m, v});
              },
              [&] { return a.host(grad_position); }) >= 15);
  }
}

TEST_CASE("out of memory: operators on volumes, points and baselines", "[out_of_memory]") {
  for (const int threads : {1, 2}) {
    Context ctx = Context::cpu(threads);
    Arrays a(ctx);
    CircularSweep sweep;
    sweep.num_views = 9;
    Acquisition acquisition;
    acquisition.poses = circular_poses(sweep);
    acquisition.detector = kDetector;
    acquisition.projections = test::random_values(9 * kDetector.num_pixels(), 0.0f, 1.0f, 5);
    acquisition.train_views = {0, 2, 4, 6, 8};
    const std::vector<int> views{0, 1, 2, 3, 4, 5, 6, 7, 8};
    std::vector<float> volume, images, between;
    CHECK(fail_each_allocation(
              "fdk, raycast",
              [&] {
                volume = fdk_volume(ctx, acquisition, views, kGrid);
                images = reproject_volume(ctx, volume, kGrid, acquisition.poses, kDetector);
                between = interpolate_views(acquisition, 3);
              },
              [&] { return images; }) >= 30);
    ResidualScores scores = ResidualScores::zeros(ctx, kGrid);
    const Buffer<float> measured = a.values(kDetector.num_pixels(), 0, 1),
                        rendered = Buffer<float>::zeros(ctx, measured.size());
    residual_score_add(ctx, {kGrid, acquisition.poses[0], kDetector, measured, rendered, {}}, scores);
    ResidualBirths births;
    CHECK(fail_each_allocation(
              "residual", [&] { births = pick_births(ctx, kGrid, scores, 1, 50); },
              [&] { return a.host(births.position_mm); }) >= 3);
    const std::vector<float> points = test::random_values(3 * 2000, -1.0f, 1.0f, 6);
    std::vector<float> distances;
    CHECK(fail_each_allocation(
              "nearest neighbours", [&] { distances = neighbour_distances_mm2(ctx, points); },
              [&] { return distances; }) >= 8);
  }
}
