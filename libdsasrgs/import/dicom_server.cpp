// SPDX-License-Identifier: Apache-2.0
// The child process that reads one DICOM file for another process.
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>
#include <malloc.h>

#include <algorithm>

#include "import/dicom_local.hpp"
#include "import/file_servers.hpp"

namespace dsasrgs {

void serve_dicom(const ServedFile& served, std::string_view message) {
  DicomQuestion question;
  MessageReader reader(message);
  reader(question);
  if (!reader.complete()) return;
  // While other files can still be opened: names of tags.
  static_cast<void>(dcmDataDict.rdlock().isDictionaryLoaded());
  dcmDataDict.rdunlock();
  ::mallopt(M_ARENA_MAX, 1);  // the reading thread's own arena would take address space
  // Twice the encoded file, DCMTK's objects of the part that is no pixels, and the stack of the reading thread.
  constexpr std::size_t kMegabyte = std::size_t{1} << 20, kMostDescribed = 16 * kMegabyte, kObjectsOfByte = 32,
                        kMostStack = 300 * kMegabyte;
  const std::size_t described = 4 * served.bytes + kObjectsOfByte * std::min(served.bytes, kMostDescribed) + kMostStack;
  limit_memory(described);
  limit_descriptors(2);  // DCMTK opens the file for itself, and again for large values
  limit_processor_time(served.bytes / kMegabyte);
  answer_or_refuse(question.name, "file", [&] {
    DicomRun run;
    const DicomSink sink{
        [&](const DicomRun& begun) {
          // An image as DCMTK decodes it, as indices, as values; and what frames say of themselves.
          constexpr std::size_t kBytesOfPixel = 64, kBytesOfFrame = 4096;
          const std::size_t pixels = static_cast<std::size_t>(begun.rows) * static_cast<std::size_t>(begun.columns);
          limit_memory(described + pixels * kBytesOfPixel + begun.frames.size() * kBytesOfFrame);
          limit_processor_time(served.bytes / kMegabyte + begun.frames.size() * pixels / kMegabyte);
          MessageWriter head;
          head(begun.rows, begun.columns, static_cast<int>(begun.frames.size()));
          send_answer(head.bytes);
        },
        [](std::span<const float> frame) { send_answer(Answer::Kind::answer, frame.data(), frame.size_bytes()); }};
    read_dicom_run_here(served.path, question, {}, sink, run);
    MessageWriter facts;
    facts(run);
    send_answer(facts.bytes);
  });
}

}  // namespace dsasrgs
