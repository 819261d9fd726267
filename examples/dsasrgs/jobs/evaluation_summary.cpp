// SPDX-License-Identifier: Apache-2.0
#include "jobs/evaluation_summary.hpp"

#include <cmath>
#include <cstdio>

namespace dsasrgs::program {

namespace {

std::string number(double value, const char* format) {
  if (!std::isfinite(value)) return "-";
  char text[48];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string row(const std::string& name, const ViewScores& scores) {
  const ProjectionScore mean = scores.mean();
  char text[256];
  std::snprintf(text, sizeof text, "\n%-22s %9s %8s %9s %9s %8s %10s", name.c_str(),
                number(mean.fixed.psnr_db, "%.2f").c_str(), number(mean.fixed.ssim, "%.4f").c_str(),
                number(scores.worst().fixed.psnr_db, "%.2f").c_str(), number(mean.normalized.psnr_db, "%.2f").c_str(),
                number(mean.normalized.ssim, "%.4f").c_str(), number(mean.highpass_correlation, "%.4f").c_str());
  return text;
}

/// Views without contrast are left out of the means, unless there are no others.
std::string left_out(const ViewScores& scores) {
  const std::size_t blank = scores.blank_views().size();
  if (blank > 0 && blank == scores.views.size())
    return blank == 1 ? "the one view is without contrast"
                      : "all " + std::to_string(blank) + " views are without contrast";
  return std::to_string(blank) + (blank == 1 ? " view" : " views") + " without contrast left out";
}

std::string heading(const ViewScores& scores) {
  return std::string("\nagainst ") +
         (scores.against == TruthKind::measured ? "/projections" : "/reference/projections") + ", " +
         std::to_string(scores.detector.width_px) + " x " + std::to_string(scores.detector.height_px) + " pixels, " +
         left_out(scores) + "\n                            fixed: PSNR and SSIM, worst    4drgs: PSNR, SSIM  high-pass";
}

std::string block(const ViewScores& model, const std::vector<BaselineScores>& baselines) {
  std::string text = heading(model) + row("model", model);
  for (const BaselineScores& b : baselines) text += row(b.name, b.scores);
  return text;
}

}  // namespace

std::string evaluation_summary(const Evaluation& evaluation) {
  std::string text = std::to_string(evaluation.views.views.size()) +
                     (evaluation.views.views.size() == 1 ? " view (" : " views (") + evaluation.views.name + ")";
  text += block(evaluation.measured, evaluation.baselines);
  if (evaluation.reference) text += block(*evaluation.reference, evaluation.reference_baselines);
  if (evaluation.volume && evaluation.volume->score) {
    const VolumeScore& v = *evaluation.volume->score;
    text += "\nvolume: PSNR " + number(v.psnr_db, "%.2f") + " dB, SSIM " + number(v.ssim, "%.4f") + ", Dice " +
            number(v.dice, "%.3f") + ", Chamfer " + number(v.chamfer_mm, "%.3f") + " mm, HD95 " +
            number(v.hd95_mm, "%.3f") + " mm";
  }
  if (evaluation.volume && !evaluation.volume->score)
    text += "\nvolume: no score, the reference volume is 0 everywhere";
  return text;
}

std::string label_summary(const ViewScores& labels, const ViewScores& bicubic) {
  return std::to_string(labels.views.size()) + (labels.views.size() == 1 ? " label" : " labels") + heading(labels) +
         row("labels", labels) + row("bicubic", bicubic);
}

}  // namespace dsasrgs::program
