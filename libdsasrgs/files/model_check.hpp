// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a model file has to hold: one set of rules for what is read and what is written.

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "dsasrgs/model.hpp"
#include "model_parameters.hpp"

namespace dsasrgs {

/// Throws the caller's error for a field of the file.
using RefuseField =
    std::function<void(const std::string& field, const std::string& expected, const std::string& found)>;

/// Finite, and quaternions not zero.
void check_parameter(const ParameterInfo&, std::span<const float> values, const RefuseField&);
void check_finite(const std::string& field, std::span<const float> values, const RefuseField&);
void check_positive(const std::string& field, double value, const RefuseField&);
void check_grid(const VolumeGrid&, const RefuseField&);
void check_detector(const Detector&, const RefuseField&);
void check_time(const TimeRange&, const RefuseField&);
void check_scale_bounds(ScaleBounds, const RefuseField&);
/// Those trained on and those judged on: from 0, ascending, each once, none in both.
void check_model_views(const std::vector<int>& trained, const std::vector<int>& test, const RefuseField&);

/// Elements of an array that all Gaussians share, in a model of this field.
std::size_t shared_parameter_size(Parameter, const FieldConfig&);

/// Arrays, sizes, views and configuration fit together, so that what is written can be read. The parameters' values are
/// left to check_parameter, because they may lie on a device.
void check_model(const Model&, const RefuseField&);

}  // namespace dsasrgs
