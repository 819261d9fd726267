// SPDX-License-Identifier: Apache-2.0
#pragma once
// Checks of vessel trees, shared by everything that takes one.

#include "dsasrgs/simulator.hpp"

namespace dsasrgs {

/// Throws InvalidArgument("node i: …") unless every parent comes before its child, every radius is 1e-6 to 1e9 mm and
/// every coordinate within 1e9 mm.
void check_vessel_tree(const VesselTree&);

/// Number of nodes downstream that name each node as their parent, [nodes].
std::vector<int> num_children(const VesselTree&);

}  // namespace dsasrgs
