// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>

#include "c_api/call.hpp"
#include "c_api/handles.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/fingerprint.hpp"
#include "dsasrgs/pseudo_labels.hpp"
#include "dsasrgs/reconstructor.hpp"
#include "dsasrgs/super_resolver.hpp"

using namespace dsasrgs::c_api;

namespace {

constexpr const char* kTraining = "training";

std::shared_ptr<const dsasrgs::PseudoLabels> open_labels(const Call& call, const char* path,
                                                         const dsasrgs::Acquisition& a) {
  if (path == nullptr) return nullptr;
  return std::make_shared<const dsasrgs::PseudoLabels>(dsasrgs::PseudoLabels::open(call.path(path, "labels_path"), a));
}

dsasrgs_reconstructor* new_reconstructor(const std::shared_ptr<StoppableContext>& context,
                                         dsasrgs::Reconstructor reconstructor) {
  return new dsasrgs_reconstructor{std::make_shared<Training>(Training{context, std::move(reconstructor)})};
}

dsasrgs_step_report report_of(const dsasrgs::StepReport& r) {
  dsasrgs_step_report c = DSASRGS_STEP_REPORT_INIT;
  c.step = r.step;
  c.steps = r.steps;
  c.view = r.view;
  c.loss_step = r.loss_step;
  c.loss = r.loss;
  c.l_gt = r.l_gt;
  c.l1 = r.l1;
  c.ssim = r.ssim;
  c.rendered = r.rendered;
  c.l_sr = r.l_sr;
  c.total_variation = r.total_variation;
  c.table_variation = r.table_variation;
  c.gaussians = r.gaussians;
  c.cloned = r.cloned;
  c.split = r.split;
  c.pruned = r.pruned;
  c.residual_split = r.residual_split;
  c.born = r.born;
  return c;
}

}  // namespace

dsasrgs_status dsasrgs_labels_make(dsasrgs_context* context, const dsasrgs_acquisition* acquisition,
                                   const char* network_path, const char* labels_path,
                                   dsasrgs_progress_callback progress, void* user) {
  return guarded(__func__, [&](const Call& call) {
    StoppableContext& stoppable = *call.given(context, "context").context;
    const dsasrgs::Acquisition& a = call.given(acquisition, "acquisition").acquisition;
    const auto labels = call.path(labels_path, "labels_path");
    dsasrgs::Context& ctx = stoppable.context();
    dsasrgs::SuperResolver resolver = dsasrgs::SuperResolver::open(ctx, call.path(network_path, "network_path"));
    const dsasrgs::NetworkFacts& facts = resolver.facts();
    dsasrgs::LabelFileOptions options;
    options.low_resolution = a.detector;
    options.scale = facts.shape.scale;
    options.views = a.training_views();
    options.network = facts.name + " (" + facts.fingerprint + ")";
    options.measurement = dsasrgs::measurement_fingerprint(a, options.views);
    options.confidence = facts.shape.with_error;
    const double unit = dsasrgs::brightest_line_integral(a);
    dsasrgs::SharpenOptions sharpen;
    sharpen.stop = stoppable.token();
    dsasrgs::PseudoLabelWriter writer(labels, options);
    std::size_t done = 0;
    for (const int view : options.views) {
      ctx.throw_if_stopped("labels");
      const dsasrgs::MadeLabel label = dsasrgs::network_label(resolver, a, view, unit, sharpen);
      writer.add(label.values, label.confidence);
      if (progress != nullptr && call_host(progress, ++done, options.views.size(), user) == 0)
        throw dsasrgs::Cancelled("labels: stopped, as the caller asked, after " + std::to_string(done) + " views");
    }
    writer.commit();
  });
}

dsasrgs_status dsasrgs_reconstructor_new(dsasrgs_context* context, const dsasrgs_acquisition* acquisition,
                                         const dsasrgs_config* config, const char* labels_path,
                                         dsasrgs_reconstructor** reconstructor) {
  return guarded(__func__, [&](const Call& call) {
    dsasrgs_reconstructor*& made = call.new_handle(reconstructor, "reconstructor");
    const auto& shared = call.given(context, "context").context;
    const dsasrgs::Acquisition& a = call.given(acquisition, "acquisition").acquisition;
    const dsasrgs::Config& c = call.given(config, "config").config;
    made =
        new_reconstructor(shared, dsasrgs::Reconstructor(shared->context(), a, c, open_labels(call, labels_path, a)));
  });
}

