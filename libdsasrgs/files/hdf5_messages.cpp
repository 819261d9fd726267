// SPDX-License-Identifier: Apache-2.0
#include "files/hdf5_messages.hpp"

namespace dsasrgs {

namespace {

constexpr std::size_t kMaxRank = 32;  // HDF5's own

template <class Archive>
void fields(Archive& archive, StoredArray& a) {
  archive.choice(a.type, ElementType::other);
  archive(a.type_in_words, a.element_bytes, a.empty_dataspace, a.working_bytes, a.shape);
}

}  // namespace

std::string to_message(const StoredArray& a) {
  MessageWriter writer;
  fields(writer, const_cast<StoredArray&>(a));
  return std::move(writer.bytes);
}

bool from_message(std::string_view message, StoredArray& a) {
  MessageReader reader(message);
  fields(reader, a);
  return reader.complete() && a.shape.size() <= kMaxRank;
}

}  // namespace dsasrgs
