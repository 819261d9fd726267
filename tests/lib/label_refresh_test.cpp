// SPDX-License-Identifier: Apache-2.0
// Labels that are made anew in the middle of a training.
#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dsasrgs/error.hpp"
#include "dsasrgs/reconstructor.hpp"
#include "support/context.hpp"
#include "support/labels.hpp"
#include "support/small_case.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using namespace dsasrgs::test;

namespace {

constexpr int kRefresh = 4, kSteps = 7;
using Labels = std::shared_ptr<const PseudoLabels>;

Config config_for(HighResolutionTarget target = HighResolutionTarget::pseudo_labels, int refresh_step = kRefresh) {
  Config config = small_config(kSteps, "static");
  config.super_resolution.scale = 2;
  config.super_resolution.weight = 0.4;
  config.super_resolution.target = target;
  config.super_resolution.first_step = 1;
  config.super_resolution.refresh_step = refresh_step;
  return config;
}

/// A case with two kinds of labels.
struct Case {
  explicit Case(Context& ctx) : a(small_simulation(ctx).acquisition) {
    first = std::make_shared<const PseudoLabels>(lanczos_labels(a, 2, folder / "first.h5"));
    second = labels("second.h5", a.training_views());
  }
  /// Brighter than they should be; of some views.
  Labels labels(const std::string& name, const std::vector<int>& views) const {
    Acquisition fewer = a;
    fewer.train_views = views;
    LabelFileOptions options;
    options.low_resolution = a.detector;
    options.scale = 2;
    options.views = views;
    options.storage = LabelStorage::float32;
    PseudoLabelWriter file(folder / name, options);
    for (const int view : views) {
      std::vector<float> values = bicubic_label(a, view, 2).values;
      for (float& v : values) v *= 1.1f;
      file.add(values);
    }
    file.commit();
    return std::make_shared<const PseudoLabels>(PseudoLabels::open(folder / name, fewer));
  }
  TemporaryFolder folder;
  Acquisition a;
  Labels first, second;
};

std::vector<float> bits(Context& ctx, const Model& model) {
  std::vector<float> all;
  for (const Buffer<float>* part :
       {&model.cloud.position_mm, &model.cloud.raw_scale, &model.cloud.rotation, &model.cloud.attenuation}) {
    const std::vector<float> values = part->to_host(ctx);
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

std::vector<float> trained(Context& ctx, const Case& c, const Config& config, const Labels& refreshed) {
  Reconstructor r(ctx, c.a, config, c.first);
  if (refreshed != nullptr) r.set_label_refresh([&](const Model&) { return refreshed; });
  r.run();
  return bits(ctx, r.model());
}

}  // namespace

TEST_CASE("label refresh: it is asked for once, after its step, with the model of that step", "[label_refresh]") {
  Context ctx = make_context();
  const Case c(ctx);
  Reconstructor plain(ctx, c.a, config_for(HighResolutionTarget::pseudo_labels, 0), c.first),
      refreshing(ctx, c.a, config_for(), c.first);
  int calls = 0;
  std::vector<float> seen;
  refreshing.set_label_refresh([&](const Model& model) {
    CHECK(refreshing.steps_done() == kRefresh);
    seen = bits(ctx, model);
    ++calls;
    return c.second;
  });
  for (int i = 0; i < kRefresh; ++i) {
    plain.step();
    refreshing.step();
    CHECK(calls == 0);
  }
  CHECK(refreshing.step().step == kRefresh + 1);
  CHECK(calls == 1);
  CHECK(seen == bits(ctx, plain.model()));
  refreshing.run();
  CHECK(calls == 1);
}

TEST_CASE("label refresh: a step within it is refused, and the run can go on", "[label_refresh]") {
  Context ctx = make_context();
  const Case c(ctx);
  Reconstructor r(ctx, c.a, config_for(), c.first);
  for (int i = 0; i < kRefresh; ++i) r.step();
  r.set_label_refresh([&](const Model&) {
    r.step();
    return c.second;
  });
  CHECK_THROWS_AS(r.step(), InvalidArgument);
  CHECK_THROWS_WITH(r.step(), Catch::Contains("outside of the label refresh"));
  r.set_label_refresh([&](const Model&) { return c.second; });
  r.run();
  CHECK(bits(ctx, r.model()) == trained(ctx, c, config_for(), c.second));
}

TEST_CASE("label refresh: where none was set the step that needs it throws, no other", "[label_refresh]") {
  Context ctx = make_context();
  const Case c(ctx);
  Reconstructor r(ctx, c.a, config_for(), c.first);
  for (int i = 0; i < kRefresh; ++i) r.step();
  for (int i = 0; i < 2; ++i)
    CHECK_THROWS_WITH(r.step(), Catch::Contains("set_label_refresh()") && Catch::Contains("refresh_step = 4"));
  CHECK_THROWS_AS(r.step(), InvalidArgument);
  CHECK(r.steps_done() == kRefresh);
  r.save_checkpoint(c.folder / "there.h5");  // nothing is lost
  r.set_label_refresh([&](const Model&) { return c.second; });
  r.run();
  CHECK(r.finished());
  CHECK(bits(ctx, r.model()) == trained(ctx, c, config_for(), c.second));
}

TEST_CASE("label refresh: never where there is nothing to come or no label", "[label_refresh]") {
  Context ctx = make_context();
  const Case c(ctx);
  const auto never = [](const Model&) -> Labels { throw InvalidArgument("asked for labels"); };
  for (const auto& config :
       {config_for(HighResolutionTarget::pseudo_labels, kSteps), config_for(HighResolutionTarget::pseudo_labels, 1000),
        config_for(HighResolutionTarget::upsampled)}) {
    Reconstructor r(ctx, c.a, config, config.super_resolution.needs_labels() ? c.first : nullptr);
    if (config.super_resolution.refresh_step != kSteps) r.set_label_refresh(never);
    CHECK_NOTHROW(r.run());
    CHECK(r.finished());
  }
}

TEST_CASE("label refresh: the same labels change no bit", "[label_refresh]") {
  Context ctx = make_context();
  const Case c(ctx);
  for (const bool keep_labels : {true, false}) {
    Config config = config_for(keep_labels ? HighResolutionTarget::teach : HighResolutionTarget::weighted, 0);
    config.super_resolution.keep_labels = keep_labels;
    const std::vector<float> expected = trained(ctx, c, config, nullptr);
    config.super_resolution.refresh_step = kRefresh;
    CHECK(trained(ctx, c, config, c.first) == expected);
    CHECK(trained(ctx, c, config, c.second) != expected);
  }
}

TEST_CASE("label refresh: with other labels it is a run continued with them", "[label_refresh][long]") {
  Context ctx = make_context();
  const Case c(ctx);
  for (const bool keep_labels : {true, false}) {
    Config config = config_for(HighResolutionTarget::teach, 0);
    config.super_resolution.keep_labels = keep_labels;
    const auto checkpoint = c.folder / "checkpoint.h5";
    {
      Reconstructor begun(ctx, c.a, config, c.first);
      for (int i = 0; i < kRefresh; ++i) begun.step();
      begun.save_checkpoint(checkpoint);
    }
    Reconstructor continued(ctx, c.a, checkpoint, c.second);
    continued.run();
    const std::vector<float> expected = bits(ctx, continued.model());
    config.super_resolution.refresh_step = kRefresh;
    CHECK(trained(ctx, c, config, c.second) == expected);
    // Saved while the labels are made, as the program does, it asks for them once more.
    {
      Reconstructor stopped(ctx, c.a, config, c.first);
      stopped.set_label_refresh([&](const Model&) -> Labels {
        stopped.save_checkpoint(checkpoint);
        throw Cancelled("here");
      });
      CHECK_THROWS_AS(stopped.run(), Cancelled);
    }
    for (const Labels& any : {c.first, c.second}) {
      Reconstructor resumed(ctx, c.a, checkpoint, any);
      CHECK(resumed.steps_done() == kRefresh);
      resumed.set_label_refresh([&](const Model&) { return c.second; });
      resumed.run();
      CHECK(bits(ctx, resumed.model()) == expected);
    }
    // Behind it nobody asks.
    Reconstructor whole(ctx, c.a, config, c.first);
    whole.set_label_refresh([&](const Model&) { return c.second; });
    for (int i = 0; i < kRefresh + 1; ++i) whole.step();
    whole.save_checkpoint(checkpoint);
    Reconstructor behind(ctx, c.a, checkpoint, c.second);
    behind.run();
    CHECK(bits(ctx, behind.model()) == expected);
  }
}

TEST_CASE("label refresh: labels that do not fit are refused, and the run can go on with others", "[label_refresh]") {
  Context ctx = make_context();
  const Case c(ctx);
  Acquisition other = c.a;
  other.projections[5] += 0.01f;
  const auto of_other = std::make_shared<const PseudoLabels>(lanczos_labels(other, 2, c.folder / "other.h5"));
  const auto threefold = std::make_shared<const PseudoLabels>(lanczos_labels(c.a, 3, c.folder / "threefold.h5"));
  std::vector<int> views = c.a.training_views();
  const int last = views.back(), first = views.front();
  views.pop_back();
  const Labels without_last = c.labels("without_last.h5", views);
  views.erase(views.begin());
  views.push_back(last);
  const Labels without_first = c.labels("without_first.h5", views);
  const auto missing = [](int view) { return "for training view " + std::to_string(view); };
  const std::vector<std::pair<Labels, std::string>> refused{
      {nullptr, "super_resolution.target"}, {of_other, "another acquisition"}, {threefold, "found 3"},
      {without_last, missing(last)},        {without_first, missing(first)},   {without_first, missing(first)}};
  for (const bool keep_labels : {true, false}) {
    Config config = config_for();
    config.super_resolution.keep_labels = keep_labels;
    Reconstructor r(ctx, c.a, config, c.first);
    for (int i = 0; i < kRefresh; ++i) r.step();
    for (const auto& [labels, message] : refused) {
      INFO(message);
      r.set_label_refresh([labels = labels](const Model&) { return labels; });
      CHECK_THROWS_AS(r.step(), BadInput);
      CHECK_THROWS_WITH(r.step(), Catch::Contains(message));
      CHECK(r.steps_done() == kRefresh);
    }
    r.set_label_refresh([&](const Model&) { return c.second; });
    r.run();
    CHECK(bits(ctx, r.model()) == trained(ctx, c, config, c.second));
  }
}
