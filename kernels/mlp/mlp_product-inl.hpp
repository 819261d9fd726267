// SPDX-License-Identifier: Apache-2.0
// Register-blocked matrix product on rows of points, compiled once per SIMD target. No include guard of the usual kind:
// foreach_target.h includes it again for every target.

#if defined(DSASRGS_MLP_PRODUCT_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef DSASRGS_MLP_PRODUCT_INL
#undef DSASRGS_MLP_PRODUCT_INL
#else
#define DSASRGS_MLP_PRODUCT_INL
#endif

#include <hwy/highway.h>

#include <cstddef>

HWY_BEFORE_NAMESPACE();
namespace dsasrgs::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, 16>;
using Vector = hn::Vec<Floats>;

/// C[r,c] = finish(start[r,c] + Σ_k A[r,k]·B[k,c]). Rows of B and C are padded to whole vectors, A is read one number
/// at a time through its two strides, so it may be a matrix or its transpose.
struct Product {
  const float* a;
  std::size_t a_row, a_depth;  ///< A[r,k] is a[r·a_row + k·a_depth]
  const float* b;
  std::size_t b_stride;
  float* c;
  std::size_t c_stride;
  std::size_t rows, columns, depth;
};
enum class Start { zero, bias, c };
enum class Finish { none, relu, mask };
/// What Start::bias [columns] and Finish::mask [rows, c_stride] (kept where positive, else 0) read.
struct Edges {
  Start start = Start::zero;
  Finish finish = Finish::none;
  const float* bias = nullptr;
  const float* mask = nullptr;
};

// 6 × 4 sums use 24 of 32 vector registers, 6 × 2 use 12 of 16; either way FMAs outnumber loads by two or more.
inline constexpr int kTileRows = 6;
#if HWY_ARCH_X86 && HWY_TARGET > HWY_AVX3
inline constexpr int kTileVectors = 2;
#else
inline constexpr int kTileVectors = 4;
#endif

template <int kRows, int kVectors>
void product_tile(const Product& s, const Edges& e, std::size_t row, std::size_t column) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  const std::size_t c_at = row * s.c_stride + column;
  Vector sum[kRows][kVectors];
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kVectors; ++v) {
      const std::size_t at = static_cast<std::size_t>(v) * lanes;
      if (e.start == Start::zero)
        sum[r][v] = hn::Zero(d);
      else if (e.start == Start::bias)
        sum[r][v] = hn::LoadU(d, e.bias + column + at);
      else
        sum[r][v] = hn::LoadU(d, s.c + c_at + static_cast<std::size_t>(r) * s.c_stride + at);
    }
  const float* HWY_RESTRICT a = s.a + row * s.a_row;
  const float* HWY_RESTRICT b = s.b + column;
  for (std::size_t k = 0; k < s.depth; ++k, a += s.a_depth, b += s.b_stride) {
    Vector line[kVectors];
    for (int v = 0; v < kVectors; ++v) line[v] = hn::LoadU(d, b + static_cast<std::size_t>(v) * lanes);
    for (int r = 0; r < kRows; ++r) {
      const Vector factor = hn::Set(d, a[static_cast<std::size_t>(r) * s.a_row]);
      for (int v = 0; v < kVectors; ++v) sum[r][v] = hn::MulAdd(factor, line[v], sum[r][v]);
    }
  }
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kVectors; ++v) {
      const std::size_t at = c_at + static_cast<std::size_t>(r) * s.c_stride + static_cast<std::size_t>(v) * lanes;
      Vector x = sum[r][v];
      if (e.finish == Finish::relu)
        x = hn::IfThenZeroElse(hn::Lt(x, hn::Zero(d)), x);  // unlike Max, keeps NaN on every target
      else if (e.finish == Finish::mask)
        x = hn::IfThenElseZero(hn::Gt(hn::LoadU(d, e.mask + at), hn::Zero(d)), x);
      hn::StoreU(x, d, s.c + at);
    }
}

template <int kVectors>
void product_panel(const Product& s, const Edges& e, std::size_t column) {
  std::size_t row = 0;
  for (; row + kTileRows <= s.rows; row += kTileRows) product_tile<kTileRows, kVectors>(s, e, row, column);
  switch (s.rows - row) {
    case 5:
      return product_tile<5, kVectors>(s, e, row, column);
    case 4:
      return product_tile<4, kVectors>(s, e, row, column);
    case 3:
      return product_tile<3, kVectors>(s, e, row, column);
    case 2:
      return product_tile<2, kVectors>(s, e, row, column);
    case 1:
      return product_tile<1, kVectors>(s, e, row, column);
    default:
      return;
  }
}

inline void multiply(const Product& s, const Edges& e) {
  const std::size_t lanes = hn::Lanes(Floats());
  std::size_t column = 0;
  for (; column + kTileVectors * lanes <= s.columns; column += kTileVectors * lanes)
    product_panel<kTileVectors>(s, e, column);
  for (; column + 2 * lanes <= s.columns; column += 2 * lanes) product_panel<2>(s, e, column);
  if (column < s.columns) product_panel<1>(s, e, column);
}

}  // namespace dsasrgs::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // DSASRGS_MLP_PRODUCT_INL
