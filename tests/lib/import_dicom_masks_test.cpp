// SPDX-License-Identifier: Apache-2.0
// Masks that import_dicom keeps: held against arithmetic on the counts written, and moved by known shifts.

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "dsasrgs/mask_alignment.hpp"
#include "support/bone_image.hpp"
#include "support/context.hpp"
#include "support/dicom_file.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using namespace dsasrgs::test;

namespace {

constexpr int kRows = 6, kColumns = 8, kPixels = kRows * kColumns;

DicomImportOptions keeping_masks() {
  DicomImportOptions options;
  options.keep_masks = true;
  return options;
}

/// Masks of each view by `log_mask(view, pixel)`, and all else as it is without them.
ImportedCase require_masks(const std::vector<std::filesystem::path>& files, DicomImportOptions options,
                           const std::function<double(int, int)>& log_mask) {
  options.keep_masks = false;
  const ImportedCase without = import_dicom(files, options);
  REQUIRE(without.log_masks.empty());
  options.keep_masks = true;
  ImportedCase with = import_dicom(files, options);
  const Acquisition& a = with.acquisition;
  CHECK(a.projections == without.acquisition.projections);
  CHECK(a.valid == without.acquisition.valid);
  CHECK(with.found == without.found);
  REQUIRE(with.log_masks.size() == a.projections.size());
  for (int view = 0; view < a.num_views(); ++view)
    for (int i = 0; i < kPixels; ++i) {
      const bool counts = a.valid.empty() || a.valid_pixels(view)[static_cast<std::size_t>(i)] != 0;
      CAPTURE(view, i, counts);
      REQUIRE(with.log_masks[static_cast<std::size_t>(view * kPixels + i)] ==
              Approx(counts ? log_mask(view, i) : 0).margin(1e-6));
    }
  return with;
}

double ln_count(const std::vector<Uint16>& counts, int frame, int pixel) {
  return std::log(static_cast<double>(counts.at(static_cast<std::size_t>(frame * kPixels + pixel))));
}

/// A frame of 16-bit counts: bone that lies where the mask has it less (u, v), and the vessel across it or not.
void add_frame(std::vector<Uint16>& counts, double u, double v, bool with_vessel, double exposure = 1) {
  for (int y = 0; y < kBoneHeight; ++y)
    for (int x = 0; x < kBoneWidth; ++x)
      counts.push_back(static_cast<Uint16>(
          std::lround(2e5 * exposure * std::exp(log_bone(x + u, y + v) - (with_vessel ? vessel_across(x, y) : 0)))));
}

DicomFile bone_file(std::vector<Uint16> counts) {
  const int frames = static_cast<int>(counts.size()) / (kBoneWidth * kBoneHeight);
  DicomFile file(frames, kBoneHeight, kBoneWidth, std::move(counts), 16);
  file.usual().text(DCM_PositionerPrimaryAngleIncrement, "10");
  return file;
}

double root_mean_square(const Acquisition& a, int view) {
  double sum = 0;
  int count = 0;
  for (int y = 0; y < kBoneHeight; ++y)
    for (int x = 0; x < kBoneWidth; ++x) {
      const auto i = static_cast<std::size_t>(y * kBoneWidth + x);
      if (!a.valid.empty() && a.valid_pixels(view)[i] == 0) continue;
      const double off = static_cast<double>(a.projection(view)[i]) - vessel_across(x, y);
      sum += off * off;
      ++count;
    }
  return std::sqrt(sum / count);
}

struct Aligned {
  MaskAlignment alignment;
  Acquisition before, after;
};

Aligned align(const std::vector<std::filesystem::path>& files, const DicomImportOptions& options) {
  Context ctx = test::make_context();
  ImportedCase imported = import_dicom(files, options);
  MaskedAcquisition masked{imported.acquisition, std::move(imported.log_masks)};
  std::vector<int> views;
  for (int view = 0; view < masked.acquisition.num_views(); ++view) views.push_back(view);
  MaskAlignment alignment = align_masks(ctx, masked, views);
  return {std::move(alignment), std::move(imported.acquisition), std::move(masked.acquisition)};
}

/// The shifts found, bone gone where there was some, the vessel left.
void require_shifts(const Aligned& aligned, const std::vector<Vec2d>& shifts) {
  REQUIRE(aligned.alignment.motions.size() == shifts.size());
  for (std::size_t view = 0; view < shifts.size(); ++view) {
    CAPTURE(view);
    CHECK(aligned.alignment.motions[view].shift_u_px == Approx(shifts[view].x).margin(0.02));
    CHECK(aligned.alignment.motions[view].shift_v_px == Approx(shifts[view].y).margin(0.02));
    CHECK(root_mean_square(aligned.before, static_cast<int>(view)) > (shifts[view].x == 0 ? 0 : 0.02));
    CHECK(root_mean_square(aligned.after, static_cast<int>(view)) < 2.5e-3);
  }
}

}  // namespace

