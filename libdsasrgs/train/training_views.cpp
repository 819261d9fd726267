// SPDX-License-Identifier: Apache-2.0
#include "train/training_views.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "brightness.hpp"
#include "common/host_vector.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/fingerprint.hpp"

namespace dsasrgs {

TrainingViews::TrainingViews(Context& ctx, const Acquisition& acquisition, const TrainingConfig& config)
    : name_(acquisition.name),
      detector_(acquisition.detector),
      volume_(acquisition.volume),
      time_{acquisition.first_time_s(), acquisition.last_time_s()},
      test_views_(acquisition.test_views),
      indices_(acquisition.training_views()) {
  if (indices_.empty()) throw BadInput(name_, "/split/test", "a view to be left for training", "all of them");
  fingerprint_ = measurement_fingerprint(acquisition, indices_);
  validity_ = validity_fingerprint(acquisition, indices_);
  Brightness brightness;
  std::vector<HostVector<float>> images;  // until their unit is known
  for (const int view : indices_) {
    const auto measured = acquisition.projection(view);
    const auto valid = acquisition.valid_pixels(view);
    HostVector<float>& image = images.emplace_back(measured.begin(), measured.end());
    for (std::size_t i = 0; i < image.size(); ++i) {
      if (config.clip_negative) image[i] = std::max(image[i], 0.0f);
      if (!valid.empty() && valid[i] == 0) image[i] = 0;
    }
    const auto num_valid = static_cast<std::size_t>(
        std::count_if(valid.begin(), valid.end(), [](std::uint8_t pixel) { return pixel != 0; }));
    if (!valid.empty() && num_valid == 0)
      throw BadInput(name_, "/valid", "a valid pixel in training view " + std::to_string(view), "none");
    brightness.add(measured, valid);
    poses_.push_back(acquisition.poses[static_cast<std::size_t>(view)]);
    images_.push_back({Buffer<float>::from_host(ctx, image), Buffer<std::uint8_t>::from_host(ctx, valid), num_valid});
  }
  units_ = {volume_.largest_side_mm() / 2, require_brightest(brightness, name_)};
  for (std::size_t slot = 0; slot < images.size(); ++slot) {
    double sum = 0, sum_magnitude = 0, sum_contrast = 0;
    for (const float pixel : images[slot]) {
      const double value = static_cast<double>(pixel) / units_.line_integral;
      sum += std::min(value, kMostCounted);
      sum_magnitude += std::abs(value);
      sum_contrast += std::clamp(value - kContrast, 0.0, kMostCounted);
    }
    const std::size_t counted = images_[slot].valid.size() == 0 ? images[slot].size() : images_[slot].num_valid;
    images_[slot].mean = sum / static_cast<double>(counted);
    images_[slot].mean_magnitude = sum_magnitude / static_cast<double>(counted);
    images_[slot].contrast = sum_contrast / static_cast<double>(counted);
  }
}

double low_resolution_voxel_mm(const Detector& detector, const VolumeGrid& volume, const std::vector<Pose>& poses) {
  const double pitch = (detector.pitch_u_mm + detector.pitch_v_mm) / 2;
  double sum = 0;
  for (const Pose& pose : poses) {
    const Vec3d normal = cross(pose.detector_u, pose.detector_v);
    sum += pitch * dot(volume.center_mm() - pose.source_mm, normal) /
           dot(pose.detector_center_mm - pose.source_mm, normal);
  }
  return sum / static_cast<double>(poses.size());
}

}  // namespace dsasrgs
