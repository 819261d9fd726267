// SPDX-License-Identifier: Apache-2.0
#pragma once
// Tapered capsules (round cones: the convex hull of two spheres) met by rays. Formulas only; compiled in double by the
// simulator and by its tests, in any precision by others.

#include "dsasrgs/math.hpp"

namespace dsasrgs {

/// Stretch of a ray [begin, end] in mm from its origin; empty unless begin < end.
template <class T>
struct RayInterval {
  T begin = 1, end = 0;
  DSASRGS_HD bool empty() const { return !(begin < end); }
};

/// Smallest interval that holds both; an empty one is ignored.
template <class T>
DSASRGS_HD RayInterval<T> hull(RayInterval<T> p, RayInterval<T> q) {
  if (p.empty()) return q;
  if (q.empty()) return p;
  return {p.begin < q.begin ? p.begin : q.begin, p.end > q.end ? p.end : q.end};
}

/// Convex hull of a sphere of radius_a about a and one of radius_b about a + length·axis. With sine = (ra − rb)/length
/// the cone touches the spheres at the axial positions ra·sine and length + rb·sine, and between them its radius at
/// axial position y is (ra − sine·y)/cosine. Where one sphere holds the other there is no cone.
template <class T>
struct Capsule {
  Vec3<T> a;
  Vec3<T> axis;  ///< unit vector from a to b; any unit vector where length = 0
  T length{}, radius_a{}, radius_b{};
  T sine{}, cosine{1};
  bool cone = false;
};

template <class T>
DSASRGS_HD Capsule<T> make_capsule(Vec3<T> a, Vec3<T> b, T radius_a, T radius_b) {
  using std::sqrt;
  Capsule<T> c{a, {T(0), T(0), T(1)}, length(b - a), radius_a, radius_b, T(0), T(1), false};
  if (!(c.length > T(0))) return c;
  c.axis = (b - a) / c.length;
  c.sine = (radius_a - radius_b) / c.length;
  c.cone = c.sine > T(-1) && c.sine < T(1);
  c.cosine = c.cone ? sqrt(T(1) - c.sine * c.sine) : T(0);
  return c;
}

template <class T>
DSASRGS_HD T largest_radius(const Capsule<T>& c) {
  return c.radius_a > c.radius_b ? c.radius_a : c.radius_b;
}

/// Where the line m + t·d (m relative to the sphere's centre, d a unit vector) is inside a sphere.
template <class T>
DSASRGS_HD RayInterval<T> sphere_interval(Vec3<T> m, Vec3<T> d, T radius) {
  using std::sqrt;
  const T along = dot(m, d);
  const Vec3<T> nearest = m - d * along;
  const T half2 = radius * radius - dot(nearest, nearest);
  if (!(half2 > T(0))) return {};
  const T half = sqrt(half2);
  return {-along - half, half - along};
}

/// Where the line m + t·d (m relative to a) is inside the cone of a capsule, between the circles it shares with the
/// spheres. Squared radial distance minus squared cone radius is the quadratic A t² + 2B t + C.
template <class T>
DSASRGS_HD RayInterval<T> cone_interval(const Capsule<T>& c, Vec3<T> m, Vec3<T> d) {
  using std::abs;
  using std::sqrt;
  constexpr T kUnbounded = T(1e30);
  const T y0 = dot(m, c.axis), dy = dot(d, c.axis);
  const T y_low = c.radius_a * c.sine, y_high = c.length + c.radius_b * c.sine;
  RayInterval<T> slab{-kUnbounded, kUnbounded};
  if (dy > T(0)) {
    slab = {(y_low - y0) / dy, (y_high - y0) / dy};
  } else if (dy < T(0)) {
    slab = {(y_high - y0) / dy, (y_low - y0) / dy};
  } else if (!(y0 > y_low && y0 < y_high)) {
    return {};
  }
  const Vec3<T> p = m - c.axis * y0, q = d - c.axis * dy;
  const T r0 = (c.radius_a - c.sine * y0) / c.cosine, dr = -c.sine * dy / c.cosine;
  const T A = dot(q, q) - dr * dr, B = dot(p, q) - r0 * dr, C = dot(p, p) - r0 * r0;
  const T discriminant = B * B - A * C;
  if (!(discriminant > T(0))) return A > T(0) || !(C < T(0)) ? RayInterval<T>{} : slab;
  const T root = sqrt(discriminant);
  const T far = B > T(0) ? -(B + root) : root - B;
  T first = -kUnbounded, second = kUnbounded;
  if (abs(A) * kUnbounded > abs(far)) {
    first = far / A;
    second = C / far;
  } else if (far > T(0)) {  // linear: 2B t + C ≤ 0 with B < 0
    first = C / far;
  } else {
    second = C / far;
  }
  if (first > second) {
    const T swap = first;
    first = second;
    second = swap;
  }
  const auto clip = [&](T low, T high) {
    return RayInterval<T>{low > slab.begin ? low : slab.begin, high < slab.end ? high : slab.end};
  };
  if (A >= T(0)) return clip(first, second);
  // A ray steeper than the cone is inside before the first and after the second root; only one of the two is on the
  // capsule's side of the apex.
  const RayInterval<T> before = clip(-kUnbounded, first);
  return before.empty() ? clip(second, kUnbounded) : before;
}

/// Where the line origin + t·direction (unit) is inside a capsule: one interval, since a capsule is convex.
template <class T>
DSASRGS_HD RayInterval<T> capsule_interval(const Capsule<T>& c, Vec3<T> origin, Vec3<T> direction) {
  // Measured from the point of the line nearest to the capsule's middle, so that a far source costs no digits.
  const Vec3<T> middle = c.a + c.axis * (c.length / T(2));
  const T shift = dot(middle - origin, direction);
  const Vec3<T> m = origin + direction * shift - c.a;
  RayInterval<T> inside =
      hull(sphere_interval(m, direction, c.radius_a), sphere_interval(m - c.axis * c.length, direction, c.radius_b));
  if (c.cone) inside = hull(inside, cone_interval(c, m, direction));
  return inside.empty() ? RayInterval<T>{} : RayInterval<T>{inside.begin + shift, inside.end + shift};
}

/// Position along a capsule's axis of the axis point nearest to p: 0 at a, 1 at b.
template <class T>
DSASRGS_HD T axis_fraction(const Capsule<T>& c, Vec3<T> p) {
  if (!(c.length > T(0))) return T(0);
  const T f = dot(p - c.a, c.axis) / c.length;
  return f < T(0) ? T(0) : (f > T(1) ? T(1) : f);
}

/// Squared distance of p from a capsule's axis (the segment from a to b).
template <class T>
DSASRGS_HD T axis_distance2(const Capsule<T>& c, Vec3<T> p) {
  const Vec3<T> r = p - c.a - c.axis * (axis_fraction(c, p) * c.length);
  return dot(r, r);
}

/// Whether p is inside a capsule.
template <class T>
DSASRGS_HD bool capsule_contains(const Capsule<T>& c, Vec3<T> p) {
  const Vec3<T> m = p - c.a, n = m - c.axis * c.length;
  if (dot(m, m) < c.radius_a * c.radius_a || dot(n, n) < c.radius_b * c.radius_b) return true;
  if (!c.cone) return false;
  const T y = dot(m, c.axis);
  if (!(y > c.radius_a * c.sine && y < c.length + c.radius_b * c.sine)) return false;
  const T radius = (c.radius_a - c.sine * y) / c.cosine;
  return dot(m, m) - y * y < radius * radius;
}

/// ∫ attenuation dt over [begin, end] of a line through a capsule, where attenuation goes linearly from `at_a` to
/// `at_b` with axis_fraction.
template <class T>
DSASRGS_HD T attenuation_integral(const Capsule<T>& c, T at_a, T at_b, Vec3<T> origin, Vec3<T> direction, T begin,
                                  T end) {
  using std::abs;
  const T path = end - begin;
  if (!(c.length > T(0))) return at_a * path;
  const T slope = dot(direction, c.axis) / c.length;
  const T at_begin = dot(origin + direction * begin - c.a, c.axis) / c.length, at_end = at_begin + slope * path;
  T fraction_integral;
  if (abs(at_end - at_begin) > T(1e-6)) {
    const auto integral_of_clamped = [](T f) { return f < T(0) ? T(0) : (f > T(1) ? f - T(0.5) : f * f / T(2)); };
    fraction_integral = (integral_of_clamped(at_end) - integral_of_clamped(at_begin)) / slope;
  } else {
    const T f = (at_begin + at_end) / T(2);
    fraction_integral = (f < T(0) ? T(0) : (f > T(1) ? T(1) : f)) * path;
  }
  return at_a * path + (at_b - at_a) * fraction_integral;
}

}  // namespace dsasrgs
