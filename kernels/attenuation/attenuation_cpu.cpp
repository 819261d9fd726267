// SPDX-License-Identifier: Apache-2.0
#include <numeric>

#include "attenuation/attenuation_bodies.hpp"
#include "attenuation/attenuation_math.hpp"
#include "common/host_vector.hpp"
#include "common/parallel.hpp"

namespace dsasrgs::cpu {

namespace {
constexpr std::size_t kBlock = 16384;
}  // namespace

void softplus_density_forward(Context& ctx, float scale, View<const float> raw, View<float> density) {
  parallel_blocks(ctx, raw.size(), kBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) density[i] = softplus_density(scale, raw[i]);
  });
}

void softplus_density_backward(Context& ctx, float scale, View<const float> raw, View<const float> grad_density,
                               View<float> grad_raw) {
  parallel_blocks(ctx, raw.size(), kBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) grad_raw[i] = softplus_density_vjp(scale, raw[i], grad_density[i]);
  });
}

void offset_table_density_forward(Context& ctx, float scale, float time, View<const float> coefficients,
                                  View<float> density) {
  const TableSegment<float> at = table_segment(time);
  parallel_blocks(ctx, density.size(), kBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i)
      density[i] = offset_table_density(scale, at, coefficients.data() + i * kOffsetTableCoefficients);
  });
}

void offset_table_density_backward(Context& ctx, float scale, float time, View<const float> coefficients,
                                   View<const float> grad_density, View<float> grad_coefficients) {
  const TableSegment<float> at = table_segment(time);
  parallel_blocks(ctx, grad_density.size(), kBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t first = i * kOffsetTableCoefficients;
      offset_table_density_vjp(scale, at, coefficients.data() + first, grad_density[i],
                               grad_coefficients.data() + first);
    }
  });
}

void offset_table_smoothness_forward(Context& ctx, float factor, View<const float> coefficients,
                                     OffsetTableSmoothness& saved) {
  const std::size_t n = coefficients.size() / kOffsetTableCoefficients;
  HostVector<double> partial((n + kBlock - 1) / kBlock);
  parallel_blocks(ctx, n, kBlock, [&](std::size_t begin, std::size_t end) {
    double sum = 0;
    for (std::size_t i = begin; i < end; ++i)
      sum += static_cast<double>(table_variation(coefficients.data() + i * kOffsetTableCoefficients));
    partial[begin / kBlock] = sum;
  });
  saved.value.data()[0] = factor * static_cast<float>(std::accumulate(partial.begin(), partial.end(), 0.0));
}

void offset_table_smoothness_backward(Context& ctx, float factor, View<const float> coefficients,
                                      View<float> grad_coefficients) {
  const std::size_t n = coefficients.size() / kOffsetTableCoefficients;
  parallel_blocks(ctx, n, kBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t first = i * kOffsetTableCoefficients;
      table_variation_vjp(coefficients.data() + first, factor, grad_coefficients.data() + first);
    }
  });
}

void to_unit_box(Context& ctx, const VolumeGrid& grid, View<const float> position_mm, View<float> unit) {
  const UnitBox box(grid);
  parallel_blocks(ctx, position_mm.size() / 3, kBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = 3 * begin; i < 3 * end; i += 3)
      for (std::size_t d = 0; d < 3; ++d) unit[i + d] = to_unit(box, d, position_mm[i + d]);
  });
}

}  // namespace dsasrgs::cpu
