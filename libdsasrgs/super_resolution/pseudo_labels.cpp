// SPDX-License-Identifier: Apache-2.0
// Reading of pseudo-labels.
#include "dsasrgs/pseudo_labels.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <utility>

#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/fingerprint.hpp"
#include "dsasrgs/splits.hpp"
#include "files/hdf5_file.hpp"
#include "held.hpp"
#include "super_resolution/label_fields.hpp"
#include "super_resolution/label_likeness.hpp"

namespace dsasrgs {

struct PseudoLabels::State {
  explicit State(const std::filesystem::path& path) : file(path) {}

  Hdf5Reader file;
  int scale = 1, num_views_of_case = 0;
  std::string measurement;
  Detector fine;
  std::string network;
  std::optional<IntensityRange> intensity_range;
  std::vector<int> views;
  std::vector<int> slab_of_view;  // [views of the case], −1: no label
  bool has_confidence = false, has_mask = false;
  double lowest = -HUGE_VAL, highest = HUGE_VAL;  // values that a label may have
  Detector low_resolution;
  /// comparable_projection() of each label's view: copies, so that the acquisition need not outlive the labels.
  std::vector<std::vector<float>> projections;

  std::size_t slab(const char* function, int view) const {
    if (view < 0 || view >= num_views_of_case || slab_of_view[static_cast<std::size_t>(view)] < 0)
      throw InvalidArgument(std::string("PseudoLabels::") + function + ": view: expected a view with a label, found " +
                            std::to_string(view));
    return static_cast<std::size_t>(slab_of_view[static_cast<std::size_t>(view)]);
  }
  template <class T>
  std::vector<T> image(const char* field, std::size_t slab) const {
    std::vector<T> values(fine.num_pixels());
    file.read_slab(field, slab, std::span(values));
    return values;
  }
  /// Every value of an image must be in [low, high]; says where it is not.
  void require_values(const char* field, int view, const std::vector<float>& values, double low, double high,
                      const std::string& expected) const {
    for (std::size_t p = 0; p < values.size(); ++p) {
      const bool finite = std::isfinite(values[p]);
      if (finite && values[p] >= low && values[p] <= high) continue;
      const std::size_t width = static_cast<std::size_t>(fine.width_px);
      throw BadInput(file.name(), field, finite ? expected : "finite numbers",
                     std::to_string(values[p]) + " at view " + std::to_string(view) + ", row " +
                         std::to_string(p / width) + ", column " + std::to_string(p % width));
    }
  }
};

namespace {

int read_scale(const Hdf5Reader& file) {
  const std::int64_t scale = file.attribute<std::int64_t>(label_fields::kLabels, "scale");
  if (scale < 1 || scale > label_fields::kMaxScale)
    throw BadInput(file.name(), std::string(label_fields::kLabels) + "@scale",
                   "a whole number of 1 to " + std::to_string(label_fields::kMaxScale), std::to_string(scale));
  return static_cast<int>(scale);
}

std::optional<IntensityRange> read_intensity_range(const Hdf5Reader& file) {
  if (!file.has_attribute(label_fields::kLabels, "intensity_range")) return std::nullopt;
  const std::vector<double> range = file.attribute_vector<double>(label_fields::kLabels, "intensity_range", 2);
  if (!std::isfinite(range[0]) || !std::isfinite(range[1]) || !(range[0] < range[1]))
    throw BadInput(file.name(), std::string(label_fields::kLabels) + "@intensity_range",
                   "two finite line integrals, the smaller first",
                   std::to_string(range[0]) + ", " + std::to_string(range[1]));
  return IntensityRange{range[0], range[1]};
}

std::vector<int> read_label_views(const Hdf5Reader& file, int num_views, std::size_t num_labels) {
  const std::string field = label_fields::kView;
  std::vector<int> views(static_cast<std::size_t>(num_views));
  if (!file.has(field)) {
    if (num_labels != views.size())
      throw BadInput(file.name(), label_fields::kLabels,
                     std::to_string(num_views) + " images, one per view of the acquisition (there is no " + field + ")",
                     std::to_string(num_labels));
    std::iota(views.begin(), views.end(), 0);
    return views;
  }
  views = file.read<std::int32_t>(field, {num_labels});
  std::vector<bool> seen(static_cast<std::size_t>(num_views));
  for (std::size_t k = 0; k < views.size(); ++k) {
    const std::string item = field + "[" + std::to_string(k) + "]";
    if (views[k] < 0 || views[k] >= num_views)
      throw BadInput(file.name(), item, "a view of 0 to " + std::to_string(num_views - 1), std::to_string(views[k]));
    if (seen[static_cast<std::size_t>(views[k])])
      throw BadInput(file.name(), item, "each view once", std::to_string(views[k]) + " again");
    seen[static_cast<std::size_t>(views[k])] = true;
  }
  return views;
}

}  // namespace

PseudoLabels PseudoLabels::open(const std::filesystem::path& path, const Acquisition& a) try {
  using namespace label_fields;
  auto state = std::make_unique<State>(path);
  const Hdf5Reader& file = state->file;
  const std::string format = file.attribute<std::string>("/", "format");
  if (format == kAcquisitionFormat)
    file.require_format(kAcquisitionFormat, kVersion);
  else
    file.require_format(kFormat, kVersion);
  const Shape found = file.require_shape(kLabels, {kAnyExtent, kAnyExtent, kAnyExtent});
  state->scale = read_scale(file);
  state->low_resolution = a.detector;
  state->fine = a.detector.refined(state->scale);
  const std::size_t height = static_cast<std::size_t>(state->fine.height_px);
  const std::size_t width = static_cast<std::size_t>(state->fine.width_px);
  if (found[1] != height || found[2] != width)
    throw BadInput(file.name(), kLabels,
                   "images of " + describe({height, width}) + ", " + std::to_string(state->scale) +
                       " times the detector of " + a.name,
                   describe({found[1], found[2]}));
  state->num_views_of_case = a.num_views();
  state->measurement = measurement_fingerprint(a, all_views(a));
  state->views = read_label_views(file, a.num_views(), found[0]);
  state->slab_of_view.assign(a.poses.size(), -1);
  for (std::size_t k = 0; k < state->views.size(); ++k)
    state->slab_of_view[static_cast<std::size_t>(state->views[k])] = static_cast<int>(k);
  for (const int v : a.training_views())
    if (state->slab_of_view[static_cast<std::size_t>(v)] < 0)
      throw BadInput(file.name(), kView, "a label for every training view", "none for view " + std::to_string(v));
  if (file.has_attribute(kLabels, kMeasurement)) {
    const auto found_print = file.attribute<std::string>(kLabels, kMeasurement);
    const std::string print = measurement_fingerprint(a, state->views);
    if (found_print != print)
      throw BadInput(file.name(), std::string(kLabels) + "@" + kMeasurement, print + ", that of " + a.name,
                     found_print + ": the labels were made from another measurement");
  }
  if (file.has_attribute(kLabels, "model")) state->network = file.attribute<std::string>(kLabels, "model");
  state->intensity_range = read_intensity_range(file);
  state->has_confidence = file.has(kConfidence);
  if (state->has_confidence) file.require_shape(kConfidence, found);
  state->has_mask = file.has(kMask);
  if (state->has_mask) file.require_shape(kMask, found);
  const ProjectionRange range = valid_range(a);
  if (range.low <= range.high) {
    // A vessel one fine pixel wide measures up to s times what the mean over s of them does.
    const double margin = state->scale * (static_cast<double>(range.high) - range.low);
    state->lowest = range.low - margin;
    state->highest = range.high + margin;
  }
  for (const int view : state->views) state->projections.push_back(comparable_projection(a, view, range));
  return PseudoLabels(std::move(state));
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

PseudoLabels::PseudoLabels(std::unique_ptr<State> state) : state_(std::move(state)) {}
PseudoLabels::PseudoLabels(PseudoLabels&&) noexcept = default;
PseudoLabels& PseudoLabels::operator=(PseudoLabels&&) noexcept = default;
PseudoLabels::~PseudoLabels() = default;

PseudoLabels::State& PseudoLabels::state() const { return held(state_, "PseudoLabels"); }

const std::string& PseudoLabels::measurement() const { return state().measurement; }
const std::string& PseudoLabels::name() const { return state().file.name(); }
int PseudoLabels::scale() const { return state().scale; }
const std::string& PseudoLabels::network() const { return state().network; }
const std::optional<IntensityRange>& PseudoLabels::intensity_range() const { return state().intensity_range; }
const Detector& PseudoLabels::detector() const { return state().fine; }
const std::vector<int>& PseudoLabels::views() const& { return state().views; }
bool PseudoLabels::has(int view) const {
  const State& s = state();
  return view >= 0 && view < s.num_views_of_case && s.slab_of_view[static_cast<std::size_t>(view)] >= 0;
}
bool PseudoLabels::has_confidence() const { return state().has_confidence; }
bool PseudoLabels::has_false_vessel_mask() const { return state().has_mask; }

std::vector<float> PseudoLabels::read(int view) const try {
  const State& s = state();
  const std::size_t slab = s.slab("read", view);
  std::vector<float> values = s.image<float>(label_fields::kLabels, slab);
  s.require_values(label_fields::kLabels, view, values, s.lowest, s.highest,
                   "line integrals of " + std::to_string(s.lowest) + " to " + std::to_string(s.highest) +
                       " (the acquisition's range, and " + std::to_string(s.scale) + " times as much on both sides)");
  if (s.projections[slab].empty()) return values;
  if (const auto found = unlikeness(s.projections[slab], s.low_resolution, values, s.scale))
    throw BadInput(s.file.name(), label_fields::kLabels,
                   "what the projection of view " + std::to_string(view) + " shows, as line integrals", *found);
  return values;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

std::vector<float> PseudoLabels::read_confidence(int view) const try {
  const State& s = state();
  const std::size_t slab = s.slab("read_confidence", view);
  if (!s.has_confidence)
    throw InvalidArgument("PseudoLabels::read_confidence: expected confidence maps in " + s.file.name() +
                          ", found none");
  std::vector<float> values = s.image<float>(label_fields::kConfidence, slab);
  s.require_values(label_fields::kConfidence, view, values, 0, 1, "confidences of 0 to 1");
  return values;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

std::vector<std::uint8_t> PseudoLabels::read_false_vessel_mask(int view) const try {
  const State& s = state();
  const std::size_t slab = s.slab("read_false_vessel_mask", view);
  if (!s.has_mask)
    throw InvalidArgument("PseudoLabels::read_false_vessel_mask: expected masks in " + s.file.name() + ", found none");
  return s.image<std::uint8_t>(label_fields::kMask, slab);
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

void PseudoLabels::check_all() const try {
  for (const int view : views()) {
    read(view);
    if (has_confidence()) read_confidence(view);
  }
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
