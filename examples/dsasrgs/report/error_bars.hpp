// SPDX-License-Identifier: Apache-2.0
#pragma once
// Error bars of the renders that a report shows, and how often they hold (docs/method.md section 8).

#include <optional>
#include <vector>

#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/context.hpp"
#include "dsasrgs/model.hpp"

namespace dsasrgs::program {

/// On the case's own detector, so that numbers do not depend on how large a report may be. Those in percent are over
/// the valid pixels in which a render shows something; empty where there is none.
struct ErrorBars {
  /// "Something" is more than this part of the renders' brightest, as in docs/results.md: elsewhere both are nothing.
  static constexpr double kShown = 0.02;

  struct OfView {
    int view;
    std::vector<float> deviations;            ///< [H,W] standard deviations of line integrals
    std::optional<double> deviation_percent;  ///< their RMS, of the brightest
    /// Of pixels within the 90 % interval of the truth, else of what was measured; empty also where that was trained
    /// on, whose noise the model may have learnt.
    std::optional<double> within_percent;
  };
  std::vector<OfView> views;
  bool against_truth = false;                               ///< the case holds it; else measurements, noise and all
  double brightest = 0;                                     ///< line integral of truth or measurements
  std::optional<double> deviation_percent, within_percent;  ///< over the pixels of all views that have one
};

/// Of these views. Throws Interrupted; as Uncertainty does.
ErrorBars error_bars(Context&, const Acquisition&, const Model&, const std::vector<int>& views, bool quiet);

}  // namespace dsasrgs::program
