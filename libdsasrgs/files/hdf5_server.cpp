// SPDX-License-Identifier: Apache-2.0
// The child process that reads one HDF5 file for another process (dsasrgs/hdf5_reading.hpp).
#include <hdf5.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <fstream>
#include <limits>
#include <memory>
#include <vector>

#include "dsasrgs/hdf5_reading.hpp"
#include "files/hdf5_local.hpp"
#include "files/hdf5_messages.hpp"

namespace dsasrgs {

namespace {

/// Rows are sent in pieces of about so many bytes: the child holds one, not a dataset.
constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
constexpr std::size_t kMaxNameBytes = 1 << 16;
/// What the child may need beside twice the file and HDF5's own working memory.
constexpr std::size_t kSpareBytes = std::size_t{192} << 20;

void limit(int resource, rlim_t soft) {
  rlimit now{};
  ::getrlimit(static_cast<__rlimit_resource_t>(resource), &now);
  now.rlim_cur = std::min(soft, now.rlim_max);
  ::setrlimit(static_cast<__rlimit_resource_t>(resource), &now);
}

std::size_t address_space() {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

class Server {
 public:
  Server(std::size_t file_bytes, std::size_t address_space) : file_bytes_(file_bytes), address_space_(address_space) {}

  /// Until the other end closes.
  void serve() {
    Request request;
    while (receive_all(kServedSocket, &request, sizeof request) && can_be_asked(request)) {
      std::string object(request.object_bytes, '\0'), attribute(request.attribute_bytes, '\0');
      if (!receive_all(kServedSocket, object.data(), object.size()) ||
          !receive_all(kServedSocket, attribute.data(), attribute.size()))
        return;
      limit_processor_time(request);
      try {
        answer(request, object, attribute);
      } catch (const Hdf5Refusal& refusal) {
        send(Answer::Kind::refusal, to_message(refusal));
      } catch (const std::exception&) {  // std::bad_alloc, and std::length_error before it
        send(Answer::Kind::refusal,
             to_message({Hdf5Refusal::Kind::out_of_memory, object, "", "more memory than its size can need"}));
      }
    }
  }

 private:
  /// Whether the other process, which is of this build, asks such things: first to open the file, and for no more of an
  /// attribute than a file holds.
  bool can_be_asked(const Request& request) const {
    return request.question <= Question::text && (request.question == Question::open) == (file_ == nullptr) &&
           request.number <= ElementType::other && request.object_bytes <= kMaxNameBytes &&
           request.attribute_bytes <= kMaxNameBytes &&
           (request.question != Question::attribute_values || request.count / sizeof(double) <= file_bytes_);
  }

  /// The other process watches this one. Should it be gone, nothing here goes on for ever.
  void limit_processor_time(const Request& request) const {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    const rlim_t values = std::max<std::uint64_t>(request.count, 1);
    limit(RLIMIT_CPU, static_cast<rlim_t>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + 60 + file_bytes_ / 1'000'000 +
                          (request.question == Question::rows ? std::min<rlim_t>(values, 1'000'000) : 0));
  }

  void limit_memory([[maybe_unused]] std::size_t working_bytes) const {
#ifndef __SANITIZE_ADDRESS__  // whose own memory is in the terabytes
    const std::size_t bound = address_space_ + kSpareBytes + 2 * file_bytes_;
    limit(RLIMIT_AS,
          working_bytes > std::numeric_limits<rlim_t>::max() - bound ? RLIM_INFINITY : bound + working_bytes);
#endif
  }

  void answer(const Request& request, const std::string& object, const std::string& attribute) {
    switch (request.question) {
      case Question::open:
        limit_memory(0);
        // 0 to 4, and one for HDF5, which opens the file for itself: no link leads to another.
        limit(RLIMIT_NOFILE, kServedFile + 2);
        file_ = std::make_unique<LocalHdf5>("/proc/self/fd/" + std::to_string(kServedFile), file_bytes_);
        return send(Answer::Kind::answer, "");
      case Question::has:
        return send(Answer::Kind::answer, file_->has(object) ? "y" : "n");
      case Question::has_attribute:
        return send(Answer::Kind::answer, file_->has_attribute(object, attribute) ? "y" : "n");
      case Question::dataset:
        return send(Answer::Kind::answer, to_message(file_->dataset(object)));
      case Question::attribute:
        return send(Answer::Kind::answer, to_message(file_->attribute(object, attribute)));
      case Question::rows:
        return send_rows(request, object);
      case Question::attribute_values: {
        std::vector<std::byte> values(request.count);
        file_->read_attribute(object, attribute, request.number, values);
        return send(Answer::Kind::answer, {reinterpret_cast<const char*>(values.data()), values.size()});
      }
      case Question::text:
        return send(Answer::Kind::answer, file_->read_string(object, attribute));
    }
  }

  void send_rows(const Request& request, const std::string& dataset) {
    const StoredArray array = file_->dataset(dataset);
    std::size_t row_bytes = bytes_of(request.number);
    for (std::size_t i = 1; i < array.shape.size(); ++i) row_bytes *= array.shape[i];
    if (row_bytes == 0 || request.count == 0) return;
    const std::size_t rows = std::clamp<std::size_t>(kPieceBytes / row_bytes, 1, request.count);
    limit_memory(array.working_bytes + rows * row_bytes);
    std::vector<std::byte> values(rows * row_bytes);
    for (std::size_t done = 0; done < request.count; done += rows) {
      const std::size_t count = std::min<std::size_t>(rows, request.count - done);
      const std::span<std::byte> piece(values.data(), count * row_bytes);
      file_->read_rows(dataset, request.first + done, count, request.number, piece);
      send(Answer::Kind::answer, {reinterpret_cast<const char*>(piece.data()), piece.size()});
    }
  }

  static void send(Answer::Kind kind, std::string_view bytes) {
    const Answer head{kind, 0, bytes.size()};
    // Where the other end is gone, the next question does not come.
    if (send_all(kServedSocket, &head, sizeof head)) send_all(kServedSocket, bytes.data(), bytes.size());
  }

  std::size_t file_bytes_, address_space_;
  std::unique_ptr<LocalHdf5> file_;
};

}  // namespace

int serve_hdf5_reading() {
  struct stat socket {
  }, file{};
  if (::fstat(kServedSocket, &socket) != 0 || !S_ISSOCK(socket.st_mode) || ::fstat(kServedFile, &file) != 0) return 2;
  ::closefrom(kServedFile + 1);  // what the application left open
  limit(RLIMIT_CORE, 1);         // no core: 0 still feeds a program that collects them
  limit(RLIMIT_FSIZE, 0);
  H5dont_atexit();           // on damaged files HDF5 crashes when it ends, too
  H5PLset_loading_state(0);  // no code that a file asks for
  if (!send_all(kServedSocket, kGreeting.data(), kGreeting.size())) return 2;
  Server(static_cast<std::size_t>(file.st_size), address_space()).serve();
  ::_exit(0);  // with the file open: closing a damaged one crashes as well
}

}  // namespace dsasrgs
