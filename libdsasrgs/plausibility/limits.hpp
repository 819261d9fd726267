// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where the plausible ends. Held against every simulated, real and odd but right case at hand (tests/lib).

#include <cstddef>

namespace dsasrgs::plausible {

// ---- projections ------------------------------------------------------------------------------------------------
/// e^-15 is one photon in three million: more than a detector counts per pixel, and 10 cm of bone and iodine stay
/// below.
constexpr double kLargestLineIntegral = 15;
/// Depth below the background over height above it. Noise and motion reach both ways alike (about 1), vessels only up.
constexpr double kLargestDepthOverHeight = 3;
/// What a head leaves that moved between mask and contrast run is of both signs, and lies together where noise does
/// not. A real sweep has 0.15, a simulated head that moved by 0.3 mm 0.83 at 64 × 64 pixels, and 0.43 once masks are
/// aligned.
constexpr double kLargestResidueOverHeight = 0.7;
/// Neighbours' mean over the mean, of pixels far below: 0 in noise, 0.58 beside that head's bone.
constexpr double kLargestLikenessBelow = 0.3;
/// Subtracted air is 0; half a vessel's contrast at the border is neither offset of the export nor blush.
constexpr double kLargestBackground = 0.5;
/// Measured maxima are single pixels: 0.02 % of a real sweep's, 0.4 % of a 16 × 16 simulation's.
constexpr double kLargestShareAtMaximum = 0.005;
/// And a small part of the pixels above half of the maximum: clipping flattens the vessels' tops.
constexpr double kLargestShareOfBright = 0.2;
/// On a detector of a few pixels one pixel is already a large share.
constexpr std::size_t kFewestPixelsAtMaximum = 10;
/// A view before the contrast arrives may have many pixels at its small maximum.
constexpr double kContrastOfFilledView = 0.25;
/// Pixels a view shows at least, so that the next cannot show none, or the same, unless an image is missing. The rays
/// of a coarse simulation may miss a thin vessel.
constexpr std::size_t kFewestPixelsSeen = 16;
/// And with this share of the strongest contrast: without noise, washed-out contrast fades to exactly 0.
constexpr double kFaintestView = 0.01;
/// A round image intensifier leaves 21 % of a square detector, a shutter half of that, unseen.
constexpr double kLargestShareInvalid = 0.9;
/// Quantiles that stand for the lowest and highest values, so that single hot pixels do not.
constexpr double kLowestQuantile = 1e-3, kHighestQuantile = 1 - 1e-3;

// ---- geometry ---------------------------------------------------------------------------------------------------
/// Source to detector: C-arms 900 to 1300 mm, micro-CT from 200 mm, the longest benches 2500 mm. 1200 mm are 120 cm.
constexpr double kShortestSdd_mm = 200, kLongestSdd_mm = 2500;
/// Longest side of the volume: the smallest micro-CT samples 1 mm, a whole body 2000 mm.
constexpr double kSmallestVolume_mm = 0.5, kLargestVolume_mm = 2000;
/// Angle of view: C-arms 5° (small field) to 20°, micro-CT up to 50°. A C-arm's pixels in cm give 1.5°.
constexpr double kNarrowestView_deg = 2, kWidestView_deg = 60;
/// Width of the volume's shadow in detector widths: about 1; a head in a small field 3.6; a volume in cm 0.08.
constexpr double kSmallestShadow = 0.1, kLargestShadow = 4;
/// Share of views whose detector the volume's centre may miss: a few at the ends of an odd sweep.
constexpr double kLargestShareOffDetector = 0.25;
/// Share of the contrast beside the volume: misregistered bone reaches 3 %.
constexpr double kLargestSignalOutside = 0.1;
/// Pixels this many standard deviations above the background are signal: no pixel of pure noise is.
constexpr double kSignalInNoise = 6;
/// Or this share of the highest value, where there is no noise.
constexpr double kFaintestSignal = 0.02;

// ---- poses ------------------------------------------------------------------------------------------------------
/// Distance between two poses over source to detector, below which they are one: far below any step of a sweep.
constexpr double kSamePose = 1e-4;
/// Span of directions: tomosynthesis has 12° and more; a full circle made radians twice 6.3°.
constexpr double kNarrowestSweep_deg = 7;
/// No C-arm goes further than a circle and a quarter in steps as large as this (nor in golden angles);
/// degrees taken for radians mostly do.
constexpr double kLargestStep_deg = 15, kLongestCoarseTurn_deg = 450;
/// Length of the mean unit vector of the steps: equal steps have 1, views in random order about 0.3.
constexpr double kEvenSteps = 0.8;
/// Steps that show whether they are equal.
constexpr int kFewestSteps = 7;

}  // namespace dsasrgs::plausible
