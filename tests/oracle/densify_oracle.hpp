// SPDX-License-Identifier: Apache-2.0
#pragma once
// Density control by the book, one Gaussian at a time: what it becomes, and the cap by repeated search for the best
// score.

#include <cstddef>
#include <vector>

namespace dsasrgs::test {

/// A Gaussian as the rules see it.
struct OracleRule {
  bool alive;    ///< inside the box, finite, dense enough
  double score;  ///< mean gradient norm over visible steps
  double largest_scale;
};
struct OraclePlan {
  std::vector<std::size_t> source;
  std::vector<int> child;  ///< −2 kept, −1 clone, else which split child
};

inline OraclePlan oracle_plan(const std::vector<OracleRule>& rules, double threshold, double split_scale, int children,
                              std::size_t max_gaussians) {
  std::vector<char> fate(rules.size(), 'k');
  std::size_t count = 0;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (!rules[i].alive) fate[i] = 'p';
    count += rules[i].alive;
  }
  std::vector<bool> tried(rules.size(), false);
  while (true) {
    std::size_t best = rules.size();
    for (std::size_t i = 0; i < rules.size(); ++i)
      if (rules[i].alive && !tried[i] && rules[i].score > threshold &&
          (best == rules.size() || rules[i].score > rules[best].score))
        best = i;
    if (best == rules.size()) break;
    tried[best] = true;
    const bool split = rules[best].largest_scale > split_scale;
    const std::size_t after = count + (split ? static_cast<std::size_t>(children) - 1 : 1);
    if (max_gaussians != 0 && after > max_gaussians) continue;
    count = after;
    fate[best] = split ? 's' : 'c';
  }
  OraclePlan plan;
  for (std::size_t i = 0; i < rules.size(); ++i)
    if (fate[i] == 'k' || fate[i] == 'c') plan.source.push_back(i), plan.child.push_back(-2);
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (fate[i] == 'c') plan.source.push_back(i), plan.child.push_back(-1);
    for (int c = 0; fate[i] == 's' && c < children; ++c) plan.source.push_back(i), plan.child.push_back(c);
  }
  return plan;
}

}  // namespace dsasrgs::test
