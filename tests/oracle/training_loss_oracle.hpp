// SPDX-License-Identifier: Apache-2.0
#pragma once
// All that a training step minimises, in double, from the raw parameters on: attenuation, projection, brute-force
// rasterisation, image loss, teaching reference, total variation, table smoothness. Only the formulas of one Gaussian
// (project_gaussian, offset_table_density) are the library's templates, which have double tests of their own.

#include <cmath>
#include <limits>
#include <vector>

#include "attenuation/attenuation_math.hpp"
#include "oracle/hash_grid_oracle.hpp"
#include "oracle/mlp_oracle.hpp"
#include "oracle/rasterize_oracle.hpp"
#include "oracle/ssim_oracle.hpp"
#include "oracle/teach_oracle.hpp"
#include "oracle/tv_oracle.hpp"
#include "oracle/voxelize_oracle.hpp"
#include "project/project_math.hpp"
#include "view_pipeline.hpp"

namespace dsasrgs::test {

/// Everything that is learnt, as numbers.
struct LearntNumbers {
  PerParameter<std::vector<double>> of;
  std::vector<double> confidence{0, 0};  ///< α, β
  std::vector<double> nuisance{1, 0};    ///< gain, offset of the view
};

struct TrainingLossOracle {
  Config config;
  ViewRequest view;  ///< on the detector it is rendered on
  VolumeGrid box, block;
  ScaleBounds bounds;
  double density_scale;
  double brightness = 1;         ///< TrainingUnits::line_integral
  std::vector<double> measured;  ///< [H,W]
  std::vector<std::uint8_t> valid;
  std::vector<float> label, upsampled, similarity, richness;  ///< [sH,sW], of the target `teach`

  std::vector<double> density(const LearntNumbers& x) const {
    const std::vector<double>&position = x.of[Parameter::position], &kept = x.of[Parameter::attenuation];
    const std::size_t n = position.size() / 3;
    std::vector<double> rho(n);
    if (config.field.kind == AttenuationKind::constant)
      for (std::size_t i = 0; i < n; ++i) rho[i] = density_scale * std::log1p(std::exp(kept[i]));
    if (config.field.kind == AttenuationKind::offset_table)
      for (std::size_t i = 0; i < n; ++i)
        rho[i] = offset_table_density(density_scale, table_segment(static_cast<double>(view.model_time)), &kept[6 * i]);
    if (config.field.kind != AttenuationKind::neural) return rho;
    std::vector<double> unit(3 * n);
    const double origin[3] = {box.origin_mm.x, box.origin_mm.y, box.origin_mm.z};
    const Vec3d size = box.extent_mm();
    const double extent[3] = {size.x, size.y, size.z};
    for (std::size_t i = 0; i < 3 * n; ++i) unit[i] = (position[i] - origin[i % 3]) / extent[i % 3];
    const auto encode = [&](int dimensions, const GridConfig& g, const std::vector<double>& table) {
      oracle::HashGrid grid{dimensions, g.levels, g.log2_entries, g.base_resolution, g.growth, table, {}, {}, {}};
      grid.features.assign(static_cast<std::size_t>(2 * g.levels) * n, 0.0);
      grid.run(unit, static_cast<double>(view.model_time), grid.features);
      return grid.features;
    };
    std::vector<double> features = encode(3, config.field.grid3d, x.of[Parameter::table3d]);
    const std::vector<double> in_time = encode(4, config.field.grid4d, x.of[Parameter::table4d]);
    features.insert(features.end(), in_time.begin(), in_time.end());
    const std::size_t inputs = features.size() / n;
    std::vector<std::size_t> sizes{inputs};
    sizes.insert(sizes.end(), static_cast<std::size_t>(config.field.hidden_layers),
                 static_cast<std::size_t>(config.field.width));
    sizes.push_back(1);
    const double sharpness = config.field.output == FieldOutput::softplus ? config.field.output_sharpness : 0;
    const oracle::Mlp network{sizes, x.of[Parameter::network], false, sharpness};
    for (std::size_t i = 0; i < n; ++i) {
      std::vector<double> input(inputs);
      for (std::size_t f = 0; f < inputs; ++f) input[f] = features[f * n + i];
      rho[i] = density_scale * network.value(input);
    }
    return rho;
  }

