// SPDX-License-Identifier: Apache-2.0
// A whole model as a PLY file.

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dsasrgs/attenuation_field.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/gaussian_files.hpp"
#include "field_shapes.hpp"
#include "files/byte_stream.hpp"
#include "files/gaussian_ply.hpp"
#include "files/model_check.hpp"
#include "model_parameters.hpp"

namespace dsasrgs {

namespace {

static_assert(std::endian::native == std::endian::little, "PLY files are written and read in little-endian order");

constexpr std::size_t kMostPlyHeader = 1 << 20;
constexpr std::size_t kRowsAtOnce = 1 << 14;

/// Columns of a vertex in front of its coefficients of attenuation.
constexpr std::size_t kGeometryColumns = 10;

std::vector<std::string> header_lines(const GaussianPlyFacts& facts, const GaussianPlyCounts& counts,
                                      int coefficients) {
  std::vector<std::string> lines(std::begin(kGaussianPlyBegin), std::end(kGaussianPlyBegin));
  for (std::string& line : gaussian_ply_comments(facts)) lines.push_back(std::move(line));
  for (std::string& line : gaussian_ply_elements(counts, coefficients)) lines.push_back(std::move(line));
  return lines;
}

/// The header of a file, line by line, and what it says. Every line must be as it would be written.
class GaussianPlyHeader {
 public:
  explicit GaussianPlyHeader(ByteReader& file) : file_(file) {
    std::string line;
    std::size_t read = 0;
    for (char c = 0; lines_.empty() || lines_.back() != "end_header";) {
      if (++read > kMostPlyHeader || file.read(&c, 1) != 1)
        throw BadInput(file.name(), "header", "up to end_header within 1 MiB", lines_.empty() ? "none" : "no end");
      if (c != '\n') {
        line += c;
        continue;
      }
      lines_.push_back(std::exchange(line, {}));
      const std::size_t i = lines_.size() - 1;
      if (i < std::size(kGaussianPlyBegin) && lines_[i] != kGaussianPlyBegin[i]) refuse(i, kGaussianPlyBegin[i]);
    }
  }

  GaussianPlyFacts facts() const {
    GaussianPlyFacts f;
    const auto bounds = numbers<float>("scale_bounds_mm", 2);
    f.bounds = {bounds[0], bounds[1]};
    f.density_scale_per_mm = numbers<float>("density_scale_per_mm", 1)[0];
    const auto size = numbers<int>("volume_size", 3);
    const auto spacing = numbers<double>("volume_spacing_mm", 3), origin = numbers<double>("volume_origin_mm", 3);
    f.volume = {size[0], size[1], size[2], {spacing[0], spacing[1], spacing[2]}, {origin[0], origin[1], origin[2]}};
    const auto time = numbers<double>("time_s", 2);
    f.time = {time[0], time[1]};
    const auto detector = numbers<int>("detector_size", 2);
    const auto pitch = numbers<double>("pixel_pitch_mm", 2);
    f.detector = {detector[0], detector[1], pitch[0], pitch[1]};
    f.pixel_footprint = numbers<int>("pixel_footprint", 1)[0] != 0;
    f.measurement = lines_[find("comment measurement ")].substr(std::string_view("comment measurement ").size());
    constexpr std::string_view kConfig = "comment config ";
    std::size_t i = find(kConfig);
    for (const std::size_t first = i; i < lines_.size() && lines_[i].starts_with(kConfig); ++i)
      f.config_toml.append(i == first ? "" : "\n").append(lines_[i], kConfig.size());
    return f;
  }

  GaussianPlyCounts counts() const {
    return {rows("vertex"), rows("table3d"), rows("table4d"), rows("network"), rows("nuisance"), rows("test_view")};
  }

  void require(const std::vector<std::string>& expected) const {
    for (std::size_t i = 0; i < lines_.size(); ++i)
      if (i >= expected.size() || lines_[i] != expected[i])
        refuse(i, i < expected.size() ? expected[i] : "no more lines");
  }

