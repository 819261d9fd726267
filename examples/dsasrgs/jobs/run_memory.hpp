// SPDX-License-Identifier: Apache-2.0
#pragma once
// How much memory a run of `reconstruct` will take in all, said and held against what there is before its first step.

#include <nlohmann/json.hpp>
#include <string>

#include "dsasrgs/memory_need.hpp"

namespace dsasrgs::program {

/// Of the whole process at its most, training and report.
struct RunMemory {
  std::size_t gaussians_first = 0, gaussians_most = 0;
  std::string made_of;          ///< views and voxels, for messages
  MemoryAmount first;           ///< with the Gaussians it begins with
  MemoryAmount most;            ///< with as many as density control may make
  MemoryAmount reading_labels;  ///< first, with fine targets that are made anew at each step; 0 where that is no other
};

/// The acquisition is part of it; with `baselines` they are scored too. `gaussians`: of a run that goes on; 0: one that
/// begins, with at most so many as the configuration and FDK's candidates allow.
RunMemory run_memory(const Acquisition&, const Config&, Backend, bool baselines = false, std::size_t gaussians = 0);

/// Says what the run will take, warns where the most it may take is not there, and throws OutOfMemory where not even
/// what it begins with is.
void require_run_memory(const Context&, const RunMemory&, bool quiet);

nlohmann::ordered_json as_json(const RunMemory&);

/// The most that the process has held so far, bytes of host memory.
std::size_t peak_host_bytes();

}  // namespace dsasrgs::program
