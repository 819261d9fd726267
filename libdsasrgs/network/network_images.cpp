// SPDX-License-Identifier: Apache-2.0
// The truth of an acquisition's own frames.
#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "dsasrgs/buffer.hpp"
#include "dsasrgs/network_trainer.hpp"
#include "fill_invalid.hpp"
#include "network/patch_pixels.hpp"
#include "refined_mask.hpp"

namespace dsasrgs {

NetworkImages network_images(const Acquisition& acquisition, std::string name) try {
  NetworkImages source;
  source.name = std::move(name);
  const bool fine = acquisition.reference_projections && acquisition.reference_projections->scale > 1;
  const int scale = fine ? acquisition.reference_projections->scale : 1;
  const Detector detector = acquisition.detector.refined(scale);
  for (int view = 0; view < acquisition.num_views(); ++view) {
    const std::span<const float> values = fine ? acquisition.reference_projection(view) : acquisition.projection(view);
    const std::vector<std::uint8_t> valid = refined_mask(acquisition.valid_pixels(view), acquisition.detector, scale);
    if (!valid.empty() && std::all_of(valid.begin(), valid.end(), [](std::uint8_t pixel) { return pixel == 0; }))
      continue;
    Image image{detector.width_px, detector.height_px, host_vector<float>(values.size())};
    std::copy(values.begin(), values.end(), image.values.begin());
    fill_invalid(valid, detector.width_px, image.values);
    if (!all_equal(image)) source.images.push_back(std::move(image));
  }
  return source;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
