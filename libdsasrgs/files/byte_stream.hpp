// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// Plain or gzip-compressed files as a stream of bytes; a name that ends in ".gz" is compressed.

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "files/atomic_file.hpp"

namespace dsasrgs {

/// Deflate cannot do better (a match of 258 bytes takes two bits).
inline constexpr std::size_t kMaxDeflateRatio = 1032;

/// Reads from start to end. Throws IoError when the system refuses, BadInput where a .gz file is not gzip or is
/// damaged.
class ByteReader {
 public:
  explicit ByteReader(const std::filesystem::path&);
  ~ByteReader();
  ByteReader(const ByteReader&) = delete;
  ByteReader& operator=(const ByteReader&) = delete;

  /// The path as text, as it stands in messages.
  const std::string& name() const { return name_; }
  bool is_compressed() const { return compressed_ != nullptr; }
  /// No more bytes than this can come.
  std::size_t max_size() const { return max_size_; }
  /// Fills up to `bytes` bytes; returns how many, fewer only at the end of the file.
  std::size_t read(void* destination, std::size_t bytes);
  /// Reads and forgets up to `bytes` bytes.
  void skip(std::size_t bytes);

 private:
  std::size_t read_compressed(char* destination, std::size_t bytes);

  std::string name_;
  std::size_t max_size_ = 0;
  std::ifstream plain_;
  void* compressed_ = nullptr;  // gzFile; null: plain
};

/// Writes from start to end; the file appears with commit(). Throws IoError when the system refuses.
class ByteWriter {
 public:
  explicit ByteWriter(const std::filesystem::path&);
  ~ByteWriter();
  ByteWriter(const ByteWriter&) = delete;
  ByteWriter& operator=(const ByteWriter&) = delete;

  void write(const void* data, std::size_t bytes);
  void commit();

 private:
  struct Deflater;
  AtomicFile target_;
  std::unique_ptr<Deflater> deflater_;  // null: plain
};

}  // namespace dsasrgs
