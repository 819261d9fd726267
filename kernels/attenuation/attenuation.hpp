// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// The attenuation models that keep numbers per Gaussian, and the box in which the neural one lives.

#include "dsasrgs/gaussians.hpp"
#include "dsasrgs/geometry.hpp"

namespace dsasrgs {

/// density [N] ← scale · softplus(raw [N]), overwritten. Throws InvalidArgument when sizes disagree.
void softplus_density_forward(Context&, float scale, View<const float> raw, View<float> density);
/// grad_raw [N] ← grad_density · scale · sigmoid(raw), overwritten.
void softplus_density_backward(Context&, float scale, View<const float> raw, View<const float> grad_density,
                               View<float> grad_raw);

/// Offset table (after TOGS): a base and the table's entries at the times 0, ¼, ½, ¾, 1, per Gaussian.
inline constexpr int kOffsetTableEntries = 5, kOffsetTableCoefficients = 1 + kOffsetTableEntries;

/// density [N] ← ρ_i(t) = scale · softplus(base_i + (1−f)·table_i[j] + f·table_i[j+1]), overwritten;
/// j = min(⌊4t⌋, 3), f = 4t − j. coefficients [N,6] = base, table[0…4]; one time for all Gaussians, clamped to [0,1].
/// Throws InvalidArgument when sizes disagree.
void offset_table_density_forward(Context&, float scale, float time, View<const float> coefficients,
                                  View<float> density);
/// grad_coefficients [N,6] ← VJP, overwritten (0 for the three entries that the time does not touch).
void offset_table_density_backward(Context&, float scale, float time, View<const float> coefficients,
                                   View<const float> grad_density, View<float> grad_coefficients);

/// What the forward pass of the smoothness leaves behind; reused from call to call.
struct OffsetTableSmoothness {
  Buffer<float> value;    ///< [1], where the context's memory is
  Buffer<float> partial;  ///< scratch: sums of parts of the cloud
};
/// saved.value ← λ/N · Σ_i Σ_{j=1…4} |table_i[j] − table_i[j−1]| (TOGS, temporal smoothness), 0 for N = 0. Nobody
/// waits. Fixed order of sums: the same bits from run to run and for any thread count. Throws InvalidArgument when
/// coefficients is not [N,6].
void offset_table_smoothness_forward(Context&, float lambda, View<const float> coefficients, OffsetTableSmoothness&);
/// The value of the last forward pass, on the host. Waits for it. Throws InvalidArgument when there was none.
float offset_table_smoothness_value(Context&, const OffsetTableSmoothness&);
/// grad_coefficients [N,6] += the smoothness term's gradient; the sign of a step of 0 is 0. Needs no forward pass.
void offset_table_smoothness_backward(Context&, float lambda, View<const float> coefficients,
                                      View<float> grad_coefficients);

/// unit [N,3] ← (position_mm − origin) / extent of the box, overwritten, not clamped.
void to_unit_box(Context&, const VolumeGrid&, View<const float> position_mm, View<float> unit);

}  // namespace dsasrgs
