// SPDX-License-Identifier: Apache-2.0
#define CATCH_CONFIG_RUNNER
#include <hdf5.h>

#include <catch2/catch.hpp>

int main(int argc, char** argv) {
  H5dont_atexit();  // it has run out of memory in between
  return Catch::Session().run(argc, argv);
}
