#pragma once
// Checks of vessel trees, shared by everything that takes one.

#include "dsasrgs/simulator.hpp"

namespace dsasrgs {

/// Throws InvalidArgument("op: node i: …") unless every parent comes before its child, every radius is positive and all
/// numbers are finite.
void check_vessel_tree(const VesselTree&, const char* op);

/// Number of nodes downstream that name each node as their parent, [nodes].
std::vector<int> num_children(const VesselTree&);

}  // namespace dsasrgs
