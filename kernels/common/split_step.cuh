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

struct SplitSum {
  nvcuda::wmma::fragment<nvcuda::wmma::accumulator, 16, 16, 8, float> fragment;
  __device__ SplitSum() { nvcuda::wmma::fill_fragment(fragment, 0.0f); }
  template <class A, class B>
  __device__ void add_product(const A& a, const B& b) {
    nvcuda::wmma::mma_sync(fragment, a.small, b.large, fragment);
    nvcuda::wmma::mma_sync(fragment, a.large, b.small, fragment);
    nvcuda::wmma::mma_sync(fragment, a.large, b.large, fragment);
  }
  __device__ void store(float* to, int stride) const {
    nvcuda::wmma::store_matrix_sync(to, fragment, static_cast<unsigned>(stride), nvcuda::wmma::mem_row_major);
  }
};

#else

/// Reads its memory when it is used, which must not change until then.
template <Layout kLayout>
struct SplitFactor {
  const float* data;
  int stride;
  __device__ void load(const float* from, int elements) {
    data = from;
    stride = elements;
  }
  __device__ float at(int row, int column) const {
    return kLayout == Layout::row ? data[row * stride + column] : data[column * stride + row];
  }
};
template <Layout kLayout>
using SplitA = SplitFactor<kLayout>;
template <Layout kLayout>
using SplitB = SplitFactor<kLayout>;

/// A lane has half a row.
struct SplitSum {
  float sum[8] = {};
  __device__ static int row() { return static_cast<int>(threadIdx.x & 31u) / 2; }
  __device__ static int column() { return static_cast<int>(threadIdx.x & 1u) * 8; }
  template <class A, class B>
  __device__ void add_product(const A& a, const B& b) {
#pragma unroll 2  // all at once would take the registers of many sums
    for (int k = 0; k < 8; ++k) {
      const Tf32Pair factor(a.at(row(), k));
      for (int c = 0; c < 8; ++c) sum[c] += factor.times(Tf32Pair(b.at(k, column() + c)));
    }
  }
  __device__ void store(float* to, int stride) const {
    for (int c = 0; c < 8; ++c) to[row() * stride + column() + c] = sum[c];
  }
};

#endif

}  // namespace dsasrgs::cuda
