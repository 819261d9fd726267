// SPDX-License-Identifier: Apache-2.0
#pragma once
// The bodies of teach.hpp on both backends; arguments are already validated.

#include "teach/teach.hpp"

namespace dsasrgs::cpu {

void texture_richness(const Context&, const TextureShape&, View<const float> image, View<float> richness);
void teach_forward(const Context&, const TeachInput&, const ConfidenceCentre&, View<const float> weights,
                   View<float> teach);
void teach_backward(const Context&, const TeachInput&, const ConfidenceCentre&, View<const float> weights,
                    View<const float> grad_teach, View<float> grad_weights);

}  // namespace dsasrgs::cpu

namespace dsasrgs::cuda {

void texture_richness(Context&, const TextureShape&, View<const float> image, View<float> richness);
void teach_forward(Context&, const TeachInput&, const ConfidenceCentre&, View<const float> weights, View<float> teach);
void teach_backward(Context&, const TeachInput&, const ConfidenceCentre&, View<const float> weights,
                    View<const float> grad_teach, TeachScratch&, View<float> grad_weights);

}  // namespace dsasrgs::cuda
