// SPDX-License-Identifier: Apache-2.0
// The child process that reads one file for another process (dsasrgs/file_reading.hpp).
#include <unistd.h>

#include <string>

#include "dsasrgs/file_reading.hpp"
#include "import/file_servers.hpp"

namespace dsasrgs {

int serve_file_reading() {
  ServedFile served;
  Request request;
  if (!begin_serving(served)) return 2;
  if (receive_all(kServedSocket, &request, sizeof request)) {
    const auto whole_file = [&](void (*serve)(const ServedFile&, std::string_view)) {
      if (request.object_bytes > kMaxFactsBytes) return;
      std::string message(request.object_bytes, '\0');
      if (receive_all(kServedSocket, message.data(), message.size())) serve(served, message);
    };
    if (request.question == Question::dicom)
      whole_file(serve_dicom);
    else if (request.question == Question::tiff)
      whole_file(serve_tiff);
    else
      serve_hdf5(served, request);
  }
  ::_exit(0);  // with the file open: closing a damaged one may crash as well
}

}  // namespace dsasrgs
