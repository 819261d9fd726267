// SPDX-License-Identifier: Apache-2.0
// ASTRA: vectors of cone_vec and an array of projections.

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "common/checks.hpp"
#include "common/host_vector.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "files/file_suffix.hpp"
#include "files/text_lines.hpp"
#include "import/imported_case.hpp"
#include "import/npy_file.hpp"
#include "import/projection_stack.hpp"

namespace dsasrgs {

namespace {

constexpr std::size_t kVectorNumbers = 12, kMostVectors = 1 << 20;

/// Lines of 12 numbers between blanks, commas, semicolons or tabs, as numpy.savetxt writes them; # begins a comment.
std::vector<double> read_vector_text(const std::filesystem::path& path) {
  require_regular_file(path);
  TextLines lines(path);
  std::vector<double> numbers;
  for (std::string text; lines.next(text);) {
    text.resize(std::min(text.find('#'), text.size()));
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c == ',' || c == ';'; }, ' ');
    const std::vector<std::string_view> words = words_of(text);
    if (words.empty()) continue;
    if (words.size() != kVectorNumbers) lines.refuse("vector", "12 numbers", std::to_string(words.size()));
    if (numbers.size() / kVectorNumbers >= kMostVectors) lines.refuse("vectors", "at most 1048576", "more");
    for (const std::string_view word : words) numbers.push_back(lines.number("vector", word));
  }
  return numbers;
}

std::vector<double> read_vectors(const std::filesystem::path& path) {
  if (!has_suffix(path, ".npy")) return read_vector_text(path);
  NumberArray<double> array = read_npy<double>(path);
  if (array.shape.size() != 2 || array.shape[1] != kVectorNumbers || array.shape[0] > kMostVectors)
    throw BadInput(path.string(), "shape", "rows of 12 numbers", shape_text(array.shape));
  return std::move(array.values);
}

/// The pitch along an axis, the same in every view.
void take_pitch(const std::string& name, std::size_t view, const char* axis, Vec3d step, double& pitch) {
  constexpr double kRounding = 1e-5;
  const double found = length(step);
  if (pitch == 0) pitch = found;
  if (!(found > 0) || !(std::abs(found - pitch) <= kRounding * pitch))
    throw BadInput(name, "vector " + std::to_string(view) + ": " + axis,
                   "a step of a pixel as long as in the first view, " + std::to_string(pitch), std::to_string(found));
}

}  // namespace

ImportedCase import_astra(const std::filesystem::path& vectors, const std::filesystem::path& projections,
                          const AstraImportOptions& options) try {
  const double mm = options.unit_mm;
  require_field(is_length(mm), "unit_mm", "1e-6 to 1e9 mm", mm);
  return with_host_memory([&] {
    ImportedCase imported;
    Acquisition& a = imported.acquisition;
    a.name = vectors.string();
    const std::vector<double> numbers = read_vectors(vectors);
    if (numbers.empty()) throw BadInput(a.name, "vectors", "at least one line of 12 numbers", "none");
    double pitch_u = 0, pitch_v = 0;
    for (std::size_t v = 0; v < numbers.size() / kVectorNumbers; ++v) {
      const double* row = numbers.data() + v * kVectorNumbers;
      const auto part = [&](std::size_t i) { return Vec3d{row[3 * i], row[3 * i + 1], row[3 * i + 2]}; };
      const Vec3d u = part(2), w = part(3);
      take_pitch(a.name, v, "u", u, pitch_u);
      take_pitch(a.name, v, "v", w, pitch_v);
      a.poses.push_back({part(0) * mm, part(1) * mm, normalized(u), normalized(w), 0});
    }
    a.detector.pitch_u_mm = pitch_u * mm;
    a.detector.pitch_v_mm = pitch_v * mm;
    read_projection_stack(projections, options.views_first, a);
    FileSays says;
    says.names = {"the vectors", "numbers 0 to 2 of the vectors", "numbers 3 to 5 of the vectors",
                  "the lengths of numbers 6 to 8 and 9 to 11 of the vectors", ""};
    finish_import(imported, options, says);
    return imported;
  });
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
