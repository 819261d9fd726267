// SPDX-License-Identifier: Apache-2.0
// Pseudo-label files.

#include "dsasrgs/pseudo_labels.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>
#include <vector>

#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "files/hdf5_file.hpp"
#include "support/random_values.hpp"
#include "support/small_acquisition.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using test::require_error;
using test::small_acquisition;
using test::TemporaryFolder;

namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

/// A label file written part by part for small_acquisition at scale 2: 2 training views of 6 × 10 pixels.
struct Parts {
  using Part = std::function<void(Hdf5Writer&)>;
  static Part labels_of(Shape shape, float value = 0.5f) {
    return [=](Hdf5Writer& f) {
      std::size_t n = 1;
      for (const std::size_t extent : shape) n *= extent;
      f.write("/super_resolution/pseudo_labels", std::vector<float>(n, value), shape);
    };
  }
  static Part views_of(std::vector<int> views) {
    return [=](Hdf5Writer& f) { f.write("/super_resolution/view", views, {views.size()}); };
  }
  Part format = [](Hdf5Writer& f) { f.set_format("dsasrgs.pseudo_labels", 1); };
  Part labels = labels_of({2, 6, 10});
  Part scale = [](Hdf5Writer& f) { f.attribute("/super_resolution/pseudo_labels", "scale", 2); };
  Part views = views_of({0, 2});
  Part more = [](Hdf5Writer&) {};
};
const Parts::Part kNothing = [](Hdf5Writer&) {};

void check_parts(const std::function<void(Parts&)>& change) {
  const TemporaryFolder folder;
  Parts parts;
  change(parts);
  {
    Hdf5Writer file(folder / "labels.h5");
    for (const Parts::Part& part : {parts.format, parts.labels, parts.scale, parts.views, parts.more}) part(file);
    file.commit();
  }
  PseudoLabels::open(folder / "labels.h5", small_acquisition()).check_all();
}
void require_refused(const std::function<void(Parts&)>& change, const std::string& field, const std::string& expected,
                     const std::string& found) {
  require_error<BadInput>([&] { check_parts(change); },
                          {"labels.h5: " + field + ": expected " + expected, ", found " + found});
}

/// Mean over the views of 10·log10(range²/MSE), both images clipped at 0 (the fixed protocol).
double mean_psnr_db(const Acquisition& a, const std::function<std::vector<float>(int)>& label, double range) {
  double sum = 0;
  for (const int view : a.train_views) {
    const std::vector<float> image = label(view);
    const std::span<const float> truth = a.reference_projection(view);
    double squares = 0;
    for (std::size_t p = 0; p < image.size(); ++p) {
      const double d = std::max(image[p], 0.0f) - static_cast<double>(std::max(truth[p], 0.0f));
      squares += d * d;
    }
    sum += 10 * std::log10(range * range * static_cast<double>(image.size()) / squares);
  }
  return sum / static_cast<double>(a.train_views.size());
}

}  // namespace

