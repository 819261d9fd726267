// SPDX-License-Identifier: Apache-2.0
// Blind damage to every kind of HDF5 file, read through a child: tests/reliability/mutated_files.sh. Hidden: minutes.

#include <hdf5.h>
#include <sys/resource.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <random>
#include <string>

#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "dsasrgs/model.hpp"
#include "dsasrgs/pseudo_labels.hpp"
#include "dsasrgs/reconstructor.hpp"
#include "dsasrgs/super_resolver.hpp"
#include "support/context.hpp"
#include "support/labels.hpp"
#include "support/mutation.hpp"
#include "support/network_file.hpp"
#include "support/reading_child.hpp"
#include "support/small_acquisition.hpp"
#include "support/small_case.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using test::TemporaryFolder;

namespace {

int number_of_files() {
  const char* number = std::getenv("DSASRGS_MUTATIONS");
  return number == nullptr ? 100 : std::atoi(number);
}

/// Reads damaged copies of `path` and prints what came of them.
void read_mutated(const char* kind, const std::filesystem::path& path, const std::function<void()>& read) {
  read();  // as it is
  const std::string whole = test::read_bytes(path);
  const int files = number_of_files();
  std::mt19937 random(1);
  int accepted = 0, refused = 0, no_memory = 0, no_io = 0, crashes = 0, loops = 0;
  double slowest_s = 0;
  const test::ReadInChild child;
  for (int k = 0; k < files; ++k) {
    test::write_bytes(path, test::mutated(whole, random));
    const auto begin = std::chrono::steady_clock::now();
    try {
      read();
      ++accepted;
    } catch (const BadInput& e) {
      const std::string words = e.what();
      ++refused;
      crashes += words.find("crash of the HDF5 library") != std::string::npos ? 1 : 0;
      loops += words.find("endless loop of the HDF5 library") != std::string::npos ? 1 : 0;
    } catch (const OutOfMemory&) {
      ++no_memory;
    } catch (const IoError&) {
      ++no_io;
    } catch (const std::exception& e) {
      FAIL(kind << ", file " << k << ": " << e.what());
    }
    slowest_s = std::max(slowest_s, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::cout << kind << ": " << files << " files, " << accepted << " read, " << refused << " refused (" << crashes
            << " crashes, " << loops << " loops of HDF5), " << no_memory << " out of memory, " << no_io
            << " input errors; slowest " << slowest_s << " s, most memory so far " << usage.ru_maxrss / 1024
            << " MiB\n";
  CHECK(accepted + refused + no_memory + no_io == files);
}

/// The string attribute becomes one of variable length, as h5py writes them, in HDF5's global heap.
void lengthen(hid_t file, const char* object, const char* name, const char* text) {
  H5Adelete_by_name(file, object, name, H5P_DEFAULT);
  const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
  H5Tset_size(type, H5T_VARIABLE);
  const hid_t attribute = H5Acreate_by_name(file, object, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  H5Awrite(attribute, type, &text);
  H5Aclose(attribute);
  H5Sclose(space);
  H5Tclose(type);
}

}  // namespace

TEST_CASE("mutated files: acquisitions", "[.mutations]") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "a.h5";
  write_acquisition(path, test::small_acquisition());
  read_mutated("acquisition", path, [&] { read_acquisition(path); });
}

TEST_CASE("mutated files: acquisitions with strings as h5py writes them", "[.mutations]") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "a.h5";
  write_acquisition(path, test::small_acquisition());
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  lengthen(file, "/", "format", "dsasrgs.acquisition");
  lengthen(file, "/projections", "quantity", "line_integral");
  H5Fclose(file);
  read_mutated("acquisition, strings of variable length", path, [&] { read_acquisition(path); });
}

TEST_CASE("mutated files: labels", "[.mutations]") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "labels.h5";
  const Acquisition a = test::small_acquisition();
  test::lanczos_labels(a, 2, path);
  read_mutated("labels", path, [&] { PseudoLabels::open(path, a).check_all(); });
}

TEST_CASE("mutated files: networks", "[.mutations]") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "network.h5";
  Context ctx = test::make_context();
  write_network(path, test::small_network());
  read_mutated("network", path, [&] { SuperResolver::open(ctx, path); });
}

TEST_CASE("mutated files: models and checkpoints", "[.mutations]") {
  const TemporaryFolder folder;
  const std::filesystem::path model = folder / "model.h5", checkpoint = folder / "checkpoint.h5";
  Context ctx = test::make_context();
  const Acquisition a = test::small_simulation(ctx).acquisition;
  Reconstructor reconstructor(ctx, a, test::tiny_config(4));
  write_model(ctx, model, reconstructor.model());
  reconstructor.save_checkpoint(checkpoint);
  read_mutated("model", model, [&] { read_model(ctx, model); });
  read_mutated("checkpoint", checkpoint, [&] { Reconstructor(ctx, a, checkpoint); });
}
