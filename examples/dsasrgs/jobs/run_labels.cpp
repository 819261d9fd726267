#include "jobs/run_labels.hpp"

#include <memory>
#include <system_error>

#include "cli/progress.hpp"
#include "jobs/make_labels.hpp"

namespace dsasrgs::program {

namespace fs = std::filesystem;

void make_run_labels(Context& ctx, const Acquisition& a, const Config& config, const RunFolder& folder, bool quiet) {
  LabelOptions options;
  options.scale = config.super_resolution.scale;
  options.quiet = quiet;
  print_line(quiet, "no --labels: making them with " + network_file(options, false).string());
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
  if (sr.refresh_step == 0 || !sr.needs_labels()) return;
  LabelOptions options;
  options.scale = sr.scale;
  options.network = network.string();
  options.quiet = quiet;
  const fs::path used = network_file(options, true);  // that it is missing is said before the training
  reconstructor.set_label_refresh([&ctx, &a, &reconstructor, &folder, options, used, quiet](const Model& model) {
    print_line(quiet, "making labels from the model with " + used.string());
    reconstructor.save_checkpoint(folder.checkpoint());
    make_labels(ctx, a, &model, folder.refreshed_labels(), options);
    return std::make_shared<const PseudoLabels>(PseudoLabels::open(folder.refreshed_labels(), a));
  });
}

}  // namespace dsasrgs::program
