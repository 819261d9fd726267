// SPDX-License-Identifier: Apache-2.0
#include "import/dicom_run.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <string>
#include <string_view>

#include "common/host_vector.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/file_reading.hpp"
#include "files/input_file.hpp"
#include "import/dicom_local.hpp"
#include "import/dicom_parts.hpp"
#include "import/dicom_pixels.hpp"
#include "import/dicom_remote.hpp"
#include "import/dicom_stack.hpp"
#include "import/dicom_tags.hpp"

namespace dsasrgs {

namespace {

/// What is given by hand for this file alone counts before what is given for all.
template <class T>
void override_with(std::optional<T>& all, const std::optional<T>& one) {
  if (one) all = one;
}
template <class T>
void override_with(T& all, const T& one) {
  if (one != T{}) all = one;
}

DicomTags tags_of(const std::filesystem::path& path, const DicomImportOptions& options) {
  DicomTags tags = options.tags;
  const auto own = options.tags_of.find(path.filename().string());
  if (own == options.tags_of.end()) return tags;
  const DicomTags& t = own->second;
  std::apply([&](auto... field) { (override_with(tags.*field, t.*field), ...); }, kDicomTagFields);
  return tags;
}

/// Projections are of X-rays from one side; of a few others it is not known that they are not.
void check_modality(const DicomDataset& file, DicomRun& run) {
  constexpr std::array<std::string_view, 7> kNoProjections{"CT", "MR", "PT", "NM", "US", "IVUS", "SEG"};
  const std::string modality = file.text(file.root(), DCM_Modality);
  if (std::find(kNoProjections.begin(), kNoProjections.end(), modality) != kNoProjections.end())
    file.refuse(DCM_Modality, "X-ray projections, XA or RF", modality);
  if (!modality.empty() && modality != "XA" && modality != "RF")
    run.warnings.push_back(run.name + ": " + tag_name(DCM_Modality) + " is " + modality +
                           ": expected X-ray angiography, XA or RF");
}

void read_run(const std::filesystem::path& path, const DicomQuestion& question, const std::stop_token& stop,
              const DicomSink& sink, DicomRun& run) {
  const DicomDataset file(path, question.name);
  const DicomTags& tags = question.tags;
  run.name = file.name();
  run.bin = question.bin;
  check_modality(file, run);
  const std::unique_ptr<DicomFrames> frames = read_pixel_header(file, run);
  if (run.width() < 1 || run.height() < 1)
    throw BadInput(run.name, "options.bin", "at most the image's sides", std::to_string(run.bin));
  run.uid = file.text(file.root(), DCM_SOPInstanceUID);
  read_geometry(file, tags, run);
  read_times(file, tags, run);
  read_masks(file, tags, run);
  read_shutters(file, run);
  sink.begin(run);
  read_pixels(file, *frames, tags, stop, sink.add, run);
  hide_behind_bitmap(file, run);
  if (file.text(file.root(), DCM_BurnedInAnnotation) == "YES")
    run.warnings.push_back(run.name + ": " + tag_name(DCM_BurnedInAnnotation) +
                           " is YES: text that never changes does not count, other text does");
}

}  // namespace

bool is_dicom_file(const std::filesystem::path& path) {
  constexpr std::size_t kPreamble = 128, kMark = 4;
  std::array<char, kPreamble + kMark> start{};
  std::ifstream file(path, std::ios::binary);
  file.read(start.data(), start.size());
  return file.good() && std::string_view(start.data() + kPreamble, kMark) == "DICM";
}

void read_dicom_run_here(const std::filesystem::path& path, const DicomQuestion& question, const std::stop_token& stop,
                         const DicomSink& sink, DicomRun& run) {
  read_on_deep_stack(path, question.name, [&] { read_run(path, question, stop, sink, run); });
}

DicomRun read_dicom_run(const std::filesystem::path& path, const DicomImportOptions& options) {
  const InputFile file(path);
  if (!is_dicom_file(path))
    throw BadInput(path.string(), "file", "\"DICM\" after 128 bytes (dcmconv makes such files of data sets alone)",
                   "something else");
  const DicomQuestion question{path.string(), options.bin, tags_of(path, options)};
  if (const std::vector<std::string> command = file_reading_command(); !command.empty())
    return read_dicom_run_through(command, file, question, options.stop);
  DicomRun run;
  std::vector<float> values;
  const DicomSink sink{[&](const DicomRun& begun) {
                         const std::size_t all = begun.frames.size() * begun.num_pixels();
                         with_host_memory(all * sizeof(float), [&] { values.reserve(all); });
                       },
                       [&](std::span<const float> frame) { values.insert(values.end(), frame.begin(), frame.end()); }};
  read_dicom_run_here(path, question, options.stop, sink, run);
  run.values = std::move(values);
  return run;
}

}  // namespace dsasrgs
