// SPDX-License-Identifier: Apache-2.0
// read_acquisition and write_acquisition: docs/data-format.md, version 1; files that must be read.

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include "dsasrgs/io.hpp"
#include "dsasrgs/mask_alignment.hpp"
#include "support/acquisition_parts.hpp"
#include "support/random_values.hpp"
#include "support/small_acquisition.hpp"

using namespace dsasrgs;
using test::CArm;
using test::Parts;
using test::read_parts;
using test::require_file_refused;
using test::small_acquisition;
using test::TemporaryFolder;

namespace {

void require_same_geometry(const Acquisition& a, const Acquisition& b) {
  REQUIRE(a.detector == b.detector);
  REQUIRE(a.volume == b.volume);
  REQUIRE(a.poses.size() == b.poses.size());
  for (std::size_t v = 0; v < a.poses.size(); ++v) {
    REQUIRE(a.poses[v].source_mm == b.poses[v].source_mm);
    REQUIRE(a.poses[v].detector_center_mm == b.poses[v].detector_center_mm);
    REQUIRE(a.poses[v].detector_u == b.poses[v].detector_u);
    REQUIRE(a.poses[v].detector_v == b.poses[v].detector_v);
    REQUIRE(a.poses[v].time_s == b.poses[v].time_s);
  }
}

}  // namespace

TEST_CASE("read_acquisition: what write_acquisition wrote comes back", "[io][acquisition]") {
  const TemporaryFolder folder;
  Acquisition a = small_acquisition();
  SECTION("everything") {}
  SECTION("valid pixels per view") { a.valid = {a.valid.begin(), a.valid.end()}, a.valid.resize(60, 1); }
  SECTION("mean reference volume") { a.reference_volume->time_s.reset(); }
  SECTION("nothing optional") {
    a.valid.clear();
    a.train_views.clear();
    a.test_views.clear();
    a.reference_projections.reset();
    a.reference_volume.reset();
  }
  SECTION("test views alone") { a.train_views.clear(); }
  write_acquisition(folder / "a.h5", a);
  REQUIRE(folder.num_files() == 1);
  const Acquisition b = read_acquisition(folder / "a.h5");
  require_same_geometry(a, b);
  REQUIRE(b.name == (folder / "a.h5").string());
  REQUIRE(a.projections == b.projections);
  REQUIRE(a.valid == b.valid);
  REQUIRE(a.train_views == b.train_views);
  REQUIRE(a.test_views == b.test_views);
  REQUIRE(a.reference_projections.has_value() == b.reference_projections.has_value());
  if (a.reference_projections) {
    REQUIRE(a.reference_projections->scale == b.reference_projections->scale);
    REQUIRE(a.reference_projections->values == b.reference_projections->values);
  }
  REQUIRE(a.reference_volume.has_value() == b.reference_volume.has_value());
  if (a.reference_volume) {
    REQUIRE(a.reference_volume->values == b.reference_volume->values);
    REQUIRE(a.reference_volume->time_s == b.reference_volume->time_s);
  }
}

TEST_CASE("read_acquisition: stored intensities become line integrals", "[io][acquisition]") {
  const TemporaryFolder folder;
  const Acquisition a = small_acquisition();
  RawIntensity raw{test::random_values<float>(60, 100, 4000, 4), test::random_values<float>(60, 3000, 5000, 5)};
  SECTION("a mask per view") {}
  SECTION("one mask for all") { raw.mask.resize(15); }
  write_acquisition(folder / "a.h5", a, &raw);
  const Acquisition b = read_acquisition(folder / "a.h5");
  for (std::size_t i = 0; i < 60; ++i) {
    const double mask = raw.mask[raw.mask.size() == 15 ? i % 15 : i];
    const double expected = i % 15 == 7 ? 0 : std::log(mask) - std::log(static_cast<double>(raw.fill[i]));
    REQUIRE(b.projections[i] == Approx(expected).epsilon(1e-6).margin(1e-7));
  }
}

TEST_CASE("read_acquisition: a small file written by hand is understood", "[io][acquisition]") {
  const Acquisition a = read_parts([](Parts& p) {
    p.projections = [](Hdf5Writer& f) {
      std::vector<std::uint16_t> counts(24);
      for (std::size_t i = 0; i < 24; ++i) counts[i] = static_cast<std::uint16_t>(i * 2000);
      f.write("/projections", counts, {2, 3, 4});
    };
    p.more = [](Hdf5Writer& f) { f.write("/split/train", std::vector<std::int64_t>{1, 0}, {2}); };
  });
  REQUIRE(a.num_views() == 2);
  REQUIRE(a.detector == Detector{4, 3, 2, 3});
  REQUIRE(a.volume == VolumeGrid{2, 3, 4, {1, 2, 3}, {-1, -3, -6}});
  REQUIRE(a.projections[23] == 46000);
  REQUIRE(a.poses[1].source_mm == Vec3d{0, 750, 0});
  REQUIRE(a.poses[1].detector_center_mm == Vec3d{0, -450, 0});
  REQUIRE(a.poses[1].detector_u == Vec3d{-1, 0, 0});
  REQUIRE(a.poses[1].detector_v == Vec3d{0, 0, -1});
  REQUIRE(a.poses[1].time_s == 1);
  REQUIRE(a.train_views == std::vector<int>{0, 1});
  REQUIRE(a.test_views.empty());
}

