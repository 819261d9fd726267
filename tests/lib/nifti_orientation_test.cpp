// SPDX-License-Identifier: Apache-2.0
// read_nifti: every orientation, both versions, both byte orders; as_axis_aligned between voxels.

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using test::require_error;
using test::TemporaryFolder;

namespace {

/// A NIfTI file of int16 voxels, written field by field.
struct Nifti {
  bool second = false, big_endian = false;
  int size[3] = {4, 3, 2}, frames = 1;
  double srow[3][4] = {};
  double pixdim4 = 1, toffset = 0;
  int units = 10;
  std::vector<std::int16_t> voxels;

  template <class T>
  void put(std::string& bytes, std::size_t offset, T value) const {
    char raw[sizeof value];
    std::memcpy(raw, &value, sizeof value);
    if (big_endian) std::reverse(raw, raw + sizeof value);
    bytes.replace(offset, sizeof value, raw, sizeof value);
  }
  std::string bytes() const {
    std::string b(second ? 544 : 352, '\0');
    put(b, 0, std::int32_t{second ? 540 : 348});
    b.replace(second ? 4 : 344, second ? 8 : 4, second ? std::string("n+2\0\r\n\x1a\n", 8) : std::string("n+1\0", 4));
    const std::int64_t dim[8] = {frames > 1 ? 4 : 3, size[0], size[1], size[2], frames, 1, 1, 1};
    for (std::size_t i = 0; i < 8; ++i)
      second ? put(b, 16 + 8 * i, dim[i]) : put(b, 40 + 2 * i, static_cast<std::int16_t>(dim[i]));
    put(b, second ? 12 : 70, std::int16_t{4});
    const auto real = [&](std::size_t first, std::size_t at, double value) {
      second ? put(b, at, value) : put(b, first, static_cast<float>(value));
    };
    second ? put(b, 168, std::int64_t{544}) : put(b, 108, 352.0f);
    real(112, 176, 1);
    real(76 + 16, 104 + 32, pixdim4);
    real(136, 216, toffset);
    second ? put(b, 500, std::int32_t{units}) : put(b, 123, static_cast<std::uint8_t>(units));
    second ? put(b, 348, std::int32_t{1}) : put(b, 254, std::int16_t{1});
    for (std::size_t r = 0; r < 3; ++r)
      for (std::size_t c = 0; c < 4; ++c) real(280 + 16 * r + 4 * c, 400 + 32 * r + 8 * c, srow[r][c]);
    for (const std::int16_t v : voxels) {
      b.resize(b.size() + 2);
      put(b, b.size() - 2, v);
    }
    return b;
  }
  StoredVolume read_as_stored() const {
    const TemporaryFolder folder;
    test::write_bytes(folder / "v.nii", bytes());
    return read_nifti_as_stored(folder / "v.nii");
  }
  Volume read() const {
    const TemporaryFolder folder;
    test::write_bytes(folder / "v.nii", bytes());
    return read_nifti(folder / "v.nii");
  }
};

/// Of a place in LPS mm, whole at half millimetres.
double value_at(Vec3d lps) { return 2 * lps.x + 40 * lps.y + 400 * lps.z; }

/// Gives each voxel the value of its place.
void paint(Nifti& n) {
  for (int f = 0; f < n.frames; ++f)
    for (int k = 0; k < n.size[2]; ++k)
      for (int j = 0; j < n.size[1]; ++j)
        for (int i = 0; i < n.size[0]; ++i) {
          double ras[3];
          for (int r = 0; r < 3; ++r) ras[r] = n.srow[r][0] * i + n.srow[r][1] * j + n.srow[r][2] * k + n.srow[r][3];
          n.voxels.push_back(static_cast<std::int16_t>(std::lround(value_at({-ras[0], -ras[1], ras[2]})) + f));
        }
}

/// A file whose voxel axis c lies along RAS axis axes[c], forward or back.
Nifti oriented(const int axes[3], int signs) {
  Nifti n;
  const double spacing[3] = {0.5, 1, 2.5}, offset[3] = {3, -4, 5};
  for (int c = 0; c < 3; ++c) n.srow[axes[c]][c] = (signs >> c & 1) != 0 ? -spacing[c] : spacing[c];
  for (int r = 0; r < 3; ++r) n.srow[r][3] = offset[r];
  return n;
}

void require_in_place(const Volume& v) {
  REQUIRE((v.grid.spacing_mm.x > 0 && v.grid.spacing_mm.y > 0 && v.grid.spacing_mm.z > 0));
  auto next = v.values.begin();
  for (int f = 0; f < v.frames; ++f)
    for (int k = 0; k < v.grid.size_z; ++k)
      for (int j = 0; j < v.grid.size_y; ++j)
        for (int i = 0; i < v.grid.size_x; ++i)
          REQUIRE(static_cast<double>(*next++) == std::round(value_at(v.grid.center_mm(i, j, k))) + f);
  REQUIRE(next == v.values.end());
}

/// Axes of a turned volume.
VoxelAffine turned(double angle_rad, const double spacing[3]) {
  const double c = std::cos(angle_rad), s = std::sin(angle_rad);
  const double rotation[3][3] = {{c, -s * c, s * s}, {s, c * c, -s * c}, {0, s, c}};
  VoxelAffine a{{}, {-3, 2, 7}};
  for (int r = 0; r < 3; ++r)
    for (int k = 0; k < 3; ++k) a.matrix[r][k] = rotation[r][k] * spacing[k];
  return a;
}

}  // namespace

