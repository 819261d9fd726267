// SPDX-License-Identifier: Apache-2.0
// write_nifti, read_nifti (headers by the offsets that the standards give) and read_raw_volume.

#include <zlib.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "support/random_values.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using test::require_error;
using test::TemporaryFolder;

namespace {

template <class T>
T value_at(const std::string& bytes, std::size_t offset) {
  T value;
  REQUIRE(offset + sizeof value <= bytes.size());
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}
template <class T>
void put(std::string& bytes, std::size_t offset, std::type_identity_t<T> value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
}

std::string gunzip(const std::filesystem::path& path) {
  const gzFile file = gzopen(path.c_str(), "rb");
  std::string bytes(1 << 22, '\0');
  const int count = gzread(file, bytes.data(), static_cast<unsigned>(bytes.size()));
  REQUIRE(gzclose(file) == Z_OK);
  bytes.resize(static_cast<std::size_t>(count));
  return bytes;
}
void gzip(const std::filesystem::path& path, const std::string& bytes) {
  const gzFile file = gzopen(path.c_str(), "wb");
  REQUIRE(gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size())) == static_cast<int>(bytes.size()));
  REQUIRE(gzclose(file) == Z_OK);
}

Volume small_volume(int frames) {
  const VolumeGrid grid{5, 4, 3, {0.5, 0.75, 1.25}, {-10, 20, -30}};
  return {grid, test::random_values<float>(60 * static_cast<std::size_t>(frames), -1, 1, 9), frames};
}

/// Header and voxels of a file that write_nifti made, to be changed and read.
std::string nifti_bytes(const Volume& volume) {
  const TemporaryFolder folder;
  write_nifti(folder / "v.nii", volume);
  return test::read_bytes(folder / "v.nii");
}
Volume read_bytes_as_nifti(const std::string& bytes) {
  const TemporaryFolder folder;
  test::write_bytes(folder / "v.nii", bytes);
  return read_nifti(folder / "v.nii");
}

}  // namespace

TEST_CASE("write_nifti: the header is NIfTI-1 as the standard has it", "[io][nifti]") {
  const TemporaryFolder folder;
  const Volume volume = small_volume(2);
  std::string bytes;
  SECTION("plain") {
    write_nifti(folder / "v.nii", volume, 0.25);
    bytes = test::read_bytes(folder / "v.nii");
  }
  SECTION("compressed") {
    write_nifti(folder / "v.nii.gz", volume, 0.25);
    REQUIRE(test::read_bytes(folder / "v.nii.gz").substr(0, 2) == "\x1f\x8b");
    bytes = gunzip(folder / "v.nii.gz");
  }
  REQUIRE(folder.num_files() == 1);
  REQUIRE(bytes.size() == 352 + 120 * 4);
  REQUIRE(value_at<std::int32_t>(bytes, 0) == 348);
  const std::int16_t dim[8] = {4, 5, 4, 3, 2, 1, 1, 1};
  for (std::size_t i = 0; i < 8; ++i) REQUIRE(value_at<std::int16_t>(bytes, 40 + 2 * i) == dim[i]);
  REQUIRE(value_at<std::int16_t>(bytes, 70) == 16);  // datatype float32
  REQUIRE(value_at<std::int16_t>(bytes, 72) == 32);  // bitpix
  const float pixdim[5] = {1, 0.5f, 0.75f, 1.25f, 0.25f};
  for (std::size_t i = 0; i < 5; ++i) REQUIRE(value_at<float>(bytes, 76 + 4 * i) == pixdim[i]);
  REQUIRE(value_at<float>(bytes, 108) == 352);        // vox_offset
  REQUIRE(value_at<float>(bytes, 112) == 1);          // scl_slope
  REQUIRE(value_at<float>(bytes, 116) == 0);          // scl_inter
  REQUIRE(value_at<std::uint8_t>(bytes, 123) == 10);  // xyzt_units: mm and s
  REQUIRE(value_at<std::int16_t>(bytes, 252) == 1);   // qform_code
  REQUIRE(value_at<std::int16_t>(bytes, 254) == 1);   // sform_code
  for (std::size_t i = 0; i < 3; ++i)                 // quaternion (0,0,0,1): half a turn about z
    REQUIRE(value_at<float>(bytes, 256 + 4 * i) == (i == 2 ? 1.0f : 0.0f));
  const float center[3] = {9.75f, -20.375f, -29.375f};  // of voxel (0,0,0): origin + ½ spacing, in RAS
  for (std::size_t r = 0; r < 3; ++r) {
    REQUIRE(value_at<float>(bytes, 268 + 4 * r) == center[r]);
    for (std::size_t c = 0; c < 3; ++c)
      REQUIRE(value_at<float>(bytes, 280 + 16 * r + 4 * c) == (r == c ? (r < 2 ? -1 : 1) * pixdim[r + 1] : 0.0f));
    REQUIRE(value_at<float>(bytes, 280 + 16 * r + 12) == center[r]);
  }
  REQUIRE(std::memcmp(bytes.data() + 344, "n+1\0\0\0\0\0", 8) == 0);  // magic, no extensions
  REQUIRE(std::memcmp(bytes.data() + 352, volume.values.data(), 480) == 0);
}

