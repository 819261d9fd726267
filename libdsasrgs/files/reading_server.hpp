// SPDX-License-Identifier: Apache-2.0
#pragma once
// The part of a child process that reads one file for another process (dsasrgs/file_reading.hpp): what children of all
// kinds of file do.

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "files/hdf5_messages.hpp"

namespace dsasrgs {

/// The served file as it can be opened, and its size.
struct ServedFile {
  std::string path;
  std::size_t bytes = 0;
};

/// Takes from this process what reading needs not, and greets. False where no reader is at the other end.
bool begin_serving(ServedFile&);

/// Of the address space: what the process had at first, some room, and `bytes`. No limit where that is beyond numbers,
/// nor under AddressSanitizer.
void limit_memory(std::size_t bytes);
/// Of descriptors: the child's own, and `more`.
void limit_descriptors(int more);
/// The other process watches this one. Should it be gone, nothing here goes on for ever: a minute, and `seconds`, from
/// now on.
void limit_processor_time(std::size_t seconds);

/// Where the other end is gone, the next question does not come.
void send_answer(Answer::Kind, const void* bytes, std::size_t size);
inline void send_answer(std::string_view bytes) { send_answer(Answer::Kind::answer, bytes.data(), bytes.size()); }
void send_refusal(const ReadingRefusal&);

/// Runs `answer`, which is about `field` of a file that messages call `name`; what it throws becomes a refusal.
void answer_or_refuse(const std::string& name, const std::string& field, const std::function<void()>& answer);

/// Answers about an HDF5 file from this first question on until the other end closes.
void serve_hdf5(const ServedFile&, Request);

}  // namespace dsasrgs
