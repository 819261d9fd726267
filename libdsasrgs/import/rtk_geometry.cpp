// SPDX-License-Identifier: Apache-2.0
// The format and its equations: RTK's documentation, "3D circular projection geometry".
#include "import/rtk_geometry.hpp"

#include "dsasrgs/error.hpp"

#if DSASRGS_HAS_PUGIXML
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <numbers>
#include <pugixml.hpp>
#include <set>
#include <string_view>

#include "common/host_vector.hpp"
#include "common/plain_number.hpp"
#include "dsasrgs/buffer.hpp"
#include "files/byte_stream.hpp"
#include "files/text_lines.hpp"
#endif

namespace dsasrgs {

#if DSASRGS_HAS_PUGIXML

namespace {

constexpr std::size_t kMostXmlBytes = std::size_t{1} << 28, kMostProjections = 1 << 20;

/// The nine parameters, and what else a geometry may name.
const std::map<std::string_view, std::size_t> kParameters{{"SourceToIsocenterDistance", 0},
                                                          {"SourceToDetectorDistance", 1},
                                                          {"GantryAngle", 2},
                                                          {"Angle", 2},
                                                          {"OutOfPlaneAngle", 3},
                                                          {"InPlaneAngle", 4},
                                                          {"SourceOffsetX", 5},
                                                          {"SourceOffsetY", 6},
                                                          {"ProjectionOffsetX", 7},
                                                          {"ProjectionOffsetY", 8},
                                                          {"RadiusCylindricalDetector", 9}};

/// They stay from one projection to the next where a file does not name them.
struct RtkParameters {
  std::array<double, 10> value{};
  double sid() const { return value[0]; }
  double sdd() const { return value[1]; }
  double radians(std::size_t i) const { return value[i] * std::numbers::pi / 180; }
  Vec3d source() const { return {value[5], value[6], value[0]}; }
  Vec3d detector_origin() const { return {value[7], value[8], value[0] - value[1]}; }
};

/// From IEC 61217's axes to the detector's: Rz(−in plane) Rx(−out of plane) Ry(−gantry).
Mat3<double> rtk_rotation(const RtkParameters& p) {
  const double z = -p.radians(4), x = -p.radians(3), y = -p.radians(2);
  const Mat3<double> rz{{std::cos(z), -std::sin(z), 0}, {std::sin(z), std::cos(z), 0}, {0, 0, 1}};
  const Mat3<double> rx{{1, 0, 0}, {0, std::cos(x), -std::sin(x)}, {0, std::sin(x), std::cos(x)}};
  const Mat3<double> ry{{std::cos(y), 0, std::sin(y)}, {0, 1, 0}, {-std::sin(y), 0, std::cos(y)}};
  const auto product = [](const Mat3<double>& a, const Mat3<double>& b) {
    const Mat3<double> t = b.transposed();
    return Mat3<double>{t * a.r0, t * a.r1, t * a.r2};
  };
  return product(rz, product(rx, ry));
}

/// x to the left, y to the back, z to the head, of a patient lying on the back.
Vec3d from_iec(Vec3d p) { return {p.x, -p.z, p.y}; }

class RtkReader {
 public:
  RtkReader(std::string name, std::vector<std::string>& warnings) : name_(std::move(name)), warnings_(warnings) {}

  std::vector<RtkView> read(const pugi::xml_node& root) {
    take(root, false);
    if (views_.empty()) throw BadInput(name_, "Projection", "at least one", "none");
    return std::move(views_);
  }

 private:
  /// The children of the geometry, or of one of its projections.
  void take(const pugi::xml_node& node, bool is_projection) {
    pugi::xml_node matrix;
    std::set<std::size_t> told;  // parameters that this node gives
    for (const pugi::xml_node& child : node.children()) {
      if (child.type() != pugi::node_element) continue;
      const std::string_view tag = child.name();
      if (const auto known = kParameters.find(tag); known != kParameters.end()) {
        if (!told.insert(known->second).second)
          throw BadInput(name_, where() + ": " + std::string(tag), "once", "twice");
        now_.value[known->second] = numbers(child, 1).front();
      } else if (tag == "Matrix") {
        if (matrix) throw BadInput(name_, where() + ": Matrix", "once", "twice");
        matrix = child;
      } else if (tag == "Projection" && !is_projection) {
        take(child, true);
      } else if (tag.starts_with("Collimation")) {
        if (!collimated_)
          warnings_.push_back(name_ + ": " + std::string(tag) +
                              ": expected none, found collimation, "
                              "which is left alone: all pixels count");
        collimated_ = true;
      } else {
        throw BadInput(name_, where(), "parameters of RTK's geometry", std::string(tag.substr(0, 40)));
      }
    }
    if (is_projection) add_view(matrix);
  }

  std::string where() const { return "Projection " + std::to_string(views_.size()); }

