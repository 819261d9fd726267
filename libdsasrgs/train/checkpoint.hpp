// SPDX-License-Identifier: Apache-2.0
#pragma once
// A training run on disk (HDF5, `dsasrgs.checkpoint` version 1, docs/data-format.md).

#include <filesystem>

#include "train/training_state.hpp"
#include "train/training_views.hpp"

namespace dsasrgs {

/// Throws IoError.
void write_checkpoint(Context&, const std::filesystem::path&, const TrainingState&);
/// Throws IoError; BadInput for what the format does not allow.
TrainingState read_checkpoint(Context&, const std::filesystem::path&);
/// Throws BadInput unless the state in `path` was made from these training views, of an acquisition of `num_views`.
void require_made_from(const std::filesystem::path& path, const TrainingState&, const TrainingViews&, int num_views);

}  // namespace dsasrgs
