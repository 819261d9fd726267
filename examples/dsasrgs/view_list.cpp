#include "view_list.hpp"

#include <algorithm>
#include <charconv>
#include <iostream>
#include <numeric>
#include <set>
#include <span>
#include <string_view>

#include "dsasrgs/fingerprint.hpp"
#include "usage_error.hpp"

namespace dsasrgs::program {

namespace {

std::vector<int> all_views(const Acquisition& a) {
  std::vector<int> views(a.poses.size());
  std::iota(views.begin(), views.end(), 0);
  return views;
}

std::vector<int> without(const std::vector<int>& views, const std::vector<int>& sorted_others) {
  std::vector<int> left;
  for (const int v : views)
    if (!std::binary_search(sorted_others.begin(), sorted_others.end(), v)) left.push_back(v);
  return left;
}

int parse_view(std::string_view text, const Acquisition& a, const std::string& option) {
  int view = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), view);
  if (error != std::errc{} || end != text.data() + text.size() || view < 0 || view >= a.num_views())
    throw UsageError(option + ": expected " + (option == "--views" ? "train, test, all or " : "") + "views of 0 to " +
                     std::to_string(a.num_views() - 1) + " such as 0,5,10-20, found " +
                     std::string(text.empty() ? "an empty item" : text));
  return view;
}

std::vector<int> parse_list(std::string_view list, const Acquisition& a, const std::string& option) {
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

}  // namespace

ViewSet held_out_views(const Acquisition& a) {
  if (!a.test_views.empty()) return {"test", a.test_views};
  const std::vector<int> train = a.training_views();
  const std::vector<int> rest = without(all_views(a), train);
  return rest.empty() ? ViewSet{"train", train} : ViewSet{"test", rest};
}

ViewSet select_views(const Acquisition& a, const std::string& list) {
  if (list == "all") return {list, all_views(a)};
  if (list == "train") return {list, a.training_views()};
  if (list != "test") return {list, parse_list(list, a, "--views")};
  ViewSet set = held_out_views(a);
  if (set.name != "test")
    throw UsageError("--views: expected test views in " + a.name + ", found none (all are trained on)");
  return set;
}

void hold_out(Acquisition& a, const std::string& list) {
  const std::vector<int> trained = a.training_views();
  const std::vector<int> out = parse_list(list, a, "--hold-out");
  for (const int v : out)
    if (!std::binary_search(trained.begin(), trained.end(), v))
      throw UsageError("--hold-out: expected training views of " + a.name + ", found " + std::to_string(v));
  if (out.size() == trained.size())
    throw UsageError("--hold-out: expected a training view of " + a.name + " to be left, found all of them");
  a.train_views = without(trained, out);
  a.test_views = out;
}

void use_split_of_model(Acquisition& a, const Model& model) {
  const std::vector<int>& trained = model.nuisance.view;
  const auto in_range = [&](const std::vector<int>& views) { return views.empty() || views.back() < a.num_views(); };
  const bool fits = !trained.empty() && in_range(trained) && in_range(model.test_views);
  if (!fits || (!model.measurement.empty() && model.measurement != measurement_fingerprint(a, trained))) {
    std::cerr << "warning: the model was trained on another acquisition than " << a.name << '\n';
    return;
  }
  a.train_views = trained;
  a.test_views = model.test_views.empty() ? without(all_views(a), trained) : model.test_views;
}

std::vector<int> drop_views_without_pixels(const Acquisition& a, ViewSet& set) {
  std::vector<int> empty;
  for (const int v : set.views) {
    const std::span<const std::uint8_t> valid = a.valid_pixels(v);
    if (!valid.empty() && std::none_of(valid.begin(), valid.end(), [](std::uint8_t p) { return p != 0; }))
      empty.push_back(v);
  }
  set.views = without(set.views, empty);
  if (set.views.empty()) throw UsageError("--views: expected a view with valid pixels in " + a.name + ", found none");
  return empty;
}

std::vector<int> spread(const std::vector<int>& values, std::size_t count) {
  if (values.size() <= count) return values;
  std::vector<int> picked;
  for (std::size_t i = 0; i < count; ++i)
    picked.push_back(values[count == 1 ? values.size() / 2 : i * (values.size() - 1) / (count - 1)]);
  return picked;
}

}  // namespace dsasrgs::program