 private:
  [[noreturn]] void refuse(std::size_t i, const std::string& expected) const {
    throw BadInput(file_.name(), "line " + std::to_string(i + 1), expected, lines_[i]);
  }
  std::size_t find(std::string_view start) const {
    for (std::size_t i = 0; i < lines_.size(); ++i)
      if (lines_[i].starts_with(start)) return i;
    throw BadInput(file_.name(), "header", "a line " + std::string(start) + "…", "none");
  }
  /// `count` numbers behind the name of a comment.
  template <class T>
  std::vector<T> numbers(const std::string& name, std::size_t count) const {
    const std::string start = "comment " + name;
    const std::size_t line = find(start + " ");
    std::string_view rest = std::string_view(lines_[line]).substr(start.size());
    std::vector<T> values(count);
    for (T& value : values) {
      const char* const end = rest.data() + rest.size();
      const auto [stop, error] = std::from_chars(rest.data() + (rest.empty() ? 0 : 1), end, value);
      if (error != std::errc{}) refuse(line, start + " and " + std::to_string(count) + " numbers");
      rest.remove_prefix(static_cast<std::size_t>(stop - rest.data()));
    }
    return values;
  }
  std::size_t rows(const std::string& element) const {
    const std::string start = "element " + element + " ";
    const std::size_t line = find(start);
    const char* const end = lines_[line].data() + lines_[line].size();
    std::size_t value = 0;
    if (std::from_chars(lines_[line].data() + start.size(), end, value).ec != std::errc{} || value > file_.max_size())
      refuse(line, start + "and at most the file's " + std::to_string(file_.max_size()) + " rows");
    return value;
  }