dsasrgs_status dsasrgs_reconstructor_resume(dsasrgs_context* context, const dsasrgs_acquisition* acquisition,
                                            const char* checkpoint_path, const char* labels_path,
                                            dsasrgs_reconstructor** reconstructor) {
  return guarded(__func__, [&](const Call& call) {
    dsasrgs_reconstructor*& made = call.new_handle(reconstructor, "reconstructor");
    const auto& shared = call.given(context, "context").context;
    const dsasrgs::Acquisition& a = call.given(acquisition, "acquisition").acquisition;
    const auto checkpoint = call.path(checkpoint_path, "checkpoint_path");
    made = new_reconstructor(
        shared, dsasrgs::Reconstructor(shared->context(), a, checkpoint, open_labels(call, labels_path, a)));
  });
}

void dsasrgs_reconstructor_free(dsasrgs_reconstructor* reconstructor) { delete reconstructor; }

dsasrgs_status dsasrgs_reconstructor_step(dsasrgs_reconstructor* reconstructor, dsasrgs_step_report* report) {
  return guarded(__func__, [&](const Call& call) {
    Training& training = *call.given(reconstructor, "reconstructor").training;
    if (report != nullptr) call.copied(report, "report");  // a size that was not set is said before the step
    training.context->context().throw_if_stopped(kTraining);
    const dsasrgs_step_report made = report_of(training.reconstructor.step());
    if (report != nullptr) call.copy_out(made, report, "report");
  });
}

dsasrgs_status dsasrgs_reconstructor_run(dsasrgs_reconstructor* reconstructor, dsasrgs_step_callback callback,
                                         void* user) {
  return guarded(__func__, [&](const Call& call) {
    Training& training = *call.given(reconstructor, "reconstructor").training;
    dsasrgs::Reconstructor& run = training.reconstructor;
    const auto heard = [callback, user](const dsasrgs::StepReport& r) {
      const dsasrgs_step_report report = report_of(r);
      return callback == nullptr || call_host(callback, &report, user) != 0;
    };
    run.run(heard, training.context->token());
    if (!run.finished())
      throw dsasrgs::Cancelled(std::string(kTraining) + ": stopped, as the caller asked, after " +
                               std::to_string(run.steps_done()) + " of " + std::to_string(run.config().training.steps) +
                               " steps");
  });
}

dsasrgs_status dsasrgs_reconstructor_train_to(dsasrgs_reconstructor* reconstructor, int32_t steps) {
  return guarded(__func__, [&](const Call& call) {
    call.given(reconstructor, "reconstructor").training->reconstructor.train_to(steps);
  });
}

dsasrgs_status dsasrgs_reconstructor_steps(const dsasrgs_reconstructor* reconstructor, int32_t* done, int32_t* total) {
  return guarded(__func__, [&](const Call& call) {
    const dsasrgs::Reconstructor& run = call.given(reconstructor, "reconstructor").training->reconstructor;
    if (done != nullptr) *done = run.steps_done();
    if (total != nullptr) *total = run.config().training.steps;
  });
}

dsasrgs_status dsasrgs_reconstructor_save_checkpoint(dsasrgs_reconstructor* reconstructor, const char* path) {
  return guarded(__func__, [&](const Call& call) {
    Training& training = *call.given(reconstructor, "reconstructor").training;
    training.reconstructor.save_checkpoint(call.path(path, "path"));
  });
}

dsasrgs_status dsasrgs_reconstructor_model(dsasrgs_reconstructor* reconstructor, dsasrgs_model** model) {
  return guarded(__func__, [&](const Call& call) {
    dsasrgs_model*& made = call.new_handle(model, "model");
    const std::shared_ptr<Training>& training = call.given(reconstructor, "reconstructor").training;
    (void)training->reconstructor.model();  // there is one
    made = new dsasrgs_model{training->context, training, nullptr, nullptr};
  });
}