TEST_CASE("write_nifti: the first frame's time is toffset", "[io][nifti]") {
  const TemporaryFolder folder;
  write_nifti(folder / "v.nii", small_volume(2), 0.5, 100);
  REQUIRE(value_at<float>(test::read_bytes(folder / "v.nii"), 136) == 100);
  require_error<InvalidArgument>([&] { write_nifti(folder / "v.nii", small_volume(2), 0.5, NAN); },
                                 {"first_time_s", "nan"});
}

TEST_CASE("write_nifti: one frame is a 3D volume", "[io][nifti]") {
  const std::string bytes = nifti_bytes(small_volume(1));
  REQUIRE(value_at<std::int16_t>(bytes, 40) == 3);
  REQUIRE(value_at<std::int16_t>(bytes, 48) == 1);
}

TEST_CASE("write_nifti: voxels that read_nifti would refuse are not written", "[io][nifti]") {
  const TemporaryFolder folder;
  Volume volume = small_volume(2);
  volume.values[65] = NAN;
  require_error<InvalidArgument>([&] { write_nifti(folder / "v.nii", volume); }, {"volume.values[65]", "found nan"});
  CHECK(folder.num_files() == 0);
}

TEST_CASE("read_nifti: what write_nifti wrote comes back", "[io][nifti]") {
  const TemporaryFolder folder;
  for (const char* name : {"v.nii", "v.nii.gz"})
    for (const int frames : {1, 3}) {
      const Volume a = small_volume(frames);
      write_nifti(folder / name, a);
      const Volume b = read_nifti(folder / name);
      REQUIRE(b.frames == frames);
      REQUIRE(b.grid == a.grid);
      REQUIRE(b.values == a.values);
    }
}

