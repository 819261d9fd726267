// SPDX-License-Identifier: Apache-2.0
#pragma once
// HDF5 files are read by a second process of this program (dsasrgs/file_reading.hpp).

namespace dsasrgs::program {

/// Whether the arguments ask this process to read for another.
bool reads_for_another(int argc, char** argv);

/// Sets it up, unless the environment has DSASRGS_READ_DIRECTLY=1.
void read_files_in_a_child();

}  // namespace dsasrgs::program
