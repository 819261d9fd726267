// SPDX-License-Identifier: Apache-2.0
#pragma once
// Acquisition files written part by part, so that a test can leave out or replace one.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>
#include <vector>

#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "files/hdf5_file.hpp"
#include "support/temporary_folder.hpp"

namespace dsasrgs::test {

/// A minimal file: 2 views of 3 × 4 pixels.
struct Parts {
  using Part = std::function<void(Hdf5Writer&)>;
  Part format = [](Hdf5Writer& f) { f.set_format("dsasrgs.acquisition", 1); };
  Part projections = [](Hdf5Writer& f) { f.write("/projections", std::vector<float>(24, 0.5f), {2, 3, 4}); };
  Part quantity = [](Hdf5Writer& f) { f.attribute("/projections", "quantity", "line_integral"); };
  Part time = [](Hdf5Writer& f) { f.write("/time_s", std::vector<double>{0, 1}, {2}); };
  Part pitch = [](Hdf5Writer& f) { f.attribute("/geometry", "pixel_pitch_mm", std::vector<double>{2, 3}); };
  Part source = [](Hdf5Writer& f) {
    f.write("/geometry/source_mm", std::vector<double>{750, 0, 0, 0, 750, 0}, {2, 3});
  };
  Part center = [](Hdf5Writer& f) {
    f.write("/geometry/detector_center_mm", std::vector<double>{-450, 0, 0, 0, -450, 0}, {2, 3});
  };
  Part u = [](Hdf5Writer& f) { f.write("/geometry/detector_u", std::vector<double>{0, 1, 0, -1, 0, 0}, {2, 3}); };
  Part v = [](Hdf5Writer& f) { f.write("/geometry/detector_v", std::vector<double>{0, 0, -1, 0, 0, -1}, {2, 3}); };
  Part volume = [](Hdf5Writer& f) {
    f.group("/volume");
    f.attribute("/volume", "size", std::vector<std::int64_t>{2, 3, 4});
    f.attribute("/volume", "spacing_mm", std::vector<double>{1, 2, 3});
    f.attribute("/volume", "origin_mm", std::vector<double>{-1, -3, -6});
  };
  Part more = [](Hdf5Writer&) {};

  void write(const std::filesystem::path& path) const {
    Hdf5Writer file(path);
    for (const Part& part : {format, projections, quantity, time, source, center, u, v, pitch, volume, more})
      part(file);
    file.commit();
  }
};

inline Acquisition read_parts(const std::function<void(Parts&)>& change) {
  const TemporaryFolder folder;
  Parts parts;
  change(parts);
  parts.write(folder / "case.h5");
  return read_acquisition(folder / "case.h5");
}

/// The file must be refused, by name, for its field, with what was expected and found.
inline void require_file_refused(const std::function<void(Parts&)>& change, std::string_view field,
                                 std::string_view expected, std::string_view found) {
  require_error<BadInput>(
      [&] { read_parts(change); },
      {"case.h5: " + std::string(field) + ": expected " + std::string(expected), ", found " + std::string(found)});
}

inline const Parts::Part kNothing = [](Hdf5Writer&) {};

/// Two C-arm views instead of the free geometry.
struct CArm {
  std::vector<double> sod{750, 740}, sdd{1200, 1190}, primary{0.3, 0.8}, secondary{0.2, -0.4}, offset{5, -7, 1, 2};
  Shape sod_shape{2}, sdd_shape{2};
  void put_into(Parts& p) const {
    p.source = p.center = p.u = p.v = kNothing;
    p.pitch = [*this](Hdf5Writer& f) {
      f.write("/geometry/carm/sod_mm", sod, sod_shape);
      f.write("/geometry/carm/sdd_mm", sdd, sdd_shape);
      f.write("/geometry/carm/primary_rad", primary, {2});
      f.write("/geometry/carm/secondary_rad", secondary, {2});
      f.write("/geometry/carm/detector_offset_mm", offset, {2, 2});
      f.attribute("/geometry", "pixel_pitch_mm", std::vector<double>{2, 3});
    };
  }
};

/// /projections and /mask_projections as intensities.
template <class T>
void put_intensity(Parts& p, const std::vector<T>& fill, const std::vector<T>& mask) {
  p.projections = [fill](Hdf5Writer& f) { f.write("/projections", fill, {2, 3, 4}); };
  p.quantity = [](Hdf5Writer& f) { f.attribute("/projections", "quantity", "intensity"); };
  p.more = [mask](Hdf5Writer& f) { f.write("/mask_projections", mask, {mask.size() / 12, 3, 4}); };
}

}  // namespace dsasrgs::test
