// SPDX-License-Identifier: Apache-2.0
#include "attenuation/attenuation_bodies.hpp"
#include "attenuation/attenuation_math.hpp"
#include "common/block_sum.cuh"

namespace dsasrgs::cuda {

namespace {

constexpr unsigned kThreads = 256;

__global__ void softplus_forward_kernel(float scale, View<const float> raw, float* density) {
  const std::size_t i = thread_index();
  if (i < raw.size()) density[i] = softplus_density(scale, raw.data()[i]);
}

__global__ void softplus_backward_kernel(float scale, View<const float> raw, const float* grad_density,
                                         float* grad_raw) {
  const std::size_t i = thread_index();
  if (i < raw.size()) grad_raw[i] = softplus_density_vjp(scale, raw.data()[i], grad_density[i]);
}

__global__ void offset_table_forward_kernel(float scale, TableSegment<float> at, const float* coefficients,
                                            View<float> density) {
  const std::size_t i = thread_index();
  if (i < density.size())
    density.data()[i] = offset_table_density(scale, at, coefficients + i * kOffsetTableCoefficients);
}

__global__ void offset_table_backward_kernel(float scale, TableSegment<float> at, const float* coefficients,
                                             View<const float> grad_density, float* grad_coefficients) {
  const std::size_t i = thread_index();
  if (i >= grad_density.size()) return;
  const std::size_t first = i * kOffsetTableCoefficients;
  offset_table_density_vjp(scale, at, coefficients + first, grad_density.data()[i], grad_coefficients + first);
}

__global__ void __launch_bounds__(kSumThreads)
    table_variation_kernel(const float* coefficients, std::size_t n, float* partial) {
  float sum[1] = {0.0f};
  for (std::size_t i = thread_index(); i < n; i += std::size_t{gridDim.x} * kSumThreads)
    sum[0] += table_variation(coefficients + i * kOffsetTableCoefficients);
  store_part(sum, partial);
}

__global__ void table_variation_backward_kernel(float factor, const float* coefficients, std::size_t n,
                                                float* grad_coefficients) {
  const std::size_t i = thread_index(), first = i * kOffsetTableCoefficients;
  if (i < n) table_variation_vjp(coefficients + first, factor, grad_coefficients + first);
}

/// A thread per coordinate, so that reads and writes are contiguous.
__global__ void to_unit_box_kernel(UnitBox box, View<const float> position_mm, float* unit) {
  const std::size_t i = thread_index(), d = i % 3;
  if (i < position_mm.size()) unit[i] = to_unit(box, d, position_mm.data()[i]);
}

}  // namespace

void softplus_density_forward(Context& ctx, float scale, View<const float> raw, View<float> density) {
  launch(ctx, "softplus_density_forward", one_thread_each(raw.size(), kThreads), softplus_forward_kernel, scale, raw,
         density.data());
}

void softplus_density_backward(Context& ctx, float scale, View<const float> raw, View<const float> grad_density,
                               View<float> grad_raw) {
  launch(ctx, "softplus_density_backward", one_thread_each(raw.size(), kThreads), softplus_backward_kernel, scale, raw,
         grad_density.data(), grad_raw.data());
}

void offset_table_density_forward(Context& ctx, float scale, float time, View<const float> coefficients,
                                  View<float> density) {
  launch(ctx, "offset_table_density_forward", one_thread_each(density.size(), kThreads), offset_table_forward_kernel,
         scale, table_segment(time), coefficients.data(), density);
}

void offset_table_density_backward(Context& ctx, float scale, float time, View<const float> coefficients,
                                   View<const float> grad_density, View<float> grad_coefficients) {
  launch(ctx, "offset_table_density_backward", one_thread_each(grad_density.size(), kThreads),
         offset_table_backward_kernel, scale, table_segment(time), coefficients.data(), grad_density,
         grad_coefficients.data());
}

void offset_table_smoothness_forward(Context& ctx, float factor, View<const float> coefficients,
                                     OffsetTableSmoothness& saved) {
  const std::size_t n = coefficients.size() / kOffsetTableCoefficients;
  const Grid grid = sum_grid(n);
  float* partial = sum_parts_memory<1>(ctx, saved.partial);
  launch(ctx, "offset_table_smoothness", grid, table_variation_kernel, coefficients.data(), n, partial);
  sum_parts<1>(ctx, "offset_table_smoothness (sum)", grid, partial, factor, false, saved.value.data());
}

void offset_table_smoothness_backward(Context& ctx, float factor, View<const float> coefficients,
                                      View<float> grad_coefficients) {
  const std::size_t n = coefficients.size() / kOffsetTableCoefficients;
  launch(ctx, "offset_table_smoothness_backward", one_thread_each(n, kThreads), table_variation_backward_kernel, factor,
         coefficients.data(), n, grad_coefficients.data());
}

void to_unit_box(Context& ctx, const VolumeGrid& box, View<const float> position_mm, View<float> unit) {
  launch(ctx, "to_unit_box", one_thread_each(position_mm.size(), kThreads), to_unit_box_kernel, UnitBox(box),
         position_mm, unit.data());
}

}  // namespace dsasrgs::cuda
