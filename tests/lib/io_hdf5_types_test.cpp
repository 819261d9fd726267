// SPDX-License-Identifier: Apache-2.0
// hdf5_file.hpp: every type and shape that h5py and MATLAB write numbers in, where no value changes.

#include <hdf5.h>

#include <catch2/catch.hpp>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "dsasrgs/error.hpp"
#include "files/hdf5_file.hpp"
#include "support/acquisition_parts.hpp"
#include "support/reading_child.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using test::require_error;
using test::TemporaryFolder;

namespace {

/// /x of a stored type that Hdf5Writer does not write, from doubles.
void write_as(const std::filesystem::path& path, hid_t type, const std::vector<double>& values) {
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hsize_t count = values.size();
  const hid_t space = H5Screate_simple(1, &count, nullptr);
  const hid_t data = H5Dcreate2(file, "/x", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  REQUIRE(H5Dwrite(data, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) >= 0);
  H5Dclose(data);
  H5Sclose(space);
  H5Fclose(file);
}

/// float16 of either byte order.
hid_t half_type(hid_t single) {
  const hid_t half = H5Tcopy(single);
  H5Tset_fields(half, 15, 10, 5, 0, 10);
  H5Tset_size(half, 2);
  H5Tset_ebias(half, 15);
  return half;
}

template <class T>
std::vector<T> read_x(const std::filesystem::path& path) {
  return Hdf5Reader(path).read<T>("/x", {kAnyExtent});
}

}  // namespace

TEST_CASE("hdf5: numbers of every size and byte order are read", "[io][hdf5]") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.h5";
  const hid_t half_le = half_type(H5T_IEEE_F32LE), half_be = half_type(H5T_IEEE_F32BE);
  const std::vector<double> small = {0, 1, 2, 127};
  for (const hid_t type :
       {H5T_STD_I8BE, H5T_STD_U8LE, H5T_STD_I16BE, H5T_STD_U16BE, H5T_STD_I32BE, H5T_STD_U32BE, H5T_STD_I64BE,
        H5T_STD_U64BE, H5T_STD_I64LE, H5T_IEEE_F32BE, H5T_IEEE_F64BE, H5T_IEEE_F64LE, half_le, half_be}) {
    write_as(path, type, small);
    CHECK(read_x<double>(path) == small);
    CHECK(read_x<float>(path) == std::vector<float>{0, 1, 2, 127});
    CHECK(read_x<std::uint8_t>(path) == std::vector<std::uint8_t>{0, 1, 2, 127});
    CHECK(read_x<std::int64_t>(path) == std::vector<std::int64_t>{0, 1, 2, 127});
  }
  H5Tclose(half_le);
  H5Tclose(half_be);
}

