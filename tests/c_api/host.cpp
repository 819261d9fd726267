// SPDX-License-Identifier: Apache-2.0
// The C++ side of the test of the C interface: the same reconstruction with the C++ interface, and a host in C++ whose
// callbacks throw and whose other thread cancels.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <dsasrgs/dsasrgs.hpp>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "checks.h"
#include "support/moved_head.hpp"

int reconstruct_in_cpp(const char* case_path, const char* config_toml, const char* labels_path, float* images,
                       size_t num_pixels) {
  using namespace dsasrgs;
  Context ctx = Context::cpu(1);
  const Acquisition a = read_acquisition(case_path);
  std::shared_ptr<const PseudoLabels> labels;
  if (labels_path != nullptr) labels = std::make_shared<const PseudoLabels>(PseudoLabels::open(labels_path, a));
  Reconstructor reconstructor(ctx, a, config_from_toml(config_toml, "test"), labels);
  reconstructor.run();
  Renderer renderer(ctx, reconstructor.model());
  std::size_t done = 0;
  for (const Pose& pose : a.poses) {
    const Image image = renderer.render(pose, a.detector);
    if (done + image.values.size() > num_pixels) return -1;
    std::copy(image.values.begin(), image.values.end(), images + done);
    done += image.values.size();
  }
  return reconstructor.steps_done();
}

void masked_case_in_cpp(const char* case_path) {
  using namespace dsasrgs;
  Context ctx = Context::cpu(1);
  const Simulation simulation = test::moved_head(ctx, 48, 3, {3, 2, -1.5});
  write_acquisition(case_path, simulation.acquisition, &simulation.raw);
}

void aligned_in_cpp(const char* case_path, double leave_out, float* images) {
  using namespace dsasrgs;
  Context ctx = Context::cpu(1);
  MaskedAcquisition masked = read_masked_acquisition(case_path);
  MaskAlignmentOptions options;
  options.leave_out = leave_out;
  align_masks(ctx, masked, {0, 1, 2}, options);
  std::copy(masked.acquisition.projections.begin(), masked.acquisition.projections.end(), images);
}

void eighth_step_in_cpp(const char* case_path, const char* config_toml, dsasrgs_step_report* report) {
  using namespace dsasrgs;
  Context ctx = Context::cpu(1);
  Reconstructor reconstructor(ctx, read_acquisition(case_path), config_from_toml(config_toml, "test"));
  StepReport r;
  for (int i = 0; i < 8; ++i) r = reconstructor.step();
  *report = {sizeof *report,
             r.step,
             r.steps,
             r.view,
             r.loss_step,
             r.loss,
             r.l_gt,
             r.l1,
             r.ssim,
             r.rendered,
             r.l_sr,
             r.total_variation,
             r.table_variation,
             r.gaussians,
             r.cloned,
             r.split,
             r.pruned,
             r.residual_split,
             r.born};
}

void scores_in_cpp(const char* case_path, const char* model_path, double scores[4]) {
  using namespace dsasrgs;
  Context ctx = Context::cpu(1);
  const Acquisition a = read_acquisition(case_path);
  const Model model = read_model(ctx, model_path);
  const ProjectionScore mean = evaluate(ctx, model, a, held_out_views(a)).measured.mean();
  const double found[] = {mean.fixed.psnr_db, mean.fixed.ssim, mean.normalized.psnr_db, mean.normalized.ssim};
  std::copy(std::begin(found), std::end(found), scores);
}

double labels_in_cpp(const char* case_path, const char* network_path, const char* labels_path) {
  using namespace dsasrgs;
  Context ctx = Context::cpu(1);
  const Acquisition a = read_acquisition(case_path);
  SuperResolver resolver = SuperResolver::open(ctx, network_path);
  const PseudoLabels labels = PseudoLabels::open(labels_path, a);
  if (labels.views() != a.training_views() || !labels.has_confidence()) return 1;
  double most = 0;
  for (const int view : labels.views()) {
    const MadeLabel made = network_label(resolver, a, view, brightest_line_integral(a));
    const std::vector<float> values = labels.read(view), confidence = labels.read_confidence(view);
    for (std::size_t i = 0; i < values.size(); ++i)
      most = std::max(
          {most, std::abs(double{values[i]} - made.values[i]), std::abs(double{confidence[i]} - made.confidence[i])});
  }
  return most;
}

void uncertainty_in_cpp(const char* case_path, const char* model_path, float* images, float* volumes) {
  using namespace dsasrgs;
  Context ctx = Context::cpu(1);
  const Acquisition a = read_acquisition(case_path);
  const Model model = read_model(ctx, model_path);
  Uncertainty uncertainty(ctx, model, a);
  for (const Pose& pose : a.poses) {
    const Image image = uncertainty.render(pose, a.detector);
    images = std::copy(image.values.begin(), image.values.end(), images);
  }
  for (const Volume& volume : {uncertainty.voxelize(a.volume, 2), uncertainty.voxelize_mean(a.volume)})
    volumes = std::copy(volume.values.begin(), volume.values.end(), volumes);
}

void support_in_cpp(const char* case_path, const char* model_path, int32_t* views, float* spread_rad) {
  using namespace dsasrgs;
  Context ctx = Context::cpu(1);
  const Acquisition a = read_acquisition(case_path);
  const Model model = read_model(ctx, model_path);
  const SupportMap map = support_map(ctx, a, poses_as_corrected(model, a), model.nuisance.view, a.volume);
  std::copy(map.views.begin(), map.views.end(), views);
  std::copy(map.spread_rad.begin(), map.spread_rad.end(), spread_rad);
}

