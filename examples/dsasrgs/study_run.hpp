#pragma once
// Carries out the runs of a study: makes the cases and labels they need, trains, scores, and knows what is already
// done.

#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/context.hpp"
#include "dsasrgs/model.hpp"
#include "dsasrgs/pseudo_labels.hpp"
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
  /// The result in the run's folder, if it was made with this configuration, of whatever case and labels; null
  /// otherwise.
  nlohmann::ordered_json stored_result(const StudyRun&) const;
  /// Carries it out; result.json is written last. Throws Interrupted, and what training and scoring throw.
  void execute(const StudyRun&);

  /// The acquisition with the split of a case and a number of views; valid until the next call for other ones.
  const Acquisition& acquisition(const std::string& case_name, int views);
  /// Images of a finished run; valid as long as the runner.
  std::vector<RunImages> images(const StudyRun&);
  std::filesystem::path folder(const StudyRun& run) const { return study_->work / "runs" / run.id(); }

 private:
  /// What a run needs beside its configuration.
  struct Prepared {
    /// All that the result depends on: `training`, what the model does, and `scoring`, what its scores do beside it.
    nlohmann::ordered_json identity;
    StudyViews views;
    std::optional<PseudoLabels> labels;                        ///< of the run
    std::vector<std::pair<std::string, PseudoLabels>> spoilt;  ///< that its images are held against, by name
  };
  Prepared prepare(const StudyRun&);
  /// As a result records it; null for a method that trains nothing.
  nlohmann::ordered_json configuration(const StudyRun&) const;
  std::filesystem::path case_file(const StudyCase&);
  std::filesystem::path label_file(const StudyRun&, const StudyLabels&);
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
  std::string loaded_case_;
  int loaded_views_ = -1;
  Acquisition acquisition_;
  std::vector<int> file_train_, file_test_;
  std::map<std::string, std::string> fingerprints_;  ///< of cases by name, of labels by file
};

}  // namespace dsasrgs::program
