// SPDX-License-Identifier: Apache-2.0
#pragma once
// A density plan on the host.

#include <vector>

#include "densify/densify.hpp"

namespace dsasrgs::test {

struct HostPlan {
  std::vector<std::uint32_t> source;
  std::vector<Birth> birth;
  std::vector<std::uint8_t> child;
  std::size_t num_sources = 0, cloned = 0, split = 0, pruned = 0;
  bool operator==(const HostPlan&) const = default;
};

inline HostPlan to_host(Context& ctx, const DensityPlan& plan) {
  return {plan.source.to_host(ctx),
          plan.birth.to_host(ctx),
          plan.child.to_host(ctx),
          plan.num_sources,
          plan.cloned,
          plan.split,
          plan.pruned};
}
inline DensityPlan from_host(Context& ctx, const HostPlan& plan) {
  return {Buffer<std::uint32_t>::from_host(ctx, plan.source),
          Buffer<Birth>::from_host(ctx, plan.birth),
          Buffer<std::uint8_t>::from_host(ctx, plan.child),
          plan.num_sources,
          plan.cloned,
          plan.split,
          plan.pruned};
}

}  // namespace dsasrgs::test