TEST_CASE("read_acquisition: C-arm angles and offsets become poses", "[io][acquisition]") {
  CArm carm;
  SECTION("distances per view") {}
  SECTION("one distance for all views") {
    carm.sod = {750};
    carm.sdd = {1200};
    carm.sod_shape = {};
    carm.sdd_shape = {1};
  }
  const Acquisition a = read_parts([&](Parts& p) { carm.put_into(p); });
  for (std::size_t v = 0; v < 2; ++v) {
    const double sod = carm.sod.size() == 1 ? carm.sod[0] : carm.sod[v];
    const double sdd = carm.sdd.size() == 1 ? carm.sdd[0] : carm.sdd[v];
    const double alpha = carm.primary[v], beta = carm.secondary[v];
    const Vec3d source =
        Vec3d{std::cos(beta) * std::cos(alpha), std::cos(beta) * std::sin(alpha), std::sin(beta)} * sod;
    const Vec3d axis_u{-std::sin(alpha), std::cos(alpha), 0};
    const Vec3d axis_v{std::sin(beta) * std::cos(alpha), std::sin(beta) * std::sin(alpha), -std::cos(beta)};
    const Vec3d center = source * -(sdd / sod - 1) + axis_u * carm.offset[2 * v] + axis_v * carm.offset[2 * v + 1];
    REQUIRE(length(a.poses[v].source_mm - source) < 1e-9);
    REQUIRE(length(a.poses[v].detector_u - axis_u) < 1e-12);
    REQUIRE(length(a.poses[v].detector_v - axis_v) < 1e-12);
    REQUIRE(length(a.poses[v].detector_center_mm - center) < 1e-9);
    REQUIRE(a.poses[v].time_s == static_cast<double>(v));
  }
}

TEST_CASE("read_acquisition: intensities must be positive where pixels count", "[io][acquisition]") {
  std::vector<std::uint16_t> fill(24, 1000), mask(12, 2000);
  fill[12 + 8 + 1] = 0;
  require_file_refused([&](Parts& p) { put_intensity(p, fill, mask); }, "/projections", "positive intensities",
                       "0 at view 1, row 2, column 1");
  std::vector<float> negative(12, 2000);
  negative[5] = -3;
  require_file_refused([&](Parts& p) { put_intensity(p, std::vector<float>(24, 1000), negative); }, "/mask_projections",
                       "positive intensities", "-3 at view 0, row 1, column 1");
  const Acquisition a = read_parts([&](Parts& p) {
    put_intensity(p, fill, mask);
    const Parts::Part mask_part = p.more;
    p.more = [mask_part](Hdf5Writer& f) {
      mask_part(f);
      std::vector<std::uint8_t> valid(12, 1);
      valid[9] = 0;
      f.write("/valid", valid, {3, 4});
    };
  });
  REQUIRE(a.projections[12 + 8 + 1] == 0);
  REQUIRE(a.projections[0] == Approx(std::numbers::ln2));
}

