#include "dsasrgs/resample.hpp"

#include "dsasrgs/context.hpp"
#include "resample/resample.hpp"

namespace dsasrgs {

std::vector<float> upsample_image(View<const float> image, const Detector& detector, int scale) {
  Context ctx = Context::cpu(1);
  std::vector<float> high(detector.refined(scale).num_pixels());
  upsample_bicubic(ctx, {detector.width_px, detector.height_px, scale}, image, view_of(high));
  return high;
}

std::vector<float> bin_image(View<const float> image, const Detector& detector, int scale) {
  Context ctx = Context::cpu(1);
  std::vector<float> low(detector.num_pixels());
  pool_average(ctx, {detector.width_px, detector.height_px, scale}, image, view_of(low));
  return low;
}

}  // namespace dsasrgs
