// SPDX-License-Identifier: Apache-2.0
#include "import/dicom_views.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "common/plain_number.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/geometry.hpp"
#include "number_text.hpp"

namespace dsasrgs {

namespace {

constexpr double kDegree = std::numbers::pi / 180;

double direction_gap_deg(const DicomFrame& a, const DicomFrame& b) {
  const auto direction = [](const DicomFrame& f) {
    const double p = f.primary_deg * kDegree, s = f.secondary_deg * kDegree;
    return Vec3d{std::cos(s) * std::cos(p), std::cos(s) * std::sin(p), std::sin(s)};
  };
  return std::acos(std::clamp(dot(direction(a), direction(b)), -1.0, 1.0)) / kDegree;
}

/// The frame of a mask run for each frame of a run.
std::vector<SubtractedFrame> plan_with_mask_run(const DicomRun& run, const DicomRun& masks) {
  if (masks.width() != run.width() || masks.height() != run.height())
    throw BadInput(masks.name, "(0028,0010) Rows",
                   std::to_string(run.height()) + " x " + std::to_string(run.width()) + " pixels, as in " + run.name,
                   std::to_string(masks.height()) + " x " + std::to_string(masks.width()));
  std::vector<SubtractedFrame> plan;
  for (std::size_t f = 0; f < run.frames.size(); ++f) {
    std::size_t mask = masks.frames.size() == 1 ? 0 : f;
    if (masks.frames.size() != 1 && masks.frames.size() != run.frames.size()) {
      const auto gap = [&](const DicomFrame& m) { return direction_gap_deg(m, run.frames[f]); };
      const auto nearest = std::min_element(masks.frames.begin(), masks.frames.end(),
                                            [&](const DicomFrame& a, const DicomFrame& b) { return gap(a) < gap(b); });
      mask = static_cast<std::size_t>(nearest - masks.frames.begin());
    }
    plan.push_back({static_cast<int>(f), {static_cast<int>(f)}, {static_cast<int>(mask)}, {}});
  }
  return plan;
}

void warn_of_mask_angles(const DicomRun& run, const DicomRun& masks, const std::vector<SubtractedFrame>& plan,
                         std::vector<std::string>& warnings) {
  constexpr double kFar_deg = 0.5;
  double worst = 0;
  int view = 0;
  for (const SubtractedFrame& s : plan)
    for (const int mask : s.mask)
      if (const double gap = direction_gap_deg(run.frames[s.frame], masks.frames[mask]); gap > worst) {
        worst = gap;
        view = s.frame;
      }
  if (worst > kFar_deg)
    warnings.push_back(run.name + ": mask: expected from the angle of its contrast frame, found " +
                       rounded_text(worst) + " degrees beside it (frame " + std::to_string(view + 1) + ")");
}

std::string numbers_text(const std::vector<int>& frames) {  // from 0
  std::string text;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    std::size_t last = i;
    while (last + 1 < frames.size() && frames[last + 1] == frames[last] + 1) ++last;
    if (!text.empty()) text += ", ";
    text += std::to_string(frames[i] + 1);
    if (last > i) text.append("-").append(std::to_string(frames[last] + 1));
    i = last;
  }
  return text;
}

/// What views are made of, and what is left out.
std::vector<SubtractedFrame> plan_views(const DicomRun& run, const DicomRun* mask_run,
                                        const DicomImportOptions& options, ImportedCase& imported) {
  std::vector<SubtractedFrame> plan;
  const std::string name = std::filesystem::path(run.name).filename().string();
  if (options.subtraction == DicomSubtraction::background) {
    for (std::size_t f = 0; f < run.frames.size(); ++f) plan.push_back({static_cast<int>(f), {}, {}, {}});
  } else if (mask_run != nullptr) {
    plan = plan_with_mask_run(run, *mask_run);
  } else {
    plan = plan_subtraction(run);
    if (run.masks.empty())
      throw BadInput(run.name, "(0028,6100) MaskSubtractionSequence",
                     "a mask, or one by hand (tags.mask_frames, options.mask_run, or for images that need none "
                     "options.subtraction background)",
                     "none");
  }
  if (!plan.empty() && options.subtraction == DicomSubtraction::mask)
    warn_of_mask_angles(run, mask_run != nullptr ? *mask_run : run, plan, imported.warnings);
  std::vector<int> outside;
  std::vector<bool> is_view(run.frames.size(), false);
  std::erase_if(plan, [&](const SubtractedFrame& s) {
    return s.frame + 1 < options.first_frame || (options.last_frame && s.frame + 1 > *options.last_frame);
  });
  for (const SubtractedFrame& s : plan) is_view[static_cast<std::size_t>(s.frame)] = true;
  for (std::size_t f = 0; f < is_view.size(); ++f)
    if (!is_view[f]) outside.push_back(static_cast<int>(f));
  if (plan.empty()) throw BadInput(run.name, "frames", "one that is asked for and is not a mask", "none");
  if (!outside.empty())
    imported.found.push_back(name + ": frames that are no views (masks, or not asked for): " + numbers_text(outside));
  return plan;
}

template <class T>
void reserve(std::vector<T>& values, std::size_t size) {
  try {
    values.reserve(size);
  } catch (const std::bad_alloc&) {
    throw_out_of_host_memory(size, sizeof(T));
  }
}

/// Values whose masks can be kept as the options ask for.
void require_masks(const DicomRun& run, const DicomImportOptions& options) {
  if (options.keep_masks && !run.has_scale)
    throw BadInput(run.name, "tags.log_scale", "the scale of logarithmic values, where options.keep_masks is asked for",
                   "none, here or in the file");
  if (options.linear_only && run.intensity == DicomIntensity::logarithmic)
    throw BadInput(run.name, "(0028,1040) PixelIntensityRelationship",
                   "LIN, or a LUT that makes values linear, where options.linear_only is asked for",
                   "LOG, of which the intensities are not known");
}

/// The mean of frames, of each pixel where it counts.
class MeanView {
 public:
  MeanView(std::size_t pixels, std::size_t of_masks)
      : line_integral_(host_vector<double>(pixels)),
        log_mask_(host_vector<double>(std::min(pixels, of_masks))),
        counted_(host_vector<int>(pixels)) {}

