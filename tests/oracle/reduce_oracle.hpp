#pragma once
// Moments of a pair of images, one after another over all pixels, in long double.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

namespace dsasrgs::test {

struct OracleImageStatistics {
  std::uint64_t count = 0, non_finite = 0;
  double rendered_min, rendered_max, reference_min, reference_max;
  double squared_error, rendered, reference, rendered_squared, reference_squared, product;
};

inline OracleImageStatistics oracle_image_statistics(const std::vector<float>& rendered,
                                                     const std::vector<float>& reference,
                                                     const std::vector<std::uint8_t>& valid) {
  OracleImageStatistics s{};
  std::vector<long double> x, y;
  for (std::size_t i = 0; i < rendered.size(); ++i) {
    if (!valid.empty() && valid[i] == 0) continue;
    if (std::isfinite(rendered[i]) && std::isfinite(reference[i])) {
      x.push_back(std::fmax(0.0f, rendered[i]));
      y.push_back(std::fmax(0.0f, reference[i]));
    } else {
      ++s.non_finite;
    }
  }
  s.count = x.size();
  const auto sum = [&](const std::function<long double(long double, long double)>& term) {
    long double total = 0;
    for (std::size_t k = 0; k < x.size(); ++k) total += term(x[k], y[k]);
    return static_cast<double>(total);
  };
  const auto least = [](const std::vector<long double>& v) {
    return v.empty() ? std::numeric_limits<double>::infinity()
                     : static_cast<double>(*std::min_element(v.begin(), v.end()));
  };
  const auto greatest = [](const std::vector<long double>& v) {
    return v.empty() ? 0.0 : static_cast<double>(*std::max_element(v.begin(), v.end()));
  };
  s.rendered_min = least(x);
  s.rendered_max = greatest(x);
  s.reference_min = least(y);
  s.reference_max = greatest(y);
  s.squared_error = sum([](auto a, auto b) { return (a - b) * (a - b); });
  s.rendered = sum([](auto a, auto) { return a; });
  s.reference = sum([](auto, auto b) { return b; });
  s.rendered_squared = sum([](auto a, auto) { return a * a; });
  s.reference_squared = sum([](auto, auto b) { return b * b; });
  s.product = sum([](auto a, auto b) { return a * b; });
  return s;
}

}  // namespace dsasrgs::test
