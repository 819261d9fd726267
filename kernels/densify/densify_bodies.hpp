// SPDX-License-Identifier: Apache-2.0
#pragma once
// The bodies of densify.hpp on both backends; arguments are already validated.

#include "densify/densify.hpp"

namespace dsasrgs::cpu {

void density_statistics_add(const Context&, const Detector&, View<const float> grad_mean_px, View<const PixelBox> box,
                            View<const float> density, View<const float> conic, DensityStatistics&);
DensityPlan plan_density_control(Context&, const DensityControl&, GaussianView, const DensityStatistics&);
void gather_rows(const Context&, const DensityPlan&, std::span<const RowGather>);
/// out [N'] ← what survivors had in `in` [N], 0 for births.
void gather_counts(const Context&, const DensityPlan&, View<const std::uint32_t> in, View<std::uint32_t> out);
void place_children(const Context&, const DensityControl&, const DensityPlan&, ScaleBounds, View<float> position_mm,
                    View<float> raw_scale, View<const float> rotation);
void halve_density(const Context&, const DensityPlan&, View<float> raw);

}  // namespace dsasrgs::cpu

namespace dsasrgs::cuda {

void density_statistics_add(Context&, const Detector&, View<const float> grad_mean_px, View<const PixelBox> box,
                            View<const float> density, View<const float> conic, DensityStatistics&);
DensityPlan plan_density_control(Context&, const DensityControl&, GaussianView, const DensityStatistics&);
void gather_rows(Context&, const DensityPlan&, std::span<const RowGather>);
/// out [N'] ← what survivors had in `in` [N], 0 for births.
void gather_counts(Context&, const DensityPlan&, View<const std::uint32_t> in, View<std::uint32_t> out);
void place_children(Context&, const DensityControl&, const DensityPlan&, ScaleBounds, View<float> position_mm,
                    View<float> raw_scale, View<const float> rotation);
void halve_density(Context&, const DensityPlan&, View<float> raw);

}  // namespace dsasrgs::cuda
