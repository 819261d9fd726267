// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// How much memory a training will take, known before its first step, and how much there is.

#include <cstddef>

#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/config.hpp"
#include "dsasrgs/context.hpp"
#include "dsasrgs/export.hpp"

namespace DSASRGS_API dsasrgs {

/// Bytes in the machine's own memory and in that of the CUDA device.
struct MemoryAmount {
  std::size_t host = 0, device = 0;
};

/// What a Reconstructor takes beside the acquisition, which its caller has.
struct MemoryNeed {
  MemoryAmount kept;  ///< through the training
  MemoryAmount peak;  ///< at its most: initialisation, density events, checkpoint
};

/// For a training that has `gaussians` Gaussians, from the shapes of all it allocates; the optimiser's and the field's
/// arrays are known exactly, the Gaussians' tile lists by what is usual. On the CPU all of it is on the host. Throws
/// BadInput for an acquisition without views to train on or a configuration that cannot be, InvalidArgument for a
/// detector or volume that cannot be and for more than 2^40 Gaussians.
MemoryNeed training_memory(const Acquisition&, const Config&, Backend, std::size_t gaussians);

/// What this process can still have: on the host the least of what the system calls available and what the limits of
/// the process and of its control group leave; on the device what is free there (0 on the CPU). Numbers that cannot be
/// known are as large as they can be.
MemoryAmount available_memory(const Context&);

/// Bytes of the machine's own memory that this process holds now; 0 where they cannot be known.
std::size_t resident_memory();

}  // namespace dsasrgs
