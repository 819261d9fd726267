// SPDX-License-Identifier: Apache-2.0
#pragma once
// TIGRE's names for detectors and volumes: n… elements of d… a side make up s….

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "number_text.hpp"

namespace dsasrgs {

/// Sides of the elements, of `count` of them along each axis: those given as such (`each`), else the whole divided. A
/// file that gives both must give the same: one of them is wrong, and nothing says which. `Fields` has has(name),
/// numbers(name, count) and refuse(name, expected, found).
template <class Fields, class Counts>
std::vector<double> element_sizes(const Fields& fields, const std::string& each, const std::string& whole,
                                  const Counts& count, const std::string& count_name) {
  constexpr double kRounding = 1e-3;
  const std::size_t n = count.size();
  if (!fields.has(each) && !fields.has(whole)) fields.refuse(each, "a value, or " + whole, "neither");
  std::vector<double> sizes = fields.numbers(fields.has(each) ? each : whole, n);
  if (!fields.has(each)) {
    for (std::size_t i = 0; i < n; ++i) sizes[i] /= count[i];
  } else if (fields.has(whole)) {
    const std::vector<double> told = fields.numbers(whole, n);
    for (std::size_t i = 0; i < n; ++i)
      if (const double product = sizes[i] * count[i]; !(std::abs(told[i] - product) <= kRounding * std::abs(product)))
        fields.refuse(whole,
                      count_name + " times " + each + ", " + rounded_text(product) + " along axis " + std::to_string(i),
                      rounded_text(told[i]));
  }
  return sizes;
}

}  // namespace dsasrgs
