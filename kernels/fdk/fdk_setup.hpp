// SPDX-License-Identifier: Apache-2.0
#pragma once
// What both backends of filtered back-projection start from: geometry of a view in double, and the ramp filter.

#include "common/host_vector.hpp"
#include "fdk/fdk.hpp"
#include "fdk/fdk_arc.hpp"
#include "fdk/fdk_math.hpp"

namespace dsasrgs {

/// A reconstruction whose arguments are checked.
struct FdkJob {
  const FdkInput& input;
  const SourceArc& arc;
  double parker_delta_rad;  ///< as in parker_weight; 0: no Parker weights
  HalfFan half_fan;         ///< of a full turn
};

/// Views filtered before they are back-projected together; bounds the memory of filtered views.
inline constexpr std::size_t kViewBatch = 32;

/// A view as its weights see it.
FilterView filter_view(const FdkJob&, std::size_t view);

/// A view as back-projection sees it. Column = column/depth, row = row/depth in the padded image, where sample (r, c)
/// of the detector is (r + 1, c + 1); depth is 1 on the detector and distance is 1 on the axis.
struct BackProjectPlanes {
  IndexPlane column, row, depth, distance;
};
BackProjectPlanes back_project_planes(const FdkInput&, const SourceArc&, std::size_t view);

/// Length of the transform of a row: a power of two so long that the periodic convolution is the linear one.
std::size_t filter_length(std::size_t width);
/// Ramp × Hann as a real spectrum of n samples (even), the 1/n of the inverse transform included.
HostVector<double> filter_spectrum(std::size_t n);
/// The same filter in space: taps[|m|] weighs the sample m columns away, m < width.
HostVector<double> filter_taps(std::size_t width);

}  // namespace dsasrgs
