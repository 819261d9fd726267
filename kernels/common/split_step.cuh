// SPDX-License-Identifier: Apache-2.0
#pragma once
// C[16×16] += A[16×8]·B[8×16] by one warp, fp32 factors in shared or global memory, fp32 sums, on tensor cores (compute
// capability 8.0). They multiply TF32 numbers, which have 11 of fp32's 24 bits; so a factor enters as the sum of two,
// and of the four products that of both small parts is left out. At most 2⁻²¹ of a product is lost in all (Markidis et
// al. 2018, section IV; Ootomo & Yokota 2022). Elsewhere the same steps without tensor cores. Strides are in elements
// and multiples of 4, addresses of factors multiples of 32 bytes.

#include "common/matrix_step.cuh"
#include "common/tf32.hpp"

namespace dsasrgs::cuda {

#if DSASRGS_HAS_MATRIX_UNITS

template <class Use, Layout kLayout>
struct SplitFactor {
  using Fragment = nvcuda::wmma::fragment<Use, 16, 16, 8, nvcuda::wmma::precision::tf32, FragmentLayout<kLayout>>;
  Fragment large, small;
  __device__ void load(const float* data, int stride) {
    nvcuda::wmma::load_matrix_sync(large, data, static_cast<unsigned>(stride));
#pragma unroll
    for (int i = 0; i < large.num_elements; ++i) {
      const float v = large.x[i];
      large.x[i] = nvcuda::wmma::__float_to_tf32(v);
      small.x[i] = nvcuda::wmma::__float_to_tf32(v - large.x[i]);
    }
  }
};
template <Layout kLayout>
using SplitA = SplitFactor<nvcuda::wmma::matrix_a, kLayout>;
template <Layout kLayout>
using SplitB = SplitFactor<nvcuda::wmma::matrix_b, kLayout>;

struct SplitSum : FragmentSum<8> {
  template <class A, class B>
  __device__ void add_product(const A& a, const B& b) {
    nvcuda::wmma::mma_sync(fragment, a.small, b.large, fragment);
    nvcuda::wmma::mma_sync(fragment, a.large, b.small, fragment);
    nvcuda::wmma::mma_sync(fragment, a.large, b.large, fragment);
  }
};

#else

template <Layout kLayout>
using SplitA = MemoryFactor<float, kLayout>;
template <Layout kLayout>
using SplitB = MemoryFactor<float, kLayout>;

struct SplitSum : HalfRowSum {
  template <class A, class B>
  __device__ void add_product(const A& a, const B& b) {
#pragma unroll 2  // all at once would take the registers of many sums
    for (int k = 0; k < 8; ++k) {
      const Tf32Pair factor(a.at(row(), k));
      for (int c = 0; c < 8; ++c) sum[c] += factor.times(Tf32Pair(b.at(k, column() + c)));
    }
  }
};

#endif

}  // namespace dsasrgs::cuda
