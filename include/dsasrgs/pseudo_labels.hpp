// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// Pseudo-labels: super-resolved images of training views, made outside (or by the label makers below) and read as
/// teaching material (method.md section 3). docs/data-format.md says how they are stored.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/export.hpp"

namespace DSASRGS_API dsasrgs {

/// Line integrals that a network's input and output values 0 and 1 stand for.
struct IntensityRange {
  double low = 0, high = 1;
};

/// Reads labels view by view from a file that stays open, so that they need not fit in memory. Not for several threads
/// at once; other threads may use other HDF5 files meanwhile.
/// Labels that were moved from throw InvalidArgument whatever they are asked.
class PseudoLabels {
 public:
  /// Opens a label file (`dsasrgs.pseudo_labels` version 1) or an acquisition file with /super_resolution, and holds it
  /// against the acquisition. Throws IoError; BadInput naming file, field, expected and found: a scale that is not a
  /// whole number of at least 1, images that are not scale times the acquisition's detector, counts that disagree,
  /// views out of range or twice, a training view without a label, or labels that say they were made from another
  /// measurement. The images themselves are checked when they are read; the acquisition's projections are copied for
  /// that, it need not outlive the labels.
  static PseudoLabels open(const std::filesystem::path&, const Acquisition&);

  PseudoLabels(PseudoLabels&&) noexcept;
  PseudoLabels& operator=(PseudoLabels&&) noexcept;
  ~PseudoLabels();

  /// measurement_fingerprint() of all views of the acquisition it was held against.
  const std::string& measurement() const;
  /// The file, for messages.
  const std::string& name() const;
  /// Times finer than the acquisition's detector.
  int scale() const;
  /// What made the labels, in its author's words; empty when the file does not say.
  const std::string& network() const;
  /// What the file says of the network's value range, if anything.
  const std::optional<IntensityRange>& intensity_range() const;
  /// The acquisition's detector, scale times refined.
  const Detector& detector() const;
  /// Views that have a label, in the file's order.
  const std::vector<int>& views() const&;
  const std::vector<int>& views() const&& = delete;
  /// Whether a view has a label, and whether labels have a confidence and a mask.
  bool has(int view) const;
  bool has_confidence() const;
  bool has_false_vessel_mask() const;

  /// Label of one view [sH,sW], line integrals. Throws InvalidArgument for a view without label; BadInput naming the
  /// pixel for a value that is not finite, or further outside the range of the projections' valid pixels than s times
  /// that range (grey values); BadInput for a label that, averaged onto the acquisition's detector, has another
  /// contrast than the view's projection (another unit or logarithm) or does not resemble it (mirrored, another view).
  /// Only gross mismatches are found, and only in views that show clearly more than noise.
  std::vector<float> read(int view) const;
  /// Confidence of one view [sH,sW], and where it was made false on purpose (non-zero). The file must have them, else
  /// InvalidArgument. Throws BadInput for a confidence outside [0,1].
  std::vector<float> read_confidence(int view) const;
  std::vector<std::uint8_t> read_false_vessel_mask(int view) const;
  /// Reads and checks every image.
  void check_all() const;

 private:
  struct State;
  State& state() const;
  explicit PseudoLabels(std::unique_ptr<State>);
  std::unique_ptr<State> state_;
};

/// How labels are stored. float16 halves the file and keeps three decimal digits.
enum class LabelStorage { float16, float32 };

/// What is the same for all views of a label file.
struct LabelFileOptions {
  Detector low_resolution;  ///< the acquisition's detector
  int scale = 4;
  std::vector<int> views;   ///< which views of the acquisition, each once, at least one
  std::string network;      ///< what made the labels
  std::string measurement;  ///< measurement_fingerprint() of the acquisition and views, to refuse another; may be empty
  std::optional<IntensityRange> intensity_range;
  LabelStorage storage = LabelStorage::float16;
  bool confidence = false;         ///< a confidence map goes with every view
  bool false_vessel_mask = false;  ///< a mask of what is false goes with every view
};

/// Writes a label file view by view. It is there whole after commit(), else not at all; compressed, it is laid out in
/// memory until then. Threads as for PseudoLabels. Throws IoError, and InvalidArgument for options or images that the
/// reader would refuse whatever the acquisition: the writer does not know it, so that a label on another unit is found
/// only when it is read. After commit() there is nothing more to write, and add() and commit() throw InvalidArgument,
/// as they do for a writer that was moved from.
class PseudoLabelWriter {
 public:
  /// Makes the temporary file.
  PseudoLabelWriter(const std::filesystem::path&, const LabelFileOptions&);
  PseudoLabelWriter(PseudoLabelWriter&&) noexcept;
  PseudoLabelWriter& operator=(PseudoLabelWriter&&) noexcept;
  ~PseudoLabelWriter();

  /// Images [sH,sW] of the next view in the order of the options: the label, and a confidence and a mask exactly where
  /// the options announce them.
  void add(std::span<const float> label, std::span<const float> confidence = {},
           std::span<const std::uint8_t> false_vessel_mask = {});
  /// Call after the last view.
  void commit();

 private:
  struct State;
  State& state() const;
  std::unique_ptr<State> state_;
};

/// A label made for a test or a study.
struct MadeLabel {
  std::vector<float> values;                    ///< [sH,sW]
  std::vector<std::uint8_t> false_vessel_mask;  ///< [sH,sW], non-zero where it is false on purpose; empty: nowhere
  std::vector<float> confidence{};              ///< [sH,sW] in [0,1]; empty: the maker does not say
};

/// Keys' bicubic interpolation (the one of the resample operator) of one view [sH,sW]; invalid pixels count as 0. Every
/// label maker throws InvalidArgument unless the scale is 1 to 64, and naming the pixel that it reads a value from that
/// is not finite.
MadeLabel bicubic_label(const Acquisition&, int view, int scale);
/// Lanczos-3 interpolation with weights that sum to 1; the edge pixel is repeated beyond the border. Invalid
/// pixels count as 0.
MadeLabel lanczos_label(const Acquisition&, int view, int scale);

/// The errors planted into a perfect label. Lengths in pixels of the label.
struct OracleOptions {
  int false_branches = 3;         ///< thin curved ridges that are not in the truth
  double false_attenuation = 1;   ///< their peak, times the 99th percentile of the view's vessel relief
  double false_width_px = 3;      ///< their full width at half maximum
  int missing_branches = 3;       ///< places on vessels of the truth where the vessel is taken out
  double missing_strength = 1;    ///< 1: lowered to the blur of its surroundings (sigma 8 px), 0: not at all
  double missing_radius_px = 10;  ///< size of such a place
  double sharpening = 0;          ///< weight of the unsharp mask
  double sharpening_sigma_px = 2;
  std::uint64_t seed = 0;
};

/// The truth of one view (reference_projections at `scale`) with false and missing branches and over-sharpening, and a
/// mask of the pixels that differ from the truth for a false or missing branch. Views of one seed get different
/// mistakes, as the inconsistent inventions of a network that sees each view alone. Throws InvalidArgument without a
/// reference of that scale, or for options that are negative or not finite, or more than 1000 branches.
MadeLabel oracle_label(const Acquisition&, int view, int scale, const OracleOptions&);

}  // namespace dsasrgs
