// SPDX-License-Identifier: Apache-2.0
#include <numeric>

#include "common/host_vector.hpp"
#include "common/parallel.hpp"
#include "tv/tv_bodies.hpp"

namespace dsasrgs::cpu {
namespace {

constexpr std::size_t kBlock = 4096;

}  // namespace

void total_variation_forward(const Context& ctx, const VolumeSize& size, View<const float> volume,
                             TotalVariationSaved& saved) {
  HostVector<double> partial((volume.size() + kBlock - 1) / kBlock);
  parallel_blocks(ctx, volume.size(), kBlock, [&](std::size_t begin, std::size_t end) {
    double sum = 0;
    for (std::size_t i = begin; i < end; ++i) sum += static_cast<double>(forward_variation(volume.data(), size, i));
    partial[begin / kBlock] = sum;
  });
  saved.value.data()[0] =
      static_cast<float>(std::accumulate(partial.begin(), partial.end(), 0.0) * per_difference(size));
}

void total_variation_backward(const Context& ctx, const VolumeSize& size, View<const float> volume, float factor,
                              GradientMode mode, View<float> grad_volume) {
  parallel_blocks(ctx, volume.size(), kBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const float g = factor * static_cast<float>(variation_derivative(volume.data(), size, i));
      grad_volume[i] = mode == GradientMode::accumulate ? grad_volume[i] + g : g;
    }
  });
}

}  // namespace dsasrgs::cpu
