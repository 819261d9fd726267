// SPDX-License-Identifier: Apache-2.0
#pragma once
// Masks moved onto their images before a case is written: by `align`, and while a case is imported.

#include <CLI/CLI.hpp>
#include <vector>

#include "dsasrgs/io.hpp"
#include "dsasrgs/mask_alignment.hpp"

namespace dsasrgs::program {

/// Adds --largest-px and --leave-out.
void add_alignment_options(CLI::App& subcommand, MaskAlignmentOptions&);

/// Aligns the masks of `views`, says in a line what that did, unless quiet, and gives the masks' memory back. Returns
/// what is to be kept beside the projections.
BesideProjections move_masks(const Context&, MaskedAcquisition&, const std::vector<int>& views,
                             const MaskAlignmentOptions&, bool quiet);

}  // namespace dsasrgs::program
