// SPDX-License-Identifier: Apache-2.0
#pragma once
// Casts rays through the capsules of a vessel tree. The capsules are made once; each view sorts them into tiles of
// rays.

#include <vector>

#include "dsasrgs/context.hpp"
#include "dsasrgs/geometry.hpp"
#include "dsasrgs/simulator.hpp"
#include "simulate/vessel_math.hpp"

namespace dsasrgs {

/// Most rays along a pixel's side, and points along a voxel's.
inline constexpr int kMostSamples = 64;

/// One capsule and the nodes at its ends.
struct VesselCapsule {
  Capsule<double> shape;
  int node_a = 0, node_b = 0;
};

/// Host memory that casting the rays of a tree or sampling it asks for, about, for the message where it is not there.
inline std::size_t vessel_bytes(const VesselTree& tree, std::size_t num_samples) {
  return tree.nodes.size() * 4 * sizeof(VesselCapsule) + num_samples * 2 * sizeof(double);
}

/// Capsules of a tree: one per node with a parent, from the parent to the node, in the order of the nodes.
std::vector<VesselCapsule> vessel_capsules(const VesselTree&);

/// A capsule on one ray.
struct CapsuleHit {
  RayInterval<double> inside;
  int capsule = 0;
};

/// ∫ attenuation along a unit ray over the union of `hits`: between two neighbouring interval ends the capsule whose
/// axis is nearest to the middle of the piece counts (the first of equals). Sorts nothing the caller can see.
double union_integral(const std::vector<VesselCapsule>&, const std::vector<double>& node_attenuation, Vec3d origin,
                      Vec3d direction, const std::vector<CapsuleHit>& hits);

/// Most capsules that may overlap on a ray, root mean square, and in a voxel's sample, mean: real trees stay far below,
/// and the time that overlaps take grows with it (on rays with its square).
inline constexpr double kMostOverlap = 200, kMostOverlapOfSamples = 20;
/// Throws InvalidArgument unless found ≤ most.
void require_overlap(double found, double most);

/// The rays of one view: pixel centres of `rays`, which may be a finer detector than the one that is read out. Throws
/// InvalidArgument where more than kMostOverlap capsules overlap.
std::vector<float> cast_vessel_rays(Context&, const std::vector<VesselCapsule>&,
                                    const std::vector<double>& node_attenuation, const Pose&, const Detector& rays);

}  // namespace dsasrgs
