// SPDX-License-Identifier: Apache-2.0
#include "network/image_patches.hpp"

#include <algorithm>
#include <string>

#include "brightness.hpp"
#include "network/patch_pixels.hpp"
#include "network/refuse_source.hpp"
#include "network/spread_patches.hpp"

namespace dsasrgs {

namespace {

void check_values(const NetworkImages& source, std::size_t index) {
  const Image& image = source.images[index];
  const auto refuse = [&](const std::string& why) {
    refuse_source(source.name, "image " + std::to_string(index) + ": " + why);
  };
  const std::string size = std::to_string(image.width_px) + " x " + std::to_string(image.height_px) + " pixels";
  if (image.width_px < 1 || image.height_px < 1 || image.values.size() != num_elements(image.width_px, image.height_px))
    refuse("expected as many values as pixels, found " + std::to_string(image.values.size()) + " for " + size);
  require_finite_image(source.name, "image " + std::to_string(index) + ": ", image);
  if (all_equal(image))
    refuse("expected line integrals that differ, found " + std::to_string(image.values[0]) + " everywhere");
}

}  // namespace

ImagePatches::ImagePatches(const NetworkTrainingConfig& config, const NetworkImages& source)
    : source_(&source), scale_(config.shape.scale), side_px_(config.patch_px * config.shape.scale) {
  if (source.images.empty()) refuse_source(source.name, "expected an image, found none");
  if (source.binnings.empty()) refuse_source(source.name, "binnings: expected one, found none");
  for (const int b : source.binnings)
    if (b < 1) refuse_source(source.name, "binnings: expected 1 or more, found " + std::to_string(b));
  Brightness brightness;
  for (std::size_t i = 0; i < source.images.size(); ++i) {
    check_values(source, i);
    const Image& image = source.images[i];
    if (std::none_of(source.binnings.begin(), source.binnings.end(), [&](int b) { return fits(image, b); })) {
      const std::string needed =
          std::to_string(std::int64_t{side_px_} * *std::min_element(source.binnings.begin(), source.binnings.end()));
      refuse_source(source.name, "image " + std::to_string(i) + ": expected at least " + needed + " x " + needed +
                                     " pixels, found " + std::to_string(image.width_px) + " x " +
                                     std::to_string(image.height_px));
    }
    brightness.add(image.values);
  }
  unit_ = brightness.brightest();
  if (unit_ <= 0) refuse_source(source.name, "expected a positive line integral, found none");
}

bool ImagePatches::fits(const Image& image, int binning) const {
  return std::int64_t{side_px_} * binning <= std::min(image.width_px, image.height_px);
}

Image ImagePatches::draw(PatchNumbers& numbers) const {
  const Image& image = source_->images[numbers.index(source_->images.size())];
  std::vector<int> fitting;
  for (const int b : source_->binnings)
    if (fits(image, b)) fitting.push_back(b);
  const int binning = fitting[numbers.index(fitting.size())], side = side_px_ * binning;
  const auto offset = [&](int size) {
    return static_cast<int>(numbers.index(static_cast<std::size_t>(size - side) + 1));
  };
  const int row = offset(image.height_px), column = offset(image.width_px);
  return cut_patch(image, row, column, side_px_, binning, 1 / unit_);
}

std::vector<Image> ImagePatches::spread(std::size_t most) const {
  struct Place {
    const Image* image;
    int row, column, binning;
  };
  std::vector<Place> all;
  for (const int b : source_->binnings)
    for (const Image& image : source_->images)
      if (fits(image, b))
        for_each_square(image, side_px_ * b, [&](int row, int column) { all.push_back({&image, row, column, b}); });
  const auto patch = [&](const Place& p) {
    return cut_patch(*p.image, p.row, p.column, side_px_, p.binning, 1 / unit_);
  };
  const auto shows = [&](const Place& p) { return !all_equal(block_means(patch(p), scale_)); };
  return spread_patches(all, most, shows, patch);
}

}  // namespace dsasrgs
