// SPDX-License-Identifier: Apache-2.0
#include "study/pictures.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <span>
#include <utility>

#include "cli/interruption.hpp"
#include "dsasrgs/evaluation.hpp"
#include "jobs/pictures.hpp"

namespace dsasrgs::program {

namespace fs = std::filesystem;

namespace {

constexpr int kZoom = 4;  ///< the crop is this part of the image's sides, and shown this much larger

struct NamedImages {
  std::string name;
  ViewImage image;
};

/// A square region of an image.
struct Crop {
  int left = 0, top = 0, side = 0;
};

/// The one with the most edges, which is where vessels are.
Crop richest_crop(std::span<const float> image, const Detector& d) {
  const int side = std::max(1, std::min(d.width_px, d.height_px) / kZoom), stride = std::max(1, side / 4);
  const auto at = [&](int row, int column) {
    return image[static_cast<std::size_t>(row) * static_cast<std::size_t>(d.width_px) +
                 static_cast<std::size_t>(column)];
  };
  Crop best{0, 0, side};
  double most = -1;
  for (int top = 0; top + side <= d.height_px; top += stride)
    for (int left = 0; left + side <= d.width_px; left += stride) {
      double edges = 0;
      for (int r = top; r + 1 < top + side; ++r)
        for (int c = left; c + 1 < left + side; ++c)
          edges += std::hypot(at(r, c + 1) - at(r, c), at(r + 1, c) - at(r, c));
      if (edges > most) {
        most = edges;
        best = {left, top, side};
      }
    }
  return best;
}

Panel zoomed(const Panel& panel, const Detector& d, const Crop& crop) {
  Panel large;
  for (int r = 0; r < crop.side * kZoom; ++r)
    for (int c = 0; c < crop.side * kZoom; ++c)
      large.push_back(panel[static_cast<std::size_t>(crop.top + r / kZoom) * static_cast<std::size_t>(d.width_px) +
                            static_cast<std::size_t>(crop.left + c / kZoom)]);
  return large;
}

/// Test views a quarter, half and three quarters through the sweep.
std::vector<int> picture_views(const Acquisition& a) {
  const std::vector<int> test = held_out_views(a).views;
  std::set<int> views;
  for (const std::size_t quarter : {1u, 2u, 3u}) views.insert(test[quarter * (test.size() - 1) / 4]);
  return {views.begin(), views.end()};
}

void write_montage(const Acquisition& a, const std::vector<NamedImages>& methods, const fs::path& whole,
                   const fs::path& zoom) {
  const ProjectionTruth truth = ProjectionTruth::reference(a);
  const Detector& d = truth.detector();
  const float window = picture_window(truth);
  std::vector<std::vector<Panel>> rows, zoomed_rows;
  for (const int view : picture_views(a)) {
    Interruption::check();
    const std::span<const float> reference = truth.image(view);
    const Crop crop = richest_crop(reference, d);
    std::vector<Panel> images{image_panel(reference, window)}, differences{Panel(d.num_pixels(), 0.0f)};
    for (const NamedImages& m : methods) {
      const std::vector<float> image = m.image(view);
      images.push_back(image_panel(image, window));
      differences.push_back(difference_panel(image, reference, window));
    }
    for (auto* row : {&images, &differences}) {
      std::vector<Panel> large;
      for (const Panel& p : *row) large.push_back(zoomed(p, d, crop));
      rows.push_back(std::move(*row));
      zoomed_rows.push_back(std::move(large));
    }
  }
  write_panels(whole, rows, d.width_px, d.height_px);
  const int side = std::max(1, std::min(d.width_px, d.height_px) / kZoom) * kZoom;
  write_panels(zoom, zoomed_rows, side, side);
}

}  // namespace

std::string write_study_pictures(const Study& study, const std::vector<StudyRun>& finished, StudyRunner& runner,
                                 const std::function<void(const std::string&)>& log) {
  std::string text;
  std::set<std::string> logged;
  for (const StudyCase& c : study.cases)
    for (const int views : c.views) {
      // Runs come seed by seed, so the first of each name is that of the first seed.
      std::set<std::string> seen;
      std::vector<NamedImages> methods;
      for (const StudyRun& run : finished) {
        if (run.case_name != c.name || run.views != views) continue;
        const std::string row = row_name(run.method, run.labels, kRenderHigh);
        if (seen.contains(row)) continue;
        try {
          for (RunImages& images : runner.images(run))
            methods.push_back({row_name(run.method, run.labels, images.render), std::move(images.image)});
          seen.insert(row);
        } catch (const InputNotMade& e) {
          if (logged.insert(e.what()).second) log(std::string("left out of the pictures: ") + e.what());
        }
      }
      if (methods.empty()) continue;
      const fs::path folder = study.out / "pictures";
      fs::create_directories(folder);
      const std::string name = c.name + "_" + views_name(views);
      write_montage(runner.inputs().acquisition(c.name, views), methods, folder / (name + ".png"),
                    folder / (name + "_zoom.png"));
      text += "\n![" + name + "](pictures/" + name + ".png)\n![" + name + ", zoomed](pictures/" + name +
              "_zoom.png)\n\n*Columns: reference";
      for (const NamedImages& m : methods) text += " · " + m.name;
      text += ". Rows: image, then image − reference (dark: too much), for each of the views.*\n";
    }
  return text;
}

}  // namespace dsasrgs::program
