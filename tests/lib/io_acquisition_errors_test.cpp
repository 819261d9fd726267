// SPDX-License-Identifier: Apache-2.0
// read_acquisition and write_acquisition: docs/data-format.md, version 1; files that must be refused.

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "support/acquisition_parts.hpp"
#include "support/small_acquisition.hpp"

using namespace dsasrgs;
using test::CArm;
using test::kNothing;
using test::Parts;
using test::require_error;
using test::require_file_refused;
using test::small_acquisition;
using test::TemporaryFolder;

TEST_CASE("read_acquisition: missing fields are named", "[io][acquisition]") {
  require_file_refused([](Parts& p) { p.format = kNothing; }, "/@format", "an attribute", "nothing");
  require_file_refused([](Parts& p) { p.projections = p.quantity = kNothing; }, "/projections", "a dataset", "nothing");
  require_file_refused([](Parts& p) { p.quantity = kNothing; }, "/projections@quantity", "an attribute", "nothing");
  require_file_refused([](Parts& p) { p.time = kNothing; }, "/time_s", "a dataset", "nothing");
  require_file_refused([](Parts& p) { p.pitch = kNothing; }, "/geometry@pixel_pitch_mm", "an attribute", "nothing");
  require_file_refused([](Parts& p) { p.source = kNothing; }, "/geometry/source_mm", "a dataset", "nothing");
  require_file_refused([](Parts& p) { p.center = kNothing; }, "/geometry/detector_center_mm", "a dataset", "nothing");
  require_file_refused([](Parts& p) { p.u = kNothing; }, "/geometry/detector_u", "a dataset", "nothing");
  require_file_refused([](Parts& p) { p.v = kNothing; }, "/geometry/detector_v", "a dataset", "nothing");
  require_file_refused([](Parts& p) { p.volume = kNothing; }, "/volume", "a group or dataset", "nothing");
  require_file_refused([](Parts& p) { p.source = p.center = p.u = p.v = p.pitch = kNothing; }, "/geometry",
                       "a group or dataset", "nothing");
  for (const std::string missing : {"size", "spacing_mm", "origin_mm"})
    require_file_refused(
        [&](Parts& p) {
          p.volume = [&](Hdf5Writer& f) {
            f.group("/volume");
            if (missing != "size") f.attribute("/volume", "size", std::vector<std::int64_t>{2, 3, 4});
            if (missing != "spacing_mm") f.attribute("/volume", "spacing_mm", std::vector<double>{1, 2, 3});
            if (missing != "origin_mm") f.attribute("/volume", "origin_mm", std::vector<double>{-1, -3, -6});
          };
        },
        "/volume@" + missing, "an attribute", "nothing");
  require_file_refused(
      [](Parts& p) {
        put_intensity<float>(p, std::vector<float>(24, 1), {});
        p.more = kNothing;
      },
      "/mask_projections", "a dataset", "nothing");
  const std::string carm = "/geometry/carm/";
  for (const std::string missing : {"sod_mm", "sdd_mm", "primary_rad", "secondary_rad", "detector_offset_mm"})
    require_file_refused(
        [&](Parts& p) {
          p.source = p.center = p.u = p.v = kNothing;
          p.pitch = [&](Hdf5Writer& f) {
            f.group("/geometry/carm");
            const std::vector<double> two{1, 2}, far{3, 4}, four(4);
            if (missing != "sod_mm") f.write(carm + "sod_mm", two, {2});
            if (missing != "sdd_mm") f.write(carm + "sdd_mm", far, {2});
            if (missing != "primary_rad") f.write(carm + "primary_rad", two, {2});
            if (missing != "secondary_rad") f.write(carm + "secondary_rad", two, {2});
            if (missing != "detector_offset_mm") f.write(carm + "detector_offset_mm", four, {2, 2});
            f.attribute("/geometry", "pixel_pitch_mm", std::vector<double>{2, 3});
          };
        },
        carm + missing, "a dataset", "nothing");
}

