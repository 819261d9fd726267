// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which views of an acquisition a subcommand works on, as they are written on the command line.

#include <string>
#include <vector>

#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/model.hpp"
#include "dsasrgs/splits.hpp"

namespace dsasrgs::program {

/// Views and ranges such as "0,5,10-20", ascending. Throws UsageError, with the option's name, for anything else and
/// for a view that does not exist.
std::vector<int> parse_views(const std::string& list, const Acquisition&, const std::string& option);

/// `train`, `test`, `all`, or a list as above. Throws UsageError as parse_views, and for "test" when there is none.
ViewSet select_views(const Acquisition&, const std::string& list);

/// use_split_of_model, with a warning on stderr when the model is of another acquisition.
void use_split_or_warn(Acquisition&, const Model&);

}  // namespace dsasrgs::program
