#pragma once
// What was measured on a model, for people.

#include <string>

#include "dsasrgs/evaluation.hpp"

namespace dsasrgs::program {

/// The means as lines.
std::string evaluation_summary(const Evaluation&);

}  // namespace dsasrgs::program