TEST_CASE("read_nifti: voxels of all 48 orientations are where they belong", "[io][nifti]") {
  int axes[3] = {0, 1, 2};
  int orientations = 0;
  do {
    for (int signs = 0; signs < 8; ++signs, ++orientations)
      for (const bool second : {false, true})
        for (const bool big_endian : {false, true}) {
          Nifti n = oriented(axes, signs);
          n.second = second;
          n.big_endian = big_endian;
          n.frames = 2;
          paint(n);
          INFO("axes " << axes[0] << axes[1] << axes[2] << " signs " << signs << " second " << second << " big "
                       << big_endian);
          require_in_place(n.read());
        }
  } while (std::next_permutation(axes, axes + 3));
  REQUIRE(orientations == 48);
}

TEST_CASE("read_nifti_as_stored: order, affine and times are the file's", "[io][nifti]") {
  const int axes[3] = {1, 2, 0};
  Nifti n = oriented(axes, 5);
  n.frames = 3;
  n.pixdim4 = 250;
  n.toffset = 1500;
  n.units = 2 | 16;  // mm, ms
  n.big_endian = GENERATE(false, true);
  n.second = GENERATE(false, true);
  paint(n);
  const StoredVolume v = n.read_as_stored();
  REQUIRE(std::equal(n.size, n.size + 3, v.size));
  REQUIRE(v.frames == 3);
  REQUIRE(v.frame_spacing_s == Approx(0.25));
  REQUIRE(v.first_time_s == Approx(1.5));
  REQUIRE(std::equal(v.values.begin(), v.values.end(), n.voxels.begin(), n.voxels.end()));
  for (int r = 0; r < 3; ++r) {
    for (int c = 0; c < 3; ++c) REQUIRE(v.affine.matrix[r][c] == (r < 2 ? -1 : 1) * n.srow[r][c]);
    REQUIRE(v.affine.offset[r] == (r < 2 ? -1 : 1) * n.srow[r][3]);
  }
}

TEST_CASE("read_nifti: NIfTI-2 sizes that no file holds are refused before memory is taken", "[io][nifti]") {
  const int axes[3] = {0, 1, 2};
  Nifti n = oriented(axes, 0);
  n.second = true;
  paint(n);
  const auto with_dims = [&](std::int64_t x, std::int64_t y, std::int64_t z, std::int64_t t) {
    const TemporaryFolder folder;
    std::string bytes = n.bytes();
    const std::int64_t dim[5] = {4, x, y, z, t};
    for (std::size_t i = 0; i < 5; ++i) n.put(bytes, 16 + 8 * i, dim[i]);
    test::write_bytes(folder / "v.nii", bytes);
    read_nifti(folder / "v.nii");
  };
  constexpr std::int64_t kMost = 2147483647;
  require_error<BadInput>([&] { with_dims(kMost, kMost, kMost, kMost); }, {"v.nii", "voxels", "at most 592"});
  require_error<BadInput>([&] { with_dims(1 << 30, 4, 1 << 30, 4); }, {"voxels", "at most 592"});
  require_error<BadInput>([&] { with_dims(kMost + 1, 1, 1, 1); }, {"dim", "three axes of space", "2147483648"});
  require_error<BadInput>([&] { with_dims(-4, -3, 2, 1); }, {"dim", "none of them empty"});
  const TemporaryFolder folder;
  test::write_bytes(folder / "v.nii", n.bytes().substr(0, 500));
  require_error<BadInput>([&] { read_nifti(folder / "v.nii"); }, {"header", "540 bytes", "shorter"});
}

