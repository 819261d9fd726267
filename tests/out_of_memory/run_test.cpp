// SPDX-License-Identifier: Apache-2.0
// Allocations of a whole run fail, one in each call: what is read, trained, kept, gone on with, written and scored, the
// HDF5 library's own among them. Nothing half-written stays, and an earlier file does.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dsasrgs/error.hpp"
#include "dsasrgs/evaluation.hpp"
#include "dsasrgs/gaussian_files.hpp"
#include "dsasrgs/geometry_files.hpp"
#include "dsasrgs/io.hpp"
#include "dsasrgs/network_trainer.hpp"
#include "dsasrgs/reconstructor.hpp"
#include "dsasrgs/renderer.hpp"
#include "dsasrgs/super_resolver.hpp"
#include "dsasrgs/surface.hpp"
#include "dsasrgs/volume_files.hpp"
#include "out_of_memory/failing_allocations.hpp"
#include "support/labels.hpp"
#include "support/network_file.hpp"
#include "support/random_values.hpp"
#include "support/temporary_folder.hpp"
#include "support/tiny_run.hpp"

using namespace dsasrgs;
using test::TemporaryFolder, test::TinyRun;

namespace {

std::string bytes_of(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}
std::string parameters_of(Context& ctx, const Model& model) {
  return bytes_of(model.cloud.position_mm.to_host(ctx)) + bytes_of(model.cloud.raw_scale.to_host(ctx));
}

long fail_some(const std::string& name, test::Failing failing) {
  failing.in_child = true;
  return test::fail_allocations(name, test::chosen_allocations(), failing);
}

/// Removes temporary files; how many there were.
int remove_hidden(const TemporaryFolder& folder) {
  std::vector<std::filesystem::path> hidden;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
    if (entry.path().filename().string().starts_with('.')) hidden.push_back(entry.path());
  for (const auto& path : hidden) std::filesystem::remove(path);
  return static_cast<int>(hidden.size());
}

/// A file that `write` makes: an earlier one stays whole, and nothing else lies about.
long fail_writing(const std::string& name, const TemporaryFolder& folder, const std::filesystem::path& file,
                  const std::function<void()>& write) {
  write();
  const std::string earlier = test::read_bytes(file);
  const int files = folder.num_files();
  return fail_some(name, {write,
                          [&] { return test::read_bytes(file); },
                          {},
                          [&] {
                            if (test::read_bytes(file) != earlier) return "the file was changed";
                            return remove_hidden(folder) == 0 && folder.num_files() == files ? "" : "a file was left";
                          }});
}

}  // namespace

TEST_CASE("out of memory: acquisitions and labels", "[out_of_memory][run]") {
  Context ctx = Context::cpu(1);
  TinyRun run(ctx);
  const auto case_file = run.file("case.h5"), label_file = run.file("labels.h5");
  CHECK(fail_writing("write_acquisition", run.folder, case_file,
                     [&] { write_acquisition(case_file, run.acquisition); }) > 20);
  Acquisition read;
  CHECK(fail_some("read_acquisition",
                  {[&] { read = read_acquisition(case_file); }, [&] { return bytes_of(read.projections); }}) > 20);
  std::vector<float> label;
  CHECK(
      fail_some("PseudoLabels",
                {[&] { label = PseudoLabels::open(label_file, run.acquisition).read(run.acquisition.train_views[0]); },
                 [&] { return bytes_of(label); }}) > 20);
  LabelFileOptions options;
  options.low_resolution = run.acquisition.detector;
  options.scale = 2;
  options.views = run.acquisition.train_views;
  const std::vector<float> made = lanczos_label(run.acquisition, 0, 2).values;
  const auto written = run.file("written.h5");
  CHECK(fail_writing("PseudoLabelWriter", run.folder, written, [&] {
          PseudoLabelWriter writer(written, options);
          for (std::size_t i = 0; i < options.views.size(); ++i) writer.add(made);
          writer.commit();
        }) > 20);
}

TEST_CASE("out of memory: a training", "[out_of_memory][run]") {
  Context ctx = Context::cpu(1);
  TinyRun run(ctx);
  const auto start = run.file("start.h5"), end = run.file("end.h5");
  std::optional<Reconstructor> training;
  const auto parameters = [&] { return parameters_of(run.ctx, training->model()); };
  CHECK(fail_some("Reconstructor", {[&] { training.emplace(run.ctx, run.acquisition, run.config, run.labels); },
                                    parameters, [&] { training.reset(); }}) > 20);
  CHECK(fail_writing("save_checkpoint", run.folder, start, [&] { training->save_checkpoint(start); }) > 20);
  const auto resume = [&] { training.emplace(run.ctx, run.acquisition, start, run.labels); };
  resume();
  training->run();
  const std::string trained = parameters();
  const auto steps = [&] {
    while (!training->finished()) training->step();
  };
  // A step that failed before it changed anything can be tried again; another says that it cannot.
  const auto go_on = [&]() -> std::string {
    try {
      steps();
      return parameters() == trained ? "" : "other parameters";
    } catch (const OutOfMemory&) {
    }
    try {
      training->save_checkpoint(end);
    } catch (const OutOfMemory&) {
      return std::filesystem::exists(end) ? "a checkpoint of half a step" : "";
    }
    return "half a step was saved";
  };
  CHECK(fail_some("steps", {steps, parameters, resume, go_on}) > 20);
  CHECK(fail_some("resume", {resume, parameters, [&] { training.reset(); }}) > 20);
}

