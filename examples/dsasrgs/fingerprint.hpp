#pragma once
// A short stand-in for a lot of data, to see whether it is still the same (not against forgery).

#include <cstdint>
#include <string>

#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/pseudo_labels.hpp"

namespace dsasrgs::program {

/// Everything in an acquisition but its name and split, 16 hexadecimal digits (FNV-1a).
std::string fingerprint(const Acquisition&);
/// Labels (with confidence and mask, where there are any) of these views.
std::string fingerprint(const PseudoLabels&, const std::vector<int>& views);

}  // namespace dsasrgs::program