TEST_CASE("as_axis_aligned: a turned volume keeps values that are linear in space", "[io][nifti]") {
  const double spacing[3] = {0.5, 0.75, 1.25};
  StoredVolume stored{{20, 16, 12}, 2, turned(GENERATE(0.01, 0.4, 1.2, -2.5), spacing), 1, 0, {}};
  const auto value = [](Vec3d p) { return 100 + p.x - 2 * p.y + 0.5 * p.z; };
  const auto place = [&](double i, double j, double k) {
    double p[3];
    for (int r = 0; r < 3; ++r)
      p[r] = stored.affine.matrix[r][0] * i + stored.affine.matrix[r][1] * j + stored.affine.matrix[r][2] * k +
             stored.affine.offset[r];
    return Vec3d{p[0], p[1], p[2]};
  };
  for (int f = 0; f < 2; ++f)
    for (int k = 0; k < 12; ++k)
      for (int j = 0; j < 16; ++j)
        for (int i = 0; i < 20; ++i) stored.values.push_back(static_cast<float>(value(place(i, j, k)) + 1000 * f));
  const float smallest = *std::min_element(stored.values.begin(), stored.values.end());
  const Volume v = as_axis_aligned(stored, "v.nii");
  for (const auto& [i, j, k] : {std::array{0, 0, 0}, std::array{19, 0, 11}, std::array{19, 15, 11}})
    REQUIRE(v.grid.contains(place(i, j, k)));
  int inside = 0, outside = 0;
  for (int k = 0; k < v.grid.size_z; ++k)
    for (int j = 0; j < v.grid.size_y; ++j)
      for (int i = 0; i < v.grid.size_x; ++i) {
        const std::size_t at =
            (static_cast<std::size_t>(k) * static_cast<std::size_t>(v.grid.size_y) + static_cast<std::size_t>(j)) *
                static_cast<std::size_t>(v.grid.size_x) +
            static_cast<std::size_t>(i);
        const float second = v.values[at + v.grid.num_voxels()];
        if (v.values[at] == smallest && second == smallest) {
          ++outside;
        } else if (std::abs(static_cast<double>(v.values[at]) - value(v.grid.center_mm(i, j, k))) < 1e-3) {
          REQUIRE(static_cast<double>(second) == Approx(static_cast<double>(v.values[at]) + 1000).margin(1e-3));
          ++inside;
        }
      }
  // What is neither lies in the outermost half voxel, where values are those of the outermost centres.
  CHECK(inside > 0.75 * 19 * 15 * 11);
  CHECK(outside > 0);
}

TEST_CASE("as_axis_aligned: a turned slice that would fill a cube is refused", "[io][nifti]") {
  const double spacing[3] = {1, 1, 1};
  StoredVolume stored{{200, 200, 1}, 1, turned(0.8, spacing), 1, 0, std::vector<float>(40000)};
  require_error<BadInput>([&] { as_axis_aligned(stored, "v.nii"); }, {"v.nii", "affine", "64 times as many voxels"});
}

TEST_CASE("as_axis_aligned: sizes that disagree are refused", "[io][nifti]") {
  const double spacing[3] = {1, 1, 1};
  StoredVolume stored{{2, 2, 2}, 1, turned(0.3, spacing), 1, 0, std::vector<float>(7)};
  require_error<InvalidArgument>([&] { as_axis_aligned(stored, "v"); }, {"values", "8 voxels", "found 7"});
  stored.frames = 0;
  require_error<InvalidArgument>([&] { as_axis_aligned(stored, "v"); }, {"0 frames"});
}

TEST_CASE("read_nifti: files that nibabel wrote", "[io][nifti][nibabel]") {
  int files = 0;
  double worst = 0, worst_oblique = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::getenv("DSASRGS_NIFTI_FILES"))) {
    const bool oblique = entry.path().filename().string().starts_with("oblique");
    INFO(entry.path().string());
    const Volume v = read_nifti(entry.path());
    const float smallest = *std::min_element(v.values.begin(), v.values.end());
    auto next = v.values.begin();
    int inside = 0;
    for (int k = 0; k < v.grid.size_z; ++k)
      for (int j = 0; j < v.grid.size_y; ++j)
        for (int i = 0; i < v.grid.size_x; ++i, ++next) {
          const Vec3d p = v.grid.center_mm(i, j, k) - Vec3d{10, -20, 30};
          const double difference = std::abs(static_cast<double>(*next) - (p.x + 5 * p.y + 25 * p.z));
          if (!oblique) REQUIRE(difference < 1e-4);
          if (*next == smallest || difference > 1e-3) continue;  // outside, or in the outermost half voxel
          ++inside;
          (oblique ? worst_oblique : worst) = std::max(oblique ? worst_oblique : worst, difference);
        }
    REQUIRE(inside > (oblique ? 0.75 * 19 * 15 * 11 : 20));
    ++files;
  }
  REQUIRE(files == 44);
  WARN("NIfTI of nibabel's: " << files << " files, largest error " << worst << ", of oblique ones " << worst_oblique);
}
