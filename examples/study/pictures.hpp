// SPDX-License-Identifier: Apache-2.0
#pragma once
// Methods side by side, for people.

#include <functional>
#include <string>
#include <vector>

#include "study/plan.hpp"
#include "study/run.hpp"

namespace dsasrgs::program {

/// For each case and number of views OUT/pictures/CASE_VIEWS.png and CASE_VIEWS_zoom.png of the runs of the first seed
/// that has a model: for a few test views a row of images (reference, then each method) over a row of signed
/// differences to the reference, all in one grey window. Returns Markdown that says which column is what. `log` gets
/// a line for each case and model that is not there, without which a picture or a column is left out.
std::string write_study_pictures(const Study&, const std::vector<StudyRun>& finished, StudyRunner&,
                                 const std::function<void(const std::string&)>& log);

}  // namespace dsasrgs::program
