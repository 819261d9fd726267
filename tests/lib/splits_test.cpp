// SPDX-License-Identifier: Apache-2.0
// Which views are trained on, and which ones a model is judged on.
#include "dsasrgs/splits.hpp"

#include <catch2/catch.hpp>

#include "dsasrgs/error.hpp"
#include "dsasrgs/reconstructor.hpp"
#include "support/context.hpp"
#include "support/small_case.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using test::require_error;

namespace {

Acquisition six_views() {
  Acquisition a;
  a.name = "six.h5";
  a.detector = {2, 1, 1, 1};
  a.poses.resize(6);
  return a;
}

}  // namespace

TEST_CASE("splits: held-out views are the test views, or all that are not trained on", "[splits]") {
  Acquisition a = six_views();
  CHECK(all_views(a) == std::vector<int>{0, 1, 2, 3, 4, 5});
  a.train_views = {0, 2};
  CHECK(has_held_out_views(a));
  CHECK(held_out_views(a).name == "test");
  CHECK(held_out_views(a).views == std::vector<int>{1, 3, 4, 5});
  a.test_views = {5};  // the file leaves the others out of both
  CHECK(held_out_views(a).views == std::vector<int>{5});
  a.train_views = {};
  CHECK(held_out_views(a).views == std::vector<int>{5});
  a.test_views = {};
  CHECK_FALSE(has_held_out_views(a));
  CHECK(held_out_views(a).name == "train");
  CHECK(held_out_views(a).views.size() == 6);
}

TEST_CASE("splits: views that are held out leave training and are the only test views", "[splits]") {
  Acquisition a = six_views();
  a.train_views = {0, 2, 4};
  a.test_views = {5};
  hold_out(a, {4, 0, 4});
  CHECK(a.train_views == std::vector<int>{2});
  CHECK(a.test_views == std::vector<int>{0, 4});
}

TEST_CASE("splits: what cannot be held out is named, and the split stays", "[splits]") {
  Acquisition a = six_views();
  a.train_views = {0, 2, 4};
  a.test_views = {5};
  require_error<InvalidArgument>([&] { hold_out(a, {2, 5}); }, {"training views of six.h5", "found view 5"});
  require_error<InvalidArgument>([&] { hold_out(a, {6}); }, {"found view 6"});
  require_error<InvalidArgument>([&] { hold_out(a, {0, 2, 4}); }, {"to be left", "found all"});
  require_error<InvalidArgument>([&] { hold_out(a, {}); }, {"found none"});
  CHECK(a.train_views == std::vector<int>{0, 2, 4});
  CHECK(a.test_views == std::vector<int>{5});
}

TEST_CASE("splits: a model is judged on the views it was to be judged on", "[splits]") {
  Context ctx = test::make_context();
  const Acquisition file = test::small_simulation(ctx).acquisition;
  Acquisition a = file;
  hold_out(a, {file.train_views[3]});
  CHECK(a.train_views.size() == file.train_views.size() - 1);
  Reconstructor r(ctx, a, test::small_config(5));

  Acquisition again = file;
  CHECK(use_split_of_model(again, r.model()));
  CHECK(again.train_views == a.train_views);
  CHECK(again.test_views == a.test_views);  // not the file's test views: nobody has looked at them

  const auto require_refused = [&](Acquisition other) {
    const std::vector<int> train = other.train_views, test = other.test_views;
    CHECK_FALSE(use_split_of_model(other, r.model()));
    CHECK(other.train_views == train);
    CHECK(other.test_views == test);
  };
  Acquisition brighter = file;
  for (float& value : brighter.projections) value *= 2;
  require_refused(brighter);
  Acquisition shorter = file;
  shorter.poses.resize(3);
  shorter.train_views = {0};
  shorter.test_views = {};
  require_refused(shorter);
}

TEST_CASE("splits: a model's views that cannot be views are refused, and the split stays", "[splits]") {
  Context ctx = test::make_context();
  const VolumeGrid box{2, 2, 2, {1, 1, 1}, {}};
  FieldConfig field;
  field.kind = AttenuationKind::constant;
  Model model{{}, AttenuationField(ctx, field, box, 0), box, {}, {}, false, {}, ""};
  Acquisition a = six_views();
  a.train_views = {0, 1};
  const auto refused = [&](std::vector<int> trained, std::vector<int> test, const std::string& found) {
    model.nuisance.view = std::move(trained);
    model.test_views = std::move(test);
    require_error<InvalidArgument>([&] { (void)use_split_of_model(a, model); }, {"use_split_of_model: ", found});
    CHECK(a.train_views == std::vector<int>{0, 1});
  };
  refused({-5, 1}, {}, "nuisance.view[0]: expected views from 0, ascending, each once, found -5");
  refused({1, 1}, {}, "nuisance.view[1]");
  refused({0, 1}, {-5}, "test_views[0]");
  refused({0, 1}, {3, 2}, "test_views[1]");
  refused({0, 1}, {1, 2}, "found 1");
  model.nuisance.view = {2, 3};
  model.test_views = {1000000000};  // of a longer acquisition
  CHECK_FALSE(use_split_of_model(a, model));
  model.test_views = {5};
  CHECK(use_split_of_model(a, model));
  CHECK(a.train_views == std::vector<int>{2, 3});
}

TEST_CASE("splits: views without a valid pixel are dropped and named", "[splits]") {
  Acquisition a = six_views();
  a.valid = {1, 0, 0, 0, 0, 1, 1, 1, 0, 0, 1, 1};
  ViewSet set{"some", {0, 1, 2, 4}};
  CHECK(drop_views_without_pixels(a, set) == std::vector<int>{1, 4});
  CHECK(set.name == "some");
  CHECK(set.views == std::vector<int>{0, 2});
  ViewSet blind{"blind", {1, 4}};
  require_error<BadInput>([&] { drop_views_without_pixels(a, blind); }, {"six.h5: /valid: expected", "found none"});
  CHECK(blind.views == std::vector<int>{1, 4});
  a.valid = {};
  CHECK(drop_views_without_pixels(a, blind).empty());
}

TEST_CASE("splits: spread views include the first and the last", "[splits]") {
  const std::vector<int> views{2, 3, 5, 7, 11, 13, 17};
  CHECK(spread_views(views, 3) == std::vector<int>{2, 7, 17});
  CHECK(spread_views(views, 1) == std::vector<int>{7});
  CHECK(spread_views(views, 0).empty());
  CHECK(spread_views(views, 7) == views);
  CHECK(spread_views(views, 99) == views);
}