TEST_CASE("pseudo-labels: what was written comes back", "[labels]") {
  const TemporaryFolder folder;
  const Acquisition a = small_acquisition();
  LabelFileOptions options;
  options.low_resolution = a.detector;
  options.scale = 2;
  options.network = "a network";
  options.storage = GENERATE(LabelStorage::float32, LabelStorage::float16);
  options.confidence = options.false_vessel_mask = GENERATE(false, true);
  SECTION("all views") { options.views = {0, 1, 2, 3}; }
  SECTION("some views in any order") {
    options.views = {2, 3, 0};
    options.intensity_range = IntensityRange{-0.5, 1.75};
  }
  const std::size_t n = 60;
  std::vector<std::vector<float>> labels, confidences;
  std::vector<std::vector<std::uint8_t>> masks;
  {
    PseudoLabelWriter writer(folder / "labels.h5", options);
    for (std::size_t k = 0; k < options.views.size(); ++k) {
      labels.push_back(test::random_values<float>(n, -0.5f, 2, static_cast<unsigned>(k)));
      confidences.push_back(options.confidence ? test::random_values<float>(n, 0, 1, static_cast<unsigned>(k) + 9)
                                               : std::vector<float>{});
      masks.emplace_back(options.false_vessel_mask ? n : 0, static_cast<std::uint8_t>(k));
      writer.add(labels[k], confidences[k], masks[k]);
      REQUIRE_FALSE(std::filesystem::exists(folder / "labels.h5"));
    }
    writer.commit();
  }
  REQUIRE(folder.num_files() == 1);
  const PseudoLabels file = PseudoLabels::open(folder / "labels.h5", a);
  REQUIRE(file.scale() == 2);
  REQUIRE(file.network() == "a network");
  REQUIRE(file.views() == options.views);
  REQUIRE(file.detector() == a.detector.refined(2));
  REQUIRE(file.intensity_range().has_value() == options.intensity_range.has_value());
  if (options.intensity_range) REQUIRE(file.intensity_range()->high == 1.75);
  REQUIRE(file.has_confidence() == options.confidence);
  REQUIRE(file.has_false_vessel_mask() == options.false_vessel_mask);
  // binary16 rounds to 11 bits.
  const double tolerance = options.storage == LabelStorage::float32 ? 0 : 0x1p-11;
  const auto require_close = [&](const std::vector<float>& found, const std::vector<float>& expected) {
    REQUIRE(found.size() == expected.size());
    for (std::size_t p = 0; p < found.size(); ++p)
      REQUIRE(std::abs(found[p] - expected[p]) <= tolerance * std::abs(expected[p]) + tolerance * 0x1p-13);
  };
  for (std::size_t k = 0; k < labels.size(); ++k) {
    REQUIRE(file.has(options.views[k]));
    require_close(file.read(options.views[k]), labels[k]);
    if (options.confidence) require_close(file.read_confidence(options.views[k]), confidences[k]);
    if (options.false_vessel_mask) REQUIRE(file.read_false_vessel_mask(options.views[k]) == masks[k]);
  }
  for (const int absent : {-1, 4}) {
    REQUIRE_FALSE(file.has(absent));
    REQUIRE_THROWS_AS(file.read(absent), InvalidArgument);
  }
  if (!options.confidence) REQUIRE_THROWS_AS(file.read_confidence(0), InvalidArgument);
  if (!options.false_vessel_mask) REQUIRE_THROWS_AS(file.read_false_vessel_mask(0), InvalidArgument);
}

TEST_CASE("pseudo-labels: inside an acquisition file, one per view", "[labels]") {
  const auto inside = [](Parts& p) {
    p.format = [](Hdf5Writer& f) { f.set_format("dsasrgs.acquisition", 1); };
    p.views = kNothing;
    p.labels = Parts::labels_of({4, 6, 10});
  };
  REQUIRE_NOTHROW(check_parts(inside));
  REQUIRE_NOTHROW(check_parts([](Parts&) {}));
}