TEST_CASE("read_acquisition: the real rotational sweep makes sense", "[io][acquisition][real]") {
  const std::filesystem::path path = std::filesystem::path(DSASRGS_SHARED_DATA) / "rotational-head/acquisition.h5";
  const Acquisition a = read_acquisition(path);
  REQUIRE(a.num_views() == 114);
  REQUIRE(a.detector.width_px == 128);
  REQUIRE(a.detector.height_px == 93);
  REQUIRE(a.train_views.size() == 30);
  REQUIRE(a.test_views.size() == 84);
  REQUIRE(a.reference_projections->scale == 4);
  double arc_rad = 0;
  for (int v = 0; v < a.num_views(); ++v) {
    const Pose& pose = a.poses[v];
    const Vec2d isocentre = project_point(pose, a.detector, {0, 0, 0});
    REQUIRE((isocentre.x > 0 && isocentre.x < 128));
    REQUIRE((isocentre.y > 0 && isocentre.y < 93));
    REQUIRE(length(pose.source_mm) == Approx(750).epsilon(0.02));
    if (v > 0) {
      const Vec3d before = a.poses[v - 1].source_mm;
      arc_rad += std::acos(dot(before, pose.source_mm) / (length(before) * length(pose.source_mm)));
    }
  }
  REQUIRE(arc_rad > 2.5);
  REQUIRE(arc_rad < 3.7);
  // The fine frames are the same scene: their 4 × 4 means are the coarse ones.
  double worst = 0;
  const std::span<const float> coarse = a.projection(80), fine = a.reference_projection(80);
  for (std::size_t row = 0; row < 93; ++row)
    for (std::size_t column = 0; column < 128; ++column) {
      double mean = 0;
      for (std::size_t i = 0; i < 16; ++i) mean += fine[(4 * row + i / 4) * 512 + 4 * column + i % 4] / 16.0;
      worst = std::max(worst, std::abs(mean - static_cast<double>(coarse[row * 128 + column])));
    }
  REQUIRE(worst < 1e-4);
}

TEST_CASE("io: a file says what it is", "[io]") {
  const TemporaryFolder folder;
  write_acquisition(folder / "case.h5", small_acquisition());
  CHECK(read_format(folder / "case.h5") == "dsasrgs.acquisition");
  CHECK_THROWS_AS(read_format(folder / "missing.h5"), IoError);
}

TEST_CASE("read_acquisition: primary angles beyond 2π are radians where they make one sweep", "[io][acquisition]") {
  const auto carm = [](double first, double second) {
    return [=](Parts& p) {
      CArm c;
      c.primary = {first, second};
      c.put_into(p);
    };
  };
  const Acquisition a = read_parts(carm(5.8, 7.0));
  REQUIRE(length(a.poses[1].source_mm - carm_pose({.sod_mm = length(a.poses[1].source_mm),
                                                   .sdd_mm = 1e4,
                                                   .primary_rad = 7.0 - 2 * std::numbers::pi,
                                                   .secondary_rad = CArm().secondary[1]},
                                                  0)
                                            .source_mm) < 1e-9);
  const std::string field = "/geometry/carm/primary_rad";
  require_file_refused(carm(-100, 100), field, "radians within ±2π", "-100 at view 0");
  require_file_refused(carm(5.8, 8.0), field, "radians", "8 at view 1");   // a step of 126°
  require_file_refused(carm(10, 10), field, "radians", "10 at view 0");    // no sweep
  require_file_refused(carm(13, 13.5), field, "radians", "13 at view 0");  // beyond 4π
}

TEST_CASE("read_acquisition: the dark field is subtracted, saturated pixels do not count", "[io][acquisition]") {
  std::vector<float> fill(24), mask(12), dark(12);
  for (std::size_t p = 0; p < 24; ++p) fill[p] = static_cast<float>(900 + 10 * p);
  for (std::size_t p = 0; p < 12; ++p) {
    mask[p] = static_cast<float>(2000 + p);
    dark[p] = static_cast<float>(100 + 3 * p);
  }
  const auto file = [&](Parts& p, bool with_dark, double saturation, bool with_valid = false) {
    put_intensity(p, fill, mask);
    const Parts::Part mask_part = p.more;
    p.more = [=](Hdf5Writer& f) {
      mask_part(f);
      if (with_dark) f.write("/dark", dark, {3, 4});
      if (saturation != 0) f.attribute("/projections", "saturation", saturation);
      std::vector<std::uint8_t> valid(12, 1);
      valid[2] = 0;
      if (with_valid) f.write("/valid", valid, {3, 4});
    };
  };
  const auto expected = [&](std::size_t i, bool with_dark) {
    const double d = with_dark ? dark[i % 12] : 0;
    return std::log((mask[i % 12] - d) / (fill[i] - d));
  };
  SECTION("dark field") {
    const Acquisition a = read_parts([&](Parts& p) { file(p, true, 0); });
    for (std::size_t i = 0; i < 24; ++i) REQUIRE(a.projections[i] == Approx(expected(i, true)).epsilon(1e-6));
    REQUIRE(a.valid.empty());
  }
  SECTION("saturation of one fill pixel and one mask pixel") {
    fill[5] = 4095;
    mask[7] = 5000;
    const bool with_valid = GENERATE(false, true);
    const Acquisition a = read_parts([&](Parts& p) { file(p, true, 4095, with_valid); });
    REQUIRE(a.valid.size() == 24);
    for (std::size_t i = 0; i < 24; ++i) {
      const bool excluded = i == 5 || i % 12 == 7 || (with_valid && i % 12 == 2);
      REQUIRE((a.valid[i] == 0) == excluded);
      REQUIRE(a.projections[i] == (excluded ? Approx(0) : Approx(expected(i, true)).epsilon(1e-6)));
    }
  }
  SECTION("a level that nothing reaches") {
    const Acquisition a = read_parts([&](Parts& p) { file(p, false, 65535); });
    for (std::size_t i = 0; i < 24; ++i) REQUIRE(a.projections[i] == Approx(expected(i, false)).epsilon(1e-6));
    REQUIRE(a.valid.empty());
  }
  SECTION("what cannot be") {
    require_file_refused([&](Parts& p) { file(p, false, -1); }, "/projections@saturation", "a positive count", "-1");
    require_file_refused([&](Parts& p) { file(p, false, std::nan("")); }, "/projections@saturation", "a positive count",
                         "nan");
    dark[3] = 950;
    require_file_refused([&](Parts& p) { file(p, true, 0); }, "/projections", "intensities above the dark field of 950",
                         "930 at view 0, row 0, column 3");
    dark[3] = std::numeric_limits<float>::infinity();
    require_file_refused([&](Parts& p) { file(p, true, 0); }, "/dark", "finite numbers", "inf at row 0, column 3");
    require_file_refused(
        [&](Parts& p) { p.more = [](Hdf5Writer& f) {
                          f.write("/dark", std::vector<float>(12), {3, 4});
                        }; }, "/dark",
        "intensities for it to belong to", "line integrals");
  }
}

