// SPDX-License-Identifier: Apache-2.0
#include "report/view_images.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cli/interruption.hpp"
#include "cli/progress.hpp"
#include "dsasrgs/config.hpp"
#include "dsasrgs/evaluation.hpp"
#include "dsasrgs/renderer.hpp"
#include "dsasrgs/splits.hpp"
#include "jobs/pictures.hpp"
#include "report/packed.hpp"

namespace dsasrgs::program {

using Json = nlohmann::ordered_json;

namespace {

/// A detector that shows what another does with fewer pixels: means of `bin` × `bin` of them, then `fine` times finer.
/// Pixels at the far edges that fill no mean are left out.
struct ShownDetector {
  Detector measured;  ///< binned
  int bin = 1, fine = 1;
  double shift_u_mm = 0, shift_v_mm = 0;  ///< of its centre

  Detector rendered() const { return measured.refined(fine); }
  Pose pose(Pose pose) const {
    pose.detector_center_mm += pose.detector_u * shift_u_mm + pose.detector_v * shift_v_mm;
    return pose;
  }
};

ShownDetector shown_detector(const Detector& d, int scale, int longest_px) {
  ShownDetector shown{d, 1, 1, 0, 0};
  const int longest = std::max(d.width_px, d.height_px);
  shown.bin = std::min((longest + longest_px - 1) / longest_px, std::min(d.width_px, d.height_px));
  if (shown.bin == 1) {
    for (int s = 2; s <= scale; ++s)
      if (scale % s == 0 && static_cast<std::int64_t>(s) * longest <= longest_px) shown.fine = s;
    return shown;
  }
  shown.measured = {d.width_px / shown.bin, d.height_px / shown.bin, d.pitch_u_mm * shown.bin,
                    d.pitch_v_mm * shown.bin};
  shown.shift_u_mm = (shown.measured.width_px * shown.bin - d.width_px) * d.pitch_u_mm / 2;
  shown.shift_v_mm = (shown.measured.height_px * shown.bin - d.height_px) * d.pitch_v_mm / 2;
  return shown;
}

struct ViewImages {
  std::vector<float> measured, rendered, reference;
};

float largest_of(const std::vector<float>& image) {
  float largest = 0;
  for (const float v : image)
    if (v > largest) largest = v;
  return largest;
}

std::string add_image(PageData& page, std::string name, std::span<const float> image, int width, float largest) {
  if (image.empty()) return "";
  std::vector<std::uint8_t> codes = image_codes(image, {}, largest);
  take_row_differences(codes, static_cast<std::size_t>(width));
  return page.add(std::move(name), packed(codes));
}

/// How much finer than the measurement a model was trained; 1: not at all.
int trained_scale(const Model& model) {
  const SuperResolutionConfig config = config_from_toml(model.config_toml, "model.h5").super_resolution;
  return config.target == HighResolutionTarget::none ? 1 : config.scale;
}

/// How much finer a render is shown than the measurement: as fine as there is truth, or as was trained, or twice.
int finest_scale(const Acquisition& a, const Model* model) {
  if (a.reference_projections && a.reference_projections->scale > 1) return a.reference_projections->scale;
  if (model == nullptr) return 1;
  return std::max(2, trained_scale(*model));
}

std::vector<ViewImages> images_of(const Acquisition& a, const std::vector<Pose>& poses, Renderer* renderer,
                                  const std::vector<int>& views, const ShownDetector& shown, int reference_fine,
                                  bool quiet) {
  std::vector<ViewImages> images;
  Progress progress("report: rendering", "views", static_cast<std::int64_t>(views.size()), quiet);
  for (const int view : views) {
    Interruption::check();
    ViewImages& image = images.emplace_back();
    image.measured =
        block_means(a.projection(view), a.valid_pixels(view), a.detector.width_px, shown.bin, shown.measured);
    if (renderer != nullptr)
      image.rendered = renderer->render(shown.pose(poses[static_cast<std::size_t>(view)]), shown.rendered()).values;
    if (a.reference_projections) {
      const int scale = a.reference_projections->scale;
      image.reference = block_means(a.reference_projection(view), {}, a.detector.width_px * scale,
                                    scale * shown.bin / reference_fine, shown.measured.refined(reference_fine));
    }
    progress.update(static_cast<std::int64_t>(images.size()));
  }
  return images;
}

/// Every view's pose at every view's time.
Json add_grid(const std::vector<Pose>& poses, Renderer& renderer, const std::vector<int>& views,
              const ShownDetector& shown, float largest, bool quiet, PageData& page) {
  const Detector detector = shown.rendered();
  Json json{{"width", detector.width_px}, {"height", detector.height_px}, {"blobs", Json::array()}};
  Progress progress("report: rendering angles and times", "images",
                    static_cast<std::int64_t>(views.size() * views.size()), quiet);
  std::int64_t done = 0;
  for (const int view : views) {
    std::vector<float> strip;
    strip.reserve(views.size() * detector.num_pixels());
    Pose pose = shown.pose(poses[static_cast<std::size_t>(view)]);
    for (const int moment : views) {
      Interruption::check();
      pose.time_s = poses[static_cast<std::size_t>(moment)].time_s;
      const std::vector<float> image = renderer.render(pose, detector).values;
      strip.insert(strip.end(), image.begin(), image.end());
      progress.update(++done);
    }
    json["blobs"].push_back(add_image(page, "grid-" + std::to_string(view), strip, detector.width_px, largest));
  }
  return json;
}

double degrees(double radians) { return radians * 180 / std::numbers::pi; }

/// The arrays, and what the numbers about all views are.
Json add_error_bars(const Acquisition& a, const ErrorBars& bars, const ShownDetector& shown, Json& views,
                    PageData& page) {
  const auto number = [](const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); };
  std::vector<std::vector<float>> images;
  float largest = 0;
  for (const ErrorBars::OfView& of : bars.views) {
    images.push_back(
        block_means(of.deviations, a.valid_pixels(of.view), a.detector.width_px, shown.bin, shown.measured));
    largest = std::max(largest, largest_of(images.back()));
  }
  if (!(largest > 0)) largest = 1;
  for (std::size_t i = 0; i < images.size(); ++i) {
    const ErrorBars::OfView& of = bars.views[i];
    views[i]["deviation"] =
        add_image(page, "deviation-" + std::to_string(of.view), images[i], shown.measured.width_px, largest);
    views[i]["deviation_percent"] = number(of.deviation_percent);
    views[i]["within_percent"] = number(of.within_percent);
  }
  return {{"largest", largest},
          {"against", bars.against_truth ? "reference" : "measured"},
          {"brightest", bars.brightest},
          {"shown_above_percent", 100 * ErrorBars::kShown},
          {"deviation_percent", number(bars.deviation_percent)},
          {"within_percent", number(bars.within_percent)}};
}

}  // namespace

