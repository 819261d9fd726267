// SPDX-License-Identifier: Apache-2.0
// Weighting and ramp filtering of the views, two rows per complex transform.

#include <algorithm>
#include <complex>
#include <unsupported/Eigen/FFT>

#include "common/host_vector.hpp"
#include "common/parallel.hpp"
#include "fdk/fdk_bodies.hpp"

namespace dsasrgs::cpu {
namespace {

/// Rows per task; even, since rows are transformed in pairs.
constexpr std::size_t kRowBlock = 32;

/// out[c] = in[c] × weight of pixel c, as its real or imaginary part.
void weight_row(const FilterRow& row, std::size_t width, const float* in, std::complex<float>* out, bool imaginary) {
  for (std::size_t c = 0; c < width; ++c) {
    const float value = ray_weight(row, static_cast<float>(c) + 0.5f) * in[c];
    if (imaginary)
      out[c].imag(value);
    else
      out[c].real(value);
  }
}

}  // namespace

void fdk_filter(const Context& ctx, const FdkJob& job, std::size_t first, std::size_t count,
                HostVector<float>& filtered) {
  const FdkInput& input = job.input;
  const auto width = static_cast<std::size_t>(input.detector.width_px);
  const auto height = static_cast<std::size_t>(input.detector.height_px);
  const std::size_t stride = width + 2, plane = stride * (height + 2);
  const std::size_t n = filter_length(width);
  const HostVector<double> exact = filter_spectrum(n);
  HostVector<float> filter(n);
  std::transform(exact.begin(), exact.end(), filter.begin(), [](double v) { return static_cast<float>(v); });
  filtered.resize(count * plane);

  const std::size_t blocks = (height + kRowBlock - 1) / kRowBlock;
  parallel_for(ctx, count * blocks, [&](std::size_t task) {
    ctx.throw_if_stopped("FDK");
    const std::size_t v = task / blocks, begin = task % blocks * kRowBlock, end = std::min(height, begin + kRowBlock);
    const FilterView view = filter_view(job, first + v);
    const auto row_of = [&](std::size_t r) { return filter_row(view, static_cast<int>(r)); };
    const float* in = input.projections.data() + (first + v) * width * height;
    float* out = filtered.data() + v * plane;
    Eigen::FFT<float> fft(Eigen::FFT<float>::impl_type(), Eigen::FFT<float>::Unscaled);
    HostVector<std::complex<float>> rows(n), spectrum(n);
    for (std::size_t r = begin; r < end; r += 2) {
      const bool pair = r + 1 < end;
      std::fill(rows.begin(), rows.end(), std::complex<float>());
      weight_row(row_of(r), width, in + r * width, rows.data(), false);
      if (pair) weight_row(row_of(r + 1), width, in + (r + 1) * width, rows.data(), true);
      fft.fwd(spectrum.data(), rows.data(), static_cast<Eigen::Index>(n));
      for (std::size_t k = 0; k < n; ++k) spectrum[k] *= filter[k];
      fft.inv(rows.data(), spectrum.data(), static_cast<Eigen::Index>(n));
      for (std::size_t half = 0; half < (pair ? 2u : 1u); ++half) {
        float* row = out + (r + half + 1) * stride;
        for (std::size_t c = 0; c < width; ++c) row[c + 1] = half == 0 ? rows[c].real() : rows[c].imag();
        row[0] = row[1];
        row[width + 1] = row[width];
      }
    }
    if (begin == 0) std::copy_n(out + stride, stride, out);
    if (end == height) std::copy_n(out + height * stride, stride, out + (height + 1) * stride);
  });
}

}  // namespace dsasrgs::cpu
