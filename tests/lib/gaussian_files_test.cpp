// SPDX-License-Identifier: Apache-2.0
// write_gaussian_ply and back, bit by bit; what read_gaussian_ply refuses; write_viewer_ply in closed form.

#include "dsasrgs/gaussian_files.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <numbers>
#include <string>

#include "dsasrgs/config.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/reconstructor.hpp"
#include "model_parameters.hpp"
#include "support/context.hpp"
#include "support/small_case.hpp"
#include "support/small_model.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using test::require_error;
using test::TemporaryFolder;

namespace {

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

void require_same_bits(Context& ctx, const Buffer<float>& a, const Buffer<float>& b) {
  const std::vector<float> x = a.to_host(ctx), y = b.to_host(ctx);
  REQUIRE(x.size() == y.size());
  REQUIRE((x.empty() || std::memcmp(x.data(), y.data(), x.size() * sizeof(float)) == 0));
}

}  // namespace

TEST_CASE("write_gaussian_ply: the same bits come back", "[io][gaussian_files]") {
  Context ctx = test::make_context();
  const TemporaryFolder folder;
  const Acquisition acquisition = test::small_simulation(ctx).acquisition;
  for (const char* preset : {"4drgs", "static", "togs"}) {
    Config config = test::tiny_config(4, preset);
    config.nuisance.view_gain = true;
    Reconstructor reconstructor(ctx, acquisition, config);
    reconstructor.step();
    const Model& model = reconstructor.model();
    write_gaussian_ply(ctx, folder / "m.ply", model);
    const Model back = read_gaussian_ply(ctx, folder / "m.ply");
    for (const ParameterInfo& p : kParameters) {
      INFO(preset << " " << p.name);
      require_same_bits(ctx, p.value(model.cloud, model.field), p.value(back.cloud, back.field));
    }
    // All the rest is in a model file, whose bytes hold no date.
    write_model(ctx, folder / "a.h5", model);
    write_model(ctx, folder / "b.h5", back);
    REQUIRE(test::read_bytes(folder / "a.h5") == test::read_bytes(folder / "b.h5"));
    write_gaussian_ply(ctx, folder / "again.ply", back);
    REQUIRE(test::read_bytes(folder / "m.ply") == test::read_bytes(folder / "again.ply"));
  }
}

TEST_CASE("read_gaussian_ply: what is not ours is refused by its line", "[io][gaussian_files]") {
  Context ctx = test::make_context();
  const TemporaryFolder folder;
  write_gaussian_ply(ctx, folder / "m.ply", test::two_gaussians(ctx));
  const std::string good = test::read_bytes(folder / "m.ply");
  const auto refuse = [&](const std::string& bytes, std::initializer_list<std::string_view> parts) {
    test::write_bytes(folder / "bad.ply", bytes);
    require_error<BadInput>([&] { read_gaussian_ply(ctx, folder / "bad.ply"); }, parts);
  };
  refuse("", {"bad.ply", "header", "end_header", "none"});
  refuse("plx\n" + good, {"line 1", "expected ply", "found plx"});
  refuse(replaced(good, "binary_little_endian", "ascii"), {"line 2", "binary_little_endian"});
  refuse(replaced(good, "version 1", "version 2"), {"line 3", "version 1", "version 2"});
  refuse(good.substr(0, 300), {"header", "end_header"});
  refuse("ply\n" + std::string(2 << 20, 'x'), {"header", "1 MiB"});
  refuse(replaced(good, "comment volume_size 10", "comment volume_size x"), {"volume_size", "3 numbers"});
  refuse(replaced(good, "comment volume_size 10", "comment volume_size 010"), {"volume_size 10", "volume_size 010"});
  refuse(replaced(good, "comment volume_size 10", "comment volume_size -10"), {"/volume@size"});
  refuse(replaced(good, "comment pixel_footprint 1", "comment pixel_footprint 2"), {"pixel_footprint 1"});
  refuse(replaced(good, "element vertex 2", "element vertex 2000000000"), {"vertex", "rows", "2000000000"});
  refuse(replaced(good, "element vertex 2", "element vertex 18446744073709551616"), {"vertex", "rows"});
  refuse(replaced(good, "element vertex 2", "element vertex 3"), {"elements", "end of the file"});
  refuse(replaced(good, "element vertex 2", "element vertex 1"), {"elements", "more"});
  refuse(replaced(good, "element table3d 0", "element table3d 5"), {"element table3d", "0 rows", "found 5"});
  refuse(replaced(good, "property float raw_scale_1", "property float scale_1"),
         {"raw_scale_1", "found property float"});
  refuse(replaced(good, "kind = \"static\"", "kind = \"other\""), {"comment config", "field.kind"});
  refuse(replaced(good, "kind = \"static\"", "kind = \"neural\""), {"attenuation_0"});
  refuse(good + "x", {"elements", "more"});
  refuse(good.substr(0, good.size() - 1), {"elements", "end of the file"});
  std::string nan = good;
  const float value = std::numeric_limits<float>::quiet_NaN();
  std::memcpy(nan.data() + good.find("end_header\n") + 11, &value, sizeof value);
  refuse(nan, {"/gaussians/position_mm", "nan at element 0"});
  require_error<IoError>([&] { read_gaussian_ply(ctx, folder / "absent.ply"); }, {"absent.ply", "No such file"});
}

