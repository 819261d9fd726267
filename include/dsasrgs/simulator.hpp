// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// Simulated rotational angiography with known truth: vessels, contrast, C-arm, detector, noise.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/context.hpp"
#include "dsasrgs/export.hpp"
#include "dsasrgs/geometry.hpp"
#include "dsasrgs/io.hpp"

namespace DSASRGS_API dsasrgs {

/// A point of a vessel centreline.
struct VesselNode {
  Vec3d position_mm;
  double radius_mm = 0;
  int parent = -1;  ///< index of the node upstream, less than its own; −1: an inlet
};

/// A forest of vessels: every node with a parent makes a tapered capsule (the convex hull of the two nodes' spheres)
/// from its parent. A node without parent or children makes nothing.
struct VesselTree {
  std::vector<VesselNode> nodes;
  /// Path length from each node's inlet, mm, [nodes]. Throws InvalidArgument if a parent does not come before its
  /// child.
  std::vector<double> path_length_mm() const;
};

/// Reads an SWC file: a line per node (id type x y z radius parent, mm), '#' starts a comment. As found: any end of
/// line, a byte order mark, ids and types as 3.0, +5, semicolons or commas between the fields (not both as blanks: a
/// decimal comma is refused), more columns, which do not count. Parents may come in any order; nodes are put in an
/// order that has every parent before its children. Where min_radius_mm is above 0, smaller radii, 0 too, become it.
/// Throws IoError; BadInput naming the line for too few fields, a non-number, a coordinate beyond 1e9 mm, a repeated
/// id, an unknown parent, a cycle or a radius that is negative, or 0 without min_radius_mm; InvalidArgument for a
/// min_radius_mm that is neither 0 nor 1e-6 to 1e9; OutOfMemory.
VesselTree read_swc(const std::filesystem::path&, double min_radius_mm = 0);

/// Reads the polylines of a VTK file: a legacy one (POINTS with CELLS or LINES, ASCII or binary, up to version 5.1) or
/// XML (.vtp; text, binary or appended, plain or by zlib). Radii are those of the point array
/// MaximumInscribedSphereRadius (VMTK) or Radius (VMTK in 3D Slicer), radius_mm where there is none. A polyline starts
/// at the nearest node of those before it if that is within join_mm, else it is an inlet. Throws IoError; BadInput
/// naming the line, byte or array; InvalidArgument for a radius_mm that is not 1e-6 to 1e9; BackendUnavailable for XML
/// where the build has no pugixml; OutOfMemory.
VesselTree read_vtk_centerlines(const std::filesystem::path&, double radius_mm, double join_mm = 8);

/// Smooths centrelines and radii along branches by `passes` of a [¼ ½ ¼] filter that keeps inlets, branch points and
/// ends as they are (removes voxel stairs of segmented trees). Throws InvalidArgument unless passes is 0 to 10000.
void smooth_vessels(VesselTree&, int passes);
/// Moves the tree so that the bounding box of its nodes is centred at the isocentre.
void center_vessels(VesselTree&);
/// Turns the tree about the isocentre, p ← rotation·p. The BraVa trees have +y up; {{1,0,0},{0,0,-1},{0,1,0}} stands
/// them along +z, the axis of C-arm rotation. Throws InvalidArgument unless the rows are orthonormal and right-handed.
void rotate_vessels(VesselTree&, const Mat3<double>& rotation);

/// Built-in tree: several feeding arteries enter a head-sized ellipsoid from below and branch by Murray's law
/// (r₀³ = r₁³ + r₂³, exact at every branch node between its radius and its children's) down to the smallest radius.
struct VesselTreeOptions {
  std::uint64_t seed = 1;
  int num_inlets = 3;
  double inlet_radius_mm = 2.5;
  double min_radius_mm = 0.1;
  Vec3d ellipsoid_half_axes_mm{66, 78, 70};  ///< fits SimulationOptions::volume
};
/// Seeded; the same tree on every machine. Each inlet feeds (inlet radius / smallest radius)^1.4 end points, at most
/// 1000 and 10 000 of all inlets, spread through the ellipsoid. Throws InvalidArgument for values out of range: 1 to
/// 100 inlets, a smallest radius of 1e-3 mm or more, half axes of at most 1000 mm, none shorter than the inlet radius.
VesselTree generate_vessel_tree(const VesselTreeOptions&);

/// Contrast bolus. At the inlet it is the gamma variate ((t−t0)/(a b))^a exp(a − (t−t0)/b) convolved with an injection
/// of constant rate, scaled so that its peak is peak_attenuation_per_mm. The peak comes at t0 + T/(1 − e^(−T/(a b)))
/// for an injection of T seconds, at t0 + a b for T = 0. Downstream it is delayed by path length / velocity and
/// dispersed: b grows with the delay while the area under the curve stays (the same contrast passes), so peaks fall.
struct ContrastOptions {
  double arrival_s = 0.7;          ///< t0 at the inlets, after the first frame
  double shape = 1.6;              ///< a, at most 100
  double width_s = 1.2;            ///< b at the inlet
  double width_growth = 0.1;       ///< b increases by this many seconds per second of delay
  double injection_s = 4;          ///< T, duration of the injection the bolus is convolved with
  double velocity_mm_per_s = 400;  ///< in a vessel of the inlet's radius
  double velocity_exponent = 0.5;  ///< velocity ∝ (radius / inlet radius)^exponent, at least a tenth
  double peak_attenuation_per_mm = 0.05;
};

/// Attenuation curve of the blood at every tree node, for any time. Closed form (incomplete gamma functions), right to
/// about 1e-7 of the peak.
class ContrastCurves {
 public:
  /// Throws InvalidArgument for a malformed tree or options out of range.
  ContrastCurves(const VesselTree&, const ContrastOptions&);
  /// For given delays in place of a tree's nodes; velocity is not used.
  ContrastCurves(std::vector<double> delay_s, const ContrastOptions&);
  std::size_t size() const { return delay_s_.size(); }
  /// Attenuation in 1/mm at a node and time (0 before arrival). What takes a node throws InvalidArgument for one that
  /// is not there, what takes a time for NaN.
  double attenuation(std::size_t node, double time_s) const;
  /// Attenuation of all nodes at one time, [nodes].
  std::vector<double> attenuation(double time_s) const;
  /// When a node's attenuation is highest.
  double peak_time_s(std::size_t node) const;
  double delay_s(std::size_t node) const;

