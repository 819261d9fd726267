// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/evaluation.hpp"
#include "refined_mask.hpp"

namespace dsasrgs {

ProjectionTruth::ProjectionTruth(const Acquisition& a, TruthKind kind, int scale, std::span<const float> images) try
    : acquisition_(&a), kind_(kind), scale_(scale), detector_(a.detector.refined(scale)), images_(images) {
  const std::size_t pixels = detector_.num_pixels(), expected = a.poses.size() * pixels;
  if (expected == 0 || images.size() != expected)
    throw InvalidArgument("ProjectionTruth: expected " + std::to_string(a.poses.size()) + " views of " +
                          std::to_string(detector_.width_px) + " × " + std::to_string(detector_.height_px) +
                          " pixels, found " + std::to_string(images.size()) + " values");
  const std::size_t low_pixels = a.detector.num_pixels();
  if (!a.valid.empty() && a.valid.size() != low_pixels && a.valid.size() != a.poses.size() * low_pixels)
    throw InvalidArgument("ProjectionTruth: valid: expected the pixels of one view or of all, found " +
                          std::to_string(a.valid.size()) + " values");
  valid_ = refined_mask(a.valid, a.detector, scale);
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

ProjectionTruth ProjectionTruth::measured(const Acquisition& a) { return {a, TruthKind::measured, 1, a.projections}; }

ProjectionTruth ProjectionTruth::reference(const Acquisition& a) try {
  if (!a.reference_projections)
    throw InvalidArgument("ProjectionTruth::reference: expected reference projections, found none");
  return {a, TruthKind::reference, a.reference_projections->scale, a.reference_projections->values};
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

void ProjectionTruth::require_view(int view) const {
  if (view < 0 || view >= acquisition_->num_views())
    throw InvalidArgument("ProjectionTruth: view: expected 0 to " + std::to_string(acquisition_->num_views() - 1) +
                          ", found " + std::to_string(view));
}

std::span<const float> ProjectionTruth::image(int view) const {
  require_view(view);
  return images_.subspan(static_cast<std::size_t>(view) * detector_.num_pixels(), detector_.num_pixels());
}

std::span<const std::uint8_t> ProjectionTruth::valid(int view) const {
  require_view(view);
  if (valid_.empty()) return {};
  const std::size_t n = detector_.num_pixels();
  return std::span(valid_).subspan(valid_.size() == n ? 0 : static_cast<std::size_t>(view) * n, n);
}

double ProjectionTruth::range() const { return fixed_range(images_, valid_); }

}  // namespace dsasrgs
