// SPDX-License-Identifier: Apache-2.0
#include "jobs/moved_masks.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <numbers>
#include <string>
#include <utility>

#include "cli/progress.hpp"
#include "cli/terminal_text.hpp"
#include "cli/value_checks.hpp"

namespace dsasrgs::program {

namespace {

double rounded_to(double value, double unit) { return std::round(value / unit) * unit; }

/// What was done, in one line.
std::string alignment_summary(const MaskAlignment& alignment, const Detector& detector) {
  double sum_px = 0, most_px = 0, most_turn = 0, squares = 0;
  int farthest = alignment.views.front();
  std::size_t left_out = 0;
  for (std::size_t i = 0; i < alignment.views.size(); ++i) {
    const MaskMotion& m = alignment.motions[i];
    const double px = std::hypot(m.shift_u_px, m.shift_v_px);
    sum_px += px;
    if (px > most_px) farthest = alignment.views[i];
    most_px = std::max(most_px, px);
    most_turn = std::max(most_turn, std::abs(m.turn_rad));
    left_out += alignment.left_out[i];
  }
  for (const float r : alignment.residue) squares += static_cast<double>(r) * static_cast<double>(r);
  const double views = static_cast<double>(alignment.views.size()),
               pixels = views * static_cast<double>(detector.num_pixels());
  return "moved the masks of " + std::to_string(alignment.views.size()) + " views by " +
         number_text(rounded_to(sum_px / views, 0.01)) + " pixels on average and " +
         number_text(rounded_to(most_px, 0.01)) + " at the most (view " + std::to_string(farthest) +
         "), turned them by up to " + number_text(rounded_to(most_turn * 180 / std::numbers::pi, 0.01)) +
         " degrees; took away a residue of " + number_text(rounded_to(std::sqrt(squares / pixels), 1e-4)) +
         " (root mean square), left out " + number_text(rounded_to(100 * static_cast<double>(left_out) / pixels, 0.1)) +
         " % of the pixels";
}

}  // namespace

void add_alignment_options(CLI::App& subcommand, MaskAlignmentOptions& options) {
  subcommand.add_option("--largest-px", options.largest_px, "by which a corner of a mask may move")
      ->capture_default_str()
      ->check(positive_finite());
  subcommand
      .add_option("--leave-out", options.leave_out,
                  "pixels that lose more than this no longer count: an edge so steep leaves some of it")
      ->capture_default_str()
      ->check(positive_finite());
}

BesideProjections move_masks(const Context& ctx, MaskedAcquisition& masked, const std::vector<int>& views,
                             const MaskAlignmentOptions& options, bool quiet) {
  MaskAlignment alignment = align_masks(ctx, masked, views, options, shown_progress(quiet));
  std::vector<float>().swap(masked.log_masks);
  print_line(quiet, alignment_summary(alignment, masked.acquisition.detector));
  BesideProjections beside;
  beside.residue = std::move(alignment.residue);
  beside.mask_motions.assign(4 * masked.acquisition.poses.size(), 0.0);
  for (std::size_t i = 0; i < views.size(); ++i) {
    const MaskMotion& m = alignment.motions[i];
    const double numbers[4] = {m.shift_u_px, m.shift_v_px, m.turn_rad, m.magnification};
    std::copy(std::begin(numbers), std::end(numbers), beside.mask_motions.begin() + std::ptrdiff_t{4} * views[i]);
  }
  return beside;
}

}  // namespace dsasrgs::program