  std::vector<double> image(const LearntNumbers& x, const std::vector<double>& rho) const {
    const std::vector<double>&p = x.of[Parameter::position], &s = x.of[Parameter::raw_scale],
          &q = x.of[Parameter::rotation];
    const auto constants = projection_constants(view.pose, view.detector, bounds, view.pixel_footprint);
    constexpr int kAll = std::numeric_limits<int>::max();
    std::vector<RasterGaussian> gaussians;
    for (std::size_t i = 0; i < rho.size(); ++i) {
      const auto g = project_gaussian<double>(constants, {p[3 * i], p[3 * i + 1], p[3 * i + 2]},
                                              {s[3 * i], s[3 * i + 1], s[3 * i + 2]},
                                              {q[4 * i], q[4 * i + 1], q[4 * i + 2], q[4 * i + 3]}, rho[i]);
      RasterGaussian r{g.mean_u, g.mean_v, g.conic_xx, g.conic_xy, g.conic_yy, g.amplitude, {}};
      r.box = {0, 0, kAll, kAll};
      gaussians.push_back(r);
    }
    return rasterize_oracle(gaussians, view.detector.width_px, view.detector.height_px, 0).image;
  }

  double volume_terms(const LearntNumbers& x, const std::vector<double>& rho) const {
    const TrainingConfig& c = config.training;
    double sum = 0;
    if (c.tv_weight > 0) {
      std::vector<OracleGaussian> gaussians(rho.size());
      for (std::size_t i = 0; i < rho.size(); ++i) {
        for (std::size_t k = 0; k < 3; ++k) gaussians[i][k] = x.of[Parameter::position][3 * i + k];
        for (std::size_t k = 0; k < 3; ++k) gaussians[i][3 + k] = x.of[Parameter::raw_scale][3 * i + k];
        for (std::size_t k = 0; k < 4; ++k) gaussians[i][6 + k] = x.of[Parameter::rotation][4 * i + k];
        gaussians[i][10] = rho[i];
      }
      const auto volume =
          oracle_voxelize(gaussians, static_cast<double>(bounds.min_mm), static_cast<double>(bounds.max_mm), block);
      sum += c.tv_weight * box.largest_side_mm() / 2 / brightness *
             total_variation_oracle(volume.value, block.size_x, block.size_y, block.size_z);
    }
    if (c.table_variation_weight > 0)
      for (std::size_t i = 0; i < rho.size(); ++i)
        sum += c.table_variation_weight / static_cast<double>(rho.size()) *
               table_variation(&x.of[Parameter::attenuation][6 * i]);
    return sum;
  }

  double value(const LearntNumbers& x) const {
    const std::vector<double> rho = density(x);
    std::vector<double> fine = image(x, rho);
    for (double& v : fine) v = x.nuisance[0] * v + x.nuisance[1];
    const SuperResolutionConfig& sr = config.super_resolution;
    const int width = view.detector.width_px, height = view.detector.height_px, s = sr.scale;
    const double lambda = config.training.ssim_weight, range = config.training.ssim_range;
    std::vector<double> low(fine.size() / static_cast<std::size_t>(s * s), 0.0);
    for (int r = 0; r < height; ++r)
      for (int c = 0; c < width; ++c)
        low[static_cast<std::size_t>(r / s * (width / s) + c / s)] +=
            fine[static_cast<std::size_t>(r * width + c)] / (s * s);
    const double l_gt = image_loss_oracle(low, measured, valid, width / s, height / s, lambda, brightness, range).total;
    if (s == 1) return l_gt + volume_terms(x, rho);
    const std::vector<double> target = teach_oracle(label, upsampled, similarity, richness, x.confidence[0],
                                                    x.confidence[1], sr.similarity_centre, sr.texture_centre);
    const double l_sr = image_loss_oracle(fine, target, {}, width, height, lambda, brightness, range).total;
    return (1 - sr.weight) * l_gt + sr.weight * l_sr + volume_terms(x, rho);
  }
};

}  // namespace dsasrgs::test
