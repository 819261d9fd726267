// SPDX-License-Identifier: Apache-2.0
#pragma once
// The one list of a model's parameter arrays. Optimiser, gradients, density events, checkpoints and model files walk
// it, so that none of them can forget an array.

#include <array>
#include <cstddef>

#include "dsasrgs/config.hpp"
#include "dsasrgs/model.hpp"
#include "hash_grid/hash_grid.hpp"

namespace dsasrgs {

/// The parameter arrays of a model, in the order of kParameters.
enum class Parameter { position, raw_scale, rotation, attenuation, table3d, table4d, network };

struct ParameterInfo {
  Parameter id;
  const char* name;                                     ///< in the /optimizer group of a checkpoint
  const char* path;                                     ///< in a model file
  Buffer<float> GaussianCloud::*per_gaussian;           ///< [N,width]; null: the array is shared
  Buffer<float> AttenuationField::Parameters::*shared;  ///< null: it has a row per Gaussian
  int fixed_width;                                      ///< of a row; 0: coefficients_per_gaussian() of the field
  Decay LearningRateConfig::*rate;
  bool is_length = false;  ///< in mm; its rate is per largest side of the volume
  bool decays = false;     ///< learning_rate.weight_decay applies
  bool is_table = false;   ///< of a hash grid; Adam's mode is sparse with learning_rate.sparse_tables

  int width(const AttenuationField& field) const {
    return fixed_width > 0 ? fixed_width : field.coefficients_per_gaussian();
  }
  Buffer<float>& value(GaussianCloud& cloud, AttenuationField& field) const {
    return per_gaussian != nullptr ? cloud.*per_gaussian : field.parameters().*shared;
  }
  const Buffer<float>& value(const GaussianCloud& cloud, const AttenuationField& field) const {
    return per_gaussian != nullptr ? cloud.*per_gaussian : field.parameters().*shared;
  }
};

/// In the order in which they are updated.
inline constexpr std::array kParameters{
    ParameterInfo{Parameter::position, "position", "/gaussians/position_mm", &GaussianCloud::position_mm, nullptr, 3,
                  &LearningRateConfig::position, true},
    ParameterInfo{Parameter::raw_scale, "raw_scale", "/gaussians/raw_scale", &GaussianCloud::raw_scale, nullptr, 3,
                  &LearningRateConfig::scale},
    ParameterInfo{Parameter::rotation, "rotation", "/gaussians/rotation", &GaussianCloud::rotation, nullptr, 4,
                  &LearningRateConfig::rotation},
    ParameterInfo{Parameter::attenuation, "attenuation", "/gaussians/attenuation", &GaussianCloud::attenuation, nullptr,
                  0, &LearningRateConfig::attenuation},
    ParameterInfo{Parameter::table3d, "table3d", "/field/table3d", nullptr, &AttenuationField::Parameters::table3d, 0,
                  &LearningRateConfig::field, false, true, true},
    ParameterInfo{Parameter::table4d, "table4d", "/field/table4d", nullptr, &AttenuationField::Parameters::table4d, 0,
                  &LearningRateConfig::field, false, true, true},
    ParameterInfo{Parameter::network, "network", "/field/network", nullptr, &AttenuationField::Parameters::network, 0,
                  &LearningRateConfig::field, false, true}};
static_assert(
    [] {
      for (std::size_t i = 0; i < kParameters.size(); ++i)
        if (kParameters[i].id != static_cast<Parameter>(i)) return false;
      return true;
    }(),
    "kParameters is in the order of Parameter");

/// One T for every parameter array.
template <class T>
struct PerParameter {
  std::array<T, kParameters.size()> items;
  T& operator[](Parameter p) { return items[static_cast<std::size_t>(p)]; }
  const T& operator[](Parameter p) const { return items[static_cast<std::size_t>(p)]; }
};

/// Gradients of a loss for every parameter array of a model, and for the densities that its field gives the Gaussians.
/// Those of arrays per Gaussian are overwritten by a backward pass. Those of the tables are in `tables`, as it leaves
/// them, and must be taken before the next pass. The network's is added to. The optimiser sets what it reads to zero.
struct ModelGradient {
  PerParameter<Buffer<float>> of;  ///< empty for tables
  HashGridScratch tables;          ///< those of kParameters, in its order
  Buffer<float> density;           ///< [N]
  /// Makes the sizes those of a model. What is new is undefined per Gaussian, and zero where it is shared.
  void fit(Context&, const GaussianCloud&, const AttenuationField&);
  Buffer<float>& operator[](Parameter p) { return of[p]; }
  const Buffer<float>& operator[](Parameter p) const { return of[p]; }
};

}  // namespace dsasrgs