TEST_CASE("read_acquisition: wrong format and version are named", "[io][acquisition]") {
  require_file_refused([](Parts& p) { p.format = [](Hdf5Writer& f) { f.set_format("dsasrgs.model", 1); }; }, "/@format",
                       "\"dsasrgs.acquisition\"", "\"dsasrgs.model\"");
  require_file_refused([](Parts& p) { p.format = [](Hdf5Writer& f) { f.set_format("dsasrgs.acquisition", 2); }; },
                       "/@version", "1", "2");
  require_file_refused([](Parts& p) { p.format = [](Hdf5Writer& f) { f.attribute("/", "format", 7); }; }, "/@format",
                       "a string", "int64");
  require_file_refused(
      [](Parts& p) { p.quantity = [](Hdf5Writer& f) { f.attribute("/projections", "quantity", "grey"); }; },
      "/projections@quantity", "\"line_integral\" or \"intensity\"", "\"grey\"");
}

TEST_CASE("read_acquisition: wrong shapes and counts that disagree are named", "[io][acquisition]") {
  const auto images = [](Shape shape) {
    return [shape](Parts& p) {
      p.projections = [shape](Hdf5Writer& f) {
        std::size_t n = 1;
        for (const std::size_t extent : shape) n *= extent;
        f.write("/projections", std::vector<float>(n, 0.5f), shape);
      };
    };
  };
  require_file_refused(images({2, 3, 4, 1}), "/projections", "shape [any, any, any]", "[2, 3, 4, 1]");
  require_file_refused(images({3, 4}), "/projections", "shape [any, any, any]", "[3, 4]");
  require_file_refused(images({0, 3, 4}), "/projections", "1 to 1048576 views, rows and columns", "shape [0, 3, 4]");
  require_file_refused(images({2, 3, 0}), "/projections", "1 to 1048576 views, rows and columns", "shape [2, 3, 0]");
  require_file_refused(images({3, 3, 4}), "/time_s", "shape [3]", "[2]");
  require_file_refused(
      [](Parts& p) { p.time = [](Hdf5Writer& f) {
                       f.write("/time_s", std::vector<double>{0, 1, 0, 1}, {2, 2});
                     }; },
      "/time_s", "shape [2]", "[2, 2]");
  const auto axis = [](Parts::Part Parts::*part, const char* field, Shape shape) {
    return [=](Parts& p) {
      p.*part = [=](Hdf5Writer& f) { f.write(field, std::vector<double>(shape[0] * shape[1], 1), shape); };
    };
  };
  require_file_refused(axis(&Parts::source, "/geometry/source_mm", {3, 3}), "/geometry/source_mm", "shape [2, 3]",
                       "[3, 3]");
  require_file_refused(axis(&Parts::center, "/geometry/detector_center_mm", {2, 2}), "/geometry/detector_center_mm",
                       "shape [2, 3]", "[2, 2]");
  require_file_refused(axis(&Parts::u, "/geometry/detector_u", {2, 4}), "/geometry/detector_u", "shape [2, 3]",
                       "[2, 4]");
  require_file_refused(axis(&Parts::v, "/geometry/detector_v", {1, 3}), "/geometry/detector_v", "shape [2, 3]",
                       "[1, 3]");
  require_file_refused(
      [](Parts& p) {
        p.pitch = [](Hdf5Writer& f) { f.attribute("/geometry", "pixel_pitch_mm", std::vector<double>{1}); };
      },
      "/geometry@pixel_pitch_mm", "shape [2]", "[1]");
  const auto more = [](const char* field, Shape shape, auto zero) {
    return [=](Parts& p) {
      p.more = [=](Hdf5Writer& f) {
        std::size_t n = 1;
        for (const std::size_t extent : shape) n *= extent;
        f.write(field, std::vector<decltype(zero)>(n, zero), shape);
      };
    };
  };
  const std::uint8_t one = 1;
  require_file_refused(more("/valid", {4, 3}, one), "/valid", "shape [3, 4] or [2, 3, 4]", "[4, 3]");
  require_file_refused(more("/valid", {1, 3, 4}, one), "/valid", "shape [3, 4] or [2, 3, 4]", "[1, 3, 4]");
  require_file_refused(more("/split/train", {2, 2}, 0), "/split/train", "shape [any]", "[2, 2]");
  require_file_refused(more("/split/train", {0}, 0), "/split/train", "at least one view", "none");
  require_file_refused(more("/reference/projections", {1, 3, 4}, 0.0f), "/reference/projections", "shape [2, any, any]",
                       "[1, 3, 4]");
  for (const Shape& shape : {Shape{2, 7, 8}, Shape{2, 6, 9}, Shape{2, 6, 4}, Shape{2, 2, 4}})
    require_file_refused(more("/reference/projections", shape, 0.0f), "/reference/projections",
                         "a whole multiple of [3, 4] pixels", describe({shape[1], shape[2]}));
  require_file_refused(more("/reference/volume", {2, 3, 4}, 0.0f), "/reference/volume", "shape [4, 3, 2]", "[2, 3, 4]");
  require_file_refused(
      [](Parts& p) {
        p.more = [](Hdf5Writer& f) {
          f.write("/reference/projections", std::vector<float>(96), {2, 6, 8});
          f.attribute("/reference/projections", "scale", 4);
        };
      },
      "/reference/projections@scale", "2, as the shapes say", "4");
  require_file_refused([](Parts& p) { put_intensity<float>(p, std::vector<float>(24, 1), std::vector<float>(36, 1)); },
                       "/mask_projections", "shape [2, 3, 4] or [1, 3, 4]", "[3, 3, 4]");
}

