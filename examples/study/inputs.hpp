// SPDX-License-Identifier: Apache-2.0
#pragma once
// The cases and labels of a study: made where they are not there, held against what the study asks for, and read.

#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/pseudo_labels.hpp"
#include "study/plan.hpp"

namespace dsasrgs::program {

/// A file that is not there, or was made with other options, while nothing may be made.
class InputNotMade : public std::runtime_error {
 public:
  InputNotMade(const std::string& what, bool outdated) : std::runtime_error(what), outdated_(outdated) {}
  bool outdated() const { return outdated_; }

 private:
  bool outdated_;
};

class StudyInputs {
 public:
  /// The study must outlive it.
  explicit StudyInputs(const Study& study) : study_(&study) {}

  /// What can be known to be wrong without making anything: files that are not there, more training views than a case
  /// has. Throws BadInput; IoError.
  void check(const std::vector<StudyRun>&);
  /// From here on no file is made or changed; acquisition() and labels() throw InputNotMade where they would.
  void make_nothing() { may_make_ = false; }

  /// The acquisition with the split of a case and a number of views; valid until the next call for other ones.
  const Acquisition& acquisition(const std::string& case_name, int views);
  /// The one that was asked for last, and its fingerprint.
  const Acquisition& loaded() const { return acquisition_; }
  const std::string& case_fingerprint() const { return case_fingerprint_; }

  struct Labels {
    PseudoLabels file;
    std::string fingerprint;  ///< of the training views' labels
  };
  /// Labels of a run's case, number of views and seed, from one of the study's sources.
  Labels labels(const StudyRun&, const StudyLabels&);

 private:
  std::filesystem::path case_path(const StudyCase&) const;
  void require_case(const StudyCase&);
  std::filesystem::path label_file(const StudyRun&, const StudyLabels&);
  int num_views(const StudyCase&);

  const Study* study_;
  bool may_make_ = true;
  std::string loaded_case_;
  int loaded_views_ = -1;
  Acquisition acquisition_;
  std::vector<int> file_train_, file_test_;
  std::string case_fingerprint_;
  /// Of labels by file and training views: a file may have the labels of several splits.
  std::map<std::pair<std::string, std::vector<int>>, std::string> label_fingerprints_;
};

}  // namespace dsasrgs::program
