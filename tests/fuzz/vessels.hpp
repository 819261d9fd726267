// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include "dsasrgs/simulator.hpp"
#include "harness.hpp"

namespace dsasrgs::fuzz {

/// What `read_tree` gives is a tree of finite numbers with parents before their children.
template <class F>
void check_tree(const F& read_tree) {
  read([&] {
    const VesselTree tree = read_tree();
    require(!tree.nodes.empty(), "a tree of nothing");
    for (const VesselNode& n : tree.nodes)
      require(std::isfinite(n.position_mm.x + n.position_mm.y + n.position_mm.z) && n.radius_mm > 0 &&
                  std::isfinite(n.radius_mm),
              "numbers that no vessel has");
    for (const double length : tree.path_length_mm()) require(std::isfinite(length) && length >= 0, "lengths");
  });
}

}  // namespace dsasrgs::fuzz