TEST_CASE("read_acquisition: wrong types are named", "[io][acquisition]") {
  require_file_refused([](Parts& p) { p.projections = [](Hdf5Writer& f) { f.group("/projections"); }; }, "/projections",
                       "a dataset", "a group");
  require_file_refused(
      [](Parts& p) { p.more = [](Hdf5Writer& f) {
                       f.write("/valid", std::vector<float>(12, 0.5f), {3, 4});
                     }; },
      "/valid", "integers of 0 to 255", "0.5 at element 0");
  require_file_refused(
      [](Parts& p) { p.more = [](Hdf5Writer& f) { f.write("/split/test", std::vector<double>{0.5}, {1}); }; },
      "/split/test", "integers", "0.5 at element 0");
  require_file_refused([](Parts& p) { p.time = [](Hdf5Writer& f) { f.group("/time_s"); }; }, "/time_s", "a dataset",
                       "a group");
  require_file_refused(
      [](Parts& p) {
        p.volume = [](Hdf5Writer& f) {
          f.group("/volume");
          f.attribute("/volume", "size", std::vector<double>{2, 3, 4.25});
        };
      },
      "/volume@size", "integers", "4.25 at element 2");
  require_file_refused(
      [](Parts& p) { p.pitch = [](Hdf5Writer& f) { f.attribute("/geometry", "pixel_pitch_mm", "2"); }; },
      "/geometry@pixel_pitch_mm", "shape [2]", "a scalar");
}

TEST_CASE("read_acquisition: values are validated under the file's name", "[io][acquisition]") {
  require_file_refused(
      [](Parts& p) {
        p.projections = [](Hdf5Writer& f) {
          std::vector<float> values(24, 1);
          values[12 + 4 + 2] = std::nanf("");
          f.write("/projections", values, {2, 3, 4});
        };
      },
      "/projections", "finite numbers", "nan at view 1, row 1, column 2");
  require_file_refused(
      [](Parts& p) { p.time = [](Hdf5Writer& f) {
                       f.write("/time_s", std::vector<double>{1, 0}, {2});
                     }; },
      "/time_s[1]", "at least 1, the time before it", "0");
  require_file_refused(
      [](Parts& p) {
        p.source = [](Hdf5Writer& f) {
          f.write("/geometry/source_mm", std::vector<double>{750, 0, 0, 0, 2, 0}, {2, 3});
        };
      },
      "/geometry/source_mm[1]", "a source outside the volume", "(0, 2, 0)");
  require_file_refused(
      [](Parts& p) {
        p.more = [](Hdf5Writer& f) {
          f.write("/split/train", std::vector<std::int32_t>{0, 1}, {2});
          f.write("/split/test", std::vector<std::int32_t>{1}, {1});
        };
      },
      "/split/test[0]", "a view that is not in /split/train", "1 in both");
}

