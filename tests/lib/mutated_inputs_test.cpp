// SPDX-License-Identifier: Apache-2.0
// Blind mutations of small files: a reader refuses them with a typed error or reads finite numbers, at once and without
// asking for the memory that a wrong size names.

#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cmath>
#include <functional>
#include <random>
#include <string>

#include "dsasrgs/config.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/gaussian_files.hpp"
#include "dsasrgs/image.hpp"
#include "dsasrgs/import.hpp"
#include "dsasrgs/io.hpp"
#include "dsasrgs/simulator.hpp"
#include "support/import_files.hpp"
#include "support/small_files.hpp"
#include "support/small_model.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;

namespace {

constexpr int kMutations = 1000;

/// One to eight changes: a flipped bit, another byte, a byte that means something, a part cut out, doubled or cut off.
std::string mutated(std::string bytes, std::mt19937& random) {
  const auto below = [&](std::size_t n) { return n == 0 ? 0 : random() % n; };
  static const std::string kMeaningful("\0\xff\x7f\x80-+.e9,#\n\r \"[]{}=", 21);
  for (std::size_t change = 0, changes = 1 + below(8); change < changes && !bytes.empty(); ++change) {
    const std::size_t at = below(bytes.size()), count = 1 + below(std::min<std::size_t>(64, bytes.size() - at));
    switch (below(6)) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
        break;
      case 1:
        bytes[at] = static_cast<char>(random());
        break;
      case 2:
        bytes[at] = kMeaningful[below(kMeaningful.size())];
        break;
      case 3:
        bytes.erase(at, count);
        break;
      case 4:
        bytes.insert(below(bytes.size()), bytes.substr(at, count));
        break;
      default:
        if (below(4) == 0) bytes.resize(at);
        break;
    }
  }
  return bytes;
}

long peak_kib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

/// Reads kMutations mutations of a file, in `folder` with what belongs to it; `read` gives false for numbers that are
/// not finite.
void survive(const test::TemporaryFolder& folder, const std::string& name, const std::string& good,
             const std::function<bool(const std::filesystem::path&)>& read) {
  const auto path = folder / name;
  test::write_bytes(path, good);
  REQUIRE(read(path));
  std::mt19937 random(7);
  const long before_kib = peak_kib();
  int refused = 0;
  for (int i = 0; i < kMutations; ++i) {
    test::write_bytes(path, mutated(good, random));
    const auto start = std::chrono::steady_clock::now();
    try {
      if (!read(path)) FAIL_CHECK(name << ": mutation " << i << " gave a number that is not finite");
    } catch (const BadInput&) {
      ++refused;
    } catch (const IoError&) {  // a file names others
      ++refused;
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    if (seconds.count() > 2) FAIL_CHECK(name << ": mutation " << i << " took " << seconds.count() << " s");
  }
  CHECK(peak_kib() - before_kib < 256 * 1024);
  CHECK(refused > kMutations / 20);
  CHECK(refused < kMutations);
  UNSCOPED_INFO(name << ": " << refused << " of " << kMutations << " refused");
}

void survive(const std::string& name, const std::string& good,
             const std::function<bool(const std::filesystem::path&)>& read) {
  survive(test::TemporaryFolder(), name, good, read);
}

bool all_finite(const std::vector<float>& values) {
  for (const float v : values)
    if (!std::isfinite(v)) return false;
  return true;
}

bool finite_tree(const VesselTree& tree) {
  for (const VesselNode& n : tree.nodes)
    if (!std::isfinite(n.radius_mm + n.position_mm.x + n.position_mm.y + n.position_mm.z)) return false;
  return !tree.nodes.empty() && tree.path_length_mm().size() == tree.nodes.size();
}

std::string file_of(const std::string& name, const std::function<void(const std::filesystem::path&)>& write) {
  const test::TemporaryFolder folder;
  write(folder / name);
  return test::read_bytes(folder / name);
}

}  // namespace

TEST_CASE("mutated NIfTI files are refused or finite", "[mutations]") {
  const auto read = [](const std::filesystem::path& path) {
    const Volume v = read_nifti(path);
    return all_finite(v.values) && v.values.size() == v.grid.num_voxels() * static_cast<std::size_t>(v.frames);
  };
  for (const char* name : {"v.nii", "v.nii.gz"})
    survive(name, file_of(name, [&](const auto& path) { write_nifti(path, test::small_volume()); }), read);
}

TEST_CASE("mutated PLY files of models are refused or finite", "[mutations]") {
  Context ctx = Context::cpu(1);
  survive("m.ply", file_of("m.ply", [&](const auto& path) { write_gaussian_ply(ctx, path, test::two_gaussians(ctx)); }),
          [&](const auto& path) {
            const Model m = read_gaussian_ply(ctx, path);
            return all_finite(m.cloud.position_mm.to_host(ctx)) && all_finite(m.cloud.raw_scale.to_host(ctx));
          });
}

TEST_CASE("mutated SWC and VTK files are refused or finite", "[mutations]") {
  survive("t.swc", test::kSwc, [](const auto& path) { return finite_tree(read_swc(path)); });
  const auto read = [](const auto& path) { return finite_tree(read_vtk_centerlines(path, 1)); };
  survive("t.vtk", test::vtk_lines(), read);
  survive("t51.vtk", test::vtk_lines_51(), read);
  survive("binary.vtk", test::vtk_binary(), read);
  survive("text.vtp", test::vtp_text(), read);
  survive("appended.vtp", test::vtp_appended(), read);
}

TEST_CASE("mutated PNG files are refused or finite", "[mutations]") {
  survive("i.png", file_of("i.png", [&](const auto& path) { write_png(path, test::small_image(), {}); }),
          [](const auto& path) { return all_finite(read_png(path).values); });
}

TEST_CASE("mutated TOML files are refused or valid configurations", "[mutations]") {
  survive("c.toml", to_toml(preset_config("dsa-srgs")), [](const auto& path) {
    Config config;
    apply_toml_file(config, path);
    return to_toml(config).find("nan") == std::string::npos;
  });
}

TEST_CASE("mutated files of other programs are refused or finite", "[mutations]") {
  const auto survives = [](const std::string& name,
                           const std::function<ImportedCase(const test::TemporaryFolder&)>& import) {
    const test::TemporaryFolder folder;
    test::write_import_files(folder.path());
    survive(folder, name, test::read_bytes(folder / name),
            [&](const std::filesystem::path&) { return all_finite(import(folder).acquisition.projections); });
  };
  const auto r2 = [](const auto& folder) { return import_r2_gaussian(folder.path()); };
  const auto four_drgs = [](const auto& folder) { return import_4drgs(folder.path()); };
  const auto rtk = [](const auto& folder) { return import_rtk(folder / "rtk.xml", folder / "stack.mha"); };
  const auto tigre = [](const auto& folder) { return import_tigre(folder / "tigre.json", folder / "stack.npy"); };
  const auto astra = [](const auto& folder) { return import_astra(folder / "astra.txt", folder / "astra.npy"); };
  const auto images = [](const auto& folder) {
    ImageImportOptions options;
    options.pitch_u_mm = options.pitch_v_mm = 50;
    return import_images(folder.path(), folder / "poses.csv", options);
  };
  survives("naf.pickle", [](const auto& folder) { return import_naf(folder / "naf.pickle"); });
  survives("meta_data.json", r2);
  survives("transforms.json", four_drgs);
  survives("rtk.xml", rtk);
  survives("stack.mha", rtk);
  survives("tigre.json", tigre);
  survives("stack.npy", tigre);
  survives("astra.txt", astra);
  survives("poses.csv", images);
  survives("1.tif", images);
}
