// SPDX-License-Identifier: Apache-2.0
#pragma once
// Carries out the runs of a study: trains, scores, and knows what is already done.

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/context.hpp"
#include "dsasrgs/evaluation.hpp"
#include "dsasrgs/model.hpp"
#include "dsasrgs/pseudo_labels.hpp"
#include "study/inputs.hpp"
#include "study/plan.hpp"
#include "study/result.hpp"

namespace dsasrgs::program {

/// Training and test views to score; none is without valid pixels.
struct StudyViews {
  std::vector<int> train, test;
};

/// High-resolution images by one way of rendering.
struct RunImages {
  std::string render;  ///< kRenderHigh or kRenderUpsampled
  ViewImage image;
};

class StudyRunner {
 public:
  /// The context and the study must outlive it.
  StudyRunner(Context&, const Study&, bool quiet);

  /// Is there a result that was made with exactly this configuration, case and labels? Makes the case and the labels if
  /// they are not there.
  bool is_done(const StudyRun&);
  /// Throws OutOfMemory where the run could not begin with what memory there is now.
  void require_memory(const StudyRun&);
  struct StoredResult {
    std::optional<StudyResult> result;  ///< empty when there is none, or none that fits
    std::string made_with;              ///< what does not fit ("another configuration"); empty: nothing
  };
  /// The result in the run's folder, if it fits the study as far as the files that are there tell. Throws BadInput for
  /// a file that is no result.
  StoredResult stored_result(const StudyRun&);
  /// Carries it out; result.json is written last. Throws Interrupted, and what training and scoring throw.
  void execute(const StudyRun&);

  StudyInputs& inputs() { return inputs_; }
  /// Images of a finished run, which keep alive what they need but the runner. Throws InputNotMade when its model or
  /// case is not there.
  std::vector<RunImages> images(const StudyRun&);
  std::filesystem::path folder(const StudyRun& run) const { return study_->work / "runs" / run.id(); }

 private:
  /// What a run needs beside its configuration.
  struct Prepared {
    RunIdentity identity;
    StudyViews views;
    std::shared_ptr<const PseudoLabels> labels;                 ///< of the run
    std::vector<std::pair<std::string, PseudoLabels>> oracles;  ///< that its images are held against, by name
  };
  Prepared prepare(const StudyRun&);
  bool trains(const StudyRun& run) const { return study_->method_named(run.method).kind == MethodKind::train; }
  /// As a result records it; empty for a method that trains nothing.
  std::string configuration(const StudyRun& run) const { return trains(run) ? to_toml(run.config) : ""; }
  /// Label sources with planted errors that the images are held against: a run that is taught by one has its own, any
  /// other all of them, as what to expect without.
  std::vector<const StudyLabels*> oracles_for(const StudyRun&) const;
  std::filesystem::path result_file(const StudyRun& run) const { return folder(run) / "result.json"; }
  /// Of a recorded identity and the study, as far as the files that are there tell; empty: none.
  std::string difference(const StudyRun&, const RunIdentity&);
  /// The model must outlive the images.
  std::vector<RunImages> model_images(const StudyRun&, const Model&) const;
  std::vector<RunImages> pseudo_images(const StudyRun&) const;
  void train_and_score(const StudyRun&, const Prepared&, StudyResult&);
  /// The result of a run whose model is there, with its renders scored anew; empty when there is no such model.
  std::optional<StudyResult> score_again(const StudyRun&, const Prepared&) const;
  /// Scores of each render. `high`: those at the reference's resolution, where they are known.
  std::vector<std::pair<std::string, RenderScores>> score_renders(const std::vector<RunImages>&, const Prepared&,
                                                                  const std::optional<ViewScores>& high = {}) const;

  Context* ctx_;
  const Study* study_;
  bool quiet_;
  StudyInputs inputs_;
};

}  // namespace dsasrgs::program
