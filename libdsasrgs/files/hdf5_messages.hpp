// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a child is asked to read, and what RemoteHdf5 and it say of HDF5 files.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "files/hdf5_source.hpp"
#include "files/reading_messages.hpp"

namespace dsasrgs {

/// The first is to open an HDF5 file, or to read another file as a whole.
enum class Question : std::uint32_t {
  open,
  has,
  has_attribute,
  dataset,
  attribute,
  rows,
  attribute_values,
  text,
  dicom,
  tiff
};

/// Followed by the names, or, of a whole file, by a message of `object_bytes`.
struct Request {
  Question question = Question::open;
  ElementType number = ElementType::other;
  std::uint32_t object_bytes = 0, attribute_bytes = 0;
  std::uint64_t first = 0, count = 0;
};

std::string to_message(const StoredArray&);
/// Returns whether `message` is one.
bool from_message(std::string_view message, StoredArray&);

}  // namespace dsasrgs
