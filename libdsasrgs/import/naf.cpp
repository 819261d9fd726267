// SPDX-License-Identifier: Apache-2.0
// NAF's pickles.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "import/circular_scan.hpp"
#include "import/element_sizes.hpp"
#include "import/pickle_file.hpp"

namespace dsasrgs {

namespace {

constexpr double kMillimetresInMetre = 1000;

/// The entries as element_sizes asks for them.
struct NafFields {
  const PickleFile& file;
  bool has(const std::string& name) const { return file.has(file.root(), name); }
  std::vector<double> numbers(const std::string& name, std::size_t count) const {
    std::vector<double> found = file.numbers<double>(file.at(file.root(), name), name).values;
    if (found.size() != count) refuse(name, std::to_string(count) + " numbers", std::to_string(found.size()));
    return found;
  }
  [[noreturn]] void refuse(const std::string& name, const std::string& expected, const std::string& found) const {
    throw BadInput(file.file(), name, expected, found);
  }
};

template <std::size_t n>
std::array<double, n> naf_numbers(const PickleFile& file, const std::string& name) {
  std::array<double, n> numbers{};
  std::ranges::copy(NafFields{file}.numbers(name, n), numbers.begin());
  return numbers;
}

template <std::size_t n>
std::array<int, n> naf_sides(const PickleFile& file, const std::string& name) {
  constexpr double kMostNafSide = 1 << 20;
  const std::array<double, n> found = naf_numbers<n>(file, name);
  std::array<int, n> sides{};
  for (std::size_t i = 0; i < n; ++i) {
    if (!(found[i] >= 1 && found[i] <= kMostNafSide) || found[i] != static_cast<int>(found[i]))
      throw BadInput(file.file(), name, "whole numbers of 1 to 1048576", std::to_string(found[i]));
    sides[i] = static_cast<int>(found[i]);
  }
  return sides;
}

void add_naf_views(const PickleFile& file, const std::string& name, bool is_test, CircularScan& scan) {
  const PickleFile::Value views = file.at(file.root(), name);
  const std::string angles_name = name + ".angles", images_name = name + ".projections";
  const NumberArray<double> angles = file.numbers<double>(file.at(views, "angles"), angles_name);
  const NumberArray<float> images = file.numbers<float>(file.at(views, "projections"), images_name);
  const std::size_t count = angles.values.size();
  auto rows = static_cast<std::size_t>(scan.detector_size[0]),
       columns = static_cast<std::size_t>(scan.detector_size[1]);
  // NAF's generator gives nDetector to TIGRE as (rows, columns), its loader reads (columns, rows): the images decide.
  if (scan.angle_rad.empty() && rows != columns && images.shape == std::vector<std::size_t>{count, columns, rows}) {
    std::swap(rows, columns);
    std::swap(scan.detector_size[0], scan.detector_size[1]);
    std::swap(scan.detector_pitch[0], scan.detector_pitch[1]);
  }
  if (images.shape != std::vector<std::size_t>{count, rows, columns})
    throw BadInput(file.file(), images_name,
                   shape_text({count, rows, columns}) + " numbers: angles, and nDetector's rows and columns",
                   shape_text(images.shape));
  scan.angle_rad.insert(scan.angle_rad.end(), angles.values.begin(), angles.values.end());
  scan.is_test.insert(scan.is_test.end(), count, is_test);
  scan.projections.insert(scan.projections.end(), images.values.begin(), images.values.end());
}

CircularScan read_naf_scan(const PickleFile& file) {
  const PickleFile::Value root = file.root();
  const auto number = [&](const std::string& name) { return file.number(file.at(root, name), name); };
  if (file.has(root, "mode"))
    if (const std::string mode = file.text(file.at(root, "mode"), "mode"); mode != "cone")
      throw BadInput(file.file(), "mode", "\"cone\"", '"' + mode + '"');
  CircularScan scan;
  scan.dsd = number("DSD");
  scan.dso = number("DSO");
  scan.detector_size = naf_sides<2>(file, "nDetector");
  std::ranges::copy(element_sizes(NafFields{file}, "dDetector", "sDetector", scan.detector_size, "nDetector"),
                    scan.detector_pitch.begin());
  scan.volume_size = naf_sides<3>(file, "nVoxel");
  std::ranges::copy(element_sizes(NafFields{file}, "dVoxel", "sVoxel", scan.volume_size, "nVoxel"),
                    scan.volume_spacing.begin());
  if (file.has(root, "offOrigin")) scan.volume_center = naf_numbers<3>(file, "offOrigin");
  if (file.has(root, "offDetector")) scan.detector_offset = naf_numbers<2>(file, "offDetector");
  add_naf_views(file, "train", false, scan);
  for (const char* test : {"val", "test"})
    if (file.has(root, test)) {
      add_naf_views(file, test, true, scan);
      break;
    }
  if (scan.angle_rad.empty()) throw BadInput(file.file(), "train.angles", "at least one view", "none");
  if (file.has(root, "image")) {
    NumberArray<float> image = file.numbers<float>(file.at(root, "image"), "image");
    const std::vector<std::size_t> shape(scan.volume_size.begin(), scan.volume_size.end());
    if (image.shape != shape)
      throw BadInput(file.file(), "image", shape_text(shape) + ", nVoxel", shape_text(image.shape));
    for (float& value : image.values) value = static_cast<float>(value / kMillimetresInMetre);
    scan.volume = std::move(image.values);
  }
  return scan;
}

}  // namespace

ImportedCase import_naf(const std::filesystem::path& path, const ImportOptions& options) try {
  CircularScan scan;
  {
    const PickleFile file(path);
    scan = read_naf_scan(file);
  }
  return circular_case(path.string(), std::move(scan), options);
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