TEST_CASE("write_acquisition: what is kept beside the projections", "[io][acquisition]") {
  const TemporaryFolder folder;
  const Acquisition a = small_acquisition();
  const std::vector<float> deviations = test::random_values<float>(4 * 15, 0, 1, 4);
  BesideProjections beside;
  beside.uncertainty = deviations;
  beside.residue = test::random_values<float>(4 * 15, -1, 1, 5);
  beside.mask_motions = test::random_values<double>(4 * 4, -1, 1, 6);
  write_acquisition(folder / "a.h5", a, nullptr, beside);
  CHECK(Hdf5Reader(folder / "a.h5").read<float>("/uncertainty", {4, 3, 5}) == deviations);
  CHECK(Hdf5Reader(folder / "a.h5").read<float>("/residue", {4, 3, 5}) == beside.residue);
  CHECK(Hdf5Reader(folder / "a.h5").read<double>("/mask_motions", {4, 4}) == beside.mask_motions);
  CHECK(read_acquisition(folder / "a.h5").projections == a.projections);
  const std::vector<MaskMotion> motions = read_mask_motions(folder / "a.h5");
  REQUIRE(motions.size() == 4);
  CHECK(motions[2].shift_u_px == beside.mask_motions[8]);
  CHECK(motions[2].shift_v_px == beside.mask_motions[9]);
  CHECK(motions[2].turn_rad == beside.mask_motions[10]);
  CHECK(motions[2].magnification == beside.mask_motions[11]);
  write_acquisition(folder / "b.h5", a);
  CHECK(read_mask_motions(folder / "b.h5").empty());
  for (const char* name : {"/uncertainty", "/residue", "/mask_motions"})
    CHECK_FALSE(Hdf5Reader(folder / "b.h5").has(name));
  const auto refused = [&](std::initializer_list<std::string_view> parts) {
    test::require_error<InvalidArgument>([&] { write_acquisition(folder / "c.h5", a, nullptr, beside); }, parts);
  };
  beside.uncertainty[22] = -1;
  refused({"uncertainty: expected standard deviations, found -1 at view 1, row 1, column 2"});
  beside.uncertainty.pop_back();
  refused({"uncertainty: expected 60 values, found 59"});
  beside.uncertainty.clear();
  beside.residue[22] = std::numeric_limits<float>::infinity();
  refused({"residue: expected finite numbers, found inf at view 1, row 1, column 2"});
  beside.residue.clear();
  beside.mask_motions[6] = std::numeric_limits<double>::quiet_NaN();
  refused({"mask_motions: expected finite numbers, found nan at view 1"});
  const auto bad = [&](const std::vector<double>& numbers, const Shape& shape, const char* part) {
    Hdf5Writer file(folder / "d.h5");
    file.set_format("dsasrgs.acquisition", 1);
    file.write("/projections", a.projections, {4, 3, 5});
    file.write("/mask_motions", numbers, shape);
    file.commit();
    test::require_error<BadInput>([&] { read_mask_motions(folder / "d.h5"); }, {"d.h5: /mask_motions", part});
  };
  bad(beside.mask_motions, {4, 4}, "finite numbers, found nan at view 1");
  bad({1, 2, 3, 4}, {1, 4}, "expected shape [4, 4], found [1, 4]");
}
