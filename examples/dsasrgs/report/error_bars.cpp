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

}  // namespace

ErrorBars error_bars(Context& ctx, const Acquisition& a, const Model& model, const std::vector<int>& views,
                     bool quiet) {
  ErrorBars bars;
  bars.against_truth = a.reference_projections.has_value();
  const ProjectionTruth truth = bars.against_truth ? ProjectionTruth::reference(a) : ProjectionTruth::measured(a);
  bars.brightest = truth.range();
  Uncertainty uncertainty(ctx, model, a, {}, shown_progress(quiet));
  Renderer renderer(ctx, model);
  const std::vector<Pose> poses = poses_as_corrected(model, a);
  const std::vector<int> trained = a.training_views();
  Count all;
  Progress progress("report: error bars", "views", static_cast<std::int64_t>(views.size()), quiet);
  for (const int view : views) {
    Interruption::check();
    const Pose& pose = poses[static_cast<std::size_t>(view)];
    const std::vector<float> render = renderer.render(pose, a.detector).values;
    std::vector<float> deviations = uncertainty.render(pose, a.detector).values;
    std::vector<float> known;
    if (bars.against_truth || !std::binary_search(trained.begin(), trained.end(), view))
      known = block_means(truth.image(view), {}, truth.detector().width_px, truth.scale(), a.detector);
    const Count count = counted(render, deviations, known, a.valid_pixels(view), ErrorBars::kShown * bars.brightest);
    all.add(count);
    bars.views.push_back(
        {view, std::move(deviations), count.deviation_percent(bars.brightest), count.within_percent()});
    progress.update(static_cast<std::int64_t>(bars.views.size()));
  }
  bars.deviation_percent = all.deviation_percent(bars.brightest);
  bars.within_percent = all.within_percent();
  return bars;
}

}  // namespace dsasrgs::program
