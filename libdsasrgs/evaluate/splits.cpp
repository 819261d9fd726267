// SPDX-License-Identifier: Apache-2.0
#include "dsasrgs/splits.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/fingerprint.hpp"

namespace dsasrgs {

namespace {

std::vector<int> without(const std::vector<int>& views, const std::vector<int>& sorted_others) {
  std::vector<int> left;
  for (const int v : views)
    if (!std::binary_search(sorted_others.begin(), sorted_others.end(), v)) left.push_back(v);
  return left;
}

/// Views of a model are from 0, ascending, each once: what a file of a model is held to when it is read.
void require_model_views(const char* what, const std::vector<int>& views) {
  for (std::size_t i = 0; i < views.size(); ++i)
    if (views[i] < 0 || (i > 0 && views[i] <= views[i - 1]))
      throw InvalidArgument(std::string("use_split_of_model: ") + what + "[" + std::to_string(i) +
                            "]: expected views from 0, ascending, each once, found " + std::to_string(views[i]));
}

}  // namespace

std::vector<int> all_views(const Acquisition& a) try {
  std::vector<int> views(a.poses.size());
  std::iota(views.begin(), views.end(), 0);
  return views;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

bool has_held_out_views(const Acquisition& a) {
  return !a.test_views.empty() || a.training_views().size() < a.poses.size();
}

ViewSet held_out_views(const Acquisition& a) try {
  if (!has_held_out_views(a)) return {"train", a.training_views()};
  return {"test", a.test_views.empty() ? without(all_views(a), a.training_views()) : a.test_views};
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

void hold_out(Acquisition& a, std::vector<int> views) try {
  const std::vector<int> trained = a.training_views();
  std::sort(views.begin(), views.end());
  views.erase(std::unique(views.begin(), views.end()), views.end());
  if (views.empty()) throw InvalidArgument("hold_out: expected training views of " + a.name + ", found none");
  for (const int v : views)
    if (!std::binary_search(trained.begin(), trained.end(), v))
      throw InvalidArgument("hold_out: expected training views of " + a.name + ", found view " + std::to_string(v) +
                            ", which is none");
  if (views.size() == trained.size())
    throw InvalidArgument("hold_out: expected a training view of " + a.name + " to be left, found all of them");
  a.train_views = without(trained, views);
  a.test_views = std::move(views);
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

bool use_split_of_model(Acquisition& a, const Model& model) try {
  const std::vector<int>& trained = model.nuisance.view;
  require_model_views("nuisance.view", trained);
  require_model_views("test_views", model.test_views);
  for (const int v : model.test_views)
    if (std::binary_search(trained.begin(), trained.end(), v))
      throw InvalidArgument("use_split_of_model: test_views: expected views that the model was not trained on, found " +
                            std::to_string(v));
  const auto in_range = [&](const std::vector<int>& views) { return views.empty() || views.back() < a.num_views(); };
  if (trained.empty() || !in_range(trained) || !in_range(model.test_views)) return false;
  if (!model.measurement.empty() && model.measurement != measurement_fingerprint(a, trained)) return false;
  a.train_views = trained;
  a.test_views = model.test_views.empty() ? without(all_views(a), trained) : model.test_views;
  return true;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

std::vector<int> drop_views_without_pixels(const Acquisition& a, ViewSet& set) try {
  if (set.views.empty()) throw InvalidArgument("views: expected at least one of " + a.name + ", found none");
  std::vector<int> empty;
  for (const int v : set.views) {
    const auto valid = a.valid_pixels(v);
    if (!valid.empty() && std::none_of(valid.begin(), valid.end(), [](std::uint8_t p) { return p != 0; }))
      empty.push_back(v);
  }
  std::vector<int> left = without(set.views, empty);
  if (left.empty())
    throw BadInput(a.name.empty() ? "acquisition" : a.name, "/valid", "a valid pixel in a view of those to score",
                   "none");
  set.views = std::move(left);
  return empty;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

std::vector<int> spread_views(const std::vector<int>& views, std::size_t count) try {
  if (views.size() <= count) return views;
  std::vector<int> picked;
  for (std::size_t i = 0; i < count; ++i)
    picked.push_back(views[count == 1 ? views.size() / 2 : i * (views.size() - 1) / (count - 1)]);
  return picked;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
