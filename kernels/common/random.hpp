// SPDX-License-Identifier: Apache-2.0
#pragma once
// Counter-based random numbers (Philox 4×32-10, Random123): the same numbers on every backend and for any thread count,
// because a number depends only on what it is for.

#include <Random123/philox.h>

#include <cmath>
#include <cstdint>
#include <numbers>

#include "dsasrgs/math.hpp"

namespace dsasrgs {

/// What a stream of random numbers is for; keeps streams of different purposes apart under one seed.
enum class RandomStream : std::uint32_t {
  initial_points = 1,
  split_children,
  view_order,
  time_jitter,
  photon_noise,
  vessel_tree,
  weights,
  pseudo_labels,
  detail,
  random_prune,
  variation_block,
  network_weights,
  network_patches,
  network_noise,
  network_vessels
};

/// Four 32-bit words for (seed, stream, a, b).
DSASRGS_HD inline r123::Philox4x32::ctr_type random_words(std::uint64_t seed, RandomStream stream, std::uint64_t a,
                                                          std::uint64_t b) {
  const r123::Philox4x32::key_type key{
      {static_cast<std::uint32_t>(seed),
       static_cast<std::uint32_t>(seed >> 32) ^ (static_cast<std::uint32_t>(stream) * 0x9E3779B9u)}};
  const r123::Philox4x32::ctr_type counter{{static_cast<std::uint32_t>(a), static_cast<std::uint32_t>(a >> 32),
                                            static_cast<std::uint32_t>(b), static_cast<std::uint32_t>(b >> 32)}};
  return r123::Philox4x32{}(counter, key);
}

/// Uniform in (0,1), 23 bits: with one more the half would round up to 1.
DSASRGS_HD inline float uniform_from(std::uint32_t word) {
  return (static_cast<float>(word >> 9) + 0.5f) * (1.0f / 8388608.0f);
}

/// Four uniforms in (0,1).
struct Uniform4 {
  float u[4];
};
DSASRGS_HD inline Uniform4 random_uniform4(std::uint64_t seed, RandomStream stream, std::uint64_t a, std::uint64_t b) {
  const auto w = random_words(seed, stream, a, b);
  return {{uniform_from(w[0]), uniform_from(w[1]), uniform_from(w[2]), uniform_from(w[3])}};
}

/// Three standard normals (Box–Muller).
DSASRGS_HD inline Vec3f random_normal3(std::uint64_t seed, RandomStream stream, std::uint64_t a, std::uint64_t b) {
  const Uniform4 r = random_uniform4(seed, stream, a, b);
  constexpr float kTwoPi = 2 * std::numbers::pi_v<float>;
  const float r0 = std::sqrt(-2 * std::log(r.u[0])), r1 = std::sqrt(-2 * std::log(r.u[2]));
  return {r0 * std::cos(kTwoPi * r.u[1]), r0 * std::sin(kTwoPi * r.u[1]), r1 * std::cos(kTwoPi * r.u[3])};
}

}  // namespace dsasrgs
