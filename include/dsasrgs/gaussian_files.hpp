// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// A model's Gaussians as PLY files: whole, for programs that work on them, and as splat viewers draw them. Files are
/// there whole or not at all.

#include <filesystem>

#include "dsasrgs/context.hpp"
#include "dsasrgs/export.hpp"
#include "dsasrgs/model.hpp"

namespace DSASRGS_API dsasrgs {

/// Writes all of a model as a binary PLY file (docs/data-format.md): read_gaussian_ply gives the same bits, and other
/// readers find the Gaussians as vertices at x, y, z. Throws as write_model does.
void write_gaussian_ply(Context&, const std::filesystem::path&, const Model&);
/// Reads a file of write_gaussian_ply. Throws IoError, OutOfMemory, and BadInput, naming the line or the element, for
/// anything else.
Model read_gaussian_ply(Context&, const std::filesystem::path&);

/// Writes the Gaussians at a moment as splat viewers expect them (the layout of Kerbl et al. 2023: f_dc, opacity as a
/// logit, scale as a logarithm, rotation w, x, y, z; positions in mm, LPS). Viewers blend surfaces, they do not add
/// attenuation: opacity is 1 − exp(−c·τ), τ = ρ·√(2π)·s the line integral through a Gaussian's middle, s the geometric
/// mean of its standard deviations, and c such that the 99th percentile of τ is opaque to 0.95; all are white. The
/// comments say so, c, the time, and whether the model was trained with the detector pixels' footprint, which viewers
/// do not add. Throws InvalidArgument for a time that is NaN, NumericalError, IoError, OutOfMemory, CudaError.
void write_viewer_ply(Context&, const std::filesystem::path&, const Model&, double time_s);

}  // namespace dsasrgs
