#pragma once
// Which views of an acquisition a subcommand works on.

#include <string>
#include <vector>

#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/model.hpp"

namespace dsasrgs::program {

struct ViewSet {
  std::string name;        ///< "test", "train", "all" or the list as it was given
  std::vector<int> views;  ///< ascending, not empty
};

/// `train`, `test`, `all`, or views and ranges such as "0,5,10-20". Throws UsageError for anything else, a view that
/// does not exist, and an empty set.
ViewSet select_views(const Acquisition&, const std::string& list);

/// Views that no training saw, under the name "test": the file's test views, or all that are not trained on. When there
/// is none, the training views under the name "train".
ViewSet held_out_views(const Acquisition&);

/// Takes these of the training views out of training and makes them the test views, in place of others: settings can
/// then be chosen without a look at the true test views. Throws UsageError for a view that is not trained on, and when
/// none is left.
void hold_out(Acquisition&, const std::string& list);

/// Makes the split what the model was trained and is to be judged with. Of another acquisition than the model's it
/// changes nothing and says so on stderr.
void use_split_of_model(Acquisition&, const Model&);

/// Takes out views in which no pixel is valid, since nothing can be said of them; returns those views.
std::vector<int> drop_views_without_pixels(const Acquisition&, ViewSet&);

/// `count` of the values (or all, when fewer), evenly spread, first and last among them.
std::vector<int> spread(const std::vector<int>& values, std::size_t count);

}  // namespace dsasrgs::program
