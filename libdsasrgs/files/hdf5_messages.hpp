// SPDX-License-Identifier: Apache-2.0
#pragma once
// What RemoteHdf5 and the child that reads for it send each other: bytes of one machine and one build, so plain
// structs. The child is not trusted: whoever made the file may have made its answers too.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "files/hdf5_source.hpp"

namespace dsasrgs {

/// The child's descriptors.
inline constexpr int kServedSocket = 3, kServedFile = 4;
/// A child's first bytes: another build of the library would send others.
inline constexpr std::string_view kGreeting = "dsasrgs reads HDF5, 1\n";

enum class Question : std::uint32_t { open, has, has_attribute, dataset, attribute, rows, attribute_values, text };

/// Followed by the names.
struct Request {
  Question question = Question::open;
  ElementType number = ElementType::other;
  std::uint32_t object_bytes = 0, attribute_bytes = 0;
  std::uint64_t first = 0, count = 0;
};

/// Followed by `bytes` bytes. Rows come as several answers.
struct Answer {
  enum class Kind : std::uint32_t { answer, refusal };
  Kind kind = Kind::answer;
  std::uint32_t padding = 0;
  std::uint64_t bytes = 0;
};
inline constexpr std::size_t kMaxFactsBytes = 1 << 16;  ///< of an answer that is no values: refusals, arrays
inline constexpr std::size_t kMaxTextBytes = 4096;      ///< of a part of a refusal

std::string to_message(const StoredArray&);
std::string to_message(const Hdf5Refusal&);
/// Return whether `message` is one.
bool from_message(std::string_view message, StoredArray&);
bool from_message(std::string_view message, Hdf5Refusal&);

/// All bytes or false (the other end is gone). Interrupted by no signal.
bool send_all(int socket, const void* data, std::size_t bytes);
bool receive_all(int socket, void* data, std::size_t bytes);

}  // namespace dsasrgs
