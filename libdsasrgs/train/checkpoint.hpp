#pragma once
// A training run on disk (HDF5, `dsasrgs.checkpoint` version 1, docs/data-format.md).

#include <filesystem>

#include "train/density_event.hpp"

namespace dsasrgs {

struct Checkpoint {
  Config config;
  int step = 0;
  Model model;
  OptimizerState optimizer;
  DensificationStatistics statistics;
  std::vector<NuisanceMoments> nuisance_moments;
};

void write_checkpoint(Context&, const std::filesystem::path&, const Config&, int step, const Model&,
                      const OptimizerState&, const DensificationStatistics&, const std::vector<NuisanceMoments>&);
Checkpoint read_checkpoint(Context&, const std::filesystem::path&);

}  // namespace dsasrgs