std::vector<int> shown_views(const Acquisition& a, int images, int worst) {
  std::vector<int> views = spread_views(held_out_views(a).views, static_cast<std::size_t>(images));
  if (worst >= 0 && worst < a.num_views() && std::find(views.begin(), views.end(), worst) == views.end())
    views.insert(std::lower_bound(views.begin(), views.end(), worst), worst);
  return views;
}

Json pose_as_json(const Pose& pose) {
  const Vec3d source = pose.source_mm;
  const double sod = length(source);
  const Vec3d normal = cross(pose.detector_u, pose.detector_v);
  return {{"time_s", pose.time_s},
          {"primary_deg", degrees(std::atan2(source.y, source.x))},
          {"secondary_deg", sod > 0 ? degrees(std::asin(std::clamp(source.z / sod, -1.0, 1.0))) : 0.0},
          {"sod_mm", sod},
          {"sdd_mm", std::abs(dot(pose.detector_center_mm - source, normal))}};
}

Json add_view_images(Context& ctx, const Acquisition& a, const Model* model, const ErrorBars* bars,
                     const std::vector<int>& views, const ViewImageOptions& options, PageData& page) {
  const int scale = finest_scale(a, model);
  const ShownDetector shown = shown_detector(a.detector, scale, options.longest_px);
  std::optional<Renderer> renderer;
  if (model != nullptr) renderer.emplace(ctx, *model);
  const std::vector<Pose> poses = model != nullptr ? poses_as_corrected(*model, a) : a.poses;
  // As fine as the renders, or, where that cannot be had, as the measurement.
  const int reference_fine =
      a.reference_projections && a.reference_projections->scale % shown.fine == 0 ? shown.fine : 1;
  const std::vector<ViewImages> images =
      images_of(a, poses, renderer ? &*renderer : nullptr, views, shown, reference_fine, options.quiet);

  const float window =
      picture_window(a.reference_projections ? ProjectionTruth::reference(a) : ProjectionTruth::measured(a));
  float largest = window;
  for (const ViewImages& image : images)
    for (const auto* part : {&image.measured, &image.rendered, &image.reference})
      largest = std::max(largest, largest_of(*part));
  largest = std::min(largest, 2 * window);  // a defective pixel must not take the steps from all others

  Json json{{"window", window},
            {"largest", largest},
            {"codes", kLargestCode},
            {"width", shown.measured.width_px},
            {"height", shown.measured.height_px},
            {"bin", shown.bin},
            {"fine", shown.fine},
            {"trained_scale", model != nullptr ? trained_scale(*model) : 1},
            {"reference_fine", reference_fine},
            {"reference_scale", a.reference_projections ? a.reference_projections->scale : 0},
            {"views", Json::array()}};
  const int fine_width = shown.rendered().width_px;
  const std::vector<int> trained = a.training_views();
  for (std::size_t i = 0; i < views.size(); ++i) {
    const std::string name = std::to_string(views[i]);
    Json item = pose_as_json(a.poses[static_cast<std::size_t>(views[i])]);
    item["view"] = views[i];
    item["held_out"] = !std::binary_search(trained.begin(), trained.end(), views[i]);
    item["measured"] = add_image(page, "measured-" + name, images[i].measured, shown.measured.width_px, largest);
    item["rendered"] = add_image(page, "rendered-" + name, images[i].rendered, fine_width, largest);
    item["reference"] =
        add_image(page, "reference-" + name, images[i].reference, shown.measured.width_px * reference_fine, largest);
    json["views"].push_back(item);
  }
  if (bars != nullptr) json["error_bars"] = add_error_bars(a, *bars, shown, json["views"], page);
  if (renderer)
    json["grid"] = add_grid(poses, *renderer, views, shown_detector(a.detector, scale, options.grid_px), largest,
                            options.quiet, page);
  return json;
}

}  // namespace dsasrgs::program
