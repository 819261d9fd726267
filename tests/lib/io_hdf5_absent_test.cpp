// SPDX-License-Identifier: Apache-2.0
// hdf5_file.hpp: what is not in the file, or not to be had, is refused in its own words, in this process and in a
// child.

#include <fcntl.h>
#include <hdf5.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <functional>
#include <string>
#include <vector>

#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "files/hdf5_file.hpp"
#include "support/acquisition_parts.hpp"
#include "support/reading_child.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using test::require_error;
using test::TemporaryFolder;

namespace {

/// /x [4,3] of float, in a file of its own, by HDF5 itself.
struct RawDataset {
  hid_t file, create = H5Pcreate(H5P_DATASET_CREATE);
  explicit RawDataset(const std::filesystem::path& path)
      : file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT)) {}
  /// Makes it and writes the first `rows` of its rows.
  void make(hsize_t rows, const std::vector<hsize_t>& extents = {4, 3}) const {
    const hid_t space = H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr);
    const hid_t data = H5Dcreate2(file, "/x", H5T_IEEE_F32LE, space, H5P_DEFAULT, create, H5P_DEFAULT);
    REQUIRE(data >= 0);
    if (rows > 0) {
      const hsize_t start[] = {0, 0}, count[] = {rows, extents[1]};
      H5Sselect_hyperslab(space, H5S_SELECT_SET, start, nullptr, count, nullptr);
      const hid_t memory = H5Screate_simple(2, count, nullptr);
      const std::vector<float> values(rows * extents[1], 1.0f);
      REQUIRE(H5Dwrite(data, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, values.data()) >= 0);
      H5Sclose(memory);
    }
    H5Dclose(data);
    H5Sclose(space);
  }
  ~RawDataset() {
    H5Pclose(create);
    H5Fclose(file);
  }
};

/// Both ways of reading refuse /x of `path` with these words.
void require_refused(const std::filesystem::path& path, std::initializer_list<std::string_view> words) {
  const auto read = [&] { Hdf5Reader(path).read<float>("/x", {kAnyExtent, kAnyExtent}); };
  require_error<BadInput>(read, words);
  const test::ReadInChild child;
  require_error<BadInput>(read, words);
}

}  // namespace

TEST_CASE("hdf5: values that were never written are refused, not 0", "[io][hdf5]") {
  const TemporaryFolder folder;
  RawDataset(folder / "whole.h5").make(4);
  CHECK(Hdf5Reader(folder / "whole.h5").read<float>("/x", {4, 3}) == std::vector<float>(12, 1.0f));
  RawDataset(folder / "none.h5").make(0);
  require_refused(folder / "none.h5", {"none.h5", "/x", "values for all of [4, 3]", "none written"});
  const auto chunked = [&](const char* name, hsize_t rows) {
    RawDataset data(folder / name);
    const hsize_t chunk[] = {1, 3};
    H5Pset_chunk(data.create, 2, chunk);
    data.make(rows);
  };
  chunked("chunks.h5", 4);
  CHECK(Hdf5Reader(folder / "chunks.h5").read<float>("/x", {4, 3}).size() == 12);
  chunked("part.h5", 3);
  require_refused(folder / "part.h5", {"/x", "values for all of [4, 3]", "3 of 4 chunks written"});
}

TEST_CASE("hdf5: extents that cannot be in the file are refused before there is room for them", "[io][hdf5]") {
  const TemporaryFolder folder;
  // One chunk of a terabyte, which deflate makes a megabyte of: more than what is stored can be unpacked to.
  {
    RawDataset data(folder / "huge.h5");
    const hsize_t chunk[] = {1u << 14, 1u << 14};
    H5Pset_chunk(data.create, 2, chunk);
    H5Pset_deflate(data.create, 1);
    const hsize_t extents[] = {1u << 14, 1u << 14};
    const hid_t space = H5Screate_simple(2, extents, nullptr);
    const hid_t set = H5Dcreate2(data.file, "/x", H5T_IEEE_F32LE, space, H5P_DEFAULT, data.create, H5P_DEFAULT);
    const hsize_t offset[] = {0, 0};
    const char packed[100] = {};
    REQUIRE(H5Dwrite_chunk(set, H5P_DEFAULT, 0, offset, sizeof packed, packed) >= 0);
    H5Dclose(set);
    H5Sclose(space);
  }
  require_refused(folder / "huge.h5", {"/x", "[16384, 16384]", "only 100 bytes, which cannot hold them"});
  // Views that are asked for before they are compared.
  test::require_file_refused(
      [](test::Parts& p) {
        p.projections = [](Hdf5Writer& f) {
          f.write("/projections", std::vector<float>(2'000'000), {2'000'000, 1, 1}, Hdf5Storage::plain);
        };
      },
      "/projections", "1 to 1048576 views, rows and columns", "shape [2000000, 1, 1]");
}

