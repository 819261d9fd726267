// SPDX-License-Identifier: Apache-2.0
#include "simulate/polylines.hpp"

#include <cmath>
#include <limits>

#include "common/checks.hpp"
#include "common/plain_number.hpp"
#include "dsasrgs/error.hpp"

namespace dsasrgs {

void add_polylines(const std::string& file, const std::vector<double>& points, const std::vector<double>& ends,
                   const std::vector<double>& connectivity, const std::vector<double>& radii, Polylines& p) {
  const std::size_t first_point = p.points.size(), first = p.point.size(), count = points.size() / 3;
  constexpr std::size_t kMost = std::numeric_limits<int>::max();
  if (first_point + count > kMost || first + connectivity.size() > kMost)
    throw BadInput(file, "points", "at most 2147483647", "more");
  for (std::size_t i = 0; i < count; ++i) {
    const Vec3d point{points[3 * i], points[3 * i + 1], points[3 * i + 2]};
    if (!is_position(point))
      throw BadInput(file, "points", "coordinates within 1e9 mm",
                     plain_number(point.x) + " " + plain_number(point.y) + " " + plain_number(point.z));
    p.points.push_back(point);
  }
  for (const double index : connectivity) {
    if (!(index >= 0 && index < static_cast<double>(count)) || index != std::floor(index))
      throw BadInput(file, "connectivity", "a point index below " + std::to_string(count), plain_number(index));
    p.point.push_back(static_cast<int>(first_point + static_cast<std::size_t>(index)));
  }
  double before = 0;
  for (const double end : ends) {
    if (!(end >= before && end <= static_cast<double>(connectivity.size())) || end != std::floor(end))
      throw BadInput(file, "offsets",
                     plain_number(before) + " to " + std::to_string(connectivity.size()) + ", ascending",
                     plain_number(end));
    p.end.push_back(first + static_cast<std::size_t>(end));
    before = end;
  }
  if (before != static_cast<double>(connectivity.size()))
    throw BadInput(file, "offsets", std::to_string(connectivity.size()) + ", the number of indices, last",
                   plain_number(before));
  if (radii.empty() && p.radius_mm.empty()) return;
  if (radii.size() != count || p.radius_mm.size() != first_point)
    throw BadInput(file, "radii", "one for each of " + std::to_string(count) + " points", std::to_string(radii.size()));
  for (const double radius : radii) {
    if (!is_length(radius)) throw BadInput(file, "radii", "1e-6 to 1e9 mm", plain_number(radius));
    p.radius_mm.push_back(radius);
  }
}

}  // namespace dsasrgs
