// Weighting and ramp filtering of the views, two rows per complex transform.

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <unsupported/Eigen/FFT>

#include "common/parallel.hpp"
#include "fdk/fdk_cpu.hpp"
#include "fdk/fdk_math.hpp"

namespace dsasrgs::cpu {
namespace {

/// Rows per task; even, since rows are transformed in pairs.
constexpr std::size_t kRowBlock = 32;

/// Ramp × Hann as a real spectrum of n samples, the 1/n of the inverse transform included.
std::vector<float> filter_spectrum(std::size_t n, double hann_cutoff) {
  std::vector<std::complex<double>> kernel(n), spectrum;
  const auto half = static_cast<int>(n / 2);
  for (int i = -half; i < half; ++i)
    kernel[static_cast<std::size_t>(i < 0 ? i + static_cast<int>(n) : i)] = ramp_kernel<double>(i);
  Eigen::FFT<double> fft;
  fft.fwd(spectrum, kernel);
  std::vector<float> filter(n);
  for (std::size_t k = 0; k < n; ++k) {
    const double frequency = static_cast<double>(std::min(k, n - k)) / static_cast<double>(half);
    filter[k] = static_cast<float>(spectrum[k].real() * hann_window(frequency, hann_cutoff) / static_cast<double>(n));
  }
  return filter;
}

/// Weights of one view's rays.
class RayWeights {
 public:
  RayWeights(const Pose& pose, const Detector& detector, const SourceArc& arc, const ArcView& view, double delta_rad)
      : pose_(pose), detector_(detector), view_(view), delta_rad_(delta_rad) {
    // The volume is the integral over half a turn of parallel rays: without Parker weights the shares are made to add
    // to π, which is ½ of each for a full turn.
    base_ = delta_rad > 0 ? 1.0 : std::numbers::pi / arc.span_rad;
  }

  /// out[c] = in[c] × cosine weight × redundancy weight × scale of row r.
  void weight_row(std::size_t r, const float* in, std::complex<float>* out, bool imaginary) const {
    const double py = static_cast<double>(r) + 0.5, width = detector_.width_px;
    const Vec3d left = detector_point(pose_, detector_, {0, py}) - pose_.source_mm;
    const Vec3d right = detector_point(pose_, detector_, {width, py}) - pose_.source_mm;
    // Pitch of the row's samples in the plane of the axis; the ramp kernel is for a pitch of one.
    const double pitch_mm = std::abs(virtual_u(right) - virtual_u(left)) / width;
    const auto scale = static_cast<float>(base_ * view_.share_rad / pitch_mm);
    const Vec3f start = left.as<float>(), step = ((right - left) / width).as<float>();
    const Vec3f toward_axis = view_.toward_axis.as<float>(), tangent = view_.tangent.as<float>();
    const float depth0 = dot(start, toward_axis), depth1 = dot(step, toward_axis);
    const float tangent0 = dot(start, tangent), tangent1 = dot(step, tangent);
    const auto angle = static_cast<float>(view_.angle_rad), delta = static_cast<float>(delta_rad_);
    for (std::size_t c = 0; c < static_cast<std::size_t>(detector_.width_px); ++c) {
      const float s = static_cast<float>(c) + 0.5f;
      const float depth = depth0 + s * depth1;
      float weight = scale * depth / length(start + step * s);
      if (delta > 0) weight *= parker_weight(angle, std::atan2(tangent0 + s * tangent1, depth), delta);
      if (imaginary)
        out[c].imag(weight * in[c]);
      else
        out[c].real(weight * in[c]);
    }
  }

 private:
  double virtual_u(Vec3d ray) const { return view_.radius_mm * dot(ray, view_.tangent) / dot(ray, view_.toward_axis); }

  const Pose& pose_;
  const Detector& detector_;
  const ArcView& view_;
  double delta_rad_;
  double base_;
};

}  // namespace

void fdk_filter(const Context& ctx, const FdkInput& input, const FdkOptions& options, const SourceArc& arc,
                double delta_rad, std::size_t first, std::size_t count, std::vector<float>& filtered) {
  const auto width = static_cast<std::size_t>(input.detector.width_px);
  const auto height = static_cast<std::size_t>(input.detector.height_px);
  const std::size_t stride = width + 2, plane = stride * (height + 2);
  std::size_t n = 2;
  while (n < 2 * width) n *= 2;  // long enough that the periodic convolution is the linear one
  const std::vector<float> filter = filter_spectrum(n, options.hann_cutoff);
  filtered.resize(count * plane);

  const std::size_t blocks = (height + kRowBlock - 1) / kRowBlock;
  parallel_for(ctx, count * blocks, [&](std::size_t task) {
    const std::size_t v = task / blocks, begin = task % blocks * kRowBlock, end = std::min(height, begin + kRowBlock);
    const RayWeights weights(input.poses[first + v], input.detector, arc, arc.views[first + v], delta_rad);
    const float* in = input.projections.data() + (first + v) * width * height;
    float* out = filtered.data() + v * plane;
    Eigen::FFT<float> fft(Eigen::FFT<float>::impl_type(), Eigen::FFT<float>::Unscaled);
    std::vector<std::complex<float>> rows(n), spectrum(n);
    for (std::size_t r = begin; r < end; r += 2) {
      const bool pair = r + 1 < end;
      std::fill(rows.begin(), rows.end(), std::complex<float>());
      weights.weight_row(r, in + r * width, rows.data(), false);
      if (pair) weights.weight_row(r + 1, in + (r + 1) * width, rows.data(), true);
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
