// SPDX-License-Identifier: Apache-2.0
#pragma once
// The bodies of attenuation.hpp on both backends; arguments are already validated.

#include "attenuation/attenuation.hpp"

namespace dsasrgs::cpu {

void softplus_density_forward(Context&, float scale, View<const float> raw, View<float> density);
void softplus_density_backward(Context&, float scale, View<const float> raw, View<const float> grad_density,
                               View<float> grad_raw);
void offset_table_density_forward(Context&, float scale, float time, View<const float> coefficients,
                                  View<float> density);
void offset_table_density_backward(Context&, float scale, float time, View<const float> coefficients,
                                   View<const float> grad_density, View<float> grad_coefficients);
/// `factor`: λ / N, 0 for N = 0.
void offset_table_smoothness_forward(Context&, float factor, View<const float> coefficients, OffsetTableSmoothness&);
void offset_table_smoothness_backward(Context&, float factor, View<const float> coefficients,
                                      View<float> grad_coefficients);
void to_unit_box(Context&, const VolumeGrid&, View<const float> position_mm, View<float> unit);

}  // namespace dsasrgs::cpu

namespace dsasrgs::cuda {

void softplus_density_forward(Context&, float scale, View<const float> raw, View<float> density);
void softplus_density_backward(Context&, float scale, View<const float> raw, View<const float> grad_density,
                               View<float> grad_raw);
void offset_table_density_forward(Context&, float scale, float time, View<const float> coefficients,
                                  View<float> density);
void offset_table_density_backward(Context&, float scale, float time, View<const float> coefficients,
                                   View<const float> grad_density, View<float> grad_coefficients);
/// `factor`: λ / N, 0 for N = 0.
void offset_table_smoothness_forward(Context&, float factor, View<const float> coefficients, OffsetTableSmoothness&);
void offset_table_smoothness_backward(Context&, float factor, View<const float> coefficients,
                                      View<float> grad_coefficients);
void to_unit_box(Context&, const VolumeGrid&, View<const float> position_mm, View<float> unit);

}  // namespace dsasrgs::cuda
