// SPDX-License-Identifier: Apache-2.0
#include "dsasrgs/fingerprint.hpp"

#include <array>
#include <cstdint>
#include <fstream>
#include <span>

#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "fnv1a.hpp"

namespace dsasrgs {

std::string file_fingerprint(const std::filesystem::path& path) try {
  std::ifstream file(path, std::ios::binary);
  Fnv1a f;
  std::array<char, 1 << 16> block;
  while (file) {
    file.read(block.data(), block.size());
    f.add_bytes(block.data(), static_cast<std::size_t>(file.gcount()));
  }
  if (!file.eof()) throw IoError(path.string() + ": cannot be read");
  return f.text();
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

std::string fingerprint(const Acquisition& a) try {
  Fnv1a f;
  for (const int n : {a.detector.width_px, a.detector.height_px, a.volume.size_x, a.volume.size_y, a.volume.size_z})
    f.add(n);
  for (const double x : {a.detector.pitch_u_mm, a.detector.pitch_v_mm}) f.add(x);
  f.add(a.volume.spacing_mm);
  f.add(a.volume.origin_mm);
  for (const Pose& p : a.poses) f.add(p);
  f.add(a.projections);
  f.add(a.valid);
  if (a.reference_projections) f.add(a.reference_projections->values);
  if (a.reference_volume) f.add(a.reference_volume->values);
  return f.text();
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

std::string measurement_fingerprint(const Acquisition& a, const std::vector<int>& views) try {
  Fnv1a f;
  for (const int n : {a.detector.width_px, a.detector.height_px}) f.add(n);
  for (const double x : {a.detector.pitch_u_mm, a.detector.pitch_v_mm}) f.add(x);
  for (const int v : views) {
    const std::span<const float> image = a.projection(v);
    f.add(v);
    f.add(a.poses[static_cast<std::size_t>(v)]);
    for (const float value : image) f.add(value);
  }
  return f.text();
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

std::string validity_fingerprint(const Acquisition& a, const std::vector<int>& views) try {
  Fnv1a f;
  for (const int v : views) {
    const std::span<const std::uint8_t> valid = a.valid_pixels(v);
    f.add(v);
    for (std::size_t i = 0; i < a.detector.num_pixels(); ++i) f.add(valid.empty() || valid[i] != 0 ? 1 : 0);
  }
  return f.text();
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

std::string fingerprint(const PseudoLabels& labels, const std::vector<int>& views) try {
  Fnv1a f;
  f.add(labels.scale());
  for (const int v : views) {
    f.add(v);
    f.add(labels.read(v));
    if (labels.has_confidence()) f.add(labels.read_confidence(v));
    if (labels.has_false_vessel_mask()) f.add(labels.read_false_vessel_mask(v));
  }
  return f.text();
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