TEST_CASE("out of memory: files for other programs", "[out_of_memory][run]") {
  Context ctx = Context::cpu(1);
  TinyRun run(ctx);
  std::optional<Model> model = Reconstructor(run.ctx, run.acquisition, run.config, run.labels).take_model();
  const Volume volume = Renderer(run.ctx, *model).voxelize_mean(run.acquisition.volume, 3);
  for (const char* name : {"v.nrrd", "v.mha"}) {
    const auto other = run.file(name);
    CHECK(fail_writing("write_volume", run.folder, other, [&] { write_volume(other, volume); }) > 5);
  }
  Surface surface;
  CHECK(fail_some("extract_surface", {[&] { surface = extract_surface(volume, 1e-6); },
                                      [&] { return std::to_string(surface.triangles.size()); }}) > 5);
  for (const char* name : {"s.stl", "s.obj"}) {
    const auto other = run.file(name);
    CHECK(fail_writing("write_surface", run.folder, other, [&] { write_surface(other, surface); }) > 3);
  }
  const auto ply = run.file("m.ply"), geometry = run.file("g.xml");
  CHECK(fail_writing("write_viewer_ply", run.folder, ply, [&] { write_viewer_ply(run.ctx, ply, *model, 1); }) > 10);
  CHECK(fail_writing("write_gaussian_ply", run.folder, ply, [&] { write_gaussian_ply(run.ctx, ply, *model); }) > 20);
  CHECK(fail_some("read_gaussian_ply", {[&] { model = read_gaussian_ply(run.ctx, ply); },
                                        [&] { return parameters_of(run.ctx, *model); }}) > 20);
  CHECK(fail_writing("write_rtk_geometry", run.folder, geometry,
                     [&] { write_rtk_geometry(geometry, run.acquisition.poses); }) > 5);
}

TEST_CASE("out of memory: what is made of a model", "[out_of_memory][run]") {
  Context ctx = Context::cpu(1);
  TinyRun run(ctx);
  const auto file = run.file("model.h5"), volume_file = run.file("volume.nii.gz"), picture = run.file("picture.png");
  std::optional<Model> model = Reconstructor(run.ctx, run.acquisition, run.config, run.labels).take_model();
  CHECK(fail_writing("write_model", run.folder, file, [&] { write_model(run.ctx, file, *model); }) > 20);
  CHECK(fail_some("read_model",
                  {[&] { model = read_model(run.ctx, file); }, [&] { return parameters_of(run.ctx, *model); }}) > 20);
  Image image;
  CHECK(
      fail_some("Renderer::render",
                {[&] { image = Renderer(run.ctx, *model).render(run.acquisition.poses[1], run.acquisition.detector); },
                 [&] { return bytes_of(image.values); }}) > 5);
  Volume volume;
  CHECK(fail_some("Renderer::voxelize_mean",
                  {[&] { volume = Renderer(run.ctx, *model).voxelize_mean(run.acquisition.volume, 3); },
                   [&] { return bytes_of(volume.values); }}) > 5);
  CHECK(fail_writing("write_nifti", run.folder, volume_file, [&] { write_nifti(volume_file, volume); }) > 5);
  CHECK(fail_some("read_nifti", {[&] { volume = read_nifti(volume_file); }, [&] { return bytes_of(volume.values); }}) >
        5);
  CHECK(fail_writing("write_png", run.folder, picture, [&] { write_png(picture, image, {0, 1}); }) > 5);
  CHECK(fail_some("read_png", {[&] { image = read_png(picture); }, [&] { return bytes_of(image.values); }}) > 5);
  std::optional<Evaluation> evaluation;
  EvaluationOptions options;
  options.baselines = true;
  const auto scores = [&] {
    std::vector<float> values{static_cast<float>(evaluation->volume->score->psnr_db)};
    for (const ViewScore& v : evaluation->measured.views) values.push_back(static_cast<float>(v.fixed.psnr_db));
    return bytes_of(values);
  };
  CHECK(fail_some(
            "evaluate",
            {[&] { evaluation = evaluate(run.ctx, *model, run.acquisition, held_out_views(run.acquisition), options); },
             scores}) > 20);
}

