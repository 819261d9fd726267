#pragma once
/// @file
/// Sums over a pair of images: what PSNR and correlation are made of.

#include <cstdint>
#include <limits>

#include "dsasrgs/buffer.hpp"

namespace dsasrgs {

/// Of the valid pixels with two finite values x (rendered) and y (reference), both clipped at 0 from below.
struct ImageStatistics {
  std::uint64_t count = 0;       ///< such pixels
  std::uint64_t non_finite = 0;  ///< valid pixels left out because x or y is NaN or infinite
  /// Of both images; with count 0: +infinity and 0.
  float rendered_min = std::numeric_limits<float>::infinity(), rendered_max = 0;
  float reference_min = std::numeric_limits<float>::infinity(), reference_max = 0;
  double squared_error = 0;            ///< Σ (x − y)²
  double rendered = 0, reference = 0;  ///< Σ x, Σ y
  double rendered_squared = 0;         ///< Σ x²
  double reference_squared = 0;        ///< Σ y²
  double product = 0;                  ///< Σ x·y
};

/// Images of any shape; `valid` is 0 where a pixel does not count, and empty where all do. Sums are in double and in a
/// fixed order: the same bits from run to run and for any thread count; two backends differ by rounding. Waits for the
/// result: for evaluation, not for a training step. Throws InvalidArgument when sizes disagree.
ImageStatistics image_statistics(Context&, View<const float> rendered, View<const float> reference,
                                 View<const std::uint8_t> valid);

}  // namespace dsasrgs
