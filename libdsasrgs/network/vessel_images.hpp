// SPDX-License-Identifier: Apache-2.0
#pragma once
// Simulated projections of vessels, from any direction at any time.

#include <cstdint>
#include <map>
#include <vector>

#include "dsasrgs/context.hpp"
#include "dsasrgs/image.hpp"
#include "dsasrgs/network_trainer.hpp"
#include "network/patch_numbers.hpp"

namespace dsasrgs {

/// Projections of one source's vessels, in units of its brightest line integral.
class VesselImages {
 public:
  /// The source must outlive it. Throws InvalidArgument naming the source.
  VesselImages(Context&, const NetworkTrainingConfig&, const NetworkVessels&);

  double unit() const { return unit_; }
  /// The truth s·side_px() pixels a side, aimed at a place on a vessel; without noise.
  Image draw(Context&, PatchNumbers&) const;
  /// Measured pixels of an image.
  int side_px() const { return side_px_; }

 private:
  const NetworkVessels* source_;
  int scale_, side_px_;
  double pitch_low_mm_, pitch_high_mm_, unit_ = 0;
};

/// The images that the patches of one training step are cut from: half a new one a step, each kept for 128 steps. Image
/// k depends on nothing but the seed and k, so any step can be drawn without those before it.
class VesselWindow {
 public:
  static constexpr int kImages = 64;

  explicit VesselWindow(std::uint64_t seed) : seed_(seed) {}

  /// Before the first image is asked for.
  void add(const VesselImages& source, double share) {
    sources_.push_back(source);
    shares_.push_back(share);
  }
  /// Image `which` of kImages at a step; made when it is first asked for, and gone once a step is drawn whose window it
  /// is not in.
  const Image& at(Context&, std::int64_t step, std::size_t which);

 private:
  std::uint64_t seed_;
  std::vector<VesselImages> sources_;
  std::vector<double> shares_;
  std::map<std::int64_t, Image> images_;
};

}  // namespace dsasrgs
