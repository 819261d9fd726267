// SPDX-License-Identifier: Apache-2.0
#pragma once
// C[16×16] += A[16×16]·B[16×16] by one warp, bfloat16 factors in shared or global memory, fp32 sums: tensor cores where
// the device has them for this type (compute capability 8.0), else the same arithmetic without. Strides are in elements
// and multiples of 8, addresses of factors multiples of 32 bytes.

#include "common/bfloat16.cuh"
#include "common/launch.cuh"

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

/// Sums of products whose factors are kDepth long.
template <int kDepth>
struct FragmentSum {
  nvcuda::wmma::fragment<nvcuda::wmma::accumulator, 16, 16, kDepth, float> fragment;
  __device__ FragmentSum() { nvcuda::wmma::fill_fragment(fragment, 0.0f); }
  __device__ void store(float* to, int stride) const {
    nvcuda::wmma::store_matrix_sync(to, fragment, static_cast<unsigned>(stride), nvcuda::wmma::mem_row_major);
  }
};

struct MatrixSum : FragmentSum<16> {
  template <class A, class B>
  __device__ void add_product(const A& a, const B& b) {
    nvcuda::wmma::mma_sync(fragment, a.fragment, b.fragment, fragment);
  }
};

#else

/// Reads its memory when it is used, which must not change until then.
template <class Element, Layout kLayout>
struct MemoryFactor {
  const Element* data;
  int stride;
  __device__ void load(const Element* from, int elements) {
    data = from;
    stride = elements;
  }
  __device__ float at(int row, int column) const {
    return to_float(kLayout == Layout::row ? data[row * stride + column] : data[column * stride + row]);
  }
};
template <Layout kLayout>
using FactorA = MemoryFactor<Bf16, kLayout>;
template <Layout kLayout>
using FactorB = MemoryFactor<Bf16, kLayout>;

/// A lane has half a row.
struct HalfRowSum {
  float sum[8] = {};
  __device__ static int row() { return static_cast<int>(lane_index()) / 2; }
  __device__ static int column() { return static_cast<int>(lane_index()) % 2 * 8; }
  __device__ void store(float* to, int stride) const {
    for (int c = 0; c < 8; ++c) to[row() * stride + column() + c] = sum[c];
  }
};

struct MatrixSum : HalfRowSum {
  template <class A, class B>
  __device__ void add_product(const A& a, const B& b) {
#pragma unroll 4  // all 16 at once would take the registers of many sums
    for (int k = 0; k < 16; ++k) {
      const float factor = a.at(row(), k);
      for (int c = 0; c < 8; ++c) sum[c] += factor * b.at(k, column() + c);
    }
  }
};

#endif

inline constexpr int kSumRow = 20;  ///< floats from row to row of a matrix of sums in memory: on different banks

/// Calls visit(i, row, j, column, four) for each four sums in a row of matrix (i, j). Which lane holds which sum is the
/// matrix units' secret, so they go through the warp's `memory` [16 · kSumRow].
template <class Sum, int kRows, int kColumns, class Visit>
__device__ void for_each_sum(const Sum (&sum)[kRows][kColumns], float* memory, Visit&& visit) {
  const int lane = static_cast<int>(lane_index()), row = lane / 4, column = lane % 4 * 4;
#pragma unroll
  for (int i = 0; i < kRows; ++i)
#pragma unroll
    for (int j = 0; j < kColumns; ++j) {
      sum[i][j].store(memory, kSumRow);
      __syncwarp();
      for (int half = 0; half < 16; half += 8)
        visit(i, row + half, j, column, memory + (row + half) * kSumRow + column);
      __syncwarp();
    }
}

}  // namespace dsasrgs::cuda
