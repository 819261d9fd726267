// SPDX-License-Identifier: Apache-2.0
#pragma once
// The names of a configuration's enumerators.

#include <algorithm>
#include <array>
#include <string>

#include "dsasrgs/config.hpp"

namespace dsasrgs {

template <class E>
struct EnumName {
  E value;
  const char* name;
};
inline constexpr std::array kAttenuationNames{EnumName<AttenuationKind>{AttenuationKind::constant, "static"},
                                              EnumName<AttenuationKind>{AttenuationKind::offset_table, "offset-table"},
                                              EnumName<AttenuationKind>{AttenuationKind::neural, "neural"}};
inline constexpr std::array kInitialPointNames{EnumName<InitialPoints>{InitialPoints::fdk, "fdk"},
                                               EnumName<InitialPoints>{InitialPoints::random, "random"}};
inline constexpr std::array kTargetNames{
    EnumName<HighResolutionTarget>{HighResolutionTarget::none, "none"},
    EnumName<HighResolutionTarget>{HighResolutionTarget::upsampled, "upsampled"},
    EnumName<HighResolutionTarget>{HighResolutionTarget::pseudo_labels, "pseudo_labels"},
    EnumName<HighResolutionTarget>{HighResolutionTarget::both, "both"},
    EnumName<HighResolutionTarget>{HighResolutionTarget::teach, "teach"},
    EnumName<HighResolutionTarget>{HighResolutionTarget::weighted, "weighted"}};
inline constexpr std::array kPrecisionNames{EnumName<FieldPrecision>{FieldPrecision::fp32, "fp32"},
                                            EnumName<FieldPrecision>{FieldPrecision::bf16, "bf16"}};
inline constexpr std::array kOutputNames{EnumName<FieldOutput>{FieldOutput::relu, "relu"},
                                         EnumName<FieldOutput>{FieldOutput::softplus, "softplus"}};
constexpr const auto& names_of(FieldPrecision) { return kPrecisionNames; }
constexpr const auto& names_of(FieldOutput) { return kOutputNames; }
constexpr const auto& names_of(HighResolutionTarget) { return kTargetNames; }
constexpr const auto& names_of(AttenuationKind) { return kAttenuationNames; }
constexpr const auto& names_of(InitialPoints) { return kInitialPointNames; }

template <class E>
std::string name_list(E example) {
  std::string list;
  for (const auto& n : names_of(example)) list += (list.empty() ? "" : " or ") + std::string(n.name);
  return list;
}

/// Whether it is an enumerator, not just any number made into one.
template <class E>
bool has_name(E value) {
  return std::any_of(names_of(value).begin(), names_of(value).end(), [&](const auto& n) { return n.value == value; });
}

}  // namespace dsasrgs
