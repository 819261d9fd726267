// SPDX-License-Identifier: Apache-2.0
#pragma once
// Pseudo-labels for tests.

#include <filesystem>

#include "dsasrgs/pseudo_labels.hpp"

namespace dsasrgs::test {

/// Lanczos-3 labels of the training views, through a file at `path`.
inline PseudoLabels lanczos_labels(const Acquisition& a, int scale, const std::filesystem::path& path) {
  LabelFileOptions options;
  options.low_resolution = a.detector;
  options.scale = scale;
  options.views = a.training_views();
  options.storage = LabelStorage::float32;
  PseudoLabelWriter file(path, options);
  for (const int view : options.views) file.add(lanczos_label(a, view, scale).values);
  file.commit();
  return PseudoLabels::open(path, a);
}

}  // namespace dsasrgs::test
