// SPDX-License-Identifier: Apache-2.0
#pragma once
// C[16×16] += A[16×16]·B[16×16] by one warp, bfloat16 factors in shared or global memory, fp32 sums: tensor cores where
// the device has them for this type (compute capability 8.0), else the same arithmetic without. Strides are in elements
// and multiples of 8, addresses of factors multiples of 32 bytes.

#include "common/bfloat16.cuh"

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
#define DSASRGS_HAS_MATRIX_UNITS 1
#include <mma.h>
#endif

namespace dsasrgs::cuda {

/// Whether element (r, c) of a factor is at r·stride + c or at c·stride + r.
enum class Layout { row, column };

#if DSASRGS_HAS_MATRIX_UNITS

template <Layout kLayout>
using FragmentLayout = std::conditional_t<kLayout == Layout::row, nvcuda::wmma::row_major, nvcuda::wmma::col_major>;

template <class Use, Layout kLayout>
struct MatrixFactor {
  nvcuda::wmma::fragment<Use, 16, 16, 16, __nv_bfloat16, FragmentLayout<kLayout>> fragment;
  __device__ void load(const Bf16* data, int stride) {
    nvcuda::wmma::load_matrix_sync(fragment, reinterpret_cast<const __nv_bfloat16*>(data),
                                   static_cast<unsigned>(stride));
  }
};
template <Layout kLayout>
using FactorA = MatrixFactor<nvcuda::wmma::matrix_a, kLayout>;
template <Layout kLayout>
using FactorB = MatrixFactor<nvcuda::wmma::matrix_b, kLayout>;

struct MatrixSum {
  nvcuda::wmma::fragment<nvcuda::wmma::accumulator, 16, 16, 16, float> fragment;
  __device__ MatrixSum() { nvcuda::wmma::fill_fragment(fragment, 0.0f); }
  template <class A, class B>
  __device__ void add_product(const A& a, const B& b) {
    nvcuda::wmma::mma_sync(fragment, a.fragment, b.fragment, fragment);
  }
  __device__ void store(float* to, int stride) const {
    nvcuda::wmma::store_matrix_sync(to, fragment, static_cast<unsigned>(stride), nvcuda::wmma::mem_row_major);
  }
};

#else

/// Reads its memory when it is used, which must not change until then.
template <Layout kLayout>
struct MatrixFactor {
  const Bf16* data;
  int stride;
  __device__ void load(const Bf16* from, int elements) {
    data = from;
    stride = elements;
  }
  __device__ float at(int row, int column) const {
    return to_float(kLayout == Layout::row ? data[row * stride + column] : data[column * stride + row]);
  }
};
template <Layout kLayout>
using FactorA = MatrixFactor<kLayout>;
template <Layout kLayout>
using FactorB = MatrixFactor<kLayout>;

/// A lane has half a row.
struct MatrixSum {
  float sum[8] = {};
  __device__ static int row() { return static_cast<int>(threadIdx.x & 31u) / 2; }
  __device__ static int column() { return static_cast<int>(threadIdx.x & 1u) * 8; }
  template <class A, class B>
  __device__ void add_product(const A& a, const B& b) {
#pragma unroll 4  // all 16 at once would take the registers of many sums
    for (int k = 0; k < 16; ++k) {
      const float factor = a.at(row(), k);
      for (int c = 0; c < 8; ++c) sum[c] += factor * b.at(k, column() + c);
    }
  }
  __device__ void store(float* to, int stride) const {
    for (int c = 0; c < 8; ++c) to[row() * stride + column() + c] = sum[c];
  }
};

#endif

}  // namespace dsasrgs::cuda
