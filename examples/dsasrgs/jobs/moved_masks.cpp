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
  int farthest = 0, moved = 0;
  std::size_t left_out = 0;
  for (std::size_t i = 0; i < alignment.views.size(); ++i) {
    const double px = moved_px(alignment.motions[i], detector);
    if (px > 0) ++moved;
    sum_px += px;
    if (px > most_px) farthest = alignment.views[i];
    most_px = std::max(most_px, px);
    most_turn = std::max(most_turn, std::abs(alignment.motions[i].turn_rad));
    left_out += alignment.left_out[i];
  }
  const std::string views = std::to_string(alignment.views.size());
  if (moved == 0) return "none of the masks of " + views + " views fits better where it is moved";
  for (const float r : alignment.residue) squares += static_cast<double>(r) * static_cast<double>(r);
  const double pixels = static_cast<double>(alignment.views.size()) * static_cast<double>(detector.num_pixels());
  return "moved the masks of " + std::to_string(moved) + " of " + views + " views, their corners by " +
         number_text(rounded_to(sum_px / moved, 0.01)) + " pixels on average and " +
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
                  "pixels from which more than this is taken away no longer count: not all of it can be")
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
