// SPDX-License-Identifier: Apache-2.0
#pragma once
// The two sums of label_loss in double, image by image as the contract writes them.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace dsasrgs::test {

struct LabelLossOracle {
  double l1 = 0, error = 0;  ///< means
};

/// sharp, log_error and target [N,H,W]; `fixed` is the e of the second sum, log_error may be empty.
inline LabelLossOracle label_loss_oracle(const std::vector<double>& sharp, const std::vector<double>& log_error,
                                         const std::vector<double>& target, const std::vector<double>& fixed) {
  LabelLossOracle means;
  const auto n = static_cast<double>(sharp.size());
  for (std::size_t i = 0; i < sharp.size(); ++i) means.l1 += std::abs(sharp[i] - target[i]) / n;
  for (std::size_t i = 0; i < log_error.size(); ++i) {
    const double s = std::clamp(log_error[i], -9.0, 2.0);
    means.error += (fixed[i] / std::exp(s) + s) / n;
  }
  return means;
}

}  // namespace dsasrgs::test
