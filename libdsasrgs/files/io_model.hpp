// SPDX-License-Identifier: Apache-2.0
#pragma once
// Groups of an HDF5 file that hold a model; shared by model files and checkpoints.

#include "dsasrgs/model.hpp"
#include "files/hdf5_file.hpp"

namespace dsasrgs {

void write_model_groups(Context&, Hdf5Writer&, const Model&);
Model read_model_groups(Context&, const Hdf5Reader&);

}  // namespace dsasrgs
