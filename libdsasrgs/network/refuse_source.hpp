#pragma once
// Sources that cannot be trained on, refused by name.

#include <string>

#include "dsasrgs/error.hpp"

namespace dsasrgs {

[[noreturn]] inline void refuse_source(const std::string& name, const std::string& why) {
  throw InvalidArgument("TrainingPatches: source " + name + ": " + why);
}

}  // namespace dsasrgs
