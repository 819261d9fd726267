// SPDX-License-Identifier: Apache-2.0
// A rotational run with known truth, written as a DICOM file with its mask run, comes back: geometry, line integrals,
// what is reconstructed from them. `dsasrgs_tests -s "import_dicom: a rotational run*"` prints the largest errors.

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <numbers>
#include <string>
#include <vector>

#include "dsasrgs/baselines.hpp"
#include "dsasrgs/import_dicom.hpp"
#include "dsasrgs/io.hpp"
#include "dsasrgs/reconstructor.hpp"
#include "support/blob_sweep.hpp"
#include "support/context.hpp"
#include "support/dicom_file.hpp"
#include "support/small_case.hpp"

using namespace dsasrgs;

namespace {

constexpr double kDegree = std::numbers::pi / 180;

std::string decimal(double value) {  // at most 16 characters, as DICOM's decimal strings are
  char text[32];
  std::snprintf(text, sizeof text, "%.10g", value);
  return text;
}

/// Counts of 16 bits, columns as they are seen from the detector: the other way round than carm_pose has them.
std::vector<Uint16> counts(const Acquisition& a, double unattenuated, bool with_contrast) {
  std::vector<Uint16> pixels;
  const int w = a.detector.width_px;
  for (int v = 0; v < a.num_views(); ++v)
    for (std::size_t i = 0; i < a.detector.num_pixels(); ++i) {
      const std::size_t row = i / w, column = w - 1 - i % w;
      const double line = with_contrast ? static_cast<double>(a.projection(v)[row * w + column]) : 0;
      pixels.push_back(static_cast<Uint16>(std::lround(unattenuated * std::exp(-line))));
    }
  return pixels;
}

std::filesystem::path write_run(const std::filesystem::path& path, const Acquisition& a, std::vector<Uint16> pixels) {
  test::DicomFile file(a.num_views(), a.detector.height_px, a.detector.width_px, std::move(pixels), 16);
  file.usual().text(DCM_ImagerPixelSpacing, "7.7\\7.7").text(DCM_PositionerMotion, "DYNAMIC");
  const auto primary = [&](int v) {  // the detector stands where the source does not
    const Vec3d s = a.poses[v].source_mm;
    double degrees = std::atan2(s.y, s.x) / kDegree - 90;
    while (degrees < -100) degrees += 360;
    return degrees;
  };
  file.text(DCM_PositionerPrimaryAngle, decimal(primary(0))).text(DCM_PositionerSecondaryAngle, "0");
  std::string offsets, times;
  for (int v = 0; v < a.num_views(); ++v) {
    const std::string separator = v > 0 ? "\\" : "";
    offsets += separator + decimal(primary(v) - primary(0));
    times += separator + decimal(v > 0 ? 1000 * (a.poses[v].time_s - a.poses[v - 1].time_s) : 0);
  }
  file.text(DCM_PositionerPrimaryAngleIncrement, offsets).drop(DCM_FrameTime).text(DCM_FrameTimeVector, times);
  return file.save(path);
}

}  // namespace

TEST_CASE("import_dicom: a rotational run and its mask run are the acquisition that they were written from",
          "[import]") {
  const test::TemporaryFolder folder;
  Context ctx = test::make_context();
  const Acquisition truth = test::blob_sweep();
  DicomImportOptions options;
  options.mask_run = write_run(folder / "mask.dcm", truth, counts(truth, 60000, false));
  options.volume = truth.volume;
  const ImportedCase imported =
      import_dicom({write_run(folder / "fill.dcm", truth, counts(truth, 60000, true))}, options);
  INFO((imported.warnings.empty() ? std::string() : imported.warnings.front()));
  REQUIRE(imported.warnings.empty());
  write_acquisition(folder / "case.h5", imported.acquisition);
  const Acquisition a = read_acquisition(folder / "case.h5");
  REQUIRE(a.num_views() == truth.num_views());
  REQUIRE(a.detector == truth.detector);

  double position_mm = 0, line_integral = 0, time_s = 0;
  const int w = a.detector.width_px;
  for (int v = 0; v < a.num_views(); ++v) {
    position_mm = std::max(position_mm, length(a.poses[v].source_mm - truth.poses[v].source_mm));
    position_mm = std::max(position_mm, length(a.poses[v].detector_center_mm - truth.poses[v].detector_center_mm));
    // One pixel, two numbers for its column.
    const Vec3d here = detector_point(a.poses[v], a.detector, {3.5, 7.5});
    const Vec3d there = detector_point(truth.poses[v], truth.detector, {w - 3.5, 7.5});
    position_mm = std::max(position_mm, length(here - there));
    time_s = std::max(time_s, std::abs(a.poses[v].time_s - truth.poses[v].time_s));
    for (std::size_t i = 0; i < a.detector.num_pixels(); ++i) {
      const double difference =
          static_cast<double>(a.projection(v)[i]) - static_cast<double>(truth.projection(v)[i / w * w + w - 1 - i % w]);
      line_integral = std::max(line_integral, std::abs(difference));
    }
  }
  INFO("largest errors: positions " << position_mm << " mm, times " << time_s << " s, line integrals " << line_integral
                                    << " (16-bit counts of 60000 allow " << 0.5 / 60000 / std::exp(-1.0) << ")");
  REQUIRE(position_mm < 1e-5);
  REQUIRE(time_s < 1e-9);
  REQUIRE(line_integral < 0.5 / 60000 / std::exp(-1.0));

  const std::vector<float> from_file = fdk_volume(ctx, a, a.training_views(), a.volume);
  const std::vector<float> wanted = fdk_volume(ctx, truth, truth.training_views(), truth.volume);
  double error = 0, brightest = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    error = std::max(error, std::abs(static_cast<double>(from_file[i]) - static_cast<double>(wanted[i])));
    brightest = std::max(brightest, static_cast<double>(wanted[i]));
  }
  INFO("FDK: largest difference " << error << " of " << brightest << " per mm");
  REQUIRE(brightest > 0.01);
  REQUIRE(error < 1e-3 * brightest);

  Reconstructor run(ctx, a, test::small_config(40, "static"));
  const double first = run.step().loss;
  double last = first;
  while (!run.finished()) last = run.step().loss;
  REQUIRE(std::isfinite(last));
  if (!ctx.asynchronous()) REQUIRE(last < first);  // else only some losses become known
}
