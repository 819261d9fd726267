// SPDX-License-Identifier: Apache-2.0
#include "report/error_bars.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

#include "cli/interruption.hpp"
#include "cli/progress.hpp"
#include "dsasrgs/evaluation.hpp"
#include "dsasrgs/pose_correction.hpp"
#include "dsasrgs/renderer.hpp"
#include "dsasrgs/uncertainty.hpp"
#include "report/packed.hpp"

namespace dsasrgs::program {

namespace {

constexpr double kOfNineTenths = 1.6448536269514722;  // standard deviations to either side, of a normal distribution

/// What is counted over pixels.
struct Count {
  std::int64_t shown = 0, compared = 0, within = 0;
  double squares = 0;

  void add(const Count& other) {
    shown += other.shown;
    compared += other.compared;
    within += other.within;
    squares += other.squares;
  }
  std::optional<double> deviation_percent(double brightest) const {
    if (shown == 0) return std::nullopt;
    return 100 * std::sqrt(squares / static_cast<double>(shown)) / brightest;
  }
  std::optional<double> within_percent() const {
    if (compared == 0) return std::nullopt;
    return 100 * static_cast<double>(within) / static_cast<double>(compared);
  }
};

/// `truth` is empty where there is nothing to compare with.
Count counted(std::span<const float> render, std::span<const float> deviations, std::span<const float> truth,
              std::span<const std::uint8_t> valid, double shown_above) {
  Count count;
  for (std::size_t p = 0; p < render.size(); ++p) {
    const auto value = static_cast<double>(render[p]), deviation = static_cast<double>(deviations[p]);
    if (!(value > shown_above) || (!valid.empty() && valid[p] == 0)) continue;
    ++count.shown;
    count.squares += deviation * deviation;
    if (truth.empty()) continue;
    ++count.compared;
    if (std::abs(value - static_cast<double>(truth[p])) <= kOfNineTenths * deviation) ++count.within;
  }
  return count;
}

/// A view of the truth on the acquisition's detector.
std::vector<float> on_detector(const ProjectionTruth& truth, int view) {
  return block_means(truth.image(view), truth.valid(view), truth.detector().width_px, truth.scale(),
                     truth.acquisition().detector);
}

/// Of all views on that detector, whose pixels average what is brighter at a finer one.
double brightest_of(const ProjectionTruth& truth) {
  if (truth.scale() == 1) return truth.range();
  float brightest = 0;
  for (int view = 0; view < truth.acquisition().num_views(); ++view)
    for (const float value : on_detector(truth, view)) brightest = std::max(brightest, value);
  return brightest > 0 ? static_cast<double>(brightest) : truth.range();
}

}  // namespace

ErrorBars error_bars(Context& ctx, const Acquisition& a, const Model& model, const std::vector<int>& views,
                     bool quiet) {
  ErrorBars bars;
  bars.against_truth = a.reference_projections.has_value();
  const ProjectionTruth truth = bars.against_truth ? ProjectionTruth::reference(a) : ProjectionTruth::measured(a);
  bars.brightest = brightest_of(truth);
  Uncertainty uncertainty(ctx, model, a, {}, shown_progress(quiet));
  Renderer renderer(ctx, model);
  const std::vector<Pose> poses = poses_as_corrected(model, a);
  std::vector<std::vector<float>> renders;
  float brightest_render = 0;
  Progress progress("report: error bars", "views", static_cast<std::int64_t>(views.size()), quiet);
  for (const int view : views) {
    Interruption::check();
    const Pose& pose = poses[static_cast<std::size_t>(view)];
    renders.push_back(renderer.render(pose, a.detector).values);
    for (const float value : renders.back()) brightest_render = std::max(brightest_render, value);
    bars.views.push_back({view, uncertainty.render(pose, a.detector).values, {}, {}});
    progress.update(static_cast<std::int64_t>(renders.size()));
  }
  const double shown_above = ErrorBars::kShown * static_cast<double>(brightest_render);
  const std::vector<int> trained = a.training_views();
  Count all;
  for (std::size_t i = 0; i < views.size(); ++i) {
    ErrorBars::OfView& of = bars.views[i];
    std::vector<float> known;
    if (bars.against_truth || !std::binary_search(trained.begin(), trained.end(), of.view))
      known = on_detector(truth, of.view);
    const Count count = counted(renders[i], of.deviations, known, a.valid_pixels(of.view), shown_above);
    of.deviation_percent = count.deviation_percent(bars.brightest);
    of.within_percent = count.within_percent();
    all.add(count);
  }
  bars.deviation_percent = all.deviation_percent(bars.brightest);
  bars.within_percent = all.within_percent();
  return bars;
}

}  // namespace dsasrgs::program