TEST_CASE("pseudo-labels: files that must be refused", "[labels]") {
  const std::string field = "/super_resolution/pseudo_labels", views = "/super_resolution/view";
  require_refused([](Parts& p) { p.format = kNothing; }, "/@format", "an attribute", "nothing");
  require_refused([](Parts& p) { p.format = [](Hdf5Writer& f) { f.set_format("dsasrgs.model", 1); }; }, "/@format",
                  "\"dsasrgs.pseudo_labels\"", "\"dsasrgs.model\"");
  require_refused([](Parts& p) { p.format = [](Hdf5Writer& f) { f.set_format("dsasrgs.pseudo_labels", 2); }; },
                  "/@version", "1", "2");
  require_refused([](Parts& p) { p.labels = p.scale = kNothing; }, field, "a dataset", "nothing");
  require_refused([](Parts& p) { p.scale = kNothing; }, field + "@scale", "an attribute", "nothing");
  const auto scale = [](auto value) {
    return [=](Parts& p) {
      p.scale = [=](Hdf5Writer& f) { f.attribute("/super_resolution/pseudo_labels", "scale", value); };
    };
  };
  require_refused(scale(0), field + "@scale", "a whole number of 1", "0");
  require_refused(scale(2.5), field + "@scale", "integers", "2.5");
  require_refused(scale(3), field, "images of [9, 15], 3 times the detector of small", "[6, 10]");
  require_refused([](Parts& p) { p.labels = Parts::labels_of({2, 10, 6}); }, field, "images of [6, 10]", "[10, 6]");
  require_refused([](Parts& p) { p.labels = Parts::labels_of({12, 10}); }, field, "shape [any, any, any]", "[12, 10]");
  require_refused([](Parts& p) { p.views = kNothing; }, field, "4 images, one per view", "2");
  require_refused([](Parts& p) { p.views = Parts::views_of({0, 1, 2}); }, views, "shape [2]", "[3]");
  require_refused([](Parts& p) { p.views = Parts::views_of({0, 4}); }, views + "[1]", "a view of 0 to 3", "4");
  require_refused([](Parts& p) { p.views = Parts::views_of({-1, 2}); }, views + "[0]", "a view of 0 to 3", "-1");
  require_refused([](Parts& p) { p.views = Parts::views_of({2, 2}); }, views + "[1]", "each view once", "2 again");
  require_refused(
      [](Parts& p) {
        p.views = Parts::views_of({0, 1});
      },
      views, "a label for every training view", "none for view 2");
  require_refused(
      [](Parts& p) {
        p.labels = Parts::labels_of({2, 6, 10}, kNaN);
      },
      field, "finite numbers", "nan at view 0, row 0, column 0");
  // Grey values instead of line integrals. A vessel of one fine pixel is allowed to exceed the measurement `scale`
  // times.
  const Acquisition measured = small_acquisition();
  const auto [low, high] = std::minmax_element(measured.projections.begin(), measured.projections.end());
  const float range = *high - *low;
  const auto level = [](float value) { return [=](Parts& p) { p.labels = Parts::labels_of({2, 6, 10}, value); }; };
  for (const float value : {*low - 1.99f * range, *high + 1.99f * range}) REQUIRE_NOTHROW(check_parts(level(value)));
  for (const float value : {*low - 2.01f * range, *high + 2.01f * range})
    require_refused(level(value), field, "line integrals of -", std::to_string(value) + " at view 0");
  const auto confidence = [](float value, Shape shape) {
    return [=](Parts& p) {
      p.more = [=](Hdf5Writer& f) {
        std::vector<float> values(shape[0] * shape[1] * shape[2], 0.5f);
        values[73] = value;
        f.write("/super_resolution/confidence", values, shape);
      };
    };
  };
  const std::string map = "/super_resolution/confidence";
  require_refused(confidence(1.01f, {2, 6, 10}), map, "confidences of 0 to 1",
                  std::to_string(1.01f) + " at view 2, row 1, column 3");
  require_refused(confidence(-0.1f, {2, 6, 10}), map, "confidences of 0 to 1", "-0.1");
  require_refused(confidence(kNaN, {2, 6, 10}), map, "finite numbers", "nan");
  require_refused(confidence(1, {4, 6, 10}), map, "shape [2, 6, 10]", "[4, 6, 10]");
  require_refused(
      [&](Parts& p) {
        p.more = [&](Hdf5Writer& f) { f.attribute(field, "intensity_range", std::vector<double>{1, 0}); };
      },
      field + "@intensity_range", "two finite line integrals", "1");
  require_refused(
      [](Parts& p) {
        p.more = [](Hdf5Writer& f) { f.write("/false_vessel_mask", std::vector<std::uint8_t>(60), {1, 6, 10}); };
      },
      "/false_vessel_mask", "shape [2, 6, 10]", "[1, 6, 10]");
}

TEST_CASE("pseudo-labels: the writer refuses what the reader would for any acquisition", "[labels]") {
  const TemporaryFolder folder;
  LabelFileOptions good;
  good.low_resolution = {5, 3, 1, 1};
  good.scale = 2;
  good.views = {0};
  const auto refused = [&](const std::function<void(LabelFileOptions&)>& change, std::vector<float> label) {
    LabelFileOptions options = good;
    change(options);
    REQUIRE_THROWS_AS(
        [&] {
          PseudoLabelWriter writer(folder / "labels.h5", options);
          writer.add(label);
          writer.commit();
        }(),
        InvalidArgument);
    REQUIRE(folder.num_files() == 0);
  };
  const std::vector<float> label(60, 1);
  refused([](LabelFileOptions& o) { o.views.clear(); }, label);
  refused([](LabelFileOptions& o) { o.views = {1, 1}; }, label);
  refused([](LabelFileOptions& o) { o.views = {0, 1}; }, label);  // one too few
  refused([](LabelFileOptions& o) { o.scale = 0; }, label);
  refused([](LabelFileOptions& o) { o.confidence = true; }, label);
  refused([](LabelFileOptions& o) { o.intensity_range = IntensityRange{1, 1}; }, label);
  refused([](LabelFileOptions&) {}, std::vector<float>(59, 1));
  refused([](LabelFileOptions&) {}, std::vector<float>(60, kNaN));
  refused([](LabelFileOptions&) {}, std::vector<float>(60, 7e4f));  // beyond float16
  refused([](LabelFileOptions& o) { o.storage = static_cast<LabelStorage>(99); }, label);
}