 private:
  ContrastOptions options_;
  std::vector<double> delay_s_;
  double area_ = 0;  ///< under every node's curve, s/mm
};

/// Line integrals through a tree at one moment: for each of samples × samples rays per pixel, the union of all capsules
/// along the ray (overlaps count once). Within a capsule attenuation goes linearly along its axis; between two
/// neighbouring ends of the capsules' intervals on the ray, the capsule whose axis is nearest to the middle of that
/// piece counts. Returned per ray, not averaged: [H·samples, W·samples], rays at the centres of
/// detector.refined(samples)'s pixels, from the source to the detector. Computed in double. Throws InvalidArgument,
/// also unless samples is 1 to 64 and the time finite.
std::vector<float> vessel_line_integrals(Context&, const VesselTree&, const ContrastCurves&, const Pose&,
                                         const Detector&, int samples_per_pixel, double time_s);

/// Attenuation of the tree on a voxel grid [z,y,x], mean over `samples`³ points per voxel and over `times_s`; where
/// capsules overlap, the one whose axis is nearest counts. Throws InvalidArgument, also unless samples is 1 to 64 and
/// the times are finite.
std::vector<float> vessel_volume(Context&, const VesselTree&, const ContrastCurves&, const VolumeGrid&, int samples,
                                 const std::vector<double>& times_s);

/// A simulated sweep: geometry, noise, truth.
struct SimulationOptions {
  CircularSweep sweep;  ///< 133 frames, 200°, SOD 750 mm, SDD 1200 mm; secondary angle and offsets in sweep.view
  Detector detector{128, 128, 2.4, 2.4};  ///< low-resolution detector
  int scale = 1;                          ///< s: truth is also stored s times finer, from the same rays
  int samples_per_pixel = 2;              ///< rays per fine-pixel side
  VolumeGrid volume{128, 128, 128, {1.25, 1.25, 1.25}, {-80, -80, -80}};
  double photons = 0;           ///< mean photons per low-resolution pixel in air; 0: no noise
  bool head_background = true;  ///< static soft-tissue and skull ellipsoids in mask and fill run
  /// Translation of the head background in the fill run against the mask run (misregistration artefacts). The vessels
  /// stay where the truth has them.
  Vec3d motion_mm{};
  bool reference_volume = true;  ///< store the time-mean truth volume
  int num_train_views = 30;
  std::uint64_t seed = 1;  ///< of the noise
};

/// What a simulation makes.
struct Simulation {
  /// Line integrals ln(mask) − ln(fill) of `raw`; reference projections on detector.refined(scale), from the same rays
  /// but without noise and motion (stored for scale = 1 too); reference volume, the mean over the frames; split.
  Acquisition acquisition;
  /// The intensities they came from, mask [V,H,W] too: photon counts, or fractions of the intensity in air where
  /// photons = 0. Never 0: a count of zero is stored as half a photon.
  RawIntensity raw;
};

/// Simulates a sweep over a vessel tree. Rays are averaged in intensity, not in log, over each pixel. Seeded and
/// bit-identical for any thread count. Throws InvalidArgument for values out of range.
Simulation simulate(Context&, const VesselTree&, const ContrastOptions&, const SimulationOptions&);

/// The volume turned a quarter about the x axis, (x, y, z) → (x, −z, y): stands one whose +y is up along +z, the axis
/// of C-arm rotation (the counterpart of rotate_vessels for volumes). Throws InvalidArgument when sizes disagree or
/// there is more than one frame.
Volume stand_volume_up(const Volume&);

/// The same from a volume of any scalar (for example rotational angiography; +z up): voxels above `threshold` (≥ 0) are
/// vessel, with attenuation proportional to their value (the maximum gives peak_attenuation_per_mm). Contrast arrives
/// in the lowest layer of the largest connected vessel, with the geodesic distance through the vessel as path length
/// and velocity_mm_per_s everywhere; parts not connected to it start at their own lowest layer with the straight
/// distance. Projections by raycast (bilinear samples), the reference volume by means over SimulationOptions::volume's
/// voxels.
Simulation simulate_volume(Context&, const Volume&, double threshold, const ContrastOptions&, const SimulationOptions&);

}  // namespace dsasrgs
