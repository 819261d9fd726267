#pragma once
// The first model: Gaussians from a filtered back-projection, a fresh field, and one global density scale.

#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/config.hpp"
#include "dsasrgs/model.hpp"

namespace dsasrgs {

/// Model of `training` views before the first step (method.md section 2). The density scale is the least-squares factor
/// between the renders of the training views and their measurements, so training starts at the right brightness.
/// Throws BadInput when the views hold nothing to reconstruct.
Model initial_model(Context&, const Acquisition&, const std::vector<int>& training_views, const Config&);

/// The number that a `static` Gaussian keeps: softplus⁻¹ of its density over the field's density scale, at least 1e-3.
float static_attenuation(double relative_density);

/// Line integrals of a view as the training uses them: clipped at 0 if configured, invalid pixels set to 0.
std::vector<float> training_image(const Acquisition&, int view, const Config&);

}  // namespace dsasrgs
