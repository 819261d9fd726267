// SPDX-License-Identifier: Apache-2.0
#pragma once
// Fingerprints: FNV-1a over the bytes of values (include/dsasrgs/fingerprint.hpp).

#include <cstdint>
#include <cstdio>
#include <string>
#include <type_traits>
#include <vector>

#include "dsasrgs/geometry.hpp"

namespace dsasrgs {

class Fnv1a {
 public:
  template <class T>
  void add(const T& value) {
    static_assert(std::is_arithmetic_v<T>);
    add_bytes(&value, sizeof value);
  }
  template <class T>
  void add(const std::vector<T>& values) {
    add(values.size());
    add_bytes(values.data(), values.size() * sizeof(T));
  }
  void add(const Vec3d& v) {
    for (const double x : {v.x, v.y, v.z}) add(x);
  }
  void add(const Pose& p) {
    for (const Vec3d& v : {p.source_mm, p.detector_center_mm, p.detector_u, p.detector_v}) add(v);
    add(p.time_s);
  }
  std::string text() const {
    char digits[17];
    std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(state_));
    return digits;
  }

  void add_bytes(const void* data, std::size_t bytes) {
    const auto* p = static_cast<const unsigned char*>(data);
    for (std::size_t i = 0; i < bytes; ++i) state_ = (state_ ^ p[i]) * 0x100000001b3ull;
  }

 private:
  std::uint64_t state_ = 0xcbf29ce484222325ull;
};

}  // namespace dsasrgs
