// SPDX-License-Identifier: Apache-2.0
#include "attenuation/attenuation.hpp"

#include <string>

#include "attenuation/attenuation_bodies.hpp"
#include "common/checks.hpp"
#include "common/has_cuda.hpp"

namespace dsasrgs {

void softplus_density_forward(Context& ctx, float scale, View<const float> raw, View<float> density) {
  require_size("softplus_density_forward", "density", raw.size(), density.size());
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::softplus_density_forward(ctx, scale, raw, density);
  cpu::softplus_density_forward(ctx, scale, raw, density);
}

void softplus_density_backward(Context& ctx, float scale, View<const float> raw, View<const float> grad_density,
                               View<float> grad_raw) {
  require_size("softplus_density_backward", "grad_density", raw.size(), grad_density.size());
  require_size("softplus_density_backward", "grad_raw", raw.size(), grad_raw.size());
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::softplus_density_backward(ctx, scale, raw, grad_density, grad_raw);
  cpu::softplus_density_backward(ctx, scale, raw, grad_density, grad_raw);
}

namespace {
/// N of coefficients [N,6].
std::size_t num_tables(const char* op, View<const float> coefficients) {
  return require_rows(op, "coefficients", kOffsetTableCoefficients, coefficients.size());
}
/// λ / N, 0 for N = 0.
float per_table(float lambda, std::size_t n) {
  return n == 0 ? 0.0f : static_cast<float>(static_cast<double>(lambda) / static_cast<double>(n));
}
}  // namespace

void offset_table_density_forward(Context& ctx, float scale, float time, View<const float> coefficients,
                                  View<float> density) {
  constexpr const char* kOp = "offset_table_density_forward";
  require_size(kOp, "density", num_tables(kOp, coefficients), density.size());
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda)
      return cuda::offset_table_density_forward(ctx, scale, time, coefficients, density);
  cpu::offset_table_density_forward(ctx, scale, time, coefficients, density);
}

void offset_table_density_backward(Context& ctx, float scale, float time, View<const float> coefficients,
                                   View<const float> grad_density, View<float> grad_coefficients) {
  constexpr const char* kOp = "offset_table_density_backward";
  require_size(kOp, "grad_density", num_tables(kOp, coefficients), grad_density.size());
  require_size(kOp, "grad_coefficients", coefficients.size(), grad_coefficients.size());
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda)
      return cuda::offset_table_density_backward(ctx, scale, time, coefficients, grad_density, grad_coefficients);
  cpu::offset_table_density_backward(ctx, scale, time, coefficients, grad_density, grad_coefficients);
}

void offset_table_smoothness_forward(Context& ctx, float lambda, View<const float> coefficients,
                                     OffsetTableSmoothness& saved) {
  const float factor = per_table(lambda, num_tables("offset_table_smoothness_forward", coefficients));
  saved.value.resize(ctx, 1);
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::offset_table_smoothness_forward(ctx, factor, coefficients, saved);
  cpu::offset_table_smoothness_forward(ctx, factor, coefficients, saved);
}

float offset_table_smoothness_value(Context& ctx, const OffsetTableSmoothness& saved) {
  require(saved.value.size() == 1, "offset_table_smoothness_value",
          "saved: expected the result of a forward pass, found none");
  return saved.value.to_host(ctx)[0];
}

void offset_table_smoothness_backward(Context& ctx, float lambda, View<const float> coefficients,
                                      View<float> grad_coefficients) {
  constexpr const char* kOp = "offset_table_smoothness_backward";
  const float factor = per_table(lambda, num_tables(kOp, coefficients));
  require_size(kOp, "grad_coefficients", coefficients.size(), grad_coefficients.size());
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda)
      return cuda::offset_table_smoothness_backward(ctx, factor, coefficients, grad_coefficients);
  cpu::offset_table_smoothness_backward(ctx, factor, coefficients, grad_coefficients);
}

void to_unit_box(Context& ctx, const VolumeGrid& box, View<const float> position_mm, View<float> unit) {
  require_size("to_unit_box", "unit", position_mm.size(), unit.size());
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::to_unit_box(ctx, box, position_mm, unit);
  cpu::to_unit_box(ctx, box, position_mm, unit);
}

}  // namespace dsasrgs
