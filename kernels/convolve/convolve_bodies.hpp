// SPDX-License-Identifier: Apache-2.0
#pragma once
// The bodies of convolve.hpp on both backends; arguments are already validated.

#include "convolve/convolve.hpp"

namespace dsasrgs::cpu {

void convolve_forward(Context&, const ConvolveInput&, View<float> output);
void convolve_backward(Context&, const ConvolveInput&, View<const float> output, View<const float> grad_output,
                       const ConvolveGradient&);
void pixel_shuffle(const Context&, const PixelShuffleShape&, View<const float> low, View<float> high);
void pixel_shuffle_adjoint(const Context&, const PixelShuffleShape&, View<const float> high, GradientMode,
                           View<float> low);

}  // namespace dsasrgs::cpu

namespace dsasrgs::cuda {

void convolve_forward(Context&, const ConvolveInput&, View<float> output);
void convolve_backward(Context&, const ConvolveInput&, View<const float> output, View<const float> grad_output,
                       const ConvolveGradient&, ConvolveScratch&);
void pixel_shuffle(Context&, const PixelShuffleShape&, View<const float> low, View<float> high);
void pixel_shuffle_adjoint(Context&, const PixelShuffleShape&, View<const float> high, GradientMode, View<float> low);

}  // namespace dsasrgs::cuda
