// SPDX-License-Identifier: Apache-2.0
// fuzz_seeds FOLDER: the first inputs of every target, FOLDER/TARGET/NAME, made by the code that makes small files for
// tests. HDF5 files are bundles here (bundle_writer.cpp).
#include <fstream>
#include <iostream>

#include "bundle.hpp"
#include "dicom_seeds.hpp"
#include "dsasrgs/config.hpp"
#include "dsasrgs/context.hpp"
#include "dsasrgs/gaussian_files.hpp"
#include "dsasrgs/io.hpp"
#include "dsasrgs/model.hpp"
#include "dsasrgs/network_trainer.hpp"
#include "dsasrgs/pseudo_labels.hpp"
#include "dsasrgs/reconstructor.hpp"
#include "dsasrgs/super_resolver.hpp"
#include "files/hdf5_messages.hpp"
#include "harness.hpp"
#include "network/network_training.hpp"
#include "support/acquisition_parts.hpp"
#include "support/import_files.hpp"
#include "support/network_file.hpp"
#include "support/small_acquisition.hpp"
#include "support/small_case.hpp"
#include "support/small_files.hpp"
#include "support/study_results.hpp"

using namespace dsasrgs;
namespace fs = std::filesystem;

namespace {

class Seeds {
 public:
  explicit Seeds(fs::path folder) : folder_(std::move(folder)) {}
  fs::path file(const std::string& target, const std::string& name) const {
    fs::create_directories(folder_ / target);
    return folder_ / target / name;
  }
  void write(const std::string& target, const std::string& name, std::string_view bytes) const {
    std::ofstream(file(target, name), std::ios::binary) << bytes;
  }
  std::string bytes(const std::string& target, const std::string& name) const {
    std::ifstream stream(file(target, name), std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

 private:
  fs::path folder_;
};

void acquisitions(const Seeds& seeds) {
  const Acquisition a = test::small_acquisition();
  write_acquisition(seeds.file("hdf5_acquisition", "line_integrals"), a);
  const std::vector<float> fill(a.projections.size(), 90), mask(a.projections.size(), 100);
  const RawIntensity raw{fill, mask};
  write_acquisition(seeds.file("hdf5_acquisition", "intensities"), a, &raw);
  test::Parts parts;
  test::put_intensity<float>(parts, std::vector<float>(24, 900), std::vector<float>(12, 1000));
  test::CArm().put_into(parts);
  const test::Parts::Part more = parts.more;
  parts.more = [more](Hdf5Writer& f) {
    more(f);
    f.write("/dark", std::vector<float>(12, 5), {3, 4});
    f.attribute("/projections", "saturation", 4000.0);
  };
  parts.write(seeds.file("hdf5_acquisition", "carm"));
}

void labels(const Seeds& seeds) {
  const Acquisition a = test::small_acquisition();
  for (const bool everything : {false, true}) {
    LabelFileOptions options;
    options.low_resolution = a.detector;
    options.scale = 2;
    options.views = a.training_views();
    options.storage = LabelStorage::float32;
    options.confidence = options.false_vessel_mask = everything;
    if (everything) options.intensity_range = IntensityRange{0, 2};
    PseudoLabelWriter file(seeds.file("hdf5_labels", everything ? "everything" : "labels"), options);
    const std::size_t pixels = a.detector.refined(2).num_pixels();
    for (const int view : options.views)
      file.add(lanczos_label(a, view, 2).values, std::vector<float>(everything ? pixels : 0, 0.5f),
               std::vector<std::uint8_t>(everything ? pixels : 0, 1));
    file.commit();
  }
}

void models(const Seeds& seeds) {
  Context ctx = Context::cpu(1);
  const Acquisition a = test::small_simulation(ctx).acquisition;
  for (const char* preset : {"4drgs", "static", "togs"}) {
    Config config = test::tiny_config(4, preset);
    config.nuisance.view_gain = true;
    config.residual_split.enabled = std::string_view(preset) == "static";
    Reconstructor reconstructor(ctx, a, config);
    reconstructor.step();
    write_model(ctx, seeds.file("hdf5_model", preset), reconstructor.model());
    write_gaussian_ply(ctx, seeds.file("gaussian_ply", preset), reconstructor.model());
    reconstructor.save_checkpoint(seeds.file("hdf5_checkpoint", preset));
  }
}

void networks(const Seeds& seeds) {
  const NetworkFile network = test::small_network({2, 2, 1, true});
  write_network(seeds.file("hdf5_network", "network"), network);
  write_network(seeds.file("hdf5_network", "reads_render"), test::small_network({2, 2, 0, false, true}));
  NetworkTraining training;
  training.config.shape = network.facts.shape;
  training.parameters = training.first_moment = training.second_moment = network.parameters;
  training.traits = {{0.01, 0.5, 0.2}};
  write_network_checkpoint(seeds.file("hdf5_network_checkpoint", "begun"), training);
  const std::string text = to_toml(training.config);
  seeds.write("network_config", "default", text);
}

/// What a child would answer, kind by kind.
void answers(const Seeds& seeds) {
  Context ctx = Context::cpu(1);
  const auto record = [&](char kind, const std::string& target, const std::string& name, const auto& read) {
    fuzz::serve(fuzz::parse_bundle(seeds.bytes(target, name)));
    read(fuzz::hdf5_file());
    seeds.write("hdf5_remote", target + "_" + name, kind + fuzz::answers_so_far());
  };
  for (const char* name : {"line_integrals", "intensities", "carm"})
    record(0, "hdf5_acquisition", name, [](const fs::path& file) { read_acquisition(file); });
  record(1, "hdf5_labels", "everything",
         [](const fs::path& file) { PseudoLabels::open(file, test::small_acquisition()).check_all(); });
  record(2, "hdf5_network", "network", [&](const fs::path& file) { SuperResolver::open(ctx, file); });
  record(3, "hdf5_model", "static", [&](const fs::path& file) { read_model(ctx, file); });
}

void questions(const Seeds& seeds) {
  const auto question = [](Question kind, const std::string& object, const std::string& attribute,
                           std::uint64_t count = 0) {
    const Request request{kind,
                          ElementType::float32,
                          static_cast<std::uint32_t>(object.size()),
                          static_cast<std::uint32_t>(attribute.size()),
                          0,
                          count};
    return std::string(reinterpret_cast<const char*>(&request), sizeof request) + object + attribute;
  };
  std::string all;
  for (const std::string& one :
       {question(Question::open, "file", ""), question(Question::has, "/valid", ""),
        question(Question::has_attribute, "/projections", "quantity"), question(Question::text, "/", "format"),
        question(Question::dataset, "/projections", ""), question(Question::rows, "/projections", "", 4),
        question(Question::attribute, "/volume", "size"),
        question(Question::attribute_values, "/volume", "spacing_mm", 12)}) {
    all += one;
    seeds.write("hdf5_server", std::to_string(all.size()), all);
  }
}

void volumes_and_images(const Seeds& seeds) {
  write_nifti(seeds.file("nifti", "v.nii"), test::small_volume());
  Volume two = test::small_volume();
  two.values.insert(two.values.end(), two.values.begin(), two.values.end());
  two.frames = 2;
  write_nifti(seeds.file("nifti", "two.nii"), two, 0.5, 2);
  write_nifti(seeds.file("nifti_gz", "v.nii.gz"), test::small_volume());
  write_png(seeds.file("png", "i.png"), test::small_image(), {});
  seeds.write("raw_volume", "raw", std::string("\2\3\2") + std::string(12, 'v'));
}

void imports(const Seeds& seeds) {
  seeds.write("import_naf", "naf", test::naf_pickle());
  seeds.write("import_npy", "stack", test::stack_npy());
  seeds.write("import_json", "tigre", test::tigre_json());
  seeds.write("import_json", "r2", test::r2_json());
  seeds.write("import_json", "4drgs", test::four_drgs_json());
  seeds.write("import_rtk", "geometry", test::rtk_xml());
  seeds.write("import_meta_image", "stack", test::meta_image());
  seeds.write("import_table", "poses", test::pose_table(".tif"));
  seeds.write("import_tiff", "float", test::float_tiff());
}

void texts(const Seeds& seeds) {
  seeds.write("swc", "tree", test::kSwc);
  seeds.write("swc", "commas", "1,2,0,0,-40,2,-1\r\n2;2;0;0;0;0;1\r\n+3.0 2 0 0 5 2 2 more\n");
  seeds.write("vtk", "lines", test::vtk_lines());
  seeds.write("vtk", "lines_51", test::vtk_lines_51());
  seeds.write("vtk", "binary", test::vtk_binary());
  seeds.write("vtk", "xml", test::vtp_text());
  seeds.write("vtk", "appended", test::vtp_appended());
  for (const std::string& preset : preset_names()) seeds.write("config", preset, to_toml(preset_config(preset)));
  seeds.write("config", "setting", "training.steps=5");
  seeds.write("network_plan", "plan",
              "name = \"n\"\ntrained_on = \"t\"\n[training]\nscale = 2\n[[images]]\nfolder = \"frames\"\n"
              "zero = 1\nper_grey = -0.5\ncolumns = [1, 5]\nbinnings = [1, 2]\nshare = 2\nhold_out = [\"a.png\"]\n"
              "[[cases]]\nfile = \"case.h5\"\nheld_out = true\n"
              "[[trees]]\nfolder = \"trees\"\nup_axis = \"z\"\nshare = 0.5\n");
  seeds.write(
      "study_plan", "study",
      "name = \"s\"\nbase = \"base.toml\"\ninclude = [\"part.toml\"]\nseeds = [0, 3]\nviews = [5, \"file\"]\n"
      "reference = \"m\"\n[settings]\ntraining.steps = 7\n[[case]]\nname = \"c\"\n[case.simulate]\n"
      "views = 8\nsize-px = [16, 16]\n[[labels]]\nname = \"l\"\nmethod = \"lanczos\"\n[[labels]]\nname = \"f\"\n"
      "file = \"labels.h5\"\n[[method]]\nname = \"m\"\npreset = \"4drgs\"\ncases = [\"c\"]\n[[method]]\n"
      "name = \"sr\"\npreset = \"dsa-srgs\"\nlabels = [\"l\"]\nrender = [\"high-resolution\"]\n[[method]]\n"
      "name = \"u\"\nkind = \"measured-upsampled\"\n");
  program::write_result(seeds.file("study_result", "trained.json"), test::trained());
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) {
    std::cerr << "usage: fuzz_seeds FOLDER\n";
    return 2;
  }
  const Seeds seeds(argv[1]);
  acquisitions(seeds);
  labels(seeds);
  models(seeds);
  networks(seeds);
  answers(seeds);
  questions(seeds);
  volumes_and_images(seeds);
  imports(seeds);
  fuzz::write_dicom_seeds([&](const std::string& target, const std::string& name) { return seeds.file(target, name); });
  texts(seeds);
} catch (const std::exception& e) {
  std::cerr << "fuzz_seeds: " << e.what() << '\n';
  return 1;
}
