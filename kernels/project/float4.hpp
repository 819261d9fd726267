// SPDX-License-Identifier: Apache-2.0
#pragma once
// Four floats that stand for one number T in project_math.hpp, so that the CPU projects four Gaussians at once with the
// text the tests check in double. GCC's and Clang's vectors are used, not Highway: a template instantiated outside a
// function with a target attribute cannot inline Highway's wider operations, and four lanes are in every baseline.

#include <cstddef>
#include <cstdint>
#include <type_traits>

#if defined(__SSE__)
#include <xmmintrin.h>
#else
#include <cmath>
#endif

namespace dsasrgs::cpu {

struct Float4 {
  static constexpr std::size_t kLanes = 4;
  using Vector [[gnu::vector_size(16)]] = float;
  using Bits [[gnu::vector_size(16)]] = std::int32_t;

  Vector v;

  Float4() = default;
  explicit Float4(Vector lanes) : v(lanes) {}
  /// The same number in every lane.
  template <class U, class = std::enable_if_t<std::is_arithmetic_v<U>>>
  explicit Float4(U x) : v(Vector{} + static_cast<float>(x)) {}
  float operator[](std::size_t lane) const { return v[lane]; }

  Float4 operator-() const { return Float4(-v); }
  friend Float4 operator+(Float4 a, Float4 b) { return Float4(a.v + b.v); }
  friend Float4 operator-(Float4 a, Float4 b) { return Float4(a.v - b.v); }
  friend Float4 operator*(Float4 a, Float4 b) { return Float4(a.v * b.v); }
  friend Float4 operator/(Float4 a, Float4 b) { return Float4(a.v / b.v); }
  Float4& operator+=(Float4 o) { return *this = *this + o; }
  Float4& operator-=(Float4 o) { return *this = *this - o; }
};

inline Float4 sqrt(Float4 a) {
#if defined(__SSE__)
  return Float4(Float4::Vector(_mm_sqrt_ps(__m128(a.v))));
#else
  Float4 r;
  for (std::size_t i = 0; i < Float4::kLanes; ++i) r.v[i] = std::sqrt(a.v[i]);
  return r;
#endif
}

/// e^a, relative error 2e-7; a is first moved into ±87, where neither e^a nor its reciprocal overflows.
inline Float4 exp(Float4 a) {
  using Vector = Float4::Vector;
  const Vector limit = Vector{} + 87.0f;
  Vector x = a.v < -limit ? -limit : a.v;
  x = x > limit ? limit : x;
  // e^x = 2^n · e^r with n the nearest integer to x/ln 2, which adding 1.5·2²³ leaves in the low bits of the mantissa.
  const Vector magic = Vector{} + 12582912.0f;
  const Vector shifted = x * 1.44269504f + magic;
  const Vector n = shifted - magic;
  const Vector r = (x - n * 0.693359375f) + n * 2.12194440e-4f;  // ln 2 in two parts, the first exact in 10 bits
  Vector p = Vector{} + 1.0f / 720.0f;
  p = p * r + 1.0f / 120.0f;
  p = p * r + 1.0f / 24.0f;
  p = p * r + 1.0f / 6.0f;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  return Float4(Vector(Float4::Bits(p) + (Float4::Bits(shifted) << 23)));
}

}  // namespace dsasrgs::cpu