  void add(std::span<const float> line_integral, std::span<const float> log_mask, std::span<const std::uint8_t> valid) {
    for (std::size_t i = 0; i < counted_.size(); ++i) {
      if (valid[i] == 0) continue;
      line_integral_[i] += static_cast<double>(line_integral[i]);
      if (!log_mask.empty()) log_mask_[i] += static_cast<double>(log_mask[i]);
      ++counted_[i];
    }
  }
  void write(std::span<float> line_integral, std::span<float> log_mask, std::span<std::uint8_t> valid) const {
    for (std::size_t i = 0; i < counted_.size(); ++i) {
      const double count = std::max(counted_[i], 1);
      valid[i] = counted_[i] > 0 ? 1 : 0;
      line_integral[i] = static_cast<float>(line_integral_[i] / count);
      if (!log_mask.empty()) log_mask[i] = static_cast<float>(log_mask_[i] / count);
    }
  }

 private:
  std::vector<double> line_integral_, log_mask_;
  std::vector<int> counted_;
};

}  // namespace

/// The isocentre's frame is that of the angles; a table that moved the patient by t moved the isocentre
/// by −t in the patient.
Pose pose_of(const DicomRun& run, const DicomFrame& frame) {
  CArmView view;
  view.sod_mm = frame.sod_mm;
  view.sdd_mm = frame.sdd_mm;
  // Primary 0 looks from the chest, 90 from the left; secondary 90 from the head (C.8.7.5.1.2): so the detector, and
  // the source is on the other side.
  view.primary_rad = (frame.primary_deg + 90) * kDegree;
  view.secondary_rad = -frame.secondary_deg * kDegree;
  Pose pose = carm_pose(view, frame.time_s);
  // Images are looked at from the detector, so columns run the other way than those of carm_pose.
  if (!run.mirror_columns) pose.detector_u = -pose.detector_u;
  if (run.mirror_rows) pose.detector_v = -pose.detector_v;
  const double width = run.width() * run.bin, height = run.height() * run.bin;  // of the stored pixels that are used
  pose.detector_center_mm += pose.detector_u * ((0.5 * width - frame.isocenter_px.x) * run.pixel_spacing_mm.x) +
                             pose.detector_v * ((0.5 * height - frame.isocenter_px.y) * run.pixel_spacing_mm.y);
  pose.detector_center_mm = pose.detector_center_mm - run.table_mm;
  pose.source_mm = pose.source_mm - run.table_mm;
  return pose;
}

