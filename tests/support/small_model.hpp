// SPDX-License-Identifier: Apache-2.0
#pragma once
// A model of two Gaussians whose numbers are known.

#include <cmath>
#include <vector>

#include "dsasrgs/config.hpp"
#include "dsasrgs/model.hpp"

namespace dsasrgs::test {

/// Static; standard deviations of 1, 2, 4 mm and of 4.5 mm each, attenuations of 0.02·ln 2 and 0.02·ln(1 + e) 1/mm.
inline Model two_gaussians(Context& ctx) {
  const Config config = preset_config("static");
  const VolumeGrid grid{10, 12, 14, {2, 2, 2}, {-10, -12, -14}};
  const auto raw = [](double mm) {
    const double f = (mm - 0.5) / 8;
    return static_cast<float>(std::log(f / (1 - f)));
  };
  GaussianCloud cloud;
  cloud.position_mm = Buffer<float>::from_host(ctx, std::vector<float>{-3, 0, 1, 4, -5, 9});
  cloud.raw_scale =
      Buffer<float>::from_host(ctx, std::vector<float>{raw(1), raw(2), raw(4), raw(4.5), raw(4.5), raw(4.5)});
  cloud.rotation = Buffer<float>::from_host(ctx, std::vector<float>{1, 0, 0, 0, 3, 0, 0, 4});
  cloud.attenuation = Buffer<float>::from_host(ctx, std::vector<float>{0, 1});
  cloud.bounds = {0.5f, 8.5f};
  AttenuationField field(ctx, config.field, grid, config.training.seed);
  field.set_density_scale_per_mm(0.02f);
  return {std::move(cloud), std::move(field), grid, {0, 1}, {32, 24, 2, 2}, true, {}, to_toml(config)};
}

}  // namespace dsasrgs::test
