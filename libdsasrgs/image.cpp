// SPDX-License-Identifier: Apache-2.0
#include "dsasrgs/image.hpp"

#include <string>

#include "dsasrgs/error.hpp"

namespace dsasrgs {

void Image::refuse(int row, int column) const {
  throw InvalidArgument("Image::at: expected a pixel of " + std::to_string(height_px) + " rows and " +
                        std::to_string(width_px) + " columns with " + std::to_string(values.size()) +
                        " values, found row " + std::to_string(row) + ", column " + std::to_string(column));
}

}  // namespace dsasrgs
