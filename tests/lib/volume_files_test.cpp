// SPDX-License-Identifier: Apache-2.0
// write_nrrd, write_metaimage and write_volume, byte by byte. Other programs read them in tests/formats.

#include "dsasrgs/volume_files.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <string>

#include "dsasrgs/error.hpp"
#include "support/small_files.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using test::require_error;
using test::TemporaryFolder;

namespace {

Volume two_frames() {
  Volume v = test::small_volume();
  for (std::size_t i = 0; i < 60; ++i) v.values.push_back(v.values[i] + 10);
  v.frames = 2;
  return v;
}

/// The header up to and with `end`, and the voxels behind it.
std::pair<std::string, std::vector<float>> parts(const std::string& bytes, const std::string& end) {
  const std::size_t at = bytes.find(end);
  REQUIRE(at != std::string::npos);
  const std::size_t start = at + end.size();
  REQUIRE((bytes.size() - start) % 4 == 0);
  std::vector<float> values((bytes.size() - start) / 4);
  std::memcpy(values.data(), bytes.data() + start, 4 * values.size());
  return {bytes.substr(0, start), values};
}

}  // namespace

TEST_CASE("write_nrrd: a volume", "[io][volume_files]") {
  const TemporaryFolder folder;
  const Volume v = test::small_volume();
  write_nrrd(folder / "v.nrrd", v, {1, 2.5});
  const auto [header, values] = parts(test::read_bytes(folder / "v.nrrd"), "\n\n");
  CHECK(header ==
        "NRRD0005\n# dsasrgs: attenuation in 1/mm\ntype: float\ndimension: 3\nspace: left-posterior-superior\nsizes: 5 "
        "4 3\nspace directions: (0.5,0.0,0.0) (0.0,0.75,0.0) (0.0,0.0,1.25)\nkinds: domain domain domain\nspace units: "
        "\"mm\" \"mm\" \"mm\"\nendian: little\nencoding: raw\nspace origin: (-9.75,20.375,-29.375)\ntime_s:=2.5\n\n");
  CHECK(values == v.values);
}

TEST_CASE("write_nrrd: a sequence has its frames side by side", "[io][volume_files]") {
  const TemporaryFolder folder;
  const Volume v = two_frames();
  write_nrrd(folder / "v.seq.nrrd", v, {0.25, 2});
  const auto [header, values] = parts(test::read_bytes(folder / "v.seq.nrrd"), "\n\n");
  for (const char* line :
       {"dimension: 4\n", "sizes: 2 5 4 3\n", "space directions: none (0.5,0.0,0.0)",
        "kinds: list domain domain domain\n", "axis 0 index type:=numeric\n", "axis 0 index values:=2.0 2.25\n"})
    CHECK(header.find(line) != std::string::npos);
  REQUIRE(values.size() == v.values.size());
  for (std::size_t i = 0; i < 60; ++i)
    for (std::size_t f = 0; f < 2; ++f) REQUIRE(values[2 * i + f] == v.values[60 * f + i]);
}

TEST_CASE("write_metaimage: a volume and several", "[io][volume_files]") {
  const TemporaryFolder folder;
  write_metaimage(folder / "v.mha", test::small_volume(), {1, 2.5});
  const std::string end = "ElementDataFile = LOCAL\n";
  const auto [header, values] = parts(test::read_bytes(folder / "v.mha"), end);
  for (const char* line : {"NDims = 3\n", "TransformMatrix = 1 0 0 0 1 0 0 0 1\n", "Offset = -9.75 20.375 -29.375\n",
                           "ElementSpacing = 0.5 0.75 1.25\n", "DimSize = 5 4 3\n", "ElementType = MET_FLOAT\n"})
    CHECK(header.find(line) != std::string::npos);
  CHECK(values == test::small_volume().values);
  write_metaimage(folder / "v.mha", two_frames(), {0.25, 2});
  const auto [header4, values4] = parts(test::read_bytes(folder / "v.mha"), end);
  for (const char* line :
       {"NDims = 4\n", "TransformMatrix = 1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1\n", "Offset = -9.75 20.375 -29.375 2.0\n",
        "ElementSpacing = 0.5 0.75 1.25 0.25\n", "DimSize = 5 4 3 2\n"})
    CHECK(header4.find(line) != std::string::npos);
  CHECK(values4 == two_frames().values);
}

