// SPDX-License-Identifier: Apache-2.0
#include <dsasrgs/dsasrgs.hpp>
#include <iostream>

using namespace dsasrgs;

/// Your network goes here: line integrals [H,W] of a detector → [sH,sW].
std::vector<float> super_resolve(std::span<const float> image, const Detector& detector, int scale) {
  return upsample_image(image, detector, scale);
}

int main(int argc, char** argv) try {  // pseudo_labels CASE.h5 LABELS.h5
  if (argc != 3) return 2;
  const Acquisition a = read_acquisition(argv[1]);
  LabelFileOptions options;
  options.low_resolution = a.detector;
  options.scale = 4;
  options.views = a.training_views();
  options.network = "my network 1.0";
  options.measurement = measurement_fingerprint(a, options.views);  // so that no other case takes these labels
  options.storage = LabelStorage::float16;
  PseudoLabelWriter file(argv[2], options);
  for (const int view : options.views) file.add(super_resolve(a.projection(view), a.detector, options.scale));
  file.commit();  // the file is there from here on
} catch (const Error& e) {
  std::cerr << e.what() << "\n";
  return 1;
}
