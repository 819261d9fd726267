#include "jobs/run_labels.hpp"

#include <memory>
#include <system_error>

#include "cli/progress.hpp"
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
                        const fs::path& network, bool quiet) {
  const SuperResolutionConfig& sr = reconstructor.config().super_resolution;
  const bool to_come =
      sr.refresh_step >= reconstructor.steps_done() && sr.refresh_step < reconstructor.config().training.steps;
  if (sr.refresh_step == 0 || !to_come || !sr.needs_labels()) return;
  const fs::path used = network.empty() ? shipped_network(sr.scale, true, "--refresh-network") : network;
  require_network(ctx, used, sr.scale, true);  // what is wrong with it is said before the training
  LabelOptions options;
  options.scale = sr.scale;
  options.network = used.string();
  options.quiet = quiet;
  reconstructor.set_label_refresh([&ctx, &a, &reconstructor, &folder, options, quiet](const Model& model) {
    print_line(quiet, "making labels from the model with " + options.network);
    reconstructor.save_checkpoint(folder.checkpoint());
    make_labels(ctx, a, &model, folder.refreshed_labels(), options);
    return std::make_shared<const PseudoLabels>(PseudoLabels::open(folder.refreshed_labels(), a));
  });
}

}  // namespace dsasrgs::program
