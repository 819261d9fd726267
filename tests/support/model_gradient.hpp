// SPDX-License-Identifier: Apache-2.0
#pragma once
// A model's gradient on the host, one array at a time.

#include <vector>

#include "model_parameters.hpp"

namespace dsasrgs::test {

/// Of parameter array p. That of a table is taken from where the backward pass has left it.
inline std::vector<float> gradient_of(Context& ctx, ModelGradient& gradient, const GaussianCloud& cloud,
                                      const AttenuationField& field, Parameter parameter) {
  std::size_t first = 0;  // of the tables
  for (const ParameterInfo& p : kParameters) {
    const std::size_t size = p.value(cloud, field).size();
    if (p.id == parameter && !p.is_table) return gradient[p.id].to_host(ctx);
    if (p.id == parameter) {
      auto floats = Buffer<float>::zeros(ctx, size);
      if (size > 0) hash_grid_take_gradient(ctx, gradient.tables, first, floats);
      return floats.to_host(ctx);
    }
    if (p.is_table) first += size;
  }
  return {};
}

}  // namespace dsasrgs::test