namespace {

int32_t throw_from_progress(size_t, size_t, void*) { throw std::runtime_error("no window for a bar"); }

int32_t throw_at_three(const dsasrgs_step_report* report, void*) {
  if (report->step == 3) throw std::runtime_error("the host's own trouble");
  return 1;
}

int32_t throw_a_number(const dsasrgs_step_report*, void*) { throw 7; }

void throw_from_log(const char*, void* count) {
  ++*static_cast<int*>(count);
  throw std::runtime_error("no room for messages");
}

int32_t count_steps(const dsasrgs_step_report*, void* steps) {
  ++*static_cast<std::atomic<int>*>(steps);
  return 1;
}

}  // namespace

void test_cpp_host(const dsasrgs_acquisition* acquisition, dsasrgs_config* config) {
  dsasrgs_context* context = nullptr;
  dsasrgs_reconstructor* reconstructor = nullptr;
  CHECK_STATUS(DSASRGS_ERROR_BACKEND_UNAVAILABLE, dsasrgs_context_new_cuda(1000, nullptr, &context));
  CHECK(context == nullptr);
  CHECK_OK(dsasrgs_context_new_cpu(2, &context));

  // Density control says when it has reached its limit.
  int messages = 0;
  CHECK_OK(dsasrgs_config_set(config, "density_control.max_gaussians=60"));
  CHECK_OK(dsasrgs_config_set(config, "density_control.gradient_threshold=0"));
  CHECK_OK(dsasrgs_context_set_log(context, throw_from_log, &messages));
  CHECK_OK(dsasrgs_reconstructor_new(context, acquisition, config, nullptr, &reconstructor));
  CHECK_OK(dsasrgs_reconstructor_run(reconstructor, nullptr, nullptr));
  CHECK(messages == 1);
  CHECK_OK(dsasrgs_context_set_log(context, nullptr, nullptr));
  dsasrgs_reconstructor_free(reconstructor);

  CHECK_OK(dsasrgs_reconstructor_new(context, acquisition, config, nullptr, &reconstructor));
  CHECK_REFUSED(DSASRGS_ERROR_CALLBACK, "the host's own trouble",
                dsasrgs_reconstructor_run(reconstructor, throw_at_three, nullptr));
  CHECK_REFUSED(DSASRGS_ERROR_CALLBACK, "no std::exception",
                dsasrgs_reconstructor_run(reconstructor, throw_a_number, nullptr));
  int32_t done = 0, total = 0;
  CHECK_OK(dsasrgs_reconstructor_steps(reconstructor, &done, &total));
  CHECK(done == 4);

  dsasrgs_model* model = nullptr;
  dsasrgs_uncertainty* uncertainty = nullptr;
  CHECK_OK(dsasrgs_reconstructor_model(reconstructor, &model));
  CHECK_REFUSED(DSASRGS_ERROR_CALLBACK, "no window for a bar",
                dsasrgs_uncertainty_new(model, acquisition, throw_from_progress, nullptr, &uncertainty));
  CHECK(uncertainty == nullptr);
  dsasrgs_model_free(model);

  // A training that would take hours ends when another thread says so, and only begins again when it is taken back.
  CHECK_OK(dsasrgs_reconstructor_train_to(reconstructor, 100000000));
  std::atomic<int> steps{0};
  std::thread user([&] {
    while (steps < 5) std::this_thread::yield();
    CHECK_OK(dsasrgs_context_cancel(context));
  });
  CHECK_REFUSED(DSASRGS_ERROR_CANCELLED, "of 100000000 steps",
                dsasrgs_reconstructor_run(reconstructor, count_steps, &steps));
  user.join();
  const int stopped_at = steps;
  CHECK(stopped_at >= 5);
  CHECK_STATUS(DSASRGS_ERROR_CANCELLED, dsasrgs_reconstructor_run(reconstructor, count_steps, &steps));
  CHECK_STATUS(DSASRGS_ERROR_CANCELLED, dsasrgs_reconstructor_step(reconstructor, nullptr));
  CHECK(steps == stopped_at);
  dsasrgs_reconstructor* other = nullptr;
  CHECK_STATUS(DSASRGS_ERROR_CANCELLED, dsasrgs_reconstructor_new(context, acquisition, config, nullptr, &other));
  CHECK(other == nullptr);
  CHECK_OK(dsasrgs_context_resume(context));
  CHECK_OK(dsasrgs_reconstructor_train_to(reconstructor, 4 + stopped_at + 2));
  CHECK_OK(dsasrgs_reconstructor_run(reconstructor, count_steps, &steps));
  CHECK(steps == stopped_at + 2);
  dsasrgs_reconstructor_free(reconstructor);
  dsasrgs_context_free(context);

  // What one thread was told does not change what another one was.
  CHECK_REFUSED(DSASRGS_ERROR_INVALID_ARGUMENT, "dsasrgs_context_new_cpu: ", dsasrgs_context_new_cpu(-1, &context));
  CHECK(std::string(dsasrgs_last_error()).find("::") == std::string::npos);  // no function of C++
  const std::string here = dsasrgs_last_error();
  std::thread([] {
    CHECK(*dsasrgs_last_error() == '\0');
    CHECK_STATUS(DSASRGS_ERROR_INVALID_ARGUMENT, dsasrgs_config_new(nullptr, nullptr));
  }).join();
  CHECK(here == dsasrgs_last_error());
}
