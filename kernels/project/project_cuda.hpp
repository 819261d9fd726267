#pragma once

#include "project/project.hpp"

namespace dsasrgs::cuda {

void project_forward(Context&, const ProjectInput&, const ProjectOutput&);
void project_backward(Context&, const ProjectInput&, const ProjectUpstream&, GradientMode, const GaussianGradient&);

}  // namespace dsasrgs::cuda
