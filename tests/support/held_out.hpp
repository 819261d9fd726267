// SPDX-License-Identifier: Apache-2.0
#pragma once
// How well a model predicts the views it was not trained on.

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <span>
#include <vector>

#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/metrics.hpp"
#include "dsasrgs/renderer.hpp"

namespace dsasrgs::test {

/// Over the held-out views that show contrast: one without is rendered exactly, with an infinite PSNR.
inline double mean_test_psnr(Context& ctx, const Acquisition& acquisition, const Model& model) {
  Renderer renderer(ctx, model);
  const double range = fixed_range(acquisition.projections, {});
  double sum = 0;
  int count = 0;
  for (const int v : acquisition.test_views) {
    const std::span<const float> reference = acquisition.projection(v);
    if (*std::max_element(reference.begin(), reference.end()) <= 0) continue;
    const std::vector<float> image =
        renderer.render(acquisition.poses[static_cast<std::size_t>(v)], acquisition.detector).values;
    sum += score_fixed({image, reference, {}, acquisition.detector.width_px, acquisition.detector.height_px}, range)
               .psnr_db;
    ++count;
  }
  REQUIRE(count >= 8);
  REQUIRE(std::isfinite(sum));
  return sum / count;
}

}  // namespace dsasrgs::test
