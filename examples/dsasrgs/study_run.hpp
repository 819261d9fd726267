#pragma once
// Carries out the runs of a study: trains, scores, and knows what is already done.

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/context.hpp"
#include "dsasrgs/model.hpp"
#include "dsasrgs/pseudo_labels.hpp"
#include "study_inputs.hpp"
#include "study_plan.hpp"
#include "study_scores.hpp"

namespace dsasrgs::program {

/// High-resolution images by one way of rendering; the function keeps what it needs alive.
struct RunImages {
  std::string render;  ///< kRenderHigh or kRenderUpsampled
  ViewImage image;
};

class StudyRunner {
 public:
  /// The context and the study must outlive it.
  StudyRunner(Context&, const Study&, bool quiet);

  /// The result of a run, if it was made with exactly this configuration, case and labels; null otherwise. Makes the
  /// case and the labels if they are not there.
  nlohmann::ordered_json current_result(const StudyRun&);
  struct StoredResult {
    nlohmann::ordered_json result;  ///< null when there is none, or none that fits
    std::string made_with;          ///< what does not fit ("another configuration"); empty: nothing
  };
  /// The result in the run's folder, if it fits the study as far as the files that are there tell.
  StoredResult stored_result(const StudyRun&);
  /// Carries it out; result.json is written last. Throws Interrupted, and what training and scoring throw.
  void execute(const StudyRun&);

  StudyInputs& inputs() { return inputs_; }
  /// Images of a finished run; valid as long as the runner. Throws InputNotMade when its model or case is not there.
  std::vector<RunImages> images(const StudyRun&);
  std::filesystem::path folder(const StudyRun& run) const { return study_->work / "runs" / run.id(); }

 private:
  /// What a run needs beside its configuration.
  struct Prepared {
    /// All that the result depends on: `training`, what the model does, and `scoring`, what its scores do beside it.
    nlohmann::ordered_json identity;
    StudyViews views;
    std::shared_ptr<const PseudoLabels> labels;                ///< of the run
    std::vector<std::pair<std::string, PseudoLabels>> spoilt;  ///< that its images are held against, by name
  };
  Prepared prepare(const StudyRun&);
  /// As a result records it; null for a method that trains nothing.
  nlohmann::ordered_json configuration(const StudyRun&) const;
  /// Label sources that the images are held against: a run with spoilt labels has its own, any other all of them, as
  /// what to expect without.
  std::vector<const StudyLabels*> masks_for(const StudyRun&) const;
  /// result.json as it is; null when it is not there or of no use.
  nlohmann::ordered_json recorded_result(const StudyRun&) const;
  /// Of a recorded identity and the study, as far as the files that are there tell; empty: none.
  std::string difference(const StudyRun&, const nlohmann::ordered_json& identity);
  std::vector<RunImages> model_images(const StudyRun&, std::shared_ptr<const Model>) const;
  std::vector<RunImages> pseudo_images(const StudyRun&) const;
  nlohmann::ordered_json train_and_score(const StudyRun&, const Prepared&);
  /// The result of a run whose model is there, with its renders scored anew; null when there is no such model.
  nlohmann::ordered_json score_again(const StudyRun&, const Prepared&) const;
  /// Scores of each render. `high`: those at the reference's resolution, where they are known; null: not.
  nlohmann::ordered_json score_renders(const std::vector<RunImages>&, const Prepared&,
                                       const nlohmann::ordered_json& high) const;

  Context* ctx_;
  const Study* study_;
  bool quiet_;
  StudyInputs inputs_;
};

}  // namespace dsasrgs::program
