// SPDX-License-Identifier: Apache-2.0
// Uncertainty of what cannot be, and of nothing.

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <utility>

#include "dsasrgs/error.hpp"
#include "dsasrgs/fingerprint.hpp"
#include "dsasrgs/uncertainty.hpp"
#include "support/blob_model.hpp"
#include "support/context.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using namespace dsasrgs::test;

TEST_CASE("uncertainty: what cannot be", "[uncertainty]") {
  Context ctx = make_context();
  Model model = model_of(ctx, {{{0, 0, 0}, 3}});
  const Acquisition a = measured(ctx, model, 3, 0.01f, true);
  const Model nothing = model_of(ctx, {});
  Uncertainty empty(ctx, nothing, a);
  CHECK(empty.render(a.poses[0], kBlobDetector).values == std::vector<float>(kBlobDetector.num_pixels()));
  CHECK(empty.voxelize(kBlobGrid, 0).values == std::vector<float>(kBlobGrid.num_voxels()));

  require_error<InvalidArgument>([&] { Uncertainty(ctx, model, a, {0, 1}); }, {"factor", "positive", "0"});
  Acquisition spoilt = a;
  spoilt.projections[kBlobDetector.num_pixels() + 50] = std::numeric_limits<float>::quiet_NaN();
  require_error<InvalidArgument>([&] { Uncertainty(ctx, model, spoilt); }, {"view 1", "row 1, column 2"});
  spoilt.valid.assign(kBlobDetector.num_pixels(), 1);
  spoilt.valid[50] = 0;
  CHECK(std::isfinite(Uncertainty(ctx, model, spoilt).density_deviation(0).at(0)));
  Acquisition none = a;
  none.test_views = {0, 1, 2};
  require_error<InvalidArgument>([&] { Uncertainty(ctx, model, none); }, {"views", "found none"});
  model.nuisance = {{0, 7}, {1, 1}, {0, 0}};
  require_error<BadInput>([&] { Uncertainty(ctx, model, a); }, {"measured.h5: /projections", "view 7", "3 views"});
  model.nuisance = {{0, 1}, {1, 1}, {0, 0}};
  model.measurement = measurement_fingerprint(a, {0, 1});
  CHECK_NOTHROW(Uncertainty(ctx, model, a));
  Acquisition brighter = a;
  brighter.projections[7] += 0.5f;
  require_error<BadInput>([&] { Uncertainty(ctx, model, brighter); }, {"measured.h5: /projections", "trained on"});

  Uncertainty uncertainty(ctx, model, a);
  require_error<InvalidArgument>([&] { uncertainty.render(a.poses[0], {0, 5, 1, 1}); }, {"detector"});
  require_error<InvalidArgument>([&] { uncertainty.voxelize({}, 0); }, {"Uncertainty::voxelize"});
  require_error<InvalidArgument>([&] { uncertainty.density_deviation(std::numeric_limits<double>::quiet_NaN()); }, {});
  Uncertainty moved = std::move(uncertainty);
  require_error<InvalidArgument>([&] { uncertainty.voxelize(kBlobGrid, 0); }, {"moved from"});
  int views = 0;
  require_error<Cancelled>([&] { Uncertainty(ctx, model, a, {}, [&](const ProgressReport&) { return ++views < 2; }); },
                           {"weighing", "1 of 2"});
  model.field.set_density_scale_per_mm(std::numeric_limits<float>::infinity());
  require_error<NumericalError>([&] { Uncertainty(ctx, model, a); }, {"view 0"});
}
