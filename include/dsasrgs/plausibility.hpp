// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// What a measurement hardly ever shows and a mistake often does: wrong units, a forgotten logarithm, images the wrong
/// way round, a volume that is not where the vessels are. Acquisition::validate refuses what cannot be computed with;
/// what is found here can be, and the result would be worthless.

#include <string>
#include <string_view>
#include <vector>

#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/export.hpp"

namespace DSASRGS_API dsasrgs {

/// What is implausible. In brackets: Finding::value, its unit.
enum class Implausibility {
  // projections
  line_integral_range,  ///< line integrals that let no photon through: grey values, HU, percent [the largest]
  no_logarithm,         ///< most pixels are beyond that: detector counts or grey values as measured [their median]
  reversed_subtraction,  ///< vessels negative on a background near 0: ln(fill) − ln(mask) [depth over height of values]
  inverted_images,       ///< vessels darker than a background that is not near 0 [depth over height of values]
  moved_head,            ///< far below the background as well [depth below it over height above]
  background_level,      ///< the images' border is far from 0 [median there, over the height of the vessels]
  saturated_views,       ///< many pixels of a view at exactly its maximum [the largest share]
  no_contrast,           ///< no view shows anything [views]
  constant_views,        ///< views that show nothing, others do; not those of 0 before or after contrast [views]
  duplicate_views,       ///< the same image, bit by bit, from different poses [views that repeat another]
  few_valid_pixels,      ///< nearly all pixels, or all of a view, are marked as invalid [their share]
  // geometry
  length_unit,          ///< source to detector, or the volume, of a length no scanner has [mm]
  detector_size,        ///< detector far too small or large for its distance: the pixels' unit [angle of view, degrees]
  volume_size,          ///< the volume's shadow far smaller or larger than the detector [its width, detector widths]
  volume_cut,           ///< the volume reaches behind the source or the detector [mm]
  volume_off_detector,  ///< the volume's centre is projected beside the detector [share of views]
  signal_outside_volume,  ///< contrast on rays that miss the volume [share of all contrast]
  // poses
  single_view,   ///< one view alone [views]
  same_pose,     ///< all views from one pose [views]
  narrow_sweep,  ///< all views from nearly one direction, as from angles made radians twice [span, degrees]
  angle_steps,   ///< round and round in large equal steps, as from degrees taken for radians [step, degrees]
};

/// The name in the enumeration: "line_integral_range".
std::string_view name_of(Implausibility);

/// One thing that is implausible.
struct Finding {
  Implausibility kind;
  std::string field;    ///< data-format name, such as "/volume"
  double value = 0;     ///< what was found, in the unit that Implausibility gives
  double limit = 0;     ///< the plausible value nearest to it, in the same unit
  int view = -1;        ///< the view that shows it best or first; −1: all of them together
  std::string message;  ///< one line: "FIELD: expected …, found … (what may be the reason)"
};

/// Everything implausible about an acquisition that Acquisition::validate accepts; empty when nothing is. Follow-ups of
/// a finding are not told beside it. Invalid pixels do not count. Reads the projections once, and samples of them twice
/// more. Throws InvalidArgument where arrays have other sizes than detector and poses ask for.
std::vector<Finding> implausibilities(const Acquisition&);

}  // namespace dsasrgs
