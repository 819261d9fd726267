// SPDX-License-Identifier: Apache-2.0
#pragma once
// The group /pose_correction of model files and checkpoints.

#include "dsasrgs/pose_correction.hpp"
#include "files/hdf5_file.hpp"
#include "files/model_check.hpp"

namespace dsasrgs {

/// Nothing for an empty one.
void write_pose_correction(Hdf5Writer&, const PoseCorrection&);
/// Empty where the file has none.
PoseCorrection read_pose_correction(const Hdf5Reader&, const RefuseField&);
/// Sizes agree, the views are those trained on, numbers are finite, poses are poses and lie on an arc.
void check_pose_correction(const PoseCorrection&, const std::vector<int>& trained, const RefuseField&);

}  // namespace dsasrgs
