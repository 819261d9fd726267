#include "attenuation/attenuation_bodies.hpp"
#include "attenuation/attenuation_math.hpp"
#include "common/block_sum.cuh"
#include "common/gaussian_math.hpp"
#include "common/launch.cuh"

namespace dsasrgs::cuda {

namespace {

constexpr unsigned kThreads = 256;

/// The box as single-precision origin and reciprocal extent, indexed by coordinate.
struct UnitBox {
  float origin[3], inverse_extent[3];
  explicit UnitBox(const VolumeGrid& box)
      : origin{static_cast<float>(box.origin_mm.x), static_cast<float>(box.origin_mm.y),
               static_cast<float>(box.origin_mm.z)} {
    const Vec3d e = box.extent_mm();
    inverse_extent[0] = static_cast<float>(1 / e.x);
    inverse_extent[1] = static_cast<float>(1 / e.y);
    inverse_extent[2] = static_cast<float>(1 / e.z);
  }
};

__global__ void softplus_forward_kernel(float scale, View<const float> raw, float* density) {
  const std::size_t i = thread_index();
  if (i < raw.size()) density[i] = scale * softplus(raw.data()[i]);
}

__global__ void softplus_backward_kernel(float scale, View<const float> raw, const float* grad_density,
                                         float* grad_raw) {
  const std::size_t i = thread_index();
  if (i < raw.size()) grad_raw[i] = grad_density[i] * scale * sigmoid(raw.data()[i]);
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
  if (i < position_mm.size()) unit[i] = (position_mm.data()[i] - box.origin[d]) * box.inverse_extent[d];
}

__global__ void to_unit_box_backward_kernel(UnitBox box, View<const float> grad_unit, float* grad_position_mm) {
  const std::size_t i = thread_index();
  if (i < grad_unit.size()) grad_position_mm[i] += grad_unit.data()[i] * box.inverse_extent[i % 3];
}

__global__ void affine_values_kernel(float gain, float offset, View<const float> in, float* out) {
  const std::size_t i = thread_index();
  if (i < in.size()) out[i] = gain * in.data()[i] + offset;
}

__global__ void add_scaled_kernel(float factor, View<const float> in, float* out) {
  const std::size_t i = thread_index();
  if (i < in.size()) out[i] += factor * in.data()[i];
}

/// Adds what the threads of a block bring, in a fixed order; the result is right in thread 0.
__device__ Sums sum_over_block(Sums s) {
  __shared__ double sums[kSumThreads / 32], products[kSumThreads / 32];
  s = {sum_over_lanes(s.sum), sum_over_lanes(s.product)};
  if (lane_index() == 0) {
    sums[threadIdx.x / 32] = s.sum;
    products[threadIdx.x / 32] = s.product;
  }
  __syncthreads();
  Sums total;
  for (unsigned w = 0; w < kSumThreads / 32; ++w) {
    total.sum += sums[w];
    total.product += products[w];
  }
  return total;
}

__global__ void __launch_bounds__(kSumThreads) partial_sums_kernel(View<const float> a, const float* b, Sums* partial) {
  Sums s;
  for (std::size_t i = thread_index(); i < a.size(); i += std::size_t{kSumBlocks} * kSumThreads) {
    s.sum += static_cast<double>(a.data()[i]);
    s.product += static_cast<double>(a.data()[i]) * static_cast<double>(b[i]);
  }
  s = sum_over_block(s);
  if (threadIdx.x == 0) partial[blockIdx.x] = s;
}

__global__ void __launch_bounds__(kSumThreads) total_sums_kernel(const Sums* partial, Sums* total) {
  static_assert(kSumBlocks == kSumThreads);
  const Sums s = sum_over_block(partial[threadIdx.x]);
  if (threadIdx.x == 0) *total = s;
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

void to_unit_box_backward(Context& ctx, const VolumeGrid& box, View<const float> grad_unit,
                          View<float> grad_position_mm) {
  launch(ctx, "to_unit_box_backward", one_thread_each(grad_unit.size(), kThreads), to_unit_box_backward_kernel,
         UnitBox(box), grad_unit, grad_position_mm.data());
}

void affine_values(Context& ctx, float gain, float offset, View<const float> in, View<float> out) {
  launch(ctx, "affine_values", one_thread_each(in.size(), kThreads), affine_values_kernel, gain, offset, in,
         out.data());
}

void add_scaled(Context& ctx, float factor, View<const float> in, View<float> out) {
  launch(ctx, "add_scaled", one_thread_each(in.size(), kThreads), add_scaled_kernel, factor, in, out.data());
}

Sums sum_and_product(Context& ctx, View<const float> a, View<const float> b) {
  Buffer<Sums> partial(ctx, kSumBlocks), total(ctx, 1);
  launch(ctx, "partial_sums", one_block_each(kSumBlocks, kSumThreads), partial_sums_kernel, a, b.data(),
         partial.data());
  launch(ctx, "total_sums", one_block_each(1, kSumThreads), total_sums_kernel, partial.data(), total.data());
  return total.to_host(ctx)[0];
}

}  // namespace dsasrgs::cuda
