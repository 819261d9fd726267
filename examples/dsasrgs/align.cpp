// SPDX-License-Identifier: Apache-2.0
// dsasrgs align: moves the masks of an acquisition onto its images, so that a head that moved leaves no bone in them.

#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>
#include <string>
#include <vector>

#include "cli/interruption.hpp"
#include "cli/machine_options.hpp"
#include "cli/output_path.hpp"
#include "cli/progress.hpp"
#include "cli/terminal_text.hpp"
#include "cli/value_checks.hpp"
#include "cli/view_list.hpp"
#include "dsasrgs/io.hpp"
#include "dsasrgs/mask_alignment.hpp"
#include "subcommands.hpp"

namespace dsasrgs::program {

namespace {

struct AlignOptions {
  std::string case_file, output, views = "all";
  bool force = false;
  MaskAlignmentOptions alignment;
  MachineOptions machine;
};

double rounded(double value, double unit) { return std::round(value / unit) * unit; }

/// What was done, in one line.
std::string summary(const MaskAlignment& alignment, const Detector& detector) {
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
         number_text(rounded(sum_px / views, 0.01)) + " pixels on average and " + number_text(rounded(most_px, 0.01)) +
         " at the most (view " + std::to_string(farthest) + "), turned them by up to " +
         number_text(rounded(most_turn * 180 / std::numbers::pi, 0.01)) + " degrees; took away a residue of " +
         number_text(rounded(std::sqrt(squares / pixels), 1e-4)) + " (root mean square), left out " +
         number_text(rounded(100 * static_cast<double>(left_out) / pixels, 0.1)) + " % of the pixels";
}

void run(const AlignOptions& options) {
  const Interruption interruption;
  require_writable_file("--output", options.output, {options.case_file});
  require_replaceable("--output", options.output, "dsasrgs.acquisition", options.force);
  Context ctx = make_context(options.machine);
  MaskedAcquisition masked = read_masked_acquisition(options.case_file);
  Acquisition& a = masked.acquisition;
  const MaskAlignment alignment = align_masks(ctx, masked, select_views(a, options.views).views, options.alignment,
                                              shown_progress(options.machine.quiet));
  BesideProjections beside;
  beside.residue = alignment.residue;
  beside.mask_motions.assign(4 * a.poses.size(), 0.0);
  for (std::size_t i = 0; i < alignment.views.size(); ++i) {
    const MaskMotion& m = alignment.motions[i];
    const double numbers[4] = {m.shift_u_px, m.shift_v_px, m.turn_rad, m.magnification};
    std::copy(std::begin(numbers), std::end(numbers), beside.mask_motions.begin() + 4 * alignment.views[i]);
  }
  a.name = options.output;
  write_acquisition(options.output, a, nullptr, beside);
  print_line(options.machine.quiet, summary(alignment, a.detector));
}

}  // namespace

void add_align(CLI::App& app) {
  auto options = std::make_shared<AlignOptions>();
  CLI::App* sub = app.add_subcommand(
      "align", "move the masks of an acquisition of intensities onto its images: a head that moved leaves less bone");
  sub->add_option("case", options->case_file, "acquisition file with masks (CASE.h5)")
      ->required()
      ->check(existing_file());
  sub->add_option("--output", options->output, "acquisition file to write (ALIGNED.h5), of line integrals")->required();
  sub->add_option("--views", options->views, "train, test, all or a list such as 0,5,10-20; others stay as they are")
      ->capture_default_str();
  sub->add_option("--largest-px", options->alignment.largest_px, "by which a corner of a mask may move")
      ->capture_default_str()
      ->check(positive_finite());
  sub->add_option("--leave-out", options->alignment.leave_out,
                  "pixels that lose more than this no longer count: an edge so steep leaves some of it")
      ->capture_default_str()
      ->check(positive_finite());
  sub->add_flag("--force", options->force, kForceDescription);
  add_machine_options(*sub, options->machine);
  sub->callback([options] { run(*options); });
}

}  // namespace dsasrgs::program
