// SPDX-License-Identifier: Apache-2.0
// Writing of pseudo-labels.
#include <cmath>
#include <set>
#include <utility>

#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/pseudo_labels.hpp"
#include "files/hdf5_file.hpp"
#include "held.hpp"
#include "super_resolution/label_fields.hpp"

namespace dsasrgs {

namespace {

constexpr double kLargestHalf = 65504;

[[noreturn]] void refuse(const std::string& what, const std::string& expected, const std::string& found) {
  throw InvalidArgument("PseudoLabelWriter: " + what + ": expected " + expected + ", found " + found);
}

void check(const LabelFileOptions& o) {
  if (o.low_resolution.width_px < 1 || o.low_resolution.height_px < 1)
    refuse("low_resolution", "at least 1 x 1 pixels",
           std::to_string(o.low_resolution.width_px) + " x " + std::to_string(o.low_resolution.height_px));
  if (o.scale < 1 || o.scale > label_fields::kMaxScale)
    refuse("scale", "1 to " + std::to_string(label_fields::kMaxScale), std::to_string(o.scale));
  if (o.storage != LabelStorage::float16 && o.storage != LabelStorage::float32)
    refuse("storage", "float16 or float32", std::to_string(static_cast<int>(o.storage)));
  if (o.views.empty()) refuse("views", "at least one view", "none");
  std::set<int> seen;
  for (const int view : o.views)
    if (view < 0 || !seen.insert(view).second) refuse("views", "views from 0, each once", std::to_string(view));
  if (o.intensity_range && !(std::isfinite(o.intensity_range->low) && std::isfinite(o.intensity_range->high) &&
                             o.intensity_range->low < o.intensity_range->high))
    refuse("intensity_range", "two finite line integrals, the smaller first",
           std::to_string(o.intensity_range->low) + ", " + std::to_string(o.intensity_range->high));
}

}  // namespace

struct PseudoLabelWriter::State {
  State(const std::filesystem::path& path, const LabelFileOptions& o) : file(path), options(o) {}

  Hdf5Writer file;
  LabelFileOptions options;
  std::size_t pixels = 0, next = 0;
  bool committed = false;

  void require_open(const char* function) const {
    if (committed) refuse(function, "a writer before its commit()", "one whose file is committed already");
  }

  void require_size(const char* what, bool announced, std::size_t found) const {
    const std::size_t expected = announced ? pixels : 0;
    if (found != expected) refuse(what, std::to_string(expected) + " values", std::to_string(found));
  }
};

PseudoLabelWriter::PseudoLabelWriter(const std::filesystem::path& path, const LabelFileOptions& options) try {
  using namespace label_fields;
  check(options);
  state_ = std::make_unique<State>(path, options);
  const Detector fine = options.low_resolution.refined(options.scale);
  state_->pixels = fine.num_pixels();
  const Shape images{options.views.size(), static_cast<std::size_t>(fine.height_px),
                     static_cast<std::size_t>(fine.width_px)};
  const bool half = options.storage == LabelStorage::float16;
  Hdf5Writer& file = state_->file;
  file.set_format(kFormat, kVersion);
  file.create<float>(kLabels, images, Hdf5Storage::compressed, half);
  file.attribute(kLabels, "scale", options.scale);
  if (!options.network.empty()) file.attribute(kLabels, "model", options.network);
  if (!options.measurement.empty()) file.attribute(kLabels, kMeasurement, options.measurement);
  if (options.intensity_range)
    file.attribute(kLabels, "intensity_range",
                   std::vector<double>{options.intensity_range->low, options.intensity_range->high});
  file.write(kView, options.views, {options.views.size()});
  if (options.confidence) file.create<float>(kConfidence, images, Hdf5Storage::compressed, half);
  if (options.false_vessel_mask) file.create<std::uint8_t>(kMask, images, Hdf5Storage::compressed);
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

PseudoLabelWriter::PseudoLabelWriter(PseudoLabelWriter&&) noexcept = default;
PseudoLabelWriter& PseudoLabelWriter::operator=(PseudoLabelWriter&&) noexcept = default;
PseudoLabelWriter::~PseudoLabelWriter() = default;

PseudoLabelWriter::State& PseudoLabelWriter::state() const { return held(state_, "PseudoLabelWriter"); }

void PseudoLabelWriter::add(std::span<const float> label, std::span<const float> confidence,
                            std::span<const std::uint8_t> mask) try {
  State& s = state();
  s.require_open("add");
  if (s.next == s.options.views.size()) refuse("add", std::to_string(s.next) + " views", "one more");
  s.require_size("label", true, label.size());
  s.require_size("confidence", s.options.confidence, confidence.size());
  s.require_size("false_vessel_mask", s.options.false_vessel_mask, mask.size());
  const double largest = s.options.storage == LabelStorage::float16 ? kLargestHalf : HUGE_VAL;
  for (const float value : label)
    if (!std::isfinite(value) || std::abs(value) > largest)
      refuse("label of view " + std::to_string(s.options.views[s.next]), "finite numbers that the storage holds",
             std::to_string(value));
  for (const float value : confidence)
    if (!(value >= 0 && value <= 1))
      refuse("confidence of view " + std::to_string(s.options.views[s.next]), "0 to 1", std::to_string(value));
  s.file.write_slab(label_fields::kLabels, s.next, label);
  if (s.options.confidence) s.file.write_slab(label_fields::kConfidence, s.next, confidence);
  if (s.options.false_vessel_mask) s.file.write_slab(label_fields::kMask, s.next, mask);
  ++s.next;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

void PseudoLabelWriter::commit() try {
  State& s = state();
  s.require_open("commit");
  if (s.next != s.options.views.size())
    refuse("commit", "labels of " + std::to_string(s.options.views.size()) + " views", std::to_string(s.next));
  s.file.commit();
  s.committed = true;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
