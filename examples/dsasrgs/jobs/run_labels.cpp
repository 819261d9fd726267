// SPDX-License-Identifier: Apache-2.0
#include "jobs/run_labels.hpp"

#include <memory>
#include <string>
#include <system_error>

#include "cli/progress.hpp"
#include "dsasrgs/error.hpp"
#include "jobs/make_labels.hpp"
#include "jobs/shipped_network.hpp"

namespace dsasrgs::program {

namespace fs = std::filesystem;

fs::path run_label_network(const Config& config) {
  return shipped_network(config.super_resolution.scale, false, "--labels");
}

void make_run_labels(Context& ctx, const Acquisition& a, const Config& config, const RunFolder& folder, bool strict,
                     bool quiet) {
  LabelOptions options;
  options.scale = config.super_resolution.scale;
  options.network = run_label_network(config).string();
  options.strict = strict;
  options.quiet = quiet;
  print_line(quiet, "no --labels: making them with " + options.network);
  make_labels(ctx, a, nullptr, folder.labels(), options);
}

fs::path run_labels(const RunFolder& folder) {
  std::error_code error;
  for (fs::path file : {folder.refreshed_labels(), folder.labels()})
    if (fs::exists(file, error)) return file;
  return {};
}

void refresh_run_labels(Context& ctx, const Acquisition& a, Reconstructor& reconstructor, const RunFolder& folder,
                        const std::shared_ptr<const PseudoLabels>& labels, const LabelRefreshOptions& refresh) {
  const SuperResolutionConfig& sr = reconstructor.config().super_resolution;
  const bool to_come =
      sr.refresh_step >= reconstructor.steps_done() && sr.refresh_step < reconstructor.config().training.steps;
  if (sr.refresh_step == 0 || !to_come || !sr.needs_labels()) return;
  LabelOptions options;
  options.scale = sr.scale;
  options.network =
      (refresh.network.empty() ? shipped_network(sr.scale, true, "--refresh-network") : refresh.network).string();
  options.quiet = refresh.quiet;
  require_network(ctx, options.network, sr.scale, true);  // what is wrong with it is said before the training
  reconstructor.set_label_refresh([&ctx, &a, &reconstructor, &folder, labels, options,
                                   refresh](const Model& model) -> std::shared_ptr<const PseudoLabels> {
    print_line(refresh.quiet, "making labels from the model with " + options.network);
    reconstructor.save_checkpoint(folder.checkpoint());
    make_labels(ctx, a, &model, folder.new_labels(), options);
    std::error_code error;
    try {
      PseudoLabels::open(folder.new_labels(), a).check_all();
    } catch (const BadInput& e) {
      fs::remove(folder.new_labels(), error);
      if (refresh.strict) throw;
      print_warning(false, std::string(e.what()) + ": labels made from the model at super_resolution.refresh_step = " +
                               std::to_string(reconstructor.steps_done()) +
                               " are refused, the run goes on with those it has");
      return labels;
    }
    fs::rename(folder.new_labels(), folder.refreshed_labels(), error);
    if (error) throw IoError(folder.refreshed_labels().string() + ": cannot rename into place: " + error.message());
    return std::make_shared<const PseudoLabels>(PseudoLabels::open(folder.refreshed_labels(), a));
  });
}

}  // namespace dsasrgs::program
