// SPDX-License-Identifier: Apache-2.0
#pragma once
// What an HDF5 file holds, without HDF5: the input of targets whose LocalHdf5 (bundle_source.cpp) answers from it. So
// the readers of the formats see arrays of any name, type, extents and values that HDF5 could give them, thousands a
// second, and no input is lost to HDF5's checksums or its own crashes.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "files/hdf5_source.hpp"

namespace dsasrgs::fuzz {

struct BundleItem {
  enum class Kind : std::uint8_t { dataset, attribute, group, refusal, null_dataset, null_attribute };
  Kind kind = Kind::dataset;
  ElementType type = ElementType::float32;
  std::string object, attribute;
  std::vector<std::uint32_t> extents;
  std::string bytes;  ///< of the elements as they are in memory; too few are repeated
};

/// Any bytes are a bundle.
std::vector<BundleItem> parse_bundle(std::string_view bytes);
std::string to_bytes(const std::vector<BundleItem>&);

/// Files are read from this bundle until the next call.
void serve(std::vector<BundleItem>);
/// What a child would have sent since serve(): the messages of hdf5_messages.hpp.
const std::string& answers_so_far();

/// A file that passes for an HDF5 file until HDF5 is asked.
const std::filesystem::path& hdf5_file();

/// Serves the bundle and runs `f`, which reads hdf5_file(), as read() in harness.hpp does.
void read_bundle(const std::uint8_t* data, std::size_t size, const std::function<void()>& f);

}  // namespace dsasrgs::fuzz
