// SPDX-License-Identifier: Apache-2.0
#pragma once
// Shared memory that kernels declare with a size: static thread-local variables here, which no list knows of but the
// program's own symbols.

namespace emulation {

/// Fills it, of this host thread, with NaN where poison_static_shared() asked for that.
void begin_block_with_static_shared();

}  // namespace emulation