TEST_CASE("import_dicom: masks are kept as they are subtracted, averaged, hidden and put in order", "[import]") {
  const TemporaryFolder folder;
  std::vector<Uint16> counts = noisy_counts(5 * kPixels);
  counts[2 * kPixels + 9] = counts[3 * kPixels + 9] = counts[4 * kPixels + 11] = 0;
  const auto file = [&](int frames, std::uint32_t seed) {
    return DicomFile(frames, kRows, kColumns, seed == 0 ? counts : noisy_counts(frames * kPixels, seed));
  };
  {
    DicomFile run = file(5, 0);
    run.usual();
    DicomImportOptions options;
    options.tags.mask_frames = {1, 2};
    const auto path = run.save(folder / "average.dcm");
    require_masks({path}, options, [&](int, int i) {
      return std::log((std::exp(ln_count(counts, 0, i)) + std::exp(ln_count(counts, 1, i))) / 2);
    });
    options.tags.mask_shift_px = Vec2d{-1, 2};
    options.first_frame = 4;
    options.num_train_views = 1;
    require_masks({path}, options, [&](int, int i) {
      const int from = i + 1 - 2 * kColumns;
      return std::log((std::exp(ln_count(counts, 0, from)) + std::exp(ln_count(counts, 1, from))) / 2);
    });
  }
  {
    DicomFile run = file(5, 0);
    run.usual();
    DcmItem& mask = run.item(DCM_MaskSubtractionSequence);
    run.text(mask, DCM_MaskOperation, "TID");
    REQUIRE(mask.putAndInsertSint16(DCM_TIDOffset, 1).good());
    DicomImportOptions options;
    options.average_frames = true;
    const ImportedCase imported = require_masks({run.save(folder / "difference.dcm")}, options, [&](int, int i) {
      double sum = 0;
      int counted = 0;
      for (int mask_frame = 0; mask_frame < 4; ++mask_frame) {
        const double one = ln_count(counts, mask_frame, i);
        if (!std::isfinite(one) || !std::isfinite(ln_count(counts, mask_frame + 1, i))) continue;
        sum += one;
        ++counted;
      }
      return sum / counted;
    });
    CHECK(imported.acquisition.num_views() == 1);
    CHECK(imported.acquisition.valid.empty());
  }
  {
    const auto masks = noisy_counts(3 * kPixels, 7), others = noisy_counts(3 * kPixels, 8);
    DicomFile late = file(3, 2), early = file(3, 3), mask(3, kRows, kColumns, masks);
    for (DicomFile* one : {&late, &early, &mask}) one->usual().text(DCM_AcquisitionDate, "20200229");
    late.text(DCM_AcquisitionTime, "000002");
    early.text(DCM_AcquisitionTime, "000001").text(DCM_SOPInstanceUID, "1.2.3.4.5.7");
    DicomImportOptions options;
    options.mask_run = mask.save(folder / "mask.dcm");
    const auto first = late.save(folder / "a.dcm"), second = early.save(folder / "b.dcm");
    require_masks({first, second}, options, [&](int view, int i) { return ln_count(masks, view % 3, i); });
    options = {};
    options.tags_of["a.dcm"].mask_frames = {2};
    options.tags_of["b.dcm"].mask_frames = {3};
    const auto a = noisy_counts(3 * kPixels, 2), b = noisy_counts(3 * kPixels, 3);
    require_masks({first, second}, options,
                  [&](int view, int i) { return view < 2 ? ln_count(b, 2, i) : ln_count(a, 1, i); });
  }
  DicomFile run = file(5, 0);
  run.usual().text(DCM_PixelIntensityRelationship, "LOG");
  DicomImportOptions options;
  options.tags.mask_frames = {3};
  options.tags.log_scale = 0.002;
  require_masks({run.save(folder / "log.dcm")}, options,
                [&](int, int i) { return 0.002 * counts[static_cast<std::size_t>(2 * kPixels + i)]; });
}

TEST_CASE("import_dicom: a head that moved, by known shifts, against one mask and against a run of masks",
          "[import][mask_alignment]") {
  const TemporaryFolder folder;
  const std::vector<Vec2d> shifts{{0.4, -0.7}, {-1.6, 0.9}, {}, {2.5, 1.2}};
  std::vector<Uint16> one_mask, masks, fills;
  add_frame(one_mask, 0, 0, false);
  for (const Vec2d& shift : shifts) {
    add_frame(one_mask, shift.x, shift.y, true, 0.9);
    add_frame(fills, shift.x, shift.y, true);
    add_frame(masks, 0, 0, false);
  }
  DicomImportOptions options = keeping_masks();
  options.tags.mask_frames = {1};
  const auto run = bone_file(one_mask).save(folder / "run.dcm");
  // The exposure of the run is another than the mask's: that stays in the projections.
  Aligned aligned = align({run}, options);
  for (float& p : aligned.after.projections) p += static_cast<float>(std::log(0.9));
  require_shifts(aligned, shifts);

  options = keeping_masks();
  options.mask_run = bone_file(masks).save(folder / "masks.dcm");
  const auto fill = bone_file(fills).save(folder / "fills.dcm");
  options.num_train_views = 2;
  require_shifts(align({fill}, options), shifts);
  options.first_frame = 2;
  options.last_frame = 3;
  require_shifts(align({fill}, options), {shifts[1], shifts[2]});

  // What pixel shift tags have moved already need not be moved again: down is −v.
  options = keeping_masks();
  options.tags.mask_frames = {1};
  options.tags.mask_shift_px = Vec2d{1, 2};
  options.last_frame = 3;
  const MaskMotion rest = align({run}, options).alignment.motions.front();
  CHECK(rest.shift_u_px == Approx(shifts[0].x + 1).margin(0.02));
  CHECK(rest.shift_v_px == Approx(shifts[0].y + 2).margin(0.02));
}

