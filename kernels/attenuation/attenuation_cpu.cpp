#include <numeric>
#include <vector>

#include "attenuation/attenuation_bodies.hpp"
#include "attenuation/attenuation_math.hpp"
#include "common/gaussian_math.hpp"
#include "common/parallel.hpp"

namespace dsasrgs::cpu {

namespace {
constexpr std::size_t kBlock = 16384;

/// The box as single-precision origin and reciprocal extent.
struct UnitBox {
  Vec3f origin, inverse_extent;
  explicit UnitBox(const VolumeGrid& box) : origin(box.origin_mm.as<float>()) {
    const Vec3d e = box.extent_mm();
    inverse_extent = Vec3d{1 / e.x, 1 / e.y, 1 / e.z}.as<float>();
  }
};
}  // namespace

void softplus_density_forward(Context& ctx, float scale, View<const float> raw, View<float> density) {
  parallel_blocks(ctx, raw.size(), kBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) density[i] = scale * softplus(raw[i]);
  });
}

void softplus_density_backward(Context& ctx, float scale, View<const float> raw, View<const float> grad_density,
                               View<float> grad_raw) {
  parallel_blocks(ctx, raw.size(), kBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) grad_raw[i] = grad_density[i] * scale * sigmoid(raw[i]);
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
  std::vector<double> partial((n + kBlock - 1) / kBlock);
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
    for (std::size_t i = begin; i < end; ++i) {
      unit[3 * i] = (position_mm[3 * i] - box.origin.x) * box.inverse_extent.x;
      unit[3 * i + 1] = (position_mm[3 * i + 1] - box.origin.y) * box.inverse_extent.y;
      unit[3 * i + 2] = (position_mm[3 * i + 2] - box.origin.z) * box.inverse_extent.z;
    }
  });
}

void to_unit_box_backward(Context& ctx, const VolumeGrid& grid, View<const float> grad_unit,
                          View<float> grad_position_mm) {
  const UnitBox box(grid);
  parallel_blocks(ctx, grad_unit.size() / 3, kBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      grad_position_mm[3 * i] += grad_unit[3 * i] * box.inverse_extent.x;
      grad_position_mm[3 * i + 1] += grad_unit[3 * i + 1] * box.inverse_extent.y;
      grad_position_mm[3 * i + 2] += grad_unit[3 * i + 2] * box.inverse_extent.z;
    }
  });
}

void affine_values(Context& ctx, float gain, float offset, View<const float> in, View<float> out) {
  parallel_blocks(ctx, in.size(), kBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) out[i] = gain * in[i] + offset;
  });
}

void add_scaled(Context& ctx, float factor, View<const float> in, View<float> out) {
  parallel_blocks(ctx, in.size(), kBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) out[i] += factor * in[i];
  });
}

Sums sum_and_product(Context& ctx, View<const float> a, View<const float> b) {
  std::vector<Sums> partial((a.size() + kBlock - 1) / kBlock);
  parallel_blocks(ctx, a.size(), kBlock, [&](std::size_t begin, std::size_t end) {
    Sums s;
    for (std::size_t i = begin; i < end; ++i) {
      s.sum += a[i];
      s.product += static_cast<double>(a[i]) * b[i];
    }
    partial[begin / kBlock] = s;
  });
  Sums total;
  for (const Sums& s : partial) {
    total.sum += s.sum;
    total.product += s.product;
  }
  return total;
}

}  // namespace dsasrgs::cpu
