// SPDX-License-Identifier: Apache-2.0
#pragma once
// What this process asks a child that reads a file (dsasrgs/file_reading.hpp), and how its answers are held against
// what was asked: it is not trusted.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "files/input_file.hpp"
#include "files/reading_process.hpp"

namespace dsasrgs {

/// What a child reads with, and what it reads, in words for messages.
struct FileKind {
  std::string library, file;
};

class ReadingDialogue {
 public:
  /// Starts `command` for the file, which stays open. Throws IoError, naming `name`, where it cannot be started or is
  /// no reader of this build.
  ReadingDialogue(const std::vector<std::string>& command, const InputFile& file, const std::string& name,
                  FileKind kind);

  // All that follow throw ReadingRefusal: the child's own, or one that says how the child failed.

  /// Sends a question about `field` (for messages), whose answer has `bytes` bytes or so.
  void ask(std::string_view message, std::string field, std::size_t bytes);
  /// The child may use as much processor time as for another question of so large an answer.
  void allow(std::size_t bytes);
  /// An answer of at most `most` bytes.
  std::string answer(std::size_t most);
  /// Values that fill `to`, in one answer or several.
  void read_values(std::span<std::byte> to);
  [[noreturn]] void fail(const std::string& found) const;

 private:
  /// The head of an answer of at most `most` bytes; a refusal is thrown.
  std::size_t receive_head(std::size_t most);
  void receive(void* to, std::size_t bytes);
  /// The process is gone.
  [[noreturn]] void fail_of_end();

  std::size_t file_bytes_;
  FileKind kind_;
  std::string field_ = "file";
  ReadingProcess process_;
};

}  // namespace dsasrgs