TEST_CASE("import_dicom: averaged frames that lie elsewhere than their mask, of LOG values too",
          "[import][mask_alignment]") {
  const TemporaryFolder folder;
  std::vector<Uint16> counts;
  add_frame(counts, 0, 0, false);
  for (const double exposure : {1.2, 1.0, 1 / 1.2}) add_frame(counts, 1.3, -0.6, true, exposure);
  counts[2 * kBoneWidth * kBoneHeight + 500] = 0;  // in one of the frames; the others still tell
  DicomImportOptions options = keeping_masks();
  options.tags.mask_frames = {1};
  options.average_frames = true;
  const Aligned linear = align({bone_file(counts).save(folder / "run.dcm")}, options);
  require_shifts(linear, {{1.3, -0.6}});

  for (Uint16& count : counts) count = static_cast<Uint16>(std::lround(1000 * std::log(std::max<double>(count, 1))));
  DicomFile logarithmic = bone_file(counts);
  logarithmic.text(DCM_PixelIntensityRelationship, "LOG");
  const auto path = logarithmic.save(folder / "log.dcm");
  require_error<BadInput>([&] { import_dicom({path}, options); },
                          {"log.dcm: tags.log_scale: expected the scale of logarithmic values", "found none"});
  options.tags.log_scale = 0.001;
  Aligned aligned = align({path}, options);
  CHECK(aligned.alignment.motions.front().shift_u_px == Approx(1.3).margin(0.02));
  CHECK(aligned.alignment.motions.front().shift_v_px == Approx(-0.6).margin(0.02));
}

TEST_CASE("import_dicom: masks that nothing is known of are not kept", "[import]") {
  const TemporaryFolder folder;
  DicomFile file(2, kRows, kColumns, noisy_counts(2 * kPixels));
  file.usual();
  DicomImportOptions options = background();
  options.keep_masks = true;
  const auto path = file.save(folder / "run.dcm");
  require_error<InvalidArgument>([&] { import_dicom({path}, options); }, {"keep_masks: expected masks", "background"});
  file.text(DCM_PixelIntensityRelationship, "LOG").text(DCM_RescaleSlope, "0.001").text(DCM_RescaleIntercept, "0");
  const auto logarithmic = file.save(folder / "log.dcm");
  options = keeping_masks();
  options.tags.mask_frames = {1};
  CHECK(import_dicom({logarithmic}, options).log_masks.size() == kPixels);
  options.linear_only = true;
  require_error<BadInput>(
      [&] { import_dicom({logarithmic}, options); },
      {"log.dcm: (0028,1040) PixelIntensityRelationship: expected LIN", "options.linear_only", "found LOG"});
  CHECK(import_dicom({path}, options).log_masks.size() == kPixels);
}

TEST_CASE("intensities_of: a file of them gives masks and projections again", "[import][mask_alignment]") {
  const TemporaryFolder folder;
  std::vector<Uint16> counts = noisy_counts(3 * kPixels);
  counts[kPixels + 5] = 0;
  DicomFile file(3, kRows, kColumns, counts);
  file.usual();
  DicomImportOptions options = keeping_masks();
  options.tags.mask_frames = {1};
  ImportedCase imported = import_dicom({file.save(folder / "run.dcm")}, options);
  MaskedAcquisition masked{imported.acquisition, imported.log_masks};
  const RawIntensity raw = intensities_of(masked);
  CHECK(masked.log_masks.empty());
  for (std::size_t i = 0; i < raw.fill.size(); ++i) {
    const bool hidden = i == 5;
    CAPTURE(i);
    REQUIRE(raw.mask[i] == Approx(hidden ? 1 : counts[i % kPixels]).epsilon(1e-5));
    REQUIRE(raw.fill[i] == Approx(hidden ? 1 : counts[kPixels + i]).epsilon(1e-5));
  }
  write_acquisition(folder / "raw.h5", imported.acquisition, &raw);
  const MaskedAcquisition read = read_masked_acquisition(folder / "raw.h5");
  CHECK(read.acquisition.valid == imported.acquisition.valid);
  for (std::size_t i = 0; i < raw.fill.size(); ++i) {
    REQUIRE(read.log_masks[i] == Approx(imported.log_masks[i]).margin(2e-6));
    REQUIRE(read.acquisition.projections[i] == Approx(imported.acquisition.projections[i]).margin(2e-6));
  }
  require_error<InvalidArgument>([&] { intensities_of(masked); }, {"log_masks"});
}