TEST_CASE("hdf5: bool of h5py is 0 and 1, other enumerations are refused", "[io][hdf5]") {
  const TemporaryFolder folder;
  const auto write = [&](const char* name, const char* no, const char* yes) {
    const hid_t type = H5Tenum_create(H5T_STD_I8LE);
    const std::int8_t values[] = {0, 1, 1};
    H5Tenum_insert(type, no, &values[0]);
    H5Tenum_insert(type, yes, &values[1]);
    const hid_t file = H5Fcreate((folder / name).c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hsize_t count = 3;
    const hid_t space = H5Screate_simple(1, &count, nullptr);
    const hid_t data = H5Dcreate2(file, "/x", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(data, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    H5Dclose(data);
    H5Sclose(space);
    H5Tclose(type);
    H5Fclose(file);
  };
  write("bool.h5", "FALSE", "TRUE");
  CHECK(read_x<std::uint8_t>(folder / "bool.h5") == std::vector<std::uint8_t>{0, 1, 1});
  CHECK(read_x<float>(folder / "bool.h5") == std::vector<float>{0, 1, 1});
  write("side.h5", "LEFT", "RIGHT");
  require_error<BadInput>([&] { read_x<std::uint8_t>(folder / "side.h5"); }, {"/x", "integers", "an enumeration"});
}

TEST_CASE("hdf5: what is no number that is read is refused in words", "[io][hdf5]") {
  const TemporaryFolder folder;
  const std::string path = folder / "x.h5";
  const auto refused = [&](hid_t type, const std::string& words) {
    const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hsize_t count = 2;
    const hid_t space = H5Screate_simple(1, &count, nullptr);
    const hid_t data = H5Dcreate2(file, "/x", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    const std::vector<char> bytes(2 * H5Tget_size(type));
    REQUIRE(H5Dwrite(data, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()) >= 0);
    H5Dclose(data);
    H5Sclose(space);
    H5Tclose(type);
    H5Fclose(file);
    require_error<BadInput>([&] { read_x<float>(path); }, {"x.h5: /x: expected numbers, found " + words});
  };
  const hid_t complex = H5Tcreate(H5T_COMPOUND, 16);
  H5Tinsert(complex, "r", 0, H5T_NATIVE_DOUBLE);
  H5Tinsert(complex, "i", 8, H5T_NATIVE_DOUBLE);
  refused(complex, "a compound type (NumPy writes complex so)");
  refused(H5Tcreate(H5T_OPAQUE, 4), "a type that is neither number nor string");
  const hid_t wide = H5Tcopy(H5T_STD_I64LE);
  H5Tset_size(wide, 16);
  refused(wide, "integers of 128 bits");
  refused(H5Tcopy(H5T_NATIVE_LDOUBLE), "floating-point numbers of 128 bits");
}

TEST_CASE("hdf5: whole numbers stored as floats are integers, others are refused", "[io][hdf5]") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.h5";
  write_as(path, H5T_IEEE_F64LE, {-2147483648.0, 2147483647.0, 0.0});
  CHECK(read_x<std::int32_t>(path) == std::vector<std::int32_t>{std::numeric_limits<std::int32_t>::lowest(),
                                                                std::numeric_limits<std::int32_t>::max(), 0});
  const auto refused = [&](const std::vector<double>& values, const char* found) {
    write_as(path, H5T_IEEE_F64LE, values);
    require_error<BadInput>([&] { read_x<std::int32_t>(path); }, {path, "/x", "integers of -2147483648", found});
  };
  refused({1, 2147483648.0}, "2147483648 at element 1");
  refused({-2147483649.0}, "-2147483649 at element 0");
  refused({0, 0, 0.5}, "0.5 at element 2");
  refused({std::numeric_limits<double>::quiet_NaN()}, "nan at element 0");
  refused({std::numeric_limits<double>::infinity()}, "inf at element 0");
  write_as(path, H5T_IEEE_F64LE, {0x1p64});
  require_error<BadInput>([&] { read_x<std::uint64_t>(path); }, {"/x", "at element 0"});
  require_error<BadInput>([&] { read_x<std::int64_t>(path); }, {"/x", "at element 0"});
  write_as(path, H5T_IEEE_F64LE, {0x1p63});
  CHECK(read_x<std::uint64_t>(path) == std::vector<std::uint64_t>{std::uint64_t{1} << 63});
}

TEST_CASE("hdf5: numbers that are converted in pieces arrive in their places", "[io][hdf5]") {
  const TemporaryFolder folder;
  std::vector<std::int64_t> values(1'100'000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::int64_t>(i);
  {
    Hdf5Writer file(folder / "a.h5");
    file.write("/x", values, {values.size()});
    file.write("/rows", values, {5, 220'000}, Hdf5Storage::plain);
    file.commit();
  }
  const auto check = [&] {
    const Hdf5Reader file(folder / "a.h5");
    const auto narrow = file.read<std::int32_t>("/x", {values.size()});
    CHECK(std::equal(narrow.begin(), narrow.end(), values.begin(), values.end()));
    const auto rows = file.read<std::int32_t>("/rows", {5, 220'000});
    CHECK(std::equal(rows.begin(), rows.end(), values.begin(), values.end()));
    std::vector<std::int32_t> row(220'000);
    file.read_slab("/rows", 3, std::span(row));
    CHECK(std::equal(row.begin(), row.end(), values.begin() + 660'000));
    require_error<BadInput>([&] { file.read<std::uint8_t>("/x", {values.size()}); }, {"256 at element 256"});
  };
  check();
  const test::ReadInChild child;
  check();
}

TEST_CASE("hdf5: vectors may have axes of extent 1, and single values be arrays", "[io][hdf5]") {
  const TemporaryFolder folder;
  {
    Hdf5Writer file(folder / "a.h5");
    file.write("/row", std::vector<double>{1, 2, 3}, {1, 3});
    file.write("/column", std::vector<double>{1, 2, 3}, {3, 1, 1});
    file.write("/one", std::vector<double>{7}, {1, 1});
    file.write("/scalar", std::vector<double>{7}, {});
    file.write("/matrix", std::vector<double>{1, 2, 3, 4}, {2, 2});
    file.attribute("/", "one", std::vector<double>{7});
    file.commit();
  }
  const Hdf5Reader file(folder / "a.h5");
  for (const char* name : {"/row", "/column"}) {
    CHECK(file.read<double>(name, {3}) == std::vector<double>{1, 2, 3});
    CHECK(file.require_shape(name, {kAnyExtent}) == Shape{3});
  }
  for (const char* name : {"/one", "/scalar"}) CHECK(file.read<double>(name, {1}) == std::vector<double>{7});
  CHECK(file.attribute<std::int64_t>("/", "one") == 7);
  require_error<BadInput>([&] { file.read<double>("/matrix", {4}); }, {"/matrix", "shape [4]", "[2, 2]"});
  require_error<BadInput>([&] { file.read<double>("/row", {2}); }, {"/row", "shape [2]", "[1, 3]"});
  require_error<BadInput>([&] { file.read<double>("/row", {3, 1}); }, {"/row", "shape [3, 1]", "[1, 3]"});
}

TEST_CASE("hdf5: strings are written with fixed length, those too long for it are not", "[io][hdf5]") {
  const TemporaryFolder folder;
  const std::string long_text(70'000, 'x');
  {
    Hdf5Writer file(folder / "a.h5");
    file.attribute("/", "text", "µ");
    file.attribute("/", "empty", "");
    file.commit();
  }
  // HDF5's global heap, where it crashes when damaged, is not there at all.
  CHECK(test::read_bytes(folder / "a.h5").find("GCOL") == std::string::npos);
  {
    Hdf5Writer file(folder / "b.h5");
    file.attribute("/", "text", long_text);
    file.commit();
  }
  CHECK(Hdf5Reader(folder / "a.h5").attribute<std::string>("/", "text") == "µ");
  CHECK(Hdf5Reader(folder / "a.h5").attribute<std::string>("/", "empty").empty());
  CHECK(Hdf5Reader(folder / "b.h5").attribute<std::string>("/", "text") == long_text);
}

TEST_CASE("read_acquisition: a file as MATLAB writes it, all doubles and no vectors", "[io][acquisition]") {
  using test::Parts;
  const Acquisition a = test::read_parts([](Parts& p) {
    p.format = [](Hdf5Writer& f) {
      f.attribute("/", "format", "dsasrgs.acquisition");
      f.attribute("/", "version", 1.0);
    };
    p.projections = [](Hdf5Writer& f) { f.write("/projections", std::vector<double>(24, 0.25), {2, 3, 4}); };
    p.time = [](Hdf5Writer& f) { f.write("/time_s", std::vector<double>{0, 1}, {2, 1}); };
    p.volume = [](Hdf5Writer& f) {
      f.group("/volume");
      f.attribute("/volume", "size", std::vector<double>{2, 3, 4});
      f.attribute("/volume", "spacing_mm", std::vector<double>{1, 2, 3});
      f.attribute("/volume", "origin_mm", std::vector<double>{-1, -3, -6});
    };
    p.more = [](Hdf5Writer& f) {
      f.write("/valid", std::vector<double>{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0}, {3, 4});
      f.write("/split/train", std::vector<double>{1}, {1, 1});
    };
  });
  CHECK(a.projections == std::vector<float>(24, 0.25f));
  CHECK(a.poses[1].time_s == 1);
  CHECK(a.volume.size_z == 4);
  CHECK(a.valid.back() == 0);
  CHECK(a.train_views == std::vector<int>{1});
}

TEST_CASE("read_acquisition: intensities of any number type", "[io][acquisition]") {
  const Acquisition a = test::read_parts([](test::Parts& p) {
    test::put_intensity<std::int32_t>(p, std::vector<std::int32_t>(24, 100), std::vector<std::int32_t>(12, 100));
  });
  CHECK(a.projections == std::vector<float>(24, 0.0f));
}
