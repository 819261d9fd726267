#pragma once
// CUDA bodies of the teaching reference; arguments are already validated.

#include "teach/teach.hpp"

namespace dsasrgs::cuda {

void texture_richness(Context&, const TextureShape&, View<const float> image, View<float> richness);
void teach_forward(Context&, const TeachInput&, const ConfidenceCentre&, View<const float> weights, View<float> teach,
                   View<float> confidence);
void teach_backward(Context&, const TeachInput&, const ConfidenceCentre&, View<const float> weights,
                    View<const float> grad_teach, TeachScratch&, View<float> grad_weights);

}  // namespace dsasrgs::cuda
