// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// Small vectors, matrices and quaternions, one text for host and device, float and double.

#include <cmath>

#if defined(__CUDACC__)
#define DSASRGS_HD __host__ __device__
#else
/// Marks a function that is compiled for the host and, by nvcc, for the device.
#define DSASRGS_HD
#endif

namespace dsasrgs {

/// Column vector of two.
template <class T>
struct Vec2 {
  T x{}, y{};
};

/// Column vector of three.
template <class T>
struct Vec3 {
  T x{}, y{}, z{};

  /// Componentwise.
  DSASRGS_HD constexpr Vec3 operator+(Vec3 o) const { return {x + o.x, y + o.y, z + o.z}; }
  DSASRGS_HD constexpr Vec3 operator-(Vec3 o) const { return {x - o.x, y - o.y, z - o.z}; }
  DSASRGS_HD constexpr Vec3 operator-() const { return {-x, -y, -z}; }
  DSASRGS_HD constexpr Vec3 operator*(T s) const { return {x * s, y * s, z * s}; }
  DSASRGS_HD constexpr Vec3 operator/(T s) const { return {x / s, y / s, z / s}; }
  DSASRGS_HD constexpr Vec3& operator+=(Vec3 o) { return *this = *this + o; }
  DSASRGS_HD constexpr Vec3& operator-=(Vec3 o) { return *this = *this - o; }
  constexpr bool operator==(const Vec3&) const = default;
  /// The same vector in another precision.
  template <class U>
  DSASRGS_HD constexpr Vec3<U> as() const {
    return {static_cast<U>(x), static_cast<U>(y), static_cast<U>(z)};
  }
};
/// Componentwise.
template <class T>
DSASRGS_HD constexpr Vec3<T> operator*(T s, Vec3<T> v) {
  return v * s;
}
/// Scalar product.
template <class T>
DSASRGS_HD constexpr T dot(Vec3<T> a, Vec3<T> b) {
  return a.x * b.x + a.y * b.y + a.z * b.z;
}
/// Vector product.
template <class T>
DSASRGS_HD constexpr Vec3<T> cross(Vec3<T> a, Vec3<T> b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}
/// Euclidean length.
template <class T>
DSASRGS_HD T length(Vec3<T> a) {
  using std::sqrt;
  return sqrt(dot(a, a));
}
/// Unit vector along a; a must not be zero.
template <class T>
DSASRGS_HD Vec3<T> normalized(Vec3<T> a) {
  return a / length(a);
}

/// 3×3 matrix by rows.
template <class T>
struct Mat3 {
  Vec3<T> r0{}, r1{}, r2{};

  /// The matrix times a column vector.
  DSASRGS_HD constexpr Vec3<T> operator*(Vec3<T> v) const { return {dot(r0, v), dot(r1, v), dot(r2, v)}; }
  /// Rows and columns exchanged.
  DSASRGS_HD constexpr Mat3 transposed() const { return {{r0.x, r1.x, r2.x}, {r0.y, r1.y, r2.y}, {r0.z, r1.z, r2.z}}; }
};

/// Quaternion (w, x, y, z).
template <class T>
struct Quat {
  T w{1}, x{}, y{}, z{};
};

/// In the precisions in use.
using Vec2d = Vec2<double>;
using Vec3f = Vec3<float>;
using Vec3d = Vec3<double>;

}  // namespace dsasrgs
