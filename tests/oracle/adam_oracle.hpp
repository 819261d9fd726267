// SPDX-License-Identifier: Apache-2.0
#pragma once
// Adam after Kingma & Ba 2015, Alg. 1, in double, line by line.

#include <cmath>
#include <cstddef>
#include <vector>

namespace dsasrgs::oracle {

struct Adam {
  double learning_rate, beta1, beta2, epsilon, weight_decay;
  std::vector<double> theta, m, v;
  int t = 0;

  void step(const std::vector<double>& gradient, bool sparse) {
    ++t;
    for (std::size_t i = 0; i < theta.size(); ++i) {
      if (sparse && gradient[i] == 0) continue;
      const double g = gradient[i] + weight_decay * theta[i];
      m[i] = beta1 * m[i] + (1 - beta1) * g;
      v[i] = beta2 * v[i] + (1 - beta2) * g * g;
      const double m_hat = m[i] / (1 - std::pow(beta1, t));
      const double v_hat = v[i] / (1 - std::pow(beta2, t));
      theta[i] -= learning_rate * m_hat / (std::sqrt(v_hat) + epsilon);
    }
  }
};

}  // namespace dsasrgs::oracle
