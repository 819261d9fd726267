// SPDX-License-Identifier: Apache-2.0
// The child process that reads one HDF5 file for another process (dsasrgs/file_reading.hpp).
#include <hdf5.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <vector>

#include "files/hdf5_local.hpp"
#include "files/reading_server.hpp"

namespace dsasrgs {

namespace {

/// Rows are sent in pieces of about so many bytes: the child holds one, not a dataset.
constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
constexpr std::size_t kMaxNameBytes = 1 << 16;

class Server {
 public:
  explicit Server(const ServedFile& served) : served_(served) {}

  /// Until the other end closes.
  void serve(Request request) {
    do {
      if (!can_be_asked(request)) return;
      std::string object(request.object_bytes, '\0'), attribute(request.attribute_bytes, '\0');
      if (!receive_all(kServedSocket, object.data(), object.size()) ||
          !receive_all(kServedSocket, attribute.data(), attribute.size()))
        return;
      limit_processor_time(served_.bytes / 1'000'000 + (request.question == Question::rows
                                                            ? std::clamp<std::uint64_t>(request.count, 1, 1'000'000)
                                                            : 0));
      answer_or_refuse("", object, [&] { answer(request, object, attribute); });
    } while (receive_all(kServedSocket, &request, sizeof request));
  }

 private:
  /// Whether the other process, which is of this build, asks such things: first to open the file, and for no more of an
  /// attribute than a file holds.
  bool can_be_asked(const Request& request) const {
    return request.question <= Question::text && (request.question == Question::open) == (file_ == nullptr) &&
           request.number <= ElementType::other && request.object_bytes <= kMaxNameBytes &&
           request.attribute_bytes <= kMaxNameBytes &&
           (request.question != Question::attribute_values || request.count / sizeof(double) <= served_.bytes);
  }

  /// `working_bytes`: of HDF5, beside twice the file.
  void limit_working_memory(std::size_t working_bytes) const {
    const std::size_t twice = 2 * served_.bytes;
    limit_memory(working_bytes > std::numeric_limits<std::size_t>::max() - twice ? working_bytes
                                                                                 : twice + working_bytes);
  }

  void answer(const Request& request, const std::string& object, const std::string& attribute) {
    switch (request.question) {
      case Question::open:
        limit_working_memory(0);
        // 0 to 4, and one for HDF5, which opens the file for itself: no link leads to another.
        limit_descriptors(1);
        file_ = std::make_unique<LocalHdf5>(served_.path, served_.bytes);
        return send_answer("");
      case Question::has:
        return send_answer(file_->has(object) ? "y" : "n");
      case Question::has_attribute:
        return send_answer(file_->has_attribute(object, attribute) ? "y" : "n");
      case Question::dataset:
        return send_answer(to_message(file_->dataset(object)));
      case Question::attribute:
        return send_answer(to_message(file_->attribute(object, attribute)));
      case Question::rows:
        return send_rows(request, object);
      case Question::attribute_values: {
        std::vector<std::byte> values(request.count);
        file_->read_attribute(object, attribute, request.number, values);
        return send_answer(Answer::Kind::answer, values.data(), values.size());
      }
      case Question::text:
        return send_answer(file_->read_string(object, attribute));
      case Question::dicom:
      case Question::tiff:
        return;  // no question about this file
    }
  }

  void send_rows(const Request& request, const std::string& dataset) {
    const StoredArray array = file_->dataset(dataset);
    std::size_t row_bytes = bytes_of(request.number);
    for (std::size_t i = 1; i < array.shape.size(); ++i) row_bytes *= array.shape[i];
    if (row_bytes == 0 || request.count == 0) return;
    const std::size_t rows = std::clamp<std::size_t>(kPieceBytes / row_bytes, 1, request.count);
    limit_working_memory(array.working_bytes + rows * row_bytes);
    std::vector<std::byte> values(rows * row_bytes);
    for (std::size_t done = 0; done < request.count; done += rows) {
      const std::size_t count = std::min<std::size_t>(rows, request.count - done);
      const std::span<std::byte> piece(values.data(), count * row_bytes);
      file_->read_rows(dataset, request.first + done, count, request.number, piece);
      send_answer(Answer::Kind::answer, piece.data(), piece.size());
    }
  }

  ServedFile served_;
  std::unique_ptr<LocalHdf5> file_;
};

}  // namespace

void serve_hdf5(const ServedFile& served, Request request) {
  H5dont_atexit();           // on damaged files HDF5 crashes when it ends, too
  H5PLset_loading_state(0);  // no code that a file asks for
  Server(served).serve(request);
}

}  // namespace dsasrgs
