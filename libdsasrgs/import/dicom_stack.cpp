// SPDX-License-Identifier: Apache-2.0
#include "import/dicom_stack.hpp"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "files/byte_stream.hpp"

namespace dsasrgs {

namespace {

/// No file nests deeper than it has items; each begins with the tag (FFFE,E000), in either byte order.
std::size_t count_items(const std::filesystem::path& path) {
  constexpr std::size_t kPart = std::size_t{1} << 20, kTag = 4;
  constexpr std::array<std::uint8_t, kTag> kLittle{0xfe, 0xff, 0x00, 0xe0}, kBig{0xff, 0xfe, 0xe0, 0x00};
  ByteReader file(path);
  std::vector<std::uint8_t> bytes = host_vector<std::uint8_t>(kPart + kTag);
  std::size_t kept = 0, items = 0;
  while (const std::size_t more = file.read(bytes.data() + kept, kPart)) {
    const auto end = bytes.begin() + static_cast<std::ptrdiff_t>(kept + more);
    for (const auto& tag : {kLittle, kBig})
      for (auto at = bytes.begin(); (at = std::search(at, end, tag.begin(), tag.end())) != end; ++at) ++items;
    kept = std::min(kTag - 1, kept + more);  // a tag may lie across parts
    std::copy(end - static_cast<std::ptrdiff_t>(kept), end, bytes.begin());
  }
  return items;
}

struct Job {
  const std::function<void()>* read;
  std::exception_ptr error;
};

void* run(void* data) {
  auto* const job = static_cast<Job*>(data);
  try {
    (*job->read)();
  } catch (...) {
    job->error = std::current_exception();
  }
  return nullptr;
}

}  // namespace

void read_on_deep_stack(const std::filesystem::path& path, const std::string& name, const std::function<void()>& read) {
  constexpr std::size_t kMostItems = 65536, kBytesOfItem = 4096, kBytesElse = std::size_t{8} << 20;  // DCMTK takes 2 kB
  const std::size_t items = count_items(path);
  if (items > kMostItems)
    throw BadInput(name, "file", "at most " + std::to_string(kMostItems) + " items and fragments",
                   std::to_string(items));
  const std::size_t stack = kBytesElse + items * kBytesOfItem;
  Job job{&read, nullptr};
  pthread_attr_t attributes;
  pthread_t thread{};
  if (pthread_attr_init(&attributes) != 0) throw_out_of_host_memory();
  const bool begun =
      pthread_attr_setstacksize(&attributes, stack) == 0 && pthread_create(&thread, &attributes, &run, &job) == 0;
  pthread_attr_destroy(&attributes);
  if (!begun) throw_out_of_host_memory(stack, 1);
  pthread_join(thread, nullptr);
  if (job.error) std::rethrow_exception(job.error);
}

}  // namespace dsasrgs
