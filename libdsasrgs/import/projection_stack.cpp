// SPDX-License-Identifier: Apache-2.0
#include "import/projection_stack.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "common/host_vector.hpp"
#include "dsasrgs/error.hpp"
#include "import/npy_file.hpp"

namespace dsasrgs {

void read_projection_stack(const std::filesystem::path& path, bool views_first, Acquisition& a) {
  NumberArray<float> stack = read_npy<float>(path);
  const std::size_t views = a.poses.size(), axis = views_first ? 0 : 1;
  const std::string expected = views_first ? std::to_string(views) + " views of rows and columns"
                                           : "rows of " + std::to_string(views) + " views of columns";
  if (stack.shape.size() != 3 || stack.shape[axis] != views)
    throw BadInput(path.string(), "shape", expected, shape_text(stack.shape));
  const std::size_t rows = stack.shape[1 - axis], columns = stack.shape[2];
  constexpr std::size_t kLongestSide = 1 << 20;
  if (rows > kLongestSide || columns > kLongestSide)
    throw BadInput(path.string(), "shape", "sides of at most 1048576", shape_text(stack.shape));
  a.detector.height_px = static_cast<int>(rows);
  a.detector.width_px = static_cast<int>(columns);
  if (views_first) {
    a.projections = std::move(stack.values);
    return;
  }
  with_host_memory(stack.values.size() * sizeof(float), [&] {
    a.projections.resize(stack.values.size());
    for (std::size_t r = 0; r < rows; ++r)
      for (std::size_t v = 0; v < views; ++v)
        std::copy_n(stack.values.begin() + static_cast<std::ptrdiff_t>((r * views + v) * columns), columns,
                    a.projections.begin() + static_cast<std::ptrdiff_t>((v * rows + r) * columns));
  });
}

}  // namespace dsasrgs
