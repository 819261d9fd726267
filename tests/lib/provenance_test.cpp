// SPDX-License-Identifier: Apache-2.0
// What ties models, checkpoints and labels to the measurement they were made from, and which views are trained on.
#include <catch2/catch.hpp>
#include <functional>

#include "dsasrgs/error.hpp"
#include "dsasrgs/fingerprint.hpp"
#include "dsasrgs/reconstructor.hpp"
#include "support/context.hpp"
#include "support/small_acquisition.hpp"
#include "support/small_case.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using namespace dsasrgs::test;

TEST_CASE("provenance: training views are those named, or all that are not for testing", "[acquisition]") {
  Acquisition a = small_acquisition();
  CHECK(a.training_views() == std::vector<int>{0, 2});
  a.train_views.clear();
  a.test_views = {1};
  CHECK(a.training_views() == std::vector<int>{0, 2, 3});
  a.test_views.clear();
  CHECK(a.training_views() == std::vector<int>{0, 1, 2, 3});
  a.test_views = {0, 1, 2, 3};
  CHECK(a.training_views().empty());
}

TEST_CASE("provenance: a measurement's fingerprint changes with what was measured and with nothing else",
          "[fingerprint]") {
  const Acquisition a = small_acquisition();
  const std::string print = measurement_fingerprint(a, {0, 2});
  CHECK(print.size() == 16);
  CHECK(print.find_first_not_of("0123456789abcdef") == std::string::npos);
  const auto after = [&](const std::function<void(Acquisition&)>& change) {
    Acquisition changed = a;
    change(changed);
    return measurement_fingerprint(changed, {0, 2});
  };
  const std::size_t pixels = a.detector.num_pixels();
  CHECK(after([&](Acquisition& b) { b.projections[2 * pixels + 3] += 1e-6f; }) != print);
  CHECK(after([&](Acquisition& b) { b.poses[2].time_s += 1e-9; }) != print);
  CHECK(after([&](Acquisition& b) { b.poses[0].detector_u.z += 1e-9; }) != print);
  CHECK(after([&](Acquisition& b) { b.detector.pitch_v_mm *= 2; }) != print);
  CHECK(after([&](Acquisition& b) { b.projections[1 * pixels + 3] += 1; }) == print);  // a view that is not asked for
  CHECK(after([](Acquisition& b) { b.reference_projections.reset(); }) == print);
  CHECK(after([](Acquisition& b) { b.name = "renamed"; }) == print);
  CHECK(after([](Acquisition& b) { b.train_views = {0}; }) == print);
  CHECK(measurement_fingerprint(a, {0, 3}) != print);
  CHECK_THROWS_AS(measurement_fingerprint(a, {4}), InvalidArgument);
}

TEST_CASE("provenance: the fingerprints of an acquisition and of labels change with everything in them",
          "[fingerprint]") {
  const Acquisition a = small_acquisition();
  const auto after = [&](const std::function<void(Acquisition&)>& change) {
    Acquisition changed = a;
    change(changed);
    return fingerprint(changed);
  };
  const std::string print = fingerprint(a);
  CHECK(after([](Acquisition& b) { b.name = "other", b.train_views = {0}, b.test_views.clear(); }) == print);
  CHECK(after([](Acquisition& b) { b.projections[3] += 1e-6f; }) != print);
  CHECK(after([](Acquisition& b) { b.valid[0] = 0; }) != print);
  CHECK(after([](Acquisition& b) { b.poses[1].time_s += 0.1; }) != print);
  CHECK(after([](Acquisition& b) { b.volume.origin_mm.z += 1; }) != print);
  CHECK(after([](Acquisition& b) { b.detector.pitch_u_mm += 0.1; }) != print);
  CHECK(after([](Acquisition& b) { b.reference_volume.reset(); }) != print);
  CHECK(after([](Acquisition& b) { b.reference_projections->values[5] += 1; }) != print);

  const TemporaryFolder folder;
  const auto labels_with = [&](float confidence, std::uint8_t mask) {
    LabelFileOptions options;
    options.low_resolution = a.detector;
    options.scale = 2;
    options.views = a.training_views();
    options.confidence = options.false_vessel_mask = true;
    PseudoLabelWriter file(folder / "labels.h5", options);
    const std::size_t pixels = a.detector.refined(2).num_pixels();
    for (const int view : options.views)
      file.add(lanczos_label(a, view, 2).values, std::vector<float>(pixels, confidence),
               std::vector<std::uint8_t>(pixels, mask));
    file.commit();
    return PseudoLabels::open(folder / "labels.h5", a);
  };
  const std::string labels = fingerprint(labels_with(0.5f, 1), {0, 2});
  CHECK(labels == fingerprint(labels_with(0.5f, 1), {0, 2}));
  CHECK(labels != fingerprint(labels_with(0.5f, 1), {0}));
  CHECK(labels != fingerprint(labels_with(0.25f, 1), {0, 2}));
  CHECK(labels != fingerprint(labels_with(0.5f, 0), {0, 2}));
}

