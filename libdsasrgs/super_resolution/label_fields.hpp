// SPDX-License-Identifier: Apache-2.0
#pragma once
// Names in a pseudo-label file (docs/data-format.md), for its reader and its writer.

namespace dsasrgs::label_fields {

inline constexpr const char* kFormat = "dsasrgs.pseudo_labels";
inline constexpr const char* kAcquisitionFormat = "dsasrgs.acquisition";
inline constexpr int kVersion = 1;
inline constexpr int kMaxScale = 64;

inline constexpr const char* kLabels = "/super_resolution/pseudo_labels";
inline constexpr const char* kMeasurement = "measurement";  // attribute of kLabels
inline constexpr const char* kView = "/super_resolution/view";
inline constexpr const char* kConfidence = "/super_resolution/confidence";
inline constexpr const char* kMask = "/false_vessel_mask";

}  // namespace dsasrgs::label_fields