TEST_CASE("read_acquisition: bad C-arm values are named with their view", "[io][acquisition]") {
  const auto carm = [](const std::function<void(CArm&)>& spoil) {
    return [spoil](Parts& p) {
      CArm c;
      spoil(c);
      c.put_into(p);
    };
  };
  const std::string group = "/geometry/carm/";
  require_file_refused(carm([](CArm& c) { c.sdd[1] = 740; }), group + "sdd_mm", "more than sod_mm, 740",
                       "740 at view 1");
  require_file_refused(carm([](CArm& c) { c.sod[0] = -750; }), group + "sod_mm", "a positive length", "-750 at view 0");
  require_file_refused(carm([](CArm& c) { c.sod[0] = std::nan(""); }), group + "sod_mm", "a positive length",
                       "nan at view 0");
  require_file_refused(carm([](CArm& c) { c.primary[1] = 45; }), group + "primary_rad", "radians within ±2π",
                       "45 at view 1");
  require_file_refused(carm([](CArm& c) { c.primary[1] = std::nan(""); }), group + "primary_rad", "radians",
                       "nan at view 1");
  require_file_refused(carm([](CArm& c) { c.secondary[0] = -10; }), group + "secondary_rad", "radians within ±2π",
                       "-10 at view 0");
  require_file_refused(carm([](CArm& c) { c.offset[3] = std::nan(""); }), group + "detector_offset_mm",
                       "finite lengths", "nan at view 1");
  require_file_refused(
      [](Parts& p) {
        CArm().put_into(p);
        p.time = [](Hdf5Writer& f) { f.write("/time_s", std::vector<double>{0, HUGE_VAL}, {2}); };
      },
      "/time_s[1]", "a time within 1e9 s", "inf");
  require_file_refused(carm([](CArm& c) {
                         c.sod = {1, 2, 3}, c.sod_shape = {3};
                       }),
                       group + "sod_mm", "a scalar or shape [2]", "[3]");
  require_file_refused(
      [](Parts& p) {
        const Parts whole;
        CArm().put_into(p);
        p.source = whole.source;
      },
      "/geometry", "either carm or source_mm", "both");
}

TEST_CASE("read_acquisition: files that are missing, foreign or cut off are errors", "[io][acquisition]") {
  const TemporaryFolder folder;
  const std::string path = (folder / "case.h5").string();
  require_error<IoError>([&] { read_acquisition(path); }, {path, "No such file"});
  test::write_bytes(path, "P5 3 4 255");
  require_error<BadInput>([&] { read_acquisition(path); }, {path, "expected an HDF5 file"});
  Parts().write(path);
  const std::string whole = test::read_bytes(path);
  test::write_bytes(path, whole.substr(0, whole.size() - 200));
  require_error<BadInput>([&] { read_acquisition(path); }, {path, "expected a whole HDF5 file", "found damage"});
}

TEST_CASE("write_acquisition: what cannot be written leaves no file", "[io][acquisition]") {
  const TemporaryFolder folder;
  Acquisition a = small_acquisition();
  const std::string absent = (folder / "absent" / "a.h5").string();
  require_error<IoError>([&] { write_acquisition(absent, a); }, {absent, "cannot write"});
  RawIntensity raw{std::vector<float>(60, 1), std::vector<float>(14, 1)};
  require_error<InvalidArgument>([&] { write_acquisition(folder / "a.h5", a, &raw); }, {"raw.mask", "60", "found 14"});
  raw.mask.resize(60, 1);
  raw.mask[16] = 0;
  require_error<InvalidArgument>([&] { write_acquisition(folder / "a.h5", a, &raw); },
                                 {"raw.mask", "positive", "0 at view 1, row 0, column 1"});
  a.poses[0].time_s = 99;
  require_error<BadInput>([&] { write_acquisition(folder / "a.h5", a); }, {"small", "/time_s"});
  REQUIRE(folder.num_files() == 0);
}
