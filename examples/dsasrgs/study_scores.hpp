#pragma once
// What a study measures on high-resolution images, wherever they come from.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/pseudo_labels.hpp"
#include "view_list.hpp"
#include "view_scores.hpp"

namespace dsasrgs::program {

/// Training and test views to score; none is without valid pixels.
struct StudyViews {
  std::vector<int> train, test;
};

/// Do images [sH,sW], averaged back to the detector, agree with the measurement? Keys "train" and "test" (null when
/// there are no such views), each with "psnr_db" (protocol `fixed`, mean over views with contrast) and, of binned −
/// measured over all valid pixels, "rms" and "mean", line integrals.
nlohmann::ordered_json score_consistency(const Acquisition&, const StudyViews&, const ViewImage& high);

/// How much of what a spoilt label says falsely is in the images: Σ (image − truth) / Σ (label − truth) over the pixels
/// of its mask in `views`; 1: all is believed, 0: none. "added" over pixels where the label is above the truth (false
/// branches), "removed" where it is below (missing branches); null where there are none. Over-sharpened labels mix the
/// two.
nlohmann::ordered_json score_false_vessel(const Acquisition&, const PseudoLabels& spoilt, const std::vector<int>& views,
                                          const ViewImage& high);

/// Scores of the test views against the reference, as scores_as_json gives them. The acquisition must have one.
nlohmann::ordered_json score_against_reference(const Acquisition&, const StudyViews&, const ViewImage& high,
                                               bool quiet);

}  // namespace dsasrgs::program
