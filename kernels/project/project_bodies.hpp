// SPDX-License-Identifier: Apache-2.0
#pragma once
// The bodies of project.hpp on both backends; arguments are already validated.

#include "project/project.hpp"

namespace dsasrgs::cpu {

void project_forward(Context&, const ProjectInput&, const ProjectOutput&);
void project_backward(Context&, const ProjectInput&, const ProjectUpstream&, GradientMode, const GaussianGradient&);
void project_pose_backward(Context&, const ProjectInput&, const ProjectUpstream&, PoseScratch&, View<float> sums);
void project_pose_forward(Context&, const ProjectInput&, const PoseTangent&, const ProjectTangent&);

}  // namespace dsasrgs::cpu

namespace dsasrgs::cuda {

void project_forward(Context&, const ProjectInput&, const ProjectOutput&);
void project_backward(Context&, const ProjectInput&, const ProjectUpstream&, GradientMode, const GaussianGradient&);
void project_pose_backward(Context&, const ProjectInput&, const ProjectUpstream&, PoseScratch&, View<float> sums);
void project_pose_forward(Context&, const ProjectInput&, const PoseTangent&, const ProjectTangent&);

}  // namespace dsasrgs::cuda
