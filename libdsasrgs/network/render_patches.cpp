// SPDX-License-Identifier: Apache-2.0
#include "network/render_patches.hpp"

#include <algorithm>
#include <string>

#include "brightness.hpp"
#include "network/patch_pixels.hpp"
#include "network/refuse_source.hpp"
#include "network/spread_patches.hpp"

namespace dsasrgs {

RenderPatches::RenderPatches(const NetworkTrainingConfig& config, const NetworkRenders& source)
    : source_(&source), scale_(config.shape.scale), side_px_(config.patch_px) {
  if (source.views.empty()) refuse_source(source.name, "expected a view, found none");
  Brightness brightness;
  for (std::size_t i = 0; i < source.views.size(); ++i) {
    const RenderedView& view = source.views[i];
    const std::string where = "view " + std::to_string(i) + ": ";
    if (std::min(view.measured.width_px, view.measured.height_px) < side_px_)
      refuse_source(source.name, where + "expected at least " + std::to_string(side_px_) +
                                     " measured pixels a side, found " + std::to_string(view.measured.width_px) +
                                     " x " + std::to_string(view.measured.height_px));
    for (const Image* image : {&view.measured, &view.rendered, &view.truth}) {
      const int factor = image == &view.measured ? 1 : scale_;
      if (image->width_px != factor * view.measured.width_px || image->height_px != factor * view.measured.height_px ||
          image->values.size() != num_elements(image->width_px, image->height_px))
        refuse_source(source.name, where + "expected render and truth " + std::to_string(scale_) +
                                       " times finer than the measurement, found other sizes");
      require_finite_image(source.name, where, *image);
    }
    brightness.add(view.measured.values);
  }
  unit_ = brightness.brightest();
  if (unit_ <= 0) refuse_source(source.name, "expected a positive line integral, found none");
}

RenderedPatch RenderPatches::cut(const RenderedView& view, int row, int column) const {
  const int fine = side_px_ * scale_;
  return {cut_patch(view.measured, row, column, side_px_, 1, 1 / unit_),
          cut_patch(view.rendered, row * scale_, column * scale_, fine, 1, 1 / unit_),
          cut_patch(view.truth, row * scale_, column * scale_, fine, 1, 1 / unit_)};
}

RenderedPatch RenderPatches::draw(PatchNumbers& numbers) const {
  const RenderedView& view = source_->views[numbers.index(source_->views.size())];
  const auto offset = [&](int size) {
    return static_cast<int>(numbers.index(static_cast<std::size_t>(size - side_px_) + 1));
  };
  const int row = offset(view.measured.height_px), column = offset(view.measured.width_px);
  return cut(view, row, column);
}

std::vector<RenderedPatch> RenderPatches::spread(std::size_t most) const {
  struct Place {
    const RenderedView* view;
    int row, column;
  };
  std::vector<Place> all;
  for (const RenderedView& view : source_->views)
    for_each_square(view.measured, side_px_, [&](int row, int column) { all.push_back({&view, row, column}); });
  const auto shows = [&](const Place& p) {
    return !all_equal(cut_patch(p.view->truth, p.row * scale_, p.column * scale_, side_px_ * scale_, 1, 1));
  };
  return spread_patches(all, most, shows, [&](const Place& p) { return cut(*p.view, p.row, p.column); });
}

}  // namespace dsasrgs
