// SPDX-License-Identifier: Apache-2.0
#pragma once
// What all fuzz targets share (docs/testing.md). A target defines LLVMFuzzerTestOneInput, which reads one input as a
// file would be read; libFuzzer calls it, or replay.cpp with the files of a corpus.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace dsasrgs::fuzz {

/// A folder of this process in TMPDIR, empty at first, that goes when the process ends as it should.
const std::filesystem::path& folder();
/// Writes a file into it; the same name is overwritten.
std::filesystem::path file_of(const std::string& name, std::string_view bytes);

/// Runs f, which reads the input. BadInput, OutOfMemory and IoError with a message of one line that is not endless are
/// what a file from outside may lead to. Every other exception, and more than 2 s of processor time, ends the process.
void read(const std::function<void()>& f);

/// Ends the process unless `ok`: f read something that no file may lead to.
void require(bool ok, const char* what);

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace dsasrgs::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