TEST_CASE("pseudo-labels: after commit() and after a move there is nothing to write or read", "[labels]") {
  const TemporaryFolder folder;
  const Acquisition a = small_acquisition();
  LabelFileOptions options;
  options.low_resolution = a.detector;
  options.scale = 2;
  options.views = {0, 2};
  PseudoLabelWriter moved_from(folder / "labels.h5", options);
  PseudoLabelWriter writer = std::move(moved_from);
  const std::vector<float> label(60, 0.5f);
  require_error<InvalidArgument>([&] { moved_from.add(label); },
                                 {"PseudoLabelWriter: expected one that was not moved"});
  require_error<InvalidArgument>([&] { moved_from.commit(); }, {"PseudoLabelWriter: expected one that was not moved"});
  writer.add(label);
  writer.add(label);
  writer.commit();
  for (const auto& again : {std::function<void()>([&] { writer.commit(); }), {[&] { writer.add(label); }}})
    require_error<InvalidArgument>(again,
                                   {"a writer before its commit()", "found one whose file is committed already"});

  PseudoLabels gone = PseudoLabels::open(folder / "labels.h5", a);
  const PseudoLabels labels = std::move(gone);
  CHECK(labels.views() == std::vector<int>{0, 2});
  const std::vector<std::function<void()>> calls{[&] { gone.name(); },
                                                 [&] { gone.scale(); },
                                                 [&] { gone.network(); },
                                                 [&] { gone.detector(); },
                                                 [&] { gone.views(); },
                                                 [&] { gone.has(0); },
                                                 [&] { gone.read(0); },
                                                 [&] { gone.check_all(); },
                                                 [&] { gone.has_confidence(); },
                                                 [&] { gone.read_confidence(0); },
                                                 [&] { gone.read_false_vessel_mask(0); },
                                                 [&] { gone.intensity_range(); },
                                                 [&] { gone.has_false_vessel_mask(); }};
  for (const auto& call : calls)
    require_error<InvalidArgument>(call, {"PseudoLabels: expected one that was not moved"});
}

TEST_CASE("pseudo-labels: real labels of the real case", "[labels][real]") {
  const std::filesystem::path folder = std::filesystem::path(DSASRGS_SHARED_DATA) / "rotational-head";
  const Acquisition a = read_acquisition(folder / "acquisition.h5");
  const double range = 1.6;  // what the network's 1 stands for
  for (const auto& [name, psnr_db] : {std::pair{"thick", 33.85}, std::pair{"slim", 32.97}}) {
    const PseudoLabels labels =
        PseudoLabels::open(folder / (std::string("pseudo_labels_esrgan_") + name + "_x4.h5"), a);
    REQUIRE(labels.scale() == 4);
    REQUIRE(labels.views() == a.train_views);
    REQUIRE(labels.network().find(name) != std::string::npos);
    REQUIRE(mean_psnr_db(
                a, [&](int v) { return labels.read(v); }, range) == Approx(psnr_db).margin(0.01));
  }
  // The data's README gives 33.23 dB, from cubic splines of the clipped frames; Keys' kernel blurs a little more.
  REQUIRE(mean_psnr_db(
              a, [&](int v) { return bicubic_label(a, v, 4).values; }, range) == Approx(33.03).margin(0.01));
  REQUIRE(mean_psnr_db(
              a, [&](int v) { return lanczos_label(a, v, 4).values; }, range) == Approx(33.28).margin(0.02));
}