TEST_CASE("hdf5: data in other files are refused, and links to them", "[io][hdf5]") {
  const TemporaryFolder folder;
  const std::string other = folder / "other.h5", raw = folder / "raw";
  RawDataset(other).make(4);
  test::write_bytes(raw, std::string(48, 'x'));
  {
    RawDataset data(folder / "external.h5");
    H5Pset_external(data.create, raw.c_str(), 0, 48);
    data.make(0);
  }
  require_refused(folder / "external.h5", {"/x", "data in this file", "external storage"});
  {
    RawDataset data(folder / "virtual.h5");
    const hsize_t extents[] = {4, 3};
    const hid_t space = H5Screate_simple(2, extents, nullptr);
    H5Pset_virtual(data.create, space, other.c_str(), "/x", space);
    H5Sclose(space);
    data.make(0);
  }
  require_refused(folder / "virtual.h5", {"/x", "data in this file", "a virtual dataset"});
  {
    const RawDataset data(folder / "link.h5");
    H5Lcreate_external(other.c_str(), "/x", data.file, "/x", H5P_DEFAULT, H5P_DEFAULT);
  }
  require_refused(folder / "link.h5", {"/x", "of this file", "a link to another", "other.h5"});
  {
    const RawDataset data(folder / "soft.h5");  // by way of a soft link
    H5Lcreate_external(other.c_str(), "/", data.file, "/there", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/there/x", data.file, "/x", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/nowhere", data.file, "/dangling", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/circle", data.file, "/circle", H5P_DEFAULT, H5P_DEFAULT);
  }
  require_refused(folder / "soft.h5", {"/x", "of this file", "a link to another", "other.h5"});
  const Hdf5Reader file(folder / "soft.h5");
  require_error<BadInput>([&] { file.has("/x"); }, {"/x", "a link to another"});
  require_error<BadInput>([&] { file.has_attribute("/x", "a"); }, {"/x", "a link to another"});
  require_error<BadInput>([&] { file.has("/dangling"); }, {"/dangling", "a link to nothing"});
  require_error<BadInput>([&] { file.has("/circle"); }, {"/circle", "damage", "too many"});
}

TEST_CASE("hdf5: a filter that is not HDF5's own is named", "[io][hdf5]") {
  const TemporaryFolder folder;
  {
    RawDataset data(folder / "a.h5");
    const hsize_t chunk[] = {4, 3}, offset[] = {0, 0};
    H5Pset_chunk(data.create, 2, chunk);
    // As h5py's compression="lzf"; optional, so that a file with it can be made without it.
    H5Pset_filter(data.create, 32000, H5Z_FLAG_OPTIONAL, 0, nullptr);
    data.make(0);
    const hid_t set = H5Dopen2(data.file, "/x", H5P_DEFAULT);
    const char packed[8] = {};
    REQUIRE(H5Dwrite_chunk(set, H5P_DEFAULT, 0, offset, sizeof packed, packed) >= 0);
    H5Dclose(set);
  }
  require_refused(folder / "a.h5",
                  {"/x", "by a filter that this HDF5 library has, such as gzip", "filter 32000", "h5repack"});
}

TEST_CASE("hdf5: a file that is being written is not damage", "[io][hdf5]") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.h5";
  RawDataset(path).make(4);
  const int writer = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  REQUIRE(::flock(writer, LOCK_EX) == 0);
  require_error<IoError>([&] { const Hdf5Reader file(path); }, {path, "another program has it open for writing"});
  ::setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);
  CHECK(Hdf5Reader(path).has("/x"));
  ::unsetenv("HDF5_USE_FILE_LOCKING");
  ::close(writer);
  CHECK(Hdf5Reader(path).has("/x"));
  // A program that ended without closing the file: HDF5 marks files of its newer format while they are open.
  const hid_t newest = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_libver_bounds(newest, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
  const std::string open = folder / "open.h5", copy = folder / "copy.h5";
  const hid_t file = H5Fcreate(open.c_str(), H5F_ACC_TRUNC | H5F_ACC_SWMR_WRITE, H5P_DEFAULT, newest);
  H5Fflush(file, H5F_SCOPE_GLOBAL);
  test::write_bytes(copy, test::read_bytes(open));
  H5Fclose(file);
  H5Pclose(newest);
  require_error<BadInput>([&] { const Hdf5Reader reader(copy); }, {copy, "closed after it was written", "h5clear"});
}

TEST_CASE("hdf5: pipes, devices and folders are refused at once", "[io][hdf5]") {
  const TemporaryFolder folder;
  const std::string pipe = folder / "pipe", link = folder / "link";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  std::filesystem::create_symlink(pipe, link);
  for (const std::string& path : {pipe, link, std::string("/dev/zero")})
    require_error<IoError>([&] { read_acquisition(path); },
                           {path, "cannot read", "expected a regular file, found a device, pipe or socket"});
  require_error<IoError>([&] { read_acquisition(folder.path()); }, {folder.path().string(), "Is a directory"});
}

TEST_CASE("hdf5: no descriptor left is the system's fault, not the file's", "[io][hdf5]") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.h5";
  RawDataset(path).make(4);
  const int next = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::close(next);
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const auto read_with = [&](int more) {
    const rlimit few{static_cast<rlim_t>(next + more), before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &few);
    std::string message = "read";
    try {
      Hdf5Reader(path).read<float>("/x", {4, 3});
    } catch (const IoError& e) {
      message = e.what();
    }
    setrlimit(RLIMIT_NOFILE, &before);
    return message;
  };
  for (const int more : {0, 1}) CHECK(read_with(more).find("Too many open files") != std::string::npos);
  CHECK(read_with(10) == "read");
  const test::ReadInChild child;
  for (const int more : {0, 1, 2, 3}) CHECK(read_with(more).find("Too many open files") != std::string::npos);
  CHECK(read_with(20) == "read");
}
