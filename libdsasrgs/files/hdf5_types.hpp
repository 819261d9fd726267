// SPDX-License-Identifier: Apache-2.0
#pragma once
// HDF5's types in the words of hdf5_source.hpp.

#include <string>

#include "files/hdf5_handle.hpp"
#include "files/hdf5_source.hpp"

namespace dsasrgs {

ElementType element_type_of(hid_t type);
/// For messages; `element_type_of` in words where it is not `other`.
std::string describe_stored(hid_t type);
/// The type of numbers in memory.
hid_t memory_type_of(ElementType number);
/// "gzip" or "filter 32000 (lzf)".
std::string describe_filter(H5Z_filter_t id, const char* name);

}  // namespace dsasrgs