  ByteReader& file_;
  std::vector<std::string> lines_;
};

RefuseField refuse_of(const std::string& file) {
  return [file](const std::string& field, const std::string& expected, const std::string& found) {
    throw BadInput(file, field, expected, found);
  };
}

template <class T>
std::vector<T> read_elements(ByteReader& file, std::size_t count) {
  std::vector<T> values(count);
  if (file.read(values.data(), count * sizeof(T)) != count * sizeof(T))
    throw BadInput(file.name(), "elements", "as many bytes as the header asks for", "the end of the file");
  return values;
}

/// Values of one row of each array in turn, as vertices hold them.
struct RowArray {
  ParameterInfo info;
  std::vector<float> values;
  std::size_t width;
};

/// The arrays per Gaussian, in the order of a vertex's columns, which is that of kParameters.
std::vector<RowArray> row_arrays(int coefficients) {
  std::vector<RowArray> arrays;
  for (const ParameterInfo& p : kParameters)
    if (p.per_gaussian != nullptr)
      arrays.push_back({p, {}, static_cast<std::size_t>(p.fixed_width > 0 ? p.fixed_width : coefficients)});
  return arrays;
}

void read_vertices(ByteReader& file, std::size_t rows, std::size_t columns, std::vector<RowArray>& arrays) {
  for (RowArray& a : arrays) a.values.reserve(rows * a.width);
  for (std::size_t done = 0; done < rows;) {
    const std::size_t count = std::min(kRowsAtOnce, rows - done);
    const std::vector<float> block = read_elements<float>(file, count * columns);
    for (auto value = block.begin(); value != block.end();)
      for (RowArray& a : arrays) {
        const auto end = value + static_cast<std::ptrdiff_t>(a.width);
        a.values.insert(a.values.end(), value, end);
        value = end;
      }
    done += count;
  }
}

void write_vertices(ByteWriter& file, std::size_t rows, const std::vector<RowArray>& arrays) {
  std::vector<float> block;
  for (std::size_t row = 0; row < rows; ++row) {
    for (const RowArray& a : arrays) {
      const auto from = a.values.begin() + static_cast<std::ptrdiff_t>(row * a.width);
      block.insert(block.end(), from, from + static_cast<std::ptrdiff_t>(a.width));
    }
    if (row + 1 < rows && block.size() < kRowsAtOnce * kGeometryColumns) continue;
    file.write(block.data(), block.size() * sizeof(float));
    block.clear();
  }
}

struct NuisanceRow {
  std::int32_t view;
  float gain, offset;
};

/// Throws BadInput where configuration, counts and the file's size disagree, before memory is taken for them.
void check_counts(const ByteReader& file, const GaussianPlyCounts& counts, const FieldConfig& field,
                  std::size_t columns) {
  const std::size_t found[] = {counts.table3d, counts.table4d, counts.network};
  std::size_t shared = 0;
  for (const ParameterInfo& p : kParameters) {
    if (p.per_gaussian != nullptr) continue;
    const std::size_t expected = shared_parameter_size(p.id, field);
    if (expected != found[shared])
      throw BadInput(file.name(), std::string("element ") + p.name, std::to_string(expected) + " rows, as configured",
                     std::to_string(found[shared]));
    ++shared;
  }
  const std::size_t bytes =
      4 * (counts.gaussians * columns + counts.table3d + counts.table4d + counts.network + counts.test_views) +
      sizeof(NuisanceRow) * counts.nuisance;
  if (bytes > file.max_size())
    throw BadInput(file.name(), "elements", std::to_string(bytes) + " bytes",
                   "at most " + std::to_string(file.max_size()));
}

void check_facts(const GaussianPlyFacts& f, const RefuseField& refuse) {
  check_grid(f.volume, refuse);
  check_detector(f.detector, refuse);
  check_time(f.time, refuse);
  check_scale_bounds(f.bounds, refuse);
  check_positive("density_scale_per_mm", static_cast<double>(f.density_scale_per_mm), refuse);
}

}  // namespace

void write_gaussian_ply(Context& ctx, const std::filesystem::path& path, const Model& model) try {
  check_model(model, [](const std::string& field, const std::string& expected, const std::string& found) {
    throw InvalidArgument("write_gaussian_ply: " + field + ": expected " + expected + ", found " + found);
  });
  if (model.measurement.find('\n') != std::string::npos)
    throw InvalidArgument("write_gaussian_ply: measurement: expected one line, found more");
  const RefuseField refuse = [](const std::string& field, const std::string& expected, const std::string& found) {
    throw NumericalError("write_gaussian_ply: " + field + ": expected " + expected + ", found " + found);
  };
  const GaussianPlyFacts facts{model.cloud.bounds, model.field.density_scale_per_mm(),
                               model.volume,       model.time,
                               model.detector,     model.pixel_footprint,
                               model.measurement,  model.config_toml};
  const auto& shared = model.field.parameters();
  const GaussianPlyCounts counts{model.cloud.size(),    shared.table3d.size(),      shared.table4d.size(),
                                 shared.network.size(), model.nuisance.view.size(), model.test_views.size()};
  const int coefficients = model.field.coefficients_per_gaussian();
  std::vector<RowArray> arrays = row_arrays(coefficients);
  for (RowArray& a : arrays) {
    a.values = a.info.value(model.cloud, model.field).to_host(ctx);
    check_parameter(a.info, a.values, refuse);
  }
  ByteWriter file(path);
  for (std::string line : header_lines(facts, counts, coefficients)) {
    line += '\n';
    file.write(line.data(), line.size());
  }
  write_vertices(file, counts.gaussians, arrays);
  for (const ParameterInfo& p : kParameters) {
    if (p.per_gaussian != nullptr) continue;
    const std::vector<float> values = p.value(model.cloud, model.field).to_host(ctx);
    check_parameter(p, values, refuse);
    file.write(values.data(), values.size() * sizeof(float));
  }
  for (std::size_t i = 0; i < counts.nuisance; ++i) {
    const NuisanceRow row{model.nuisance.view[i], model.nuisance.gain[i], model.nuisance.offset[i]};
    file.write(&row, sizeof row);
  }
  const std::vector<std::int32_t> test(model.test_views.begin(), model.test_views.end());
  file.write(test.data(), test.size() * sizeof(std::int32_t));
  file.commit();
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

Model read_gaussian_ply(Context& ctx, const std::filesystem::path& path) try {
  ByteReader file(path);
  const RefuseField refuse = refuse_of(file.name());
  const GaussianPlyHeader header(file);
  const GaussianPlyFacts facts = header.facts();
  const GaussianPlyCounts counts = header.counts();
  const Config config = config_from_toml(facts.config_toml, file.name() + " (comment config)");
  const int coefficients = attenuation_coefficients(config.field.kind);
  header.require(header_lines(facts, counts, coefficients));
  check_facts(facts, refuse);
  std::vector<RowArray> arrays = row_arrays(coefficients);
  const std::size_t columns = kGeometryColumns + static_cast<std::size_t>(coefficients);
  check_counts(file, counts, config.field, columns);

  AttenuationField field(ctx, config.field, facts.volume, config.training.seed);
  field.set_density_scale_per_mm(facts.density_scale_per_mm);
  Model model{{}, std::move(field), facts.volume, facts.time, facts.detector, facts.pixel_footprint,
              {}, facts.config_toml};
  model.measurement = facts.measurement;
  model.cloud.bounds = facts.bounds;
  read_vertices(file, counts.gaussians, columns, arrays);
  for (const RowArray& a : arrays) {
    check_parameter(a.info, a.values, refuse);
    a.info.value(model.cloud, model.field) = Buffer<float>::from_host(ctx, a.values);
  }
  for (const ParameterInfo& p : kParameters) {
    if (p.per_gaussian != nullptr) continue;
    const std::vector<float> values = read_elements<float>(file, shared_parameter_size(p.id, config.field));
    check_parameter(p, values, refuse);
    p.value(model.cloud, model.field) = Buffer<float>::from_host(ctx, values);
  }
  for (const NuisanceRow& row : read_elements<NuisanceRow>(file, counts.nuisance)) {
    model.nuisance.view.push_back(row.view);
    model.nuisance.gain.push_back(row.gain);
    model.nuisance.offset.push_back(row.offset);
  }
  const auto test = read_elements<std::int32_t>(file, counts.test_views);
  model.test_views.assign(test.begin(), test.end());
  if (char beyond = 0; file.read(&beyond, 1) != 0)
    throw BadInput(file.name(), "elements", "the end of the file", "more");
  check_model(model, refuse);
  return model;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
