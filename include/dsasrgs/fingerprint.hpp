// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// Short stand-ins for a lot of data, to see whether it is still the same (not against forgery): 16 hexadecimal digits,
/// FNV-1a (Fowler, Noll and Vo; offset 0xcbf29ce484222325, prime 0x100000001b3) over the bytes of the values.

#include <filesystem>
#include <string>
#include <vector>

#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/export.hpp"
#include "dsasrgs/pseudo_labels.hpp"

namespace DSASRGS_API dsasrgs {

/// The bytes of a file. Throws IoError when it cannot be read.
std::string file_fingerprint(const std::filesystem::path&);
/// Everything in an acquisition but its name and split.
std::string fingerprint(const Acquisition&);
/// What was measured in these views: detector, poses, times, line integrals. Ties models, checkpoints and labels to it.
/// Throws InvalidArgument for a view that is not there.
std::string measurement_fingerprint(const Acquisition&, const std::vector<int>& views);
/// Which pixels of these views count (Acquisition::valid). Throws as measurement_fingerprint does.
std::string validity_fingerprint(const Acquisition&, const std::vector<int>& views);
/// Labels (with confidence and mask, where there are any) of these views. Reads them: throws as PseudoLabels does.
std::string fingerprint(const PseudoLabels&, const std::vector<int>& views);

}  // namespace dsasrgs
