// SPDX-License-Identifier: Apache-2.0
// hdf5_file.hpp and atomic_file.hpp: what is written comes back, and nothing half-written stays.

#include <hdf5.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "files/hdf5_file.hpp"
#include "support/random_values.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using test::require_error;
using test::TemporaryFolder;

namespace {

/// Writes into a file and closes it.
template <class F>
void write_file(const std::filesystem::path& path, const F& fill) {
  Hdf5Writer file(path);
  fill(file);
  file.commit();
}

template <class T>
void require_round_trip(Hdf5Storage storage) {
  const TemporaryFolder folder;
  std::vector<T> values(2 * 3 * 5);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<T>(i * 7);
  values[0] = std::numeric_limits<T>::lowest();
  values[1] = std::numeric_limits<T>::max();
  write_file(folder / "a.h5", [&](Hdf5Writer& f) { f.write("/deep/er/x", values, {2, 3, 5}, storage); });
  const Hdf5Reader file(folder / "a.h5");
  REQUIRE(file.read<T>("/deep/er/x", {2, kAnyExtent, 5}) == values);
  std::vector<T> slab(15);
  file.read_slab("/deep/er/x", 1, std::span(slab));
  REQUIRE(slab == std::vector<T>(values.begin() + 15, values.end()));
}

/// A dataset of a type that Hdf5Writer does not write.
void write_raw_type(const std::filesystem::path& path, hid_t type, const std::vector<float>& values,
                    hid_t memory_type) {
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hsize_t count = values.size();
  const hid_t space = H5Screate_simple(1, &count, nullptr);
  const hid_t data = H5Dcreate2(file, "/x", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (memory_type >= 0) REQUIRE(H5Dwrite(data, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) >= 0);
  H5Dclose(data);
  H5Sclose(space);
  H5Fclose(file);
}

}  // namespace

TEST_CASE("hdf5: every element type comes back, plain and compressed", "[io][hdf5]") {
  for (const Hdf5Storage storage : {Hdf5Storage::plain, Hdf5Storage::compressed}) {
    require_round_trip<float>(storage);
    require_round_trip<double>(storage);
    require_round_trip<std::int32_t>(storage);
    require_round_trip<std::int64_t>(storage);
    require_round_trip<std::uint8_t>(storage);
    require_round_trip<std::uint16_t>(storage);
    require_round_trip<std::uint32_t>(storage);
    require_round_trip<std::uint64_t>(storage);
  }
}

TEST_CASE("hdf5: empty and scalar datasets, groups and attributes come back", "[io][hdf5]") {
  const TemporaryFolder folder;
  write_file(folder / "a.h5", [](Hdf5Writer& f) {
    f.set_format("dsasrgs.test", 3);
    f.write("/none", std::vector<float>{}, {0, 3}, Hdf5Storage::compressed);
    f.write("/scalar", std::vector<double>{2.5}, {});
    f.group("/g/h");
    f.group("/g/h");
    f.attribute("/g", "text", "µ-angiography");
    f.attribute("/g", "text", "replaced");
    f.attribute("/g", "empty", "");
    f.attribute("/g", "real", 0.1);
    f.attribute("/g", "whole", std::int64_t{1} << 40);
    f.attribute("/scalar", "reals", std::vector<double>{0.25, -1});
    f.attribute("/scalar", "wholes", std::vector<std::int64_t>{1, 2, 3});
  });
  const Hdf5Reader file(folder / "a.h5");
  file.require_format("dsasrgs.test", 3);
  REQUIRE(file.read<float>("/none", {0, 3}).empty());
  REQUIRE(file.shape("/none") == Shape{0, 3});
  REQUIRE(file.read<double>("/scalar", {}) == std::vector<double>{2.5});
  REQUIRE(file.has("/g/h"));
  REQUIRE(file.has("/"));
  REQUIRE_FALSE(file.has("/g/x"));
  REQUIRE_FALSE(file.has("/g/x/y"));
  REQUIRE_FALSE(file.has("/scalar/y"));
  REQUIRE(file.attribute<std::string>("/g", "text") == "replaced");
  REQUIRE(file.attribute<std::string>("/g", "empty").empty());
  REQUIRE(file.attribute<double>("/g", "real") == 0.1);
  REQUIRE(file.attribute<std::int64_t>("/g", "whole") == std::int64_t{1} << 40);
  REQUIRE(file.attribute_vector<double>("/scalar", "reals", 2) == std::vector<double>{0.25, -1});
  REQUIRE(file.attribute_vector<std::int32_t>("/scalar", "wholes", kAnyExtent) == std::vector<std::int32_t>{1, 2, 3});
  REQUIRE(file.has_attribute("/g", "real"));
  REQUIRE_FALSE(file.has_attribute("/g", "imaginary"));
  REQUIRE_FALSE(file.has_attribute("/nowhere", "real"));
  REQUIRE(folder.num_files() == 1);
}

TEST_CASE("hdf5: strings of fixed length are read, however they are padded", "[io][hdf5]") {
  const TemporaryFolder folder;
  const auto write = [](hid_t file, const char* name, std::string bytes, H5T_str_t padding) {
    const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    H5Tset_size(type, bytes.size());
    H5Tset_strpad(type, padding);
    const hid_t attribute = H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    REQUIRE(H5Awrite(attribute, type, bytes.data()) >= 0);
    H5Aclose(attribute);
    H5Sclose(space);
    H5Tclose(type);
  };
  const hid_t handle = H5Fcreate((folder / "a.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  write(handle, "spaces", "two words   ", H5T_STR_SPACEPAD);
  write(handle, "full", "two words", H5T_STR_NULLPAD);
  write(handle, "nulls", std::string("two words\0\0", 11), H5T_STR_NULLPAD);
  write(handle, "term", std::string("two words\0rest", 14), H5T_STR_NULLTERM);
  H5Fclose(handle);
  const Hdf5Reader file(folder / "a.h5");
  for (const char* name : {"spaces", "full", "nulls", "term"}) {
    INFO(name);
    REQUIRE(file.attribute<std::string>("/", name) == "two words");
  }
}

TEST_CASE("hdf5: numbers are converted only where nothing is lost in silence", "[io][hdf5]") {
  const TemporaryFolder folder;
  const std::string path = (folder / "a.h5").string();
  write_file(path, [](Hdf5Writer& f) {
    f.write("/big", std::vector<std::int64_t>{1, 70000}, {2});
    f.write("/negative", std::vector<std::int32_t>{-1}, {1});
    f.write("/huge", std::vector<std::uint64_t>{0xFFFFFFFFFFFFFFFFu}, {1});
    f.write("/real", std::vector<double>{0.5}, {1});
  });
  const Hdf5Reader file(path);
  REQUIRE(file.read<std::int32_t>("/big", {2}) == std::vector<std::int32_t>{1, 70000});
  REQUIRE(file.read<float>("/big", {2}) == std::vector<float>{1, 70000});
  REQUIRE(file.read<float>("/real", {1}) == std::vector<float>{0.5f});
  REQUIRE(file.element_type("/huge") == ElementType::uint64);
  require_error<BadInput>([&] { file.read<std::uint16_t>("/big", {2}); },
                          {path, "/big", "integers of 0 to 65535", "70000 at element 1"});
  require_error<BadInput>([&] { file.read<std::uint8_t>("/negative", {1}); }, {"/negative", "0 to 255", "-1"});
  require_error<BadInput>([&] { file.read<std::int64_t>("/huge", {1}); }, {"/huge", "18446744073709551615"});
  require_error<BadInput>([&] { file.read<std::int32_t>("/real", {1}); },
                          {"/real", "expected integers", "found 0.5 at element 0"});
}

TEST_CASE("hdf5: float16 is read as float32", "[io][hdf5]") {
  const TemporaryFolder folder;
  const hid_t half = H5Tcopy(H5T_IEEE_F32LE);
  H5Tset_fields(half, 15, 10, 5, 0, 10);
  H5Tset_size(half, 2);
  H5Tset_ebias(half, 15);
  write_raw_type(folder / "a.h5", half, {0, 1, -2.5f, 65504, 6.103515625e-5f}, H5T_NATIVE_FLOAT);
  H5Tclose(half);
  const Hdf5Reader file(folder / "a.h5");
  REQUIRE(file.element_type("/x") == ElementType::float16);
  REQUIRE(file.read<float>("/x", {5}) == std::vector<float>{0, 1, -2.5f, 65504, 6.103515625e-5f});
}

TEST_CASE("hdf5: float32 is written as the nearest float16", "[io][hdf5]") {
  const TemporaryFolder folder;
  // Pairs of what is written and what binary16 has nearest to it, ties to even.
  const std::vector<std::pair<float, float>> cases = {{0.0f, 0.0f},
                                                      {0.99979162f, 1.0f},
                                                      {6.1034545e-05f, 0x1p-14f},
                                                      {-1.9999f, -2.0f},
                                                      {0.9999f, 1.0f},
                                                      {0.1f, 0.0999755859375f},
                                                      {1 + 0x1p-11f, 1.0f},
                                                      {1 + 0x3p-11f, 1 + 0x1p-9f},
                                                      {2 - 0x1p-11f, 2.0f},
                                                      {0x1p-24f, 0x1p-24f},
                                                      {0x1p-25f, 0.0f},
                                                      {0x3p-26f, 0x1p-24f},
                                                      {0x1.fffp-15f, 0x1p-14f},
                                                      {65504.0f, 65504.0f},
                                                      {65519.0f, 65504.0f}};
  std::vector<float> written, expected;
  for (const auto& [value, half] : cases) {
    written.push_back(value);
    expected.push_back(half);
  }
  write_file(folder / "a.h5", [&](Hdf5Writer& f) {
    f.create<float>("/x", {1, written.size()}, Hdf5Storage::compressed, true);
    f.write_slab<float>("/x", 0, written);
  });
  const Hdf5Reader file(folder / "a.h5");
  REQUIRE(file.element_type("/x") == ElementType::float16);
  REQUIRE(file.read<float>("/x", {1, written.size()}) == expected);
}

TEST_CASE("hdf5: wrong names, shapes and types are named", "[io][hdf5]") {
  const TemporaryFolder folder;
  const std::string path = (folder / "a.h5").string();
  write_file(path, [](Hdf5Writer& f) {
    f.set_format("dsasrgs.test", 3);
    f.write("/x", std::vector<float>(6), {2, 3});
    f.group("/g");
    f.attribute("/g", "pair", std::vector<double>{1, 2});
    f.attribute("/g", "text", "one");
  });
  const Hdf5Reader file(path);
  require_error<BadInput>([&] { file.read<float>("/y", {2, 3}); }, {path, "/y", "expected a dataset", "found nothing"});
  require_error<BadInput>([&] { file.read<float>("/g", {2, 3}); }, {path, "/g", "expected a dataset", "found a group"});
  require_error<BadInput>([&] { file.read<float>("/x", {2, 3, 1}); }, {path, "/x", "shape [2, 3, 1]", "found [2, 3]"});
  require_error<BadInput>([&] { file.read<float>("/x", {kAnyExtent, 4}); }, {path, "/x", "[any, 4]", "found [2, 3]"});
  require_error<BadInput>([&] { file.attribute<double>("/g", "z"); }, {path, "/g@z", "found nothing"});
  require_error<BadInput>([&] { file.attribute<double>("/h", "z"); }, {path, "/h", "a group or dataset"});
  require_error<BadInput>([&] { file.attribute<double>("/g", "pair"); }, {"/g@pair", "one number", "[2]"});
  require_error<BadInput>([&] { file.attribute<double>("/g", "text"); }, {"/g@text", "numbers", "string"});
  require_error<BadInput>([&] { file.attribute<std::string>("/g", "pair"); }, {"pair", "a string", "float64"});
  require_error<BadInput>([&] { file.attribute_vector<double>("/g", "pair", 3); }, {"pair", "shape [3]", "found [2]"});
  require_error<BadInput>([&] { file.attribute_vector<double>("/g", "text", 1); }, {"text", "numbers", "string"});
  require_error<BadInput>([&] { file.require_format("dsasrgs.model", 3); },
                          {path, "@format", "\"dsasrgs.model\"", "\"dsasrgs.test\""});
  require_error<BadInput>([&] { file.require_format("dsasrgs.test", 1); }, {path, "@version", "1", "found 3"});
  std::vector<float> slab(3);
  require_error<BadInput>([&] { file.read_slab("/x", 2, std::span(slab)); },
                          {path, "/x", "at least 3 slabs", "[2, 3]"});
  require_error<InvalidArgument>([&] { file.read_slab("/x", 0, std::span(slab).first(2)); }, {"expected 3", "found 2"});
}

TEST_CASE("hdf5: missing, foreign and truncated files are told apart", "[io][hdf5]") {
  const TemporaryFolder folder;
  const std::string path = (folder / "a.h5").string();
  require_error<IoError>([&] { Hdf5Reader file(path); }, {path, "No such file"});
  require_error<IoError>([&] { Hdf5Reader file(folder.path()); }, {folder.path().string(), "directory"});
  test::write_bytes(path, "not HDF5 at all");
  require_error<BadInput>([&] { Hdf5Reader file(path); }, {path, "expected an HDF5 file", "found something else"});
  test::write_bytes(path, "");
  require_error<BadInput>([&] { Hdf5Reader file(path); }, {path, "an HDF5 file"});
  write_file(path, [](Hdf5Writer& f) { f.write("/x", std::vector<float>(10000, 1.0f), {100, 100}); });
  const std::string whole = test::read_bytes(path);
  for (const std::size_t kept : {whole.size() - 1, whole.size() / 2, std::size_t{100}}) {
    test::write_bytes(path, whole.substr(0, kept));
    require_error<BadInput>([&] { Hdf5Reader file(path); }, {path, "a whole HDF5 file", "damage"});
  }
}

TEST_CASE("hdf5: damaged compressed data are an error, not zeros", "[io][hdf5]") {
  const TemporaryFolder folder;
  const std::string path = (folder / "a.h5").string();
  const auto values = test::random_values<float>(50000, 0, 1, 1);
  write_file(path, [&](Hdf5Writer& f) { f.write("/x", values, {50000}, Hdf5Storage::compressed); });
  std::string bytes = test::read_bytes(path);
  for (std::size_t i = bytes.size() / 2; i < bytes.size() / 2 + 64; ++i) bytes[i] = static_cast<char>(~bytes[i]);
  test::write_bytes(path, bytes);
  const Hdf5Reader file(path);
  require_error<BadInput>([&] { file.read<float>("/x", {50000}); }, {path, "/x", "readable data", "damage"});
}

TEST_CASE("hdf5: the host program's error printing is as it was", "[io][hdf5]") {
  const TemporaryFolder folder;
  H5E_auto2_t before = nullptr, after = nullptr;
  void *before_data = nullptr, *after_data = nullptr;
  H5Eget_auto2(H5E_DEFAULT, &before, &before_data);
  {
    Hdf5Writer file(folder / "a.h5");
    file.write("/x", std::vector<float>{1}, {1});
    file.commit();
    const Hdf5Reader reader(folder / "a.h5");
    H5Eget_auto2(H5E_DEFAULT, &after, &after_data);
    REQUIRE(after == before);
    REQUIRE_THROWS_AS(reader.read<float>("/y", {1}), BadInput);
  }
  H5Eget_auto2(H5E_DEFAULT, &after, &after_data);
  REQUIRE(after == before);
  REQUIRE(before != nullptr);
}

TEST_CASE("hdf5: the same content gives the same bytes", "[io][hdf5]") {
  const TemporaryFolder folder;
  const auto write = [&](const char* name) {
    write_file(folder / name, [](Hdf5Writer& f) {
      f.set_format("dsasrgs.test", 1);
      f.write("/g/x", std::vector<float>(1000, 2.0f), {10, 100}, Hdf5Storage::compressed);
    });
  };
  write("a.h5");
  write("b.h5");
  REQUIRE(test::read_bytes(folder / "a.h5") == test::read_bytes(folder / "b.h5"));
}

TEST_CASE("atomic_file: without commit the target is as before and nothing else is left", "[io]") {
  const TemporaryFolder folder;
  write_text(folder / "a.txt", "old");
  {
    AtomicFile file(folder / "a.txt");
    file.write("half", 4);
    REQUIRE(folder.num_files() == 2);
    Hdf5Writer hdf5(folder / "b.h5");
    hdf5.write("/x", std::vector<float>{1}, {1});
  }
  REQUIRE(folder.num_files() == 1);
  REQUIRE(test::read_bytes(folder / "a.txt") == "old");
  write_text(folder / "a.txt", "new and longer");
  REQUIRE(test::read_bytes(folder / "a.txt") == "new and longer");
  REQUIRE(folder.num_files() == 1);
}

TEST_CASE("atomic_file: places that cannot be written are named", "[io]") {
  const TemporaryFolder folder;
  write_text(folder / "file", "x");
  const std::string absent = (folder / "absent" / "a.h5").string(), below = (folder / "file" / "a.h5").string();
  require_error<IoError>([&] { Hdf5Writer file(absent); }, {absent, "cannot write", "No such file"});
  require_error<IoError>([&] { Hdf5Writer file(below); }, {below, "cannot write", "Not a directory"});
  require_error<IoError>([&] { write_text(folder.path(), "x"); }, {folder.path().string(), "Is a directory"});
  REQUIRE(folder.num_files() == 1);
}

TEST_CASE("atomic_file: a pipe is refused, and a link stays", "[io]") {
  const TemporaryFolder folder;
  const std::string pipe = folder / "pipe", to_pipe = folder / "to_pipe", link = folder / "link",
                    text = folder / "text";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  std::filesystem::create_symlink(pipe, to_pipe);
  for (const std::string& named : {pipe, to_pipe}) {
    require_error<IoError>([&] { write_text(named, "x"); }, {named, "expected a regular file, found a device, pipe"});
    require_error<IoError>([&] { Hdf5Writer file(named); }, {named, "expected a regular file, found a device, pipe"});
    CHECK(std::filesystem::is_fifo(named));
  }
  write_text(text, "old");
  std::filesystem::create_symlink("text", link);
  write_text(link, "new");
  CHECK(std::filesystem::is_symlink(link));
  CHECK(std::filesystem::file_size(text) == 3);
  CHECK(std::filesystem::canonical(link) == std::filesystem::canonical(text));
}

TEST_CASE("atomic_file: a full disk leaves nothing behind", "[io][hdf5]") {
  const TemporaryFolder folder;
  // A limit on the size of files stands in for the full disk.
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{20000, old.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  std::string hdf5_message, text_message;
  try {
    Hdf5Writer file(folder / "a.h5");
    file.write("/x", std::vector<float>(100000, 1.0f), {100000});
    file.commit();
  } catch (const IoError& e) {
    hdf5_message = e.what();
  }
  try {
    write_text(folder / "a.txt", std::string(100000, 'x'));
  } catch (const IoError& e) {
    text_message = e.what();
  }
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, old_handler);
  REQUIRE(hdf5_message.find("a.h5") != std::string::npos);
  REQUIRE(text_message.find("a.txt: cannot write: File too large") != std::string::npos);
  REQUIRE(folder.num_files() == 0);
}
