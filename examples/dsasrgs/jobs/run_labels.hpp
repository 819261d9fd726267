// SPDX-License-Identifier: Apache-2.0
#pragma once
// The labels that a run makes for itself, in its folder.

#include <filesystem>
#include <memory>

#include "dsasrgs/pseudo_labels.hpp"
#include "dsasrgs/reconstructor.hpp"
#include "jobs/run_folder.hpp"

namespace dsasrgs::program {

/// The network that labels are made with where none are given. Throws as shipped_network.
std::filesystem::path run_label_network(const Config&);
/// By it, of the training views: RunFolder::labels().
void make_run_labels(Context&, const Acquisition&, const Config&, const RunFolder&, bool strict, bool quiet);

/// The label file of a run that goes on: the refreshed ones, or those made at its start; empty: neither is there.
std::filesystem::path run_labels(const RunFolder&);

/// Where the configuration refreshes labels in what is left of the run: has the reconstructor make
/// RunFolder::refreshed_labels() with the network that reads the model's renders (`network`, or, where that is empty,
/// the one that comes with the program). A checkpoint is written first, so that a run never goes on from before with
/// labels from after. Where the new labels are refused (of a model that shows too little yet, say), the run goes on
/// with `labels`, those it has, and a warning; with `strict` it ends, and `--resume` without goes on. All must outlive
/// the run. Throws as shipped_network and require_network.
struct LabelRefreshOptions {
  std::filesystem::path network;
  bool strict = false, quiet = false;
};
void refresh_run_labels(Context&, const Acquisition&, Reconstructor&, const RunFolder&,
                        const std::shared_ptr<const PseudoLabels>& labels, const LabelRefreshOptions&);

}  // namespace dsasrgs::program