TEST_CASE("out of memory: networks", "[out_of_memory][run]") {
  Context ctx = Context::cpu(1);
  TinyRun run(ctx);
  const auto file = run.file("network.h5"), checkpoint = run.file("network_checkpoint.h5");
  write_network(file, test::small_network());
  std::vector<float> sharp;
  const std::vector<float> image(run.acquisition.projections.begin(), run.acquisition.projections.begin() + 120);
  CHECK(
      fail_some("SuperResolver", {[&] { sharp = SuperResolver::open(run.ctx, file).sharpen(image, 12, 10, 1).values; },
                                  [&] { return bytes_of(sharp); }}) > 20);
  NetworkTrainingConfig config;
  config.shape = {2, 4, 1, true};
  config.steps = 3;
  config.batch = 2;
  config.patch_px = 8;
  config.warm_up = 1;
  NetworkSources sources;
  sources.images.push_back({"frames", {{40, 36, test::random_values<float>(1440, 0, 1, 1)}}});
  std::optional<NetworkTrainer> trainer;
  const auto begin = [&] { trainer.emplace(run.ctx, config, sources); };
  const auto steps = [&] {
    while (!trainer->finished()) trainer->step();
  };
  const auto trained = [&] {
    trainer->save_checkpoint(checkpoint);
    return test::read_bytes(checkpoint);
  };
  CHECK(fail_some("NetworkTrainer", {begin, trained, [&] { trainer.reset(); }}) > 5);
  CHECK(fail_some("NetworkTrainer::step", {steps, trained, begin}) > 20);
  CHECK(fail_writing("NetworkTrainer::save_network", run.folder, file,
                     [&] { trainer->save_network(file, "small", "noise"); }) > 20);
  CHECK(fail_some("NetworkTrainer::resume",
                  {[&] { trainer.emplace(NetworkTrainer::resume(run.ctx, sources, checkpoint)); }, trained,
                   [&] { trainer.reset(); }}) > 20);
}

namespace {

constexpr std::size_t kMebibyte = std::size_t{1} << 20;

std::size_t address_space() {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

void limit_address_space(std::size_t bytes) {
  const rlimit limit{bytes, RLIM_INFINITY};
  ::setrlimit(RLIMIT_AS, &limit);
}

/// The exit code of a child that may have `more` bytes: 0 done, 3 OutOfMemory, 4 another error; −1: it crashed.
int with_so_much_more(std::size_t more, const std::function<void()>& call) {
  std::cout.flush();
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGSEGV, SIG_DFL);
    std::signal(SIGABRT, SIG_DFL);
    const std::size_t now = address_space();
    limit_address_space(now);
    for (std::size_t size = kMebibyte; size >= 16; size /= 2)  // what is free in the heap goes, too
      while (std::malloc(size) != nullptr) {
      }
    limit_address_space(now + more);
    try {
      call();
      ::_exit(0);
    } catch (const OutOfMemory&) {
      ::_exit(3);
    } catch (const std::exception&) {
      ::_exit(4);
    }
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

// Not one allocation fails but all from some size on, as where the system gives no more.
TEST_CASE("out of memory: limits on the address space", "[out_of_memory][limits]") {
  Context ctx = Context::cpu(1);
  TinyRun run(ctx);
  Acquisition large = run.acquisition;
  large.detector = {192, 160, 0.5, 0.5};
  large.projections = test::random_values<float>(large.poses.size() * large.detector.num_pixels(), 0, 1, 1);
  large.reference_projections.reset();
  const auto file = run.file("large.h5"), model = run.file("model.h5");
  write_acquisition(file, large);
  const std::string written = test::read_bytes(file);
  Reconstructor training(ctx, run.acquisition, run.config, run.labels);
  training.save_checkpoint(model);
  const std::string checkpoint = test::read_bytes(model);
  const int files = run.folder.num_files();
  const std::size_t step = test::chosen_allocations() == test::Which::every ? kMebibyte / 8 : 3 * kMebibyte / 2;
  int done = 0, refused = 0;
  const auto attempt = [&](std::size_t more, const std::function<void()>& call) {
    const int code = with_so_much_more(more, call);
    CAPTURE(more);
    CHECK((code == 0 || code == 3));
    ++(code == 0 ? done : refused);
    CHECK(run.folder.num_files() == files);
    CHECK(test::read_bytes(file) == written);
    CHECK(test::read_bytes(model) == checkpoint);
  };
  for (std::size_t more = kMebibyte; more <= 24 * kMebibyte; more += step) {
    attempt(more, [&] { write_acquisition(file, large); });
    attempt(more, [&] { read_acquisition(file); });
    attempt(more, [&] { training.save_checkpoint(model); });
    attempt(more, [&] { Reconstructor(ctx, run.acquisition, model, run.labels).step(); });
  }
  CHECK(done > 8);
  CHECK(refused > 8);
  if (test::chosen_allocations() == test::Which::every)
    std::cout << "limits on the address space: " << refused << " of " << done + refused << " calls were refused\n";
}