TEST_CASE("provenance: fingerprints are FNV-1a with 64 bits", "[fingerprint]") {
  const TemporaryFolder folder;
  const auto of = [&](const char* text) {
    std::ofstream(folder / "file", std::ios::binary) << text;
    return file_fingerprint(folder / "file");
  };
  CHECK(of("") == "cbf29ce484222325");  // test vectors of the authors (isthe.com/chongo/tech/comp/fnv)
  CHECK(of("a") == "af63dc4c8601ec8c");
  CHECK(of("foobar") == "85944171f73967e8");
  CHECK_THROWS_AS(file_fingerprint(folder / "none"), IoError);
}

TEST_CASE("provenance: a model knows its measurement and test views, and its checkpoint goes on with no other",
          "[reconstructor]") {
  const TemporaryFolder folder;
  const auto path = folder / "checkpoint.h5";
  Context ctx = make_context();
  Acquisition a = small_simulation(ctx).acquisition;
  a.name = "case";
  a.train_views.clear();  // only test views are named
  a.test_views = {1, 5, 9};
  std::string print;
  {
    Reconstructor r(ctx, a, small_config(20));
    CHECK(r.model().nuisance.view == a.training_views());
    CHECK(r.model().nuisance.view.size() == a.poses.size() - 3);
    CHECK(r.model().test_views == a.test_views);
    print = r.model().measurement;
    CHECK(print == measurement_fingerprint(a, a.training_views()));
    r.step();
    r.save_checkpoint(path);
    write_model(ctx, folder / "model.h5", r.model());
  }
  const Model model = read_model(ctx, folder / "model.h5");
  CHECK(model.test_views == a.test_views);
  CHECK(model.measurement == print);
  CHECK(Reconstructor(ctx, a, path).steps_done() == 1);

  Acquisition other = a;
  other.projections.front() += 0.01f;
  CHECK_THROWS_WITH(Reconstructor(ctx, other, path),
                    Catch::Contains("checkpoint.h5: /@measurement: expected ") && Catch::Contains("found " + print));
  other = a;
  for (int v = 0; v < a.num_views(); ++v) other.test_views.push_back(v);
  other.test_views.erase(other.test_views.begin(), other.test_views.begin() + 3);
  CHECK_THROWS_WITH(Reconstructor(ctx, other, small_config(20)), Catch::Contains("/split/test"));
}

TEST_CASE("provenance: labels that name their measurement are refused for another", "[pseudo_labels]") {
  const TemporaryFolder folder;
  const auto path = folder / "labels.h5";
  const Acquisition a = small_acquisition();
  LabelFileOptions options;
  options.low_resolution = a.detector;
  options.scale = 2;
  options.views = a.training_views();
  options.measurement = measurement_fingerprint(a, options.views);
  PseudoLabelWriter file(path, options);
  for (const int view : options.views) file.add(bicubic_label(a, view, 2).values);
  file.commit();
  CHECK_NOTHROW(PseudoLabels::open(path, a));

  Acquisition other = a;
  other.poses[2].time_s += 0.1;
  CHECK_THROWS_WITH(PseudoLabels::open(path, other),
                    Catch::Contains("labels.h5: /super_resolution/pseudo_labels@measurement: expected ") &&
                        Catch::Contains("found " + options.measurement));
}
