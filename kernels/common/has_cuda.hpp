// SPDX-License-Identifier: Apache-2.0
#pragma once
// Whether this build has CUDA bodies, hand-compiled or emulated. A call in a discarded branch needs no definition:
//   if constexpr (has_cuda)
//     if (ctx.backend() == Backend::cuda) return cuda::body(…);

namespace dsasrgs {

#if DSASRGS_HAS_CUDA
inline constexpr bool has_cuda = true;
#else
inline constexpr bool has_cuda = false;
#endif

}  // namespace dsasrgs