void ViewMaker::add(const DicomRun& run, const DicomRun* mask_run) {
  Acquisition& a = imported_.acquisition;
  require_same_detector(run);
  require_masks(run, options_);
  if (mask_run != nullptr) require_masks(*mask_run, options_);
  const std::vector<SubtractedFrame> plan = plan_views(run, mask_run, options_, imported_);
  const std::size_t n = run.num_pixels(), before = a.poses.size();
  const std::size_t views = options_.average_frames ? 1 : plan.size();
  reserve(a.projections, (before + views) * n);
  reserve(a.valid, (before + views) * n);
  if (options_.keep_masks) reserve(imported_.log_masks, (before + views) * n);
  View view{host_vector<float>(n), host_vector<float>(options_.keep_masks ? n : 0), host_vector<std::uint8_t>(n)};
  MeanView mean(options_.average_frames ? n : 0, view.log_mask.size());
  mask_frames_.clear();
  shutters_.clear();
  for (const SubtractedFrame& s : plan) {
    if (options_.stop.stop_requested()) throw Cancelled("import of DICOM: stopped, as the caller asked");
    subtract(run, mask_run, s, view);
    if (options_.average_frames)
      mean.add(view.line_integral, view.log_mask, view.valid);
    else
      add_view(run, s.frame, view);
  }
  if (!options_.average_frames) return;
  mean.write(view.line_integral, view.log_mask, view.valid);
  // Of what does not move; where it does, the middle frame's pose is the nearest.
  add_view(run, plan[plan.size() / 2].frame, view);
}

void ViewMaker::require_same_detector(const DicomRun& run) {
  Detector detector;
  detector.width_px = run.width();
  detector.height_px = run.height();
  detector.pitch_u_mm = run.pixel_spacing_mm.x * run.bin;
  detector.pitch_v_mm = run.pixel_spacing_mm.y * run.bin;
  Detector& all = imported_.acquisition.detector;
  if (all.width_px == 0) all = detector;
  const auto text = [](const Detector& d) {
    return std::to_string(d.width_px) + " x " + std::to_string(d.height_px) + " pixels of " +
           plain_number(d.pitch_u_mm) + " x " + plain_number(d.pitch_v_mm) + " mm";
  };
  if (!(all == detector)) throw BadInput(run.name, "detector", text(all) + ", as in the other files", text(detector));
}

void ViewMaker::subtract(const DicomRun& run, const DicomRun* mask_run, const SubtractedFrame& s, View& view) {
  std::vector<std::uint8_t>& valid = view.valid;
  const DicomRun& masks = mask_run != nullptr ? *mask_run : run;
  std::vector<DicomShutter> shutters = run.frames[static_cast<std::size_t>(s.frame)].shutters;
  for (const int mask : s.mask)
    for (const DicomShutter& shutter : masks.frames[static_cast<std::size_t>(mask)].shutters)
      if (std::find(shutters.begin(), shutters.end(), shutter) == shutters.end()) shutters.push_back(shutter);
  if (shutters != shutters_ || not_hidden_.size() != valid.size()) {
    not_hidden_.assign(valid.size(), 1);
    for (const DicomShutter& shutter : shutters) hide_behind(shutter, run.bin, run.width(), not_hidden_);
    shutters_ = shutters;
  }
  for (std::size_t i = 0; i < valid.size(); ++i)
    valid[i] = run.valid[i] != 0 && masks.valid[i] != 0 && not_hidden_[i] != 0 ? 1 : 0;
  if (options_.subtraction == DicomSubtraction::background)
    return subtract_background(run, s.frame, view.line_integral, valid);
  if (s.mask != mask_frames_ || s.mask_shift_px.x != mask_shift_px_.x || s.mask_shift_px.y != mask_shift_px_.y) {
    mask_ = mask_image(masks, s);
    mask_frames_ = s.mask;
    mask_shift_px_ = s.mask_shift_px;
  }
  subtract_frames(run, s.contrast, masks, mask_, view.line_integral, view.log_mask, valid);
}

void ViewMaker::add_view(const DicomRun& run, int frame, const View& view) {
  Acquisition& a = imported_.acquisition;
  a.projections.insert(a.projections.end(), view.line_integral.begin(), view.line_integral.end());
  a.valid.insert(a.valid.end(), view.valid.begin(), view.valid.end());
  imported_.log_masks.insert(imported_.log_masks.end(), view.log_mask.begin(), view.log_mask.end());
  a.poses.push_back(pose_of(run, run.frames[static_cast<std::size_t>(frame)]));
}

}  // namespace dsasrgs