TEST_CASE("write_gaussian_ply: what cannot be read is not written", "[io][gaussian_files]") {
  Context ctx = test::make_context();
  const TemporaryFolder folder;
  Model model = test::two_gaussians(ctx);
  model.measurement = "two\nlines";
  require_error<InvalidArgument>([&] { write_gaussian_ply(ctx, folder / "m.ply", model); },
                                 {"measurement", "one line"});
  model.measurement.clear();
  model.nuisance.view = {3};
  require_error<InvalidArgument>([&] { write_gaussian_ply(ctx, folder / "m.ply", model); },
                                 {"/nuisance/gain", "found 0"});
  model.nuisance = {};
  std::vector<float> position = model.cloud.position_mm.to_host(ctx);
  position[4] = INFINITY;
  model.cloud.position_mm = Buffer<float>::from_host(ctx, position);
  require_error<NumericalError>([&] { write_gaussian_ply(ctx, folder / "m.ply", model); }, {"position_mm", "inf"});
  CHECK(folder.num_files() == 0);
}

TEST_CASE("write_viewer_ply: as viewers expect it", "[io][gaussian_files]") {
  Context ctx = test::make_context();
  const TemporaryFolder folder;
  const Model model = test::two_gaussians(ctx);
  write_viewer_ply(ctx, folder / "v.ply", model, 0.5);
  const std::string bytes = test::read_bytes(folder / "v.ply");
  const std::size_t start = bytes.find("end_header\n") + 11;
  REQUIRE(bytes.size() == start + std::size_t{2} * 17 * 4);
  const std::string header = bytes.substr(0, start);
  std::size_t at = 0;
  for (const char* name : {"x", "y", "z", "nx", "ny", "nz", "f_dc_0", "f_dc_1", "f_dc_2", "opacity", "scale_0",
                           "scale_1", "scale_2", "rot_0", "rot_1", "rot_2", "rot_3"}) {
    const std::size_t next = header.find(std::string("property float ") + name + "\n");
    REQUIRE(next != std::string::npos);
    REQUIRE(next > at);
    at = next;
  }
  CHECK(header.find("comment pixel_footprint on: ") != std::string::npos);
  CHECK(header.find("comment time_s 0.5\n") != std::string::npos);
  float v[2][17];
  std::memcpy(v, bytes.data() + start, sizeof v);
  // The first: scales 1, 2, 4 mm of bounds 0.5 to 8.5, density softplus(0) = ln 2 times the scale 0.02.
  const double depth[2] = {0.02 * std::numbers::ln2 * std::sqrt(2 * std::numbers::pi) * 2,
                           0.02 * std::log1p(std::exp(1.0)) * std::sqrt(2 * std::numbers::pi) * 4.5};
  for (int i = 0; i < 2; ++i) {
    const double opacity = 1 - std::exp(std::log(0.05) * depth[i] / depth[1]);  // the second is the typical one
    CHECK(static_cast<double>(v[i][9]) == Approx(std::log(opacity / (1 - opacity))).epsilon(1e-4));
    for (int c = 6; c < 9; ++c) CHECK(0.5 + 0.28209479177387814 * static_cast<double>(v[i][c]) == Approx(1));
  }
  CHECK(v[0][0] == -3);
  CHECK(v[1][2] == 9);
  for (int axis = 0; axis < 3; ++axis) {
    CHECK(static_cast<double>(v[0][10 + axis]) == Approx(axis * std::numbers::ln2).margin(1e-5));
    CHECK(static_cast<double>(v[1][10 + axis]) == Approx(std::log(4.5)).epsilon(1e-5));
  }
  CHECK(v[0][13] == 1);
  CHECK(v[1][13] == Approx(0.6));
  CHECK(v[1][16] == Approx(0.8));
  require_error<InvalidArgument>([&] { write_viewer_ply(ctx, folder / "n.ply", model, NAN); }, {"time", "NaN"});
}
