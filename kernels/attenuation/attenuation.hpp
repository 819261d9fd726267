#pragma once
/// @file
/// Element-wise steps of the attenuation models and of the nuisance parameters.

#include "dsasrgs/gaussians.hpp"
#include "dsasrgs/geometry.hpp"

namespace dsasrgs {

/// density [N] ← scale · softplus(raw [N]), overwritten. Throws InvalidArgument when sizes disagree.
void softplus_density_forward(Context&, float scale, View<const float> raw, View<float> density);
/// grad_raw [N] ← grad_density · scale · sigmoid(raw), overwritten.
void softplus_density_backward(Context&, float scale, View<const float> raw, View<const float> grad_density,
                               View<float> grad_raw);

/// unit [N,3] ← (position_mm − origin) / extent of the box, overwritten, not clamped.
void to_unit_box(Context&, const VolumeGrid&, View<const float> position_mm, View<float> unit);
/// grad_position_mm [N,3] += grad_unit / extent.
void to_unit_box_backward(Context&, const VolumeGrid&, View<const float> grad_unit, View<float> grad_position_mm);

/// out ← factor · in, element by element; in and out may be the same memory.
void scale_values(Context&, float factor, View<const float> in, View<float> out);
/// out ← gain · in + offset, element by element; in and out may be the same memory.
void affine_values(Context&, float gain, float offset, View<const float> in, View<float> out);

/// out += factor · in, element by element.
void add_scaled(Context&, float factor, View<const float> in, View<float> out);

/// Σ a_i and Σ a_i b_i in double, added in a fixed order.
struct Sums {
  double sum = 0, product = 0;
};
Sums sum_and_product(Context&, View<const float> a, View<const float> b);

}  // namespace dsasrgs
