// SPDX-License-Identifier: Apache-2.0
#include "jobs/training_log.hpp"

#include <cstdio>
#include <fstream>
#include <string>

namespace dsasrgs::program {

namespace {
constexpr const char* kHeader =
    "step,view,loss_step,loss,l_gt,l1,ssim,rendered,l_sr,alpha,beta,total_variation,table_variation,gaussians,cloned,"
    "split,"
    "pruned,residual_split,born,seconds";
}

TrainingLog::TrainingLog(const std::filesystem::path& path, int every, int done_steps) : every_(every) {
  std::string text = std::string(kHeader) + "\n", line;
  std::ifstream earlier;
  if (done_steps > 0) earlier.open(path);
  const bool goes_on = std::getline(earlier, line) && line == kHeader;
  while (goes_on && std::getline(earlier, line)) {
    int step = 0;
    double seconds = 0;
    if (std::sscanf(line.c_str(), "%d", &step) != 1 || step > done_steps) break;
    if (std::sscanf(line.c_str() + line.rfind(',') + 1, "%lf", &seconds) == 1) earlier_seconds_ = seconds;
    text += line + "\n";
  }
  earlier.close();
  file_.begin(path, text);
}

void TrainingLog::add(const StepReport& r, double seconds, bool always) {
  cloned_ += r.cloned;
  split_ += r.split;
  pruned_ += r.pruned;
  residual_split_ += r.residual_split;
  born_ += r.born;
  if (!always && r.step % every_ != 0 && r.step != r.steps) return;
  char line[512];
  std::snprintf(
      line, sizeof line, "%d,%d,%d,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%zu,%zu,%zu,%zu,%zu,%zu,%.3f\n",
      r.step, r.view, r.loss_step, r.loss, r.l_gt, r.l1, r.ssim, r.rendered, r.l_sr, r.alpha, r.beta, r.total_variation,
      r.table_variation, r.gaussians, cloned_, split_, pruned_, residual_split_, born_, seconds);
  file_.add(line);
  cloned_ = split_ = pruned_ = residual_split_ = born_ = 0;
}

}  // namespace dsasrgs::program
