// SPDX-License-Identifier: Apache-2.0
#pragma once
// The bodies of fdk.hpp on both backends; arguments are already validated.

#include "common/host_vector.hpp"
#include "fdk/fdk_setup.hpp"

namespace dsasrgs::cpu {

void fdk_reconstruct(const Context&, const FdkJob&, View<float> volume);

/// Views [first, first + count) with a border of one repeated pixel, column by column: [count, W + 2, H + 2], and what
/// vectors may read beyond. Each is multiplied by cosine and redundancy weights, ramp-filtered along its rows, and
/// scaled by its share of the arc.
void fdk_filter(const Context&, const FdkJob&, std::size_t first, std::size_t count, HostVector<float>& filtered);

/// Adds the filtered views, times their squared distance weights, to the volume.
void fdk_back_project(const Context&, const FdkJob&, std::size_t first, std::size_t count,
                      const HostVector<float>& filtered, View<float> volume);

}  // namespace dsasrgs::cpu

namespace dsasrgs::cuda {

void fdk_reconstruct(Context&, const FdkJob&, View<float> volume);

}  // namespace dsasrgs::cuda
