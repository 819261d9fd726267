// SPDX-License-Identifier: Apache-2.0
// R²-Gaussian's folders: meta_data.json, one .npy a view, the volume.

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "common/checks.hpp"
#include "common/host_vector.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "import/circular_scan.hpp"
#include "import/element_sizes.hpp"
#include "import/json_file.hpp"
#include "import/npy_file.hpp"
#include "number_text.hpp"

namespace dsasrgs {

namespace {

CircularScan read_r2_scanner(const JsonFields& scanner, double unit_mm) {
  CircularScan scan;
  scan.unit_mm = unit_mm;
  if (scanner.has("mode") && scanner.text("mode") != "cone")
    scanner.refuse("mode", "\"cone\"", '"' + scanner.text("mode") + '"');
  scan.dsd = scanner.number("DSD");
  scan.dso = scanner.number("DSO");
  std::ranges::copy(scanner.sides("nDetector", 2), scan.detector_size.begin());
  std::ranges::copy(scanner.sides("nVoxel", 3), scan.volume_size.begin());
  std::ranges::copy(element_sizes(scanner, "dDetector", "sDetector", scan.detector_size, "nDetector"),
                    scan.detector_pitch.begin());
  std::ranges::copy(element_sizes(scanner, "dVoxel", "sVoxel", scan.volume_size, "nVoxel"),
                    scan.volume_spacing.begin());
  if (scanner.has("offOrigin")) std::ranges::copy(scanner.numbers("offOrigin", 3), scan.volume_center.begin());
  if (scanner.has("offDetector")) std::ranges::copy(scanner.numbers("offDetector", 2), scan.detector_offset.begin());
  return scan;
}

/// What `bbox` has to say against the scanner, which counts; empty where they agree. It is seen in the file's units, in
/// those of training (2/max(sVoxel) of them), and as the cube from -1 to 1 that these are made for.
std::string r2_box_warning(const JsonFields& meta, const CircularScan& scan) {
  if (!meta.has("bbox")) return {};
  constexpr double kRounding = 1e-3;
  const std::vector<std::vector<double>> box = meta.rows("bbox", 3, 2, {});
  std::array<double, 3> side{};
  for (std::size_t i = 0; i < 3; ++i) side[i] = scan.volume_spacing[i] * scan.volume_size[i];
  const double largest = *std::ranges::max_element(side);
  const auto is_box = [&](double scale, bool cube) {
    for (std::size_t end = 0; end < 2; ++end)
      for (std::size_t i = 0; i < 3; ++i) {
        const double sign = end == 0 ? -1 : 1;
        const double expected = cube ? sign : scale * (scan.volume_center[i] + sign * side[i] / 2);
        if (!(std::abs(box[end][i] - expected) <= kRounding * (cube ? 1 : scale * largest))) return false;
      }
    return true;
  };
  if (is_box(1, false) || is_box(2 / largest, false) || is_box(1, true)) return {};
  const auto corner = [](double x, double y, double z) {
    return '(' + rounded_text(x) + ", " + rounded_text(y) + ", " + rounded_text(z) + ')';
  };
  const auto& c = scan.volume_center;
  return meta.file() + ": bbox: expected offOrigin and half of sVoxel to both sides, " +
         corner(c[0] - side[0] / 2, c[1] - side[1] / 2, c[2] - side[2] / 2) + " to " +
         corner(c[0] + side[0] / 2, c[1] + side[1] / 2, c[2] + side[2] / 2) + ", found " +
         corner(box[0][0], box[0][1], box[0][2]) + " to " + corner(box[1][0], box[1][1], box[1][2]) +
         ": the scanner's are taken";
}

void add_r2_views(const std::filesystem::path& folder, const std::vector<JsonFields>& views, bool is_test,
                  CircularScan& scan) {
  const std::vector<std::size_t> shape{static_cast<std::size_t>(scan.detector_size[0]),
                                       static_cast<std::size_t>(scan.detector_size[1])};
  for (const JsonFields& view : views) {
    const std::filesystem::path file = folder / view.text("file_path");
    const NumberArray<float> image = read_npy<float>(file);
    if (image.shape != shape)
      throw BadInput(file.string(), "shape", shape_text(shape) + ", the scanner's nDetector", shape_text(image.shape));
    scan.angle_rad.push_back(view.number("angle"));
    scan.is_test.push_back(is_test);
    scan.projections.insert(scan.projections.end(), image.values.begin(), image.values.end());
  }
}

}  // namespace

ImportedCase import_r2_gaussian(const std::filesystem::path& folder, const R2GaussianImportOptions& options) try {
  require_field(is_length(options.unit_mm), "unit_mm", "1e-6 to 1e9 mm", options.unit_mm);
  const std::filesystem::path meta_file = folder / "meta_data.json";
  const JsonFields meta(meta_file);
  return with_host_memory([&] {
    CircularScan scan = read_r2_scanner(meta.object("scanner"), options.unit_mm);
    add_r2_views(folder, meta.objects("proj_train"), false, scan);
    if (meta.has("proj_test")) add_r2_views(folder, meta.objects("proj_test"), true, scan);
    if (scan.angle_rad.empty()) meta.refuse("proj_train", "at least one view", "none");
    // Older folders call it ct.
    const std::string volume = meta.has("vol") ? meta.text("vol") : meta.has("ct") ? meta.text("ct") : std::string();
    if (!volume.empty()) {
      NumberArray<float> array = read_npy<float>(folder / volume);
      if (array.shape != std::vector<std::size_t>(scan.volume_size.begin(), scan.volume_size.end()))
        throw BadInput((folder / volume).string(), "shape",
                       shape_text({scan.volume_size.begin(), scan.volume_size.end()}) + ", the scanner's nVoxel",
                       shape_text(array.shape));
      scan.volume = std::move(array.values);
    }
    const std::string box_warning = r2_box_warning(meta, scan);
    ImportedCase imported = circular_case(meta_file.string(), std::move(scan), options);
    if (!box_warning.empty()) imported.warnings.push_back(box_warning);
    return imported;
  });
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