  std::vector<double> numbers(const pugi::xml_node& node, std::size_t count) const {
    std::string text = node.child_value();
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
    std::vector<double> found;
    for (const std::string_view word : words_of(text)) {
      double value = 0;
      const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
      if (error != std::errc{} || end != word.data() + word.size() || !std::isfinite(value))
        throw BadInput(name_, where() + ": " + node.name(), "finite numbers", std::string(word.substr(0, 40)));
      found.push_back(value);
    }
    if (found.size() != count)
      throw BadInput(name_, where() + ": " + node.name(), std::to_string(count) + (count == 1 ? " number" : " numbers"),
                     std::to_string(found.size()));
    return found;
  }

  void add_view(const pugi::xml_node& matrix) {
    if (now_.sdd() == 0)
      throw BadInput(name_, where() + ": SourceToDetectorDistance", "one of a diverging beam", "0: parallel rays");
    if (now_.value[9] != 0)
      throw BadInput(name_, "RadiusCylindricalDetector", "0: a flat detector", plain_number(now_.value[9]));
    if (views_.size() >= kMostProjections) throw BadInput(name_, "Projection", "at most 1048576", "more");
    const Mat3<double> rotation = rtk_rotation(now_), back = rotation.transposed();
    if (matrix) check_matrix(matrix, rotation);
    views_.push_back({from_iec(back * now_.source()), from_iec(back * now_.detector_origin()), from_iec(rotation.r0),
                      from_iec(rotation.r1),
                      std::max({std::abs(now_.radians(2)), std::abs(now_.radians(3)), std::abs(now_.radians(4))})});
  }

  /// M = [1 0 sx−px; 0 1 sy−py; 0 0 1] · [−sdd 0 0 0; 0 −sdd 0 0; 0 0 1 −sid] · translation by (−sx, −sy, 0) ·
  /// rotation.
  void check_matrix(const pugi::xml_node& matrix, const Mat3<double>& r) const {
    const Vec3d s = now_.source(), d = now_.detector_origin();
    const double sdd = now_.sdd(), x = s.x - d.x, y = s.y - d.y;
    const Vec3d r0 = r.r0 * -sdd + r.r2 * x, r1 = r.r1 * -sdd + r.r2 * y;
    const std::array<double, 12> expected{
        r0.x, r0.y, r0.z, sdd * s.x - x * s.z, r1.x, r1.y, r1.z, sdd * s.y - y * s.z, r.r2.x, r.r2.y, r.r2.z, -s.z};
    const std::vector<double> found = numbers(matrix, expected.size());
    double largest = 1;
    for (const double value : expected) largest = std::max(largest, std::abs(value));
    constexpr double kRounding = 1e-5;  // a file has 15 digits of each; RTK itself asks for 1e-3 absolutely
    for (std::size_t i = 0; i < expected.size(); ++i)
      if (!(std::abs(found[i] - expected[i]) <= kRounding * largest))
        throw BadInput(name_, where() + ": Matrix",
                       plain_number(expected[i]) + " at row " + std::to_string(i / 4) + ", column " +
                           std::to_string(i % 4) + ", as the parameters say",
                       plain_number(found[i]));
  }

  std::string name_;
  std::vector<std::string>& warnings_;
  std::vector<RtkView> views_;
  RtkParameters now_;
  bool collimated_ = false;
};

}  // namespace

std::vector<RtkView> read_rtk_geometry(const std::filesystem::path& path, std::vector<std::string>& warnings) {
  ByteReader file(path);
  if (file.max_size() > kMostXmlBytes)
    throw BadInput(file.name(), "file", "at most 2^28 bytes of XML", std::to_string(file.max_size()));
  return with_host_memory([&] {
    std::string text(file.max_size(), '\0');
    text.resize(file.read(text.data(), text.size()));
    pugi::xml_document document;
    const pugi::xml_parse_result result = document.load_buffer_inplace(text.data(), text.size());
    if (result.status == pugi::status_out_of_memory) throw_out_of_host_memory();
    if (!result) throw BadInput(file.name(), "byte " + std::to_string(result.offset), "XML", result.description());
    const pugi::xml_node root = document.child("RTKThreeDCircularGeometry");
    if (!root) throw BadInput(file.name(), "file", "RTKThreeDCircularGeometry", "another document");
    if (const int version = root.attribute("version").as_int(3); version != 2 && version != 3)
      throw BadInput(file.name(), "version", "2 or 3", std::to_string(version));
    return RtkReader(file.name(), warnings).read(root);
  });
}

#else

std::vector<RtkView> read_rtk_geometry(const std::filesystem::path& path, std::vector<std::string>& /*warnings*/) {
  throw BackendUnavailable(path.string() +
                           ": XML: expected a build with pugixml, found one without (Debian: libpugixml-dev)");
}

#endif

}  // namespace dsasrgs