TEST_CASE("read_nifti: every voxel type, slope and intercept", "[io][nifti]") {
  const Volume volume = small_volume(1);
  const auto check = [&](auto zero, std::int16_t code) {
    using T = decltype(zero);
    std::string bytes = nifti_bytes(volume).substr(0, 352);
    put<std::int16_t>(bytes, 70, code);
    put<float>(bytes, 112, 0.5f);
    put<float>(bytes, 116, -3.0f);
    for (int i = 0; i < 60; ++i) {
      const T value = static_cast<T>(std::is_signed_v<T> ? i * 4 - 120 : i * 4);  // each fits 8 bits
      bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    const Volume read = read_bytes_as_nifti(bytes);
    for (int i = 0; i < 60; ++i)
      REQUIRE(read.values[static_cast<std::size_t>(i)] ==
              static_cast<float>((std::is_signed_v<T> ? i * 4 - 120 : i * 4) * 0.5 - 3));
    bytes.pop_back();
    require_error<BadInput>([&] { read_bytes_as_nifti(bytes); }, {"v.nii", "voxels", "expected 60", "found 59"});
  };
  check(std::uint8_t{}, 2);
  check(std::int16_t{}, 4);
  check(float{}, 16);
  check(double{}, 64);
  check(std::uint16_t{}, 512);
  check(std::int8_t{}, 256);
  check(std::int32_t{}, 8);
  check(std::uint32_t{}, 768);
  check(std::int64_t{}, 1024);
  check(std::uint64_t{}, 1280);
  std::string bytes = nifti_bytes(volume);
  put<float>(bytes, 112, 0);  // slope 0: stored values are the values, whatever the intercept
  put<float>(bytes, 116, 7);
  REQUIRE(read_bytes_as_nifti(bytes).values == volume.values);
  put<float>(bytes, 112, NAN);  // as some writers put it
  put<float>(bytes, 116, NAN);
  REQUIRE(read_bytes_as_nifti(bytes).values == volume.values);
}

TEST_CASE("read_nifti: sform, qform and units place the voxels", "[io][nifti]") {
  const Volume volume = small_volume(1);
  std::string bytes = nifti_bytes(volume);
  SECTION("qform where there is no sform") {
    put<std::int16_t>(bytes, 254, 0);
    put<float>(bytes, 280, 99);
    REQUIRE(read_bytes_as_nifti(bytes).grid == volume.grid);
  }
  SECTION("sform before qform") {
    put<float>(bytes, 268, 99);
    REQUIRE(read_bytes_as_nifti(bytes).grid == volume.grid);
  }
  SECTION("voxel sizes alone") {  // of axes that point right and to the front
    put<std::int16_t>(bytes, 252, 0);
    put<std::int16_t>(bytes, 254, 0);
    const Volume read = read_bytes_as_nifti(bytes);
    REQUIRE(read.grid.spacing_mm == volume.grid.spacing_mm);
    REQUIRE(read.grid.center_mm(4, 3, 0) == Vec3d{0, 0, 0});
    REQUIRE(read.values[3 * 5 + 4] == volume.values[0]);
  }
  SECTION("metres") {
    put<std::uint8_t>(bytes, 123, 1);
    REQUIRE(read_bytes_as_nifti(bytes).grid.spacing_mm == Vec3d{500, 750, 1250});
    REQUIRE(read_bytes_as_nifti(bytes).grid.origin_mm == Vec3d{-10000, 20000, -30000});
  }
  SECTION("micrometres") {
    put<std::uint8_t>(bytes, 123, 3);
    REQUIRE(read_bytes_as_nifti(bytes).grid.spacing_mm.z == Approx(0.00125));
  }
  SECTION("a mirrored qform") {  // its third axis points to the feet
    put<std::int16_t>(bytes, 254, 0);
    put<float>(bytes, 76, -1);
    const Volume read = read_bytes_as_nifti(bytes);
    REQUIRE(read.grid.center_mm(0, 0, 2).z == volume.grid.center_mm(0, 0, 0).z);
    REQUIRE(read.values[40] == volume.values[0]);
  }
  SECTION("a quarter turn about z as qform") {
    put<std::int16_t>(bytes, 254, 0);
    put<float>(bytes, 264, 0.70710678f);  // i points to the front, j to the left
    const Volume read = read_bytes_as_nifti(bytes);
    REQUIRE((read.grid.size_x == 4 && read.grid.size_y == 5));
    REQUIRE(read.grid.spacing_mm.x == Approx(0.75));
    REQUIRE(read.grid.center_mm(0, 4, 0).y == Approx(volume.grid.center_mm(0, 0, 0).y));
    REQUIRE(read.values[4 * 4] == volume.values[0]);
  }
  SECTION("a NaN affine is refused") {
    put<float>(bytes, 292, NAN);
    require_error<BadInput>([&] { read_bytes_as_nifti(bytes); }, {"affine", "finite", "nan"});
  }
  SECTION("axes in a plane are refused") {
    put<float>(bytes, 280 + 16 * 2 + 8, 0);
    require_error<BadInput>([&] { read_bytes_as_nifti(bytes); }, {"affine", "span a volume"});
  }
  SECTION("sheared axes are refused") {
    put<float>(bytes, 284, 1);
    require_error<BadInput>([&] { read_bytes_as_nifti(bytes); }, {"affine", "45 degrees", "0.5 -1 0"});
  }
}

TEST_CASE("read_nifti: bad headers and voxels are named", "[io][nifti]") {
  const std::string good = nifti_bytes(small_volume(1));
  const auto refuse = [&](auto value, std::size_t offset, std::initializer_list<std::string_view> parts) {
    std::string bytes = good;
    put<decltype(value)>(bytes, offset, value);
    require_error<BadInput>([&] { read_bytes_as_nifti(bytes); }, parts);
  };
  refuse(std::int32_t{349}, 0, {"v.nii", "sizeof_hdr", "348 (NIfTI-1) or 540 (NIfTI-2)", "found 349"});
  refuse(std::int32_t{0x5C010000}, 0, {"dim"});  // the other byte order, which its other fields are not in
  refuse(std::int32_t{540}, 0, {"magic", "\"n+2\""});
  refuse('i', 345, {"magic", "\"n+1\""});
  refuse(std::int16_t{2}, 40, {"dim", "three axes", "found 2 5 4 3"});
  refuse(std::int16_t{0}, 44, {"dim", "none of them empty", "3 5 0 3"});
  refuse(std::int16_t{32}, 70, {"datatype", "float32 (16)", "found 32"});
  refuse(0.0f, 108, {"vox_offset", "352 or more", "found 0"});
  refuse(NAN, 108, {"vox_offset", "found nan"});
  refuse(1e9f, 108, {"vox_offset", "at most the file's 592 bytes", "found 1000000000"});  // and takes no 1 GB
  refuse(INFINITY, 112, {"scl_slope", "a finite number", "found inf"});
  refuse(NAN, 116, {"scl_inter", "a finite number", "found nan"});
  refuse(NAN, 352 + 4 * 17, {"voxels", "finite numbers", "nan at voxel 17"});
  refuse(std::int16_t{32000}, 42, {"voxels", "expected 384000", "at most 592"});
  refuse(std::uint8_t{7}, 123, {"xyzt_units", "millimetres", "found 7"});
  require_error<BadInput>([&] { read_bytes_as_nifti(good.substr(0, 100)); }, {"header", "348 bytes", "shorter"});
}

TEST_CASE("read_nifti: missing, foreign and damaged files are told apart", "[io][nifti]") {
  const TemporaryFolder folder;
  const std::string plain = (folder / "v.nii").string(), zipped = (folder / "v.nii.gz").string();
  require_error<IoError>([&] { read_nifti(plain); }, {plain, "No such file"});
  require_error<IoError>([&] { read_nifti(zipped); }, {zipped, "No such file"});
  require_error<IoError>([&] { read_nifti(folder.path()); }, {folder.path().string(), "directory"});
  test::write_bytes(zipped, nifti_bytes(small_volume(1)));
  require_error<BadInput>([&] { read_nifti(zipped); }, {zipped, "gzip data, as the name says", "something else"});
  write_nifti(zipped, small_volume(3));
  const std::string whole = test::read_bytes(zipped);
  test::write_bytes(zipped, whole.substr(0, whole.size() / 2));
  require_error<BadInput>([&] { read_nifti(zipped); }, {zipped, "whole gzip data", "damage"});
}

TEST_CASE("write_nifti: what cannot be written leaves no file", "[io][nifti]") {
  const TemporaryFolder folder;
  const std::string absent = (folder / "absent" / "v.nii.gz").string();
  require_error<IoError>([&] { write_nifti(absent, small_volume(1)); }, {absent, "cannot write"});
  const auto refuse = [&](auto&& spoil, std::initializer_list<std::string_view> parts) {
    Volume volume = small_volume(1);
    spoil(volume);
    require_error<InvalidArgument>([&] { write_nifti(folder / "v.nii", volume); }, parts);
  };
  refuse([](Volume& v) { v.values.pop_back(); }, {"volume.values", "60", "found 59"});
  refuse([](Volume& v) { v.grid.size_x = 32768; }, {"1 to 32767", "found 32768"});
  refuse([](Volume& v) { v.grid.size_z = 0; }, {"1 to 32767", "found 0"});
  refuse([](Volume& v) { v.frames = 0; }, {"1 to 32767", "found 0"});
  refuse([](Volume& v) { v.grid.spacing_mm.y = 0; }, {"positive spacing", "found 0"});
  require_error<InvalidArgument>([&] { write_nifti(folder / "v.nii", small_volume(1), 0); },
                                 {"frame_spacing_s", "positive", "found 0"});
  REQUIRE(folder.num_files() == 0);
}

TEST_CASE("read_raw_volume: bytes become voxels and must be exactly as many", "[io][raw]") {
  const TemporaryFolder folder;
  const VolumeGrid grid{4, 3, 2, {1, 1, 1}, {0, 0, 0}};
  std::string bytes(24, '\0');
  for (std::size_t i = 0; i < 24; ++i) bytes[i] = static_cast<char>(i * 11);
  bytes[0] = '\x1f', bytes[1] = '\x8b', bytes[2] = '\x08';  // looks like gzip, but the name says it is not
  test::write_bytes(folder / "v.raw", bytes);
  gzip(folder / "v.raw.gz", bytes);
  for (const char* name : {"v.raw", "v.raw.gz"}) {
    const std::string path = (folder / name).string();
    const Volume volume = read_raw_volume(path, grid);
    REQUIRE(volume.grid == grid);
    REQUIRE(volume.frames == 1);
    REQUIRE(volume.values.size() == 24);
    for (std::size_t i = 0; i < 24; ++i) REQUIRE(volume.values[i] == static_cast<unsigned char>(bytes[i]));
    require_error<BadInput>(
        [&] {
          read_raw_volume(path, {5, 3, 2, {1, 1, 1}, {}});
        },
        {path, "voxels", "expected 30 bytes", "found 24"});
    require_error<BadInput>(
        [&] {
          read_raw_volume(path, {4, 3, 1, {1, 1, 1}, {}});
        },
        {path, "voxels", "expected 12 bytes", "found more"});
  }
  require_error<IoError>([&] { read_raw_volume(folder / "w.raw", grid); }, {"w.raw", "No such file"});
  require_error<InvalidArgument>([&] { read_raw_volume(folder / "v.raw", {4, 0, 2, {1, 1, 1}, {}}); }, {"4 x 0 x 2"});
}

TEST_CASE("read_raw_volume: the rotational-angiography volume", "[io][raw][real]") {
  const std::filesystem::path path =
      std::filesystem::path(DSASRGS_SHARED_DATA) / "volumes/aneurism_256x256x256_uint8.raw.gz";
  const Volume volume = read_raw_volume(path, {256, 256, 256, {0.5, 0.5, 0.5}, {-64, -64, -64}});
  REQUIRE(volume.values.size() == std::size_t{1} << 24);
  REQUIRE(*std::max_element(volume.values.begin(), volume.values.end()) == 255);
}
