#pragma once
// The events of training that change the Gaussians (method.md sections 2 and 3): density control (ADC), residual-guided
// splitting (RSD) and residual-guided births.

#include <functional>
#include <span>

#include "train/residual_births.hpp"
#include "train/training_state.hpp"

namespace dsasrgs {

/// What was seen of every Gaussian since the last event of each kind.
struct DensificationStatistics {
  DensityStatistics control;  ///< of density control
  DensityStatistics split;    ///< of RSD; empty without it
  static DensificationStatistics zeros(Context&, const Config&, std::size_t num_gaussians);
  bool has_split() const { return split.gradient_norm.size() > 0; }
  /// Adds the view that went backward last, on its detector.
  void add(Context&, const Detector&, const ViewPipeline&);
};

/// What the events of one step did.
struct DensityEvents {
  std::size_t cloned = 0, split = 0, pruned = 0;  ///< by density control
  std::size_t residual_split = 0;                 ///< parents
  std::size_t born = 0;
};

/// Side of a low-resolution voxel: the mean pitch of the detector that measured, scaled down from its plane to the
/// volume's centre, averaged over the views. RSD's gate and the births are in its units; density control's split is in
/// those of the volume's spacing, which the user chooses.
double low_resolution_voxel_mm(const Acquisition&, const std::vector<int>& views);

/// Carries out the events of a model in training. In each, Gaussians and optimiser moments are gathered into new
/// arrays, the event's own statistics start afresh, and those of the other kinds follow the Gaussians
/// (gather_statistics).
class DensityEventRunner {
 public:
  DensityEventRunner(const Config& config, double low_resolution_voxel_mm)
      : config_(config), voxel_mm_(low_resolution_voxel_mm) {}

  /// Where attenuation is missing: `max_count` places at most.
  using BirthFinder = std::function<std::vector<GaussianBirth>(std::size_t max_count)>;

  /// Those of a step that are due: RSD, whose parents density control does not see any more, then density control, then
  /// births.
  DensityEvents run(Context&, const StepSchedule&, int step, const BirthFinder&, Model&, OptimizerState&,
                    DensificationStatistics&) const;

  void run_residual_split(Context&, const StepSchedule&, int step, Model&, OptimizerState&, DensificationStatistics&,
                          DensityEvents&) const;
  void run_density_control(Context&, const StepSchedule&, int step, Model&, OptimizerState&, DensificationStatistics&,
                           DensityEvents&) const;
  /// Isotropic Gaussians of the configured scale s. A `static` model gives them the attenuation score/(√(2π)·s), whose
  /// integral through the centre is the residual; a field says itself what is there.
  void append_births(Context&, std::span<const GaussianBirth>, Model&, OptimizerState&, DensificationStatistics&,
                     DensityEvents&) const;

 private:
  Config config_;
  double voxel_mm_;
};

}  // namespace dsasrgs