TEST_CASE("write_volume: the name says the format", "[io][volume_files]") {
  const TemporaryFolder folder;
  const auto begins = [&](const char* name, const std::string& with) {
    write_volume(folder / name, test::small_volume());
    CHECK(test::read_bytes(folder / name).substr(0, with.size()) == with);
  };
  begins("v.nii", std::string("\x5c\1\0\0", 4));
  begins("v.nii.gz", "\x1f\x8b");
  begins("v.nrrd", "NRRD000");
  begins("v.seq.nrrd", "NRRD000");
  begins("v.mha", "ObjectType = Image");
  begins("V.NII.GZ", "\x1f\x8b");
  begins("V.MHA", "ObjectType = Image");
  require_error<InvalidArgument>([&] { write_volume(folder / "v.mhd", test::small_volume()); }, {".mha", "v.mhd"});
}

TEST_CASE("volume files: a mean says that it is one", "[io][volume_files]") {
  const TemporaryFolder folder;
  const Volume v = test::small_volume();
  const VolumeTimes mean{1, 2.5, 4.25};
  const auto bytes_of = [&](const char* name) {
    write_volume(folder / name, v, mean);
    return test::read_bytes(folder / name);
  };
  const auto has = [](const std::string& bytes, const char* text) { return bytes.find(text) != std::string::npos; };
  const std::string nrrd = bytes_of("v.nrrd"), mha = bytes_of("v.mha"), nifti = bytes_of("v.NII");
  CHECK(has(nrrd, "\nmean_from_s:=2.5\nmean_until_s:=4.25\n\n"));
  CHECK_FALSE(has(nrrd, "\ntime_s:="));
  CHECK(has(mha, "\nMeanFrom_s = 2.5\nMeanUntil_s = 4.25\n"));
  CHECK_FALSE(has(mha, "AcquisitionTime_s"));
  constexpr std::size_t kDescrip = 148, kDescripBytes = 80;  // nifti1.h
  CHECK(nifti.substr(kDescrip, kDescripBytes).c_str() == std::string("dsasrgs: mean from 2.5 to 4.25 s"));
  require_error<InvalidArgument>([&] { write_volume(folder / "w.mha", v, {1, 2.5, 2}); }, {"mean_until_s", "found 2"});
  require_error<InvalidArgument>([&] { write_volume(folder / "w.mha", two_frames(), mean); },
                                 {"mean_until_s", "found 2"});
}

TEST_CASE("volume files: what cannot be written leaves no file", "[io][volume_files]") {
  const TemporaryFolder folder;
  for (const char* name : {"v.nrrd", "v.mha"}) {
    const auto refuse = [&](auto&& spoil, VolumeTimes times, std::initializer_list<std::string_view> parts) {
      Volume volume = two_frames();
      spoil(volume);
      require_error<InvalidArgument>([&] { write_volume(folder / name, volume, times); }, parts);
    };
    const auto nothing = [](Volume&) {};
    refuse([](Volume& v) { v.values.pop_back(); }, {}, {"volume.values", "120 voxels", "found 119"});
    refuse([](Volume& v) { v.frames = 0; }, {}, {"sizes of 1", "found 0"});
    refuse([](Volume& v) { v.values[7] = NAN; }, {}, {"volume.values[7]", "nan"});
    refuse([](Volume& v) { v.grid.spacing_mm.z = -1; }, {}, {"positive spacing", "found -1"});
    refuse([](Volume& v) { v.grid.origin_mm.x = INFINITY; }, {}, {"finite origin", "inf"});
    refuse(nothing, {0, 0}, {"frame_spacing_s", "found 0"});
    refuse(nothing, {1, NAN}, {"first_time_s", "nan"});
    // Sizes whose product is no number of 64 bits.
    refuse([](Volume& v) { v.grid.size_x = v.grid.size_y = v.grid.size_z = v.frames = 1 << 30; }, {}, {"found 120"});
  }
  CHECK(folder.num_files() == 0);
}
