// SPDX-License-Identifier: Apache-2.0
#include "fdk_views.hpp"

#include "dsasrgs/error.hpp"
#include "fdk/fdk.hpp"

namespace dsasrgs {

void require_fdk_views(const std::string& acquisition, std::span<const Pose> poses, const Detector& detector) {
  try {
    require_fdk_poses(poses, detector);
  } catch (const InvalidArgument& e) {
    const std::string message = e.what(), expected = "expected ", found = ", found ";
    const std::size_t begin = message.find(expected) + expected.size(), end = message.rfind(found);
    throw BadInput(acquisition, "/geometry of the training views",
                   "for filtered back-projection " + message.substr(begin, end - begin),
                   message.substr(end + found.size()));
  }
}

}  // namespace dsasrgs
