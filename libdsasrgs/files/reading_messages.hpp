// SPDX-License-Identifier: Apache-2.0
#pragma once
// What this process and the child that reads a file for it send each other: bytes of one machine and one build, so
// plain structs. The child is not trusted: whoever made the file may have made its answers too.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "dsasrgs/math.hpp"

namespace dsasrgs {

/// The child's descriptors.
inline constexpr int kServedSocket = 3, kServedFile = 4;
/// A child's first bytes: another build of the library would send others.
inline constexpr std::string_view kGreeting = "dsasrgs reads files, 1\n";

/// Followed by `bytes` bytes. Values come as several answers.
struct Answer {
  enum class Kind : std::uint32_t { answer, refusal };
  Kind kind = Kind::answer;
  std::uint32_t padding = 0;
  std::uint64_t bytes = 0;
};
inline constexpr std::size_t kMaxFactsBytes = 1 << 16;  ///< of an answer that is no values: refusals, arrays
inline constexpr std::size_t kMaxTextBytes = 4096;      ///< of a text in a message

/// What is wrong with a file: BadInput(file, field, expected, found), or what the system refused (`found` alone).
struct ReadingRefusal {
  enum class Kind : std::uint32_t { bad_input, out_of_memory, io };
  Kind kind = Kind::bad_input;
  std::string field, expected, found;
};
/// As the library's error about `file`.
[[noreturn]] void throw_refusal(const std::string& file, const ReadingRefusal&);

/// Puts a message together. What fields a struct has says its `fields(archive, value)`, for this and for the reader.
class MessageWriter {
 public:
  std::string bytes;

  template <class... Values>
  void operator()(const Values&... values) {
    (put(values), ...);
  }
  /// One of an enum's values up to `last`.
  template <class Enum>
  void choice(const Enum& value, Enum /*last*/) {
    put(static_cast<std::uint64_t>(value));
  }

 private:
  void append(const void* data, std::size_t size) { bytes.append(static_cast<const char*>(data), size); }
  void put(bool value) { bytes.push_back(value ? 1 : 0); }
  void put(const std::string& text) {
    const std::size_t size = std::min(text.size(), kMaxTextBytes);
    put(size);
    append(text.data(), size);
  }
  void put(const Vec2d& v) { (*this)(v.x, v.y); }
  void put(const Vec3d& v) { (*this)(v.x, v.y, v.z); }
  template <class A, class B>
  void put(const std::pair<A, B>& pair) {
    (*this)(pair.first, pair.second);
  }
  template <class T, std::size_t N>
  void put(const std::array<T, N>& all) {
    for (const T& one : all) put(one);
  }
  template <class T>
  void put(const std::optional<T>& value) {
    put(value.has_value());
    if (value) put(*value);
  }
  template <class T>
  void put(const std::vector<T>& all) {
    put(all.size());
    if constexpr (std::is_arithmetic_v<T>) {
      append(all.data(), all.size() * sizeof(T));
    } else {
      for (const T& one : all) put(one);
    }
  }
  template <class T>
  void put(const T& value) {
    if constexpr (std::is_arithmetic_v<T>)
      append(&value, sizeof value);
    else
      fields(*this, const_cast<T&>(value));  // one list of fields serves the reader too, which fills them
  }
};

/// Takes a message apart; after a part that is not there, none is.
class MessageReader {
 public:
  explicit MessageReader(std::string_view message) : left_(message) {}

  template <class... Values>
  void operator()(Values&... values) {
    (get(values), ...);
  }
  template <class Enum>
  void choice(Enum& value, Enum last) {
    std::uint64_t number = 0;
    get(number);
    require(number <= static_cast<std::uint64_t>(last));
    if (whole_) value = static_cast<Enum>(number);
  }
  void require(bool ok) { whole_ = whole_ && ok; }
  /// Whether all parts were there, and nothing else.
  bool complete() const { return whole_ && left_.empty(); }

 private:
  void take(void* to, std::size_t size) {
    require(left_.size() >= size);
    if (!whole_ || size == 0) return;
    std::memcpy(to, left_.data(), size);
    left_.remove_prefix(size);
  }
  void get(bool& value) {
    std::uint8_t byte = 0;
    take(&byte, 1);
    require(byte <= 1);
    value = byte == 1;
  }
  void get(std::string& text) {
    std::size_t size = 0;
    get(size);
    require(size <= kMaxTextBytes && size <= left_.size());
    text.resize(whole_ ? size : 0);
    take(text.data(), text.size());
  }
  void get(Vec2d& v) { (*this)(v.x, v.y); }
  void get(Vec3d& v) { (*this)(v.x, v.y, v.z); }
  template <class A, class B>
  void get(std::pair<A, B>& pair) {
    (*this)(pair.first, pair.second);
  }
  template <class T, std::size_t N>
  void get(std::array<T, N>& all) {
    for (T& one : all) get(one);
  }
  template <class T>
  void get(std::optional<T>& value) {
    bool there = false;
    get(there);
    value.reset();
    if (whole_ && there) get(value.emplace());
  }
  template <class T>
  void get(std::vector<T>& all) {
    std::size_t size = 0;
    get(size);
    all.clear();
    if constexpr (std::is_arithmetic_v<T>) {
      require(size <= left_.size() / sizeof(T));
      all.resize(whole_ ? size : 0);
      take(all.data(), all.size() * sizeof(T));
    } else {
      for (; whole_ && all.size() < size;) get(all.emplace_back());  // each takes bytes of the message
    }
  }
  template <class T>
  void get(T& value) {
    if constexpr (std::is_arithmetic_v<T>)
      take(&value, sizeof value);
    else
      fields(*this, value);
  }

  std::string_view left_;
  bool whole_ = true;
};

std::string to_message(const ReadingRefusal&);
/// Returns whether `message` is one.
bool from_message(std::string_view message, ReadingRefusal&);

/// All bytes or false (the other end is gone). Interrupted by no signal.
bool send_all(int socket, const void* data, std::size_t bytes);
bool receive_all(int socket, void* data, std::size_t bytes);

}  // namespace dsasrgs
