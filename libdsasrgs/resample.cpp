// SPDX-License-Identifier: Apache-2.0
#include "dsasrgs/resample.hpp"

#include "common/require.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/context.hpp"
#include "resample/resample.hpp"

namespace dsasrgs {

namespace {

// On a context of the CPU, host memory is context memory.
View<const float> view_of(std::span<const float> host) { return {host.data(), host.size()}; }
View<float> view_of(std::vector<float>& host) { return {host.data(), host.size()}; }

}  // namespace

std::vector<float> upsample_image(std::span<const float> image, const Detector& detector, int scale) try {
  require_size("upsample_image", "image", detector.num_pixels(), image.size());  // before memory is asked for
  Context ctx = Context::cpu(1);
  std::vector<float> high = host_vector<float>(detector.refined(scale).num_pixels());
  upsample_bicubic(ctx, {detector.width_px, detector.height_px, scale}, view_of(image), view_of(high));
  return high;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

std::vector<float> bin_image(std::span<const float> image, const Detector& detector, int scale) try {
  Context ctx = Context::cpu(1);
  std::vector<float> low = host_vector<float>(detector.num_pixels());
  pool_average(ctx, {detector.width_px, detector.height_px, scale}, view_of(image), view_of(low));
  return low;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
