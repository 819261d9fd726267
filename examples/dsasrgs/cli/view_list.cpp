// SPDX-License-Identifier: Apache-2.0
#include "cli/view_list.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <string_view>

#include "cli/progress.hpp"
#include "cli/usage_error.hpp"

namespace dsasrgs::program {

namespace {

int parse_view(std::string_view text, const Acquisition& a, const std::string& option) {
  int view = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), view);
  if (error != std::errc{} || end != text.data() + text.size() || view < 0 || view >= a.num_views())
    throw UsageError(option + ": expected " + (option == "--views" ? "train, test, all or " : "") + "views of 0 to " +
                     std::to_string(a.num_views() - 1) + " such as 0,5,10-20, found " +
                     std::string(text.empty() ? "an empty item" : text));
  return view;
}

}  // namespace

std::vector<int> parse_views(const std::string& text, const Acquisition& a, const std::string& option) {
  const std::string_view list = text;
  std::set<int> views;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    const std::string_view item = list.substr(begin, end - begin);
    const std::size_t dash = item.find('-', 1);
    const int first = parse_view(item.substr(0, dash), a, option);
    const int last = dash == std::string_view::npos ? first : parse_view(item.substr(dash + 1), a, option);
    if (last < first)
      throw UsageError(option + ": expected a range with its smaller end first, found " + std::string(item));
    for (int v = first; v <= last; ++v) views.insert(v);
    begin = end + 1;
  }
  return {views.begin(), views.end()};
}

ViewSet select_views(const Acquisition& a, const std::string& list) {
  if (list == "all") return {list, all_views(a)};
  if (list == "train") return {list, a.training_views()};
  if (list != "test") return {list, parse_views(list, a, "--views")};
  if (!has_held_out_views(a))
    throw UsageError("--views: expected test views in " + a.name + ", found none (all are trained on)");
  return held_out_views(a);
}

void use_split_or_warn(Acquisition& a, const Model& model) {
  if (!use_split_of_model(a, model))
    print_warning(false, "the model was trained on another acquisition than " + a.name);
}

}  // namespace dsasrgs::program
