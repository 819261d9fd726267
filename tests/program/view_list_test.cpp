// Which views the subcommands work on.
#include "view_list.hpp"

#include <catch2/catch.hpp>

#include "dsasrgs/reconstructor.hpp"
#include "support/context.hpp"
#include "support/small_case.hpp"
#include "cli/usage_error.hpp"

using namespace dsasrgs;
using namespace dsasrgs::program;

TEST_CASE("view list: train, test and all follow the split, or what there is of it", "[view_list]") {
  Acquisition a;
  a.poses.resize(6);
  a.train_views = {0, 2};
  CHECK(select_views(a, "train").views == std::vector<int>{0, 2});
  CHECK(select_views(a, "test").views == std::vector<int>{1, 3, 4, 5});
  a.test_views = {5};
  CHECK(select_views(a, "test").views == std::vector<int>{5});
  a.train_views = {};
  CHECK(select_views(a, "train").views == std::vector<int>{0, 1, 2, 3, 4});
  CHECK(select_views(a, "all").views.size() == 6);
  CHECK(select_views(a, "4,0-1").views == std::vector<int>{0, 1, 4});
  for (const char* list : {"6", "1-0", "x", "", "1,", "-1"}) CHECK_THROWS_AS(select_views(a, list), UsageError);
  a.test_views = {};
  CHECK_THROWS_AS(select_views(a, "test"), UsageError);
}

TEST_CASE("view list: a model is judged on the views it was to be judged on", "[view_list]") {
  Context ctx = test::make_context();
  const Acquisition file = test::small_simulation(ctx).acquisition;
  Acquisition a = file;
  hold_out(a, std::to_string(file.train_views[3]));
  CHECK(a.train_views.size() == file.train_views.size() - 1);
  CHECK(a.test_views == std::vector<int>{file.train_views[3]});
  Reconstructor r(ctx, a, test::small_config(5));

  Acquisition again = file;
  use_split_of_model(again, r.model());
  CHECK(again.train_views == a.train_views);
  CHECK(again.test_views == a.test_views);  // not the file's test views: nobody has looked at them

  Acquisition other = file;
  for (float& value : other.projections) value *= 2;
  use_split_of_model(other, r.model());
  CHECK(other.train_views == file.train_views);
  CHECK(other.test_views == file.test_views);
  CHECK_THROWS_AS(hold_out(a, "1"), UsageError);  // a test view of the file
}
