// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// Which views of an acquisition are trained on, and which ones a model is judged on.

#include <cstddef>
#include <string>
#include <vector>

#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/export.hpp"
#include "dsasrgs/model.hpp"

namespace DSASRGS_API dsasrgs {

/// Some views of an acquisition.
struct ViewSet {
  std::string name;        ///< "test", "train", "all", or the words of whoever chose them
  std::vector<int> views;  ///< ascending, not empty
};

/// Every view, ascending.
std::vector<int> all_views(const Acquisition&);

/// Whether there are views that no training saw.
bool has_held_out_views(const Acquisition&);

/// Views that no training saw, under the name "test": the acquisition's test views, or all that are not trained on.
/// When there is none, the training views under the name "train".
ViewSet held_out_views(const Acquisition&);

/// Takes these of the training views out of training and makes them the test views, in place of others: settings can
/// then be chosen without a look at the true test views. Throws InvalidArgument, and changes nothing, when there are
/// none, for a view that is not trained on, and when none would be left to train on.
void hold_out(Acquisition&, std::vector<int> views);

/// Makes the split what the model was trained and is to be judged with. False, and nothing is changed, when the model
/// was trained on another acquisition (other measurements of its training views, or views that are not there). Throws
/// InvalidArgument for a model whose views are negative, not ascending or both trained on and judged.
[[nodiscard]] bool use_split_of_model(Acquisition&, const Model&);

/// Takes out views in which no pixel is valid, since nothing can be said of them; returns those views. Throws BadInput
/// when none would be left, InvalidArgument for a view that is not there.
std::vector<int> drop_views_without_pixels(const Acquisition&, ViewSet&);

/// `count` of the views (or all, when fewer), evenly spread, first and last among them.
std::vector<int> spread_views(const std::vector<int>& views, std::size_t count);

}  // namespace dsasrgs
