// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the last block of a launch does for all of them, instead of a launch or a memset of its own.

#include "common/launch.cuh"

namespace dsasrgs::cuda {

/// Whether this block is the last of `blocks` to come here; the same for all its threads, all of which must call it,
/// once in a kernel. The last one sees what the others did before by atomic operations. counter: zero before the
/// launch, and after it.
__device__ inline bool is_last_block(unsigned* counter, unsigned blocks) {
  __shared__ bool is_last;
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) {
    is_last = atomicAdd(counter, 1u) == blocks - 1;
    if (is_last) atomicExch(counter, 0u);
  }
  __syncthreads();
  __threadfence();
  return is_last;
}

}  // namespace dsasrgs::cuda
