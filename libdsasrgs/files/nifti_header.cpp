// SPDX-License-Identifier: Apache-2.0
#include "files/nifti_header.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "common/plain_number.hpp"
#include "dsasrgs/error.hpp"
#include "number_text.hpp"

namespace dsasrgs {

namespace {

static_assert(std::endian::native == std::endian::little, "NIfTI files are written in little-endian order");

/// Where the fields lie, as the two standards have it (nifti.nimh.nih.gov). NIfTI-2 has wider numbers: 64 bits for
/// sizes and for floats, 32 bits for codes, but 16 for the type of voxels.
struct Layout {
  std::size_t bytes;
  std::string_view magic;
  std::size_t magic_at, datatype, dim, pixdim, vox_offset, scl_slope, scl_inter, toffset, qform_code, sform_code,
      quatern, qoffset, srow, xyzt_units;
};
constexpr Layout kNifti1{348, {"n+1\0", 4}, 344, 70, 40, 76, 108, 112, 116, 136, 252, 254, 256, 268, 280, 123};
constexpr Layout kNifti2{540, {"n+2\0\r\n\x1a\n", 8}, 4, 12, 16, 104, 168, 176, 184, 216, 344, 348, 352, 376, 400, 500};

constexpr int kUnitMetre = 1, kUnitMillimetre = 2, kUnitMicrometre = 3, kSpaceUnits = 7;
constexpr int kUnitSecond = 8, kUnitMillisecond = 16, kUnitMicrosecond = 24, kTimeUnits = 0x38;

using HeaderBytes = std::array<char, kNifti2.bytes>;

/// Fields of a header by their offset.
class Fields {
 public:
  Fields(const HeaderBytes& bytes, const Layout& layout, bool swapped)
      : bytes_(bytes), layout_(&layout), swapped_(swapped) {}

  const Layout& at() const { return *layout_; }
  bool is_second() const { return layout_ == &kNifti2; }
  bool is_swapped() const { return swapped_; }
  template <class T>
  T get(std::size_t offset) const {
    std::array<char, sizeof(T)> raw;
    std::copy_n(bytes_.data() + offset, sizeof(T), raw.data());
    if (swapped_) std::reverse(raw.begin(), raw.end());
    return std::bit_cast<T>(raw);
  }
  double real(std::size_t offset, int i = 0) const {
    const auto n = static_cast<std::size_t>(i);
    return is_second() ? get<double>(offset + 8 * n) : static_cast<double>(get<float>(offset + 4 * n));
  }
  std::int64_t dim(int i) const {
    const auto n = static_cast<std::size_t>(i);
    return is_second() ? get<std::int64_t>(layout_->dim + 8 * n) : get<std::int16_t>(layout_->dim + 2 * n);
  }
  int code(std::size_t offset) const { return is_second() ? get<std::int32_t>(offset) : get<std::int16_t>(offset); }
  int units() const {
    return is_second() ? get<std::int32_t>(layout_->xyzt_units) : get<std::uint8_t>(layout_->xyzt_units);
  }
  std::string_view magic() const { return {bytes_.data() + layout_->magic_at, layout_->magic.size()}; }

 private:
  HeaderBytes bytes_;
  const Layout* layout_;
  bool swapped_;
};

Fields read_fields(ByteReader& file) {
  HeaderBytes bytes{};
  std::int32_t size = 0;
  if (file.read(bytes.data(), kNifti1.bytes) != kNifti1.bytes)
    throw BadInput(file.name(), "header", "348 bytes of a NIfTI-1 file or 540 of a NIfTI-2 file", "a shorter file");
  std::memcpy(&size, bytes.data(), sizeof size);
  for (const Layout* layout : {&kNifti1, &kNifti2})
    for (const bool swapped : {false, true}) {
      const auto expected = static_cast<std::uint32_t>(layout->bytes);
      const std::uint32_t stored = swapped ? __builtin_bswap32(expected) : expected;
      if (static_cast<std::uint32_t>(size) != stored) continue;
      const std::size_t more = layout->bytes - kNifti1.bytes;
      if (file.read(bytes.data() + kNifti1.bytes, more) != more)
        throw BadInput(file.name(), "header", "540 bytes of a NIfTI-2 file", "a shorter file");
      return {bytes, *layout, swapped};
    }
  throw BadInput(file.name(), "sizeof_hdr", "348 (NIfTI-1) or 540 (NIfTI-2) in either byte order",
                 std::to_string(size));
}

void read_sizes(const std::string& file, const Fields& f, NiftiHeader& header) {
  const std::int64_t rank = f.dim(0);
  bool ok = rank >= 3 && rank <= 7;
  for (int i = 1; ok && i <= rank; ++i)
    ok = f.dim(i) >= 1 && f.dim(i) <= std::numeric_limits<int>::max() && (i <= 4 || f.dim(i) == 1);
  if (!ok) {
    std::string found;
    for (int i = 0; i < 8; ++i) found.append(found.empty() ? "" : " ").append(std::to_string(f.dim(i)));
    throw BadInput(file, "dim", "three axes of space and at most one of time, none of them empty", found);
  }
  for (int i = 0; i < 3; ++i) header.size[i] = static_cast<int>(f.dim(i + 1));
  header.frames = rank >= 4 ? static_cast<int>(f.dim(4)) : 1;
}

void read_offset(const ByteReader& file, const Fields& f, NiftiHeader& header) {
  const std::size_t least = f.at().bytes + 4;
  const double offset = f.is_second() ? static_cast<double>(f.get<std::int64_t>(f.at().vox_offset))
                                      : static_cast<double>(f.get<float>(f.at().vox_offset));
  if (!(offset >= static_cast<double>(least)))
    throw BadInput(file.name(), "vox_offset", std::to_string(least) + " or more", plain_number(offset));
  if (!(offset <= static_cast<double>(file.max_size())))
    throw BadInput(file.name(), "vox_offset", "at most the file's " + std::to_string(file.max_size()) + " bytes",
                   plain_number(offset));
  header.to_skip = static_cast<std::size_t>(offset) - f.at().bytes;
}

void read_type(const std::string& file, const Fields& f, NiftiHeader& header) {
  constexpr std::array kTypes{NiftiType::uint8,   NiftiType::int16, NiftiType::int32,  NiftiType::float32,
                              NiftiType::float64, NiftiType::int8,  NiftiType::uint16, NiftiType::uint32,
                              NiftiType::int64,   NiftiType::uint64};
  const int code = f.get<std::int16_t>(f.at().datatype);
  header.type = static_cast<NiftiType>(code);
  if (std::find(kTypes.begin(), kTypes.end(), header.type) == kTypes.end())
    throw BadInput(file, "datatype",
                   "uint8 (2), int16 (4), int32 (8), float32 (16), float64 (64), int8 (256), uint16 (512), uint32 "
                   "(768), int64 (1024) or uint64 (1280)",
                   std::to_string(code));
}

/// The standard: a slope of 0 means that the stored values are the values; NaN is what some writers put for it.
void read_scaling(const std::string& file, const Fields& f, NiftiHeader& header) {
  const double slope = f.real(f.at().scl_slope), intercept = f.real(f.at().scl_inter);
  if (std::isnan(slope) || slope == 0) return;
  for (const auto& [field, value] : {std::pair{"scl_slope", slope}, std::pair{"scl_inter", intercept}})
    if (!std::isfinite(value)) throw BadInput(file, field, "a finite number", plain_number(value));
  header.slope = slope;
  header.intercept = intercept;
}

double unit_mm(const std::string& file, int units) {
  switch (units & kSpaceUnits) {
    case 0:  // unknown: everyone means mm
    case kUnitMillimetre:
      return 1;
    case kUnitMetre:
      return 1e3;
    case kUnitMicrometre:
      return 1e-3;
    default:
      throw BadInput(file, "xyzt_units", "metres, millimetres or micrometres", std::to_string(units));
  }
}

/// Units that are no times (Hz, ppm, rad/s) and times that cannot be are as if none were given: no one relies on them.
void read_times(const Fields& f, NiftiHeader& header) {
  const int unit = f.units() & kTimeUnits;
  const double s = unit == kUnitMillisecond ? 1e-3 : unit == kUnitMicrosecond ? 1e-6 : 1;
  if (unit != 0 && unit != kUnitSecond && s == 1) return;
  const double spacing = f.real(f.at().pixdim, 4) * s, first = f.real(f.at().toffset) * s;
  if (std::isfinite(spacing) && spacing > 0) header.frame_spacing_s = spacing;
  if (std::isfinite(first)) header.first_time_s = first;
}

/// sform, else qform, else voxel sizes alone, as the standard ranks them; RAS, in the file's unit.
VoxelAffine stored_affine(const Fields& f) {
  const Layout& at = f.at();
  VoxelAffine a;
  if (f.code(at.sform_code) > 0) {
    for (int r = 0; r < 3; ++r) {
      for (int c = 0; c < 3; ++c) a.matrix[r][c] = f.real(at.srow, 4 * r + c);
      a.offset[r] = f.real(at.srow, 4 * r + 3);
    }
    return a;
  }
  if (f.code(at.qform_code) <= 0) {
    for (int r = 0; r < 3; ++r) a.matrix[r][r] = f.real(at.pixdim, r + 1);
    return a;
  }
  const double x = f.real(at.quatern, 0), y = f.real(at.quatern, 1), z = f.real(at.quatern, 2);
  const double w = std::sqrt(std::max(0.0, 1 - x * x - y * y - z * z));
  const double rotation[3][3] = {{w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y)},
                                 {2 * (x * y + w * z), w * w + y * y - x * x - z * z, 2 * (y * z - w * x)},
                                 {2 * (x * z - w * y), 2 * (y * z + w * x), w * w + z * z - x * x - y * y}};
  for (int r = 0; r < 3; ++r) {
    for (int c = 0; c < 3; ++c)
      a.matrix[r][c] = rotation[r][c] * f.real(at.pixdim, c + 1) * (c == 2 && f.real(at.pixdim) < 0 ? -1 : 1);
    a.offset[r] = f.real(at.qoffset, r);
  }
  return a;
}

void read_affine(const std::string& file, const Fields& f, NiftiHeader& header) {
  const double mm = unit_mm(file, f.units());
  header.affine = stored_affine(f);
  for (int r = 0; r < 3; ++r) {
    const double to_lps_mm = (r < 2 ? -1 : 1) * mm;
    for (int c = 0; c < 3; ++c) header.affine.matrix[r][c] *= to_lps_mm;
    header.affine.offset[r] *= to_lps_mm;
  }
}

template <class T>
void put(std::array<char, 352>& bytes, std::size_t offset, T value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
}

}  // namespace

NiftiHeader read_nifti_header(ByteReader& file) {
  const Fields f = read_fields(file);
  if (f.magic() != f.at().magic)
    throw BadInput(file.name(), "magic",
                   std::string(f.is_second() ? "\"n+2\"" : "\"n+1\"") + " (header and voxels in one file)",
                   "something else");
  NiftiHeader header;
  header.swapped = f.is_swapped();
  read_sizes(file.name(), f, header);
  read_offset(file, f, header);
  read_type(file.name(), f, header);
  read_scaling(file.name(), f, header);
  read_affine(file.name(), f, header);
  read_times(f, header);
  return header;
}

std::array<char, 352> nifti1_header(const VolumeGrid& grid, int frames, const VolumeTimes& times) {
  constexpr Layout at = kNifti1;
  const int dim[8] = {frames > 1 ? 4 : 3, grid.size_x, grid.size_y, grid.size_z, frames, 1, 1, 1};
  const double spacing[3] = {grid.spacing_mm.x, grid.spacing_mm.y, grid.spacing_mm.z};
  const Vec3d first = grid.center_mm(0, 0, 0);
  const double center[3] = {-first.x, -first.y, first.z};  // RAS
  std::array<char, 352> bytes{};
  put(bytes, 0, static_cast<std::int32_t>(at.bytes));
  for (std::size_t i = 0; i < 8; ++i) put(bytes, at.dim + 2 * i, static_cast<std::int16_t>(dim[i]));
  put(bytes, at.datatype, static_cast<std::int16_t>(NiftiType::float32));
  put(bytes, at.datatype + 2, std::int16_t{32});                            // bitpix
  for (std::size_t i = 0; i < 8; ++i) put(bytes, at.pixdim + 4 * i, 1.0f);  // the first: the qform does not mirror
  put(bytes, at.pixdim + 16, static_cast<float>(times.frame_spacing_s));
  put(bytes, at.toffset, static_cast<float>(times.first_time_s));
  put(bytes, at.vox_offset, static_cast<float>(bytes.size()));
  put(bytes, at.scl_slope, 1.0f);
  put(bytes, at.xyzt_units, static_cast<std::uint8_t>(kUnitMillimetre | kUnitSecond));
  constexpr std::size_t kDescription = 148, kDescriptionBytes = 80;
  std::string description = "dsasrgs";
  if (times.mean_until_s)
    description += ": mean from " + number_text(times.first_time_s) + " to " + number_text(*times.mean_until_s) + " s";
  std::memcpy(bytes.data() + kDescription, description.data(), std::min(description.size(), kDescriptionBytes - 1));
  for (const std::size_t code : {at.qform_code, at.sform_code})
    put(bytes, code, std::int16_t{1});  // scanner anatomical
  put(bytes, at.quatern + 8, 1.0f);     // (0, 0, 0, 1): half a turn about z, from LPS to RAS
  for (std::size_t axis = 0; axis < 3; ++axis) {
    put(bytes, at.pixdim + 4 * (axis + 1), static_cast<float>(spacing[axis]));
    put(bytes, at.srow + 20 * axis, static_cast<float>(axis < 2 ? -spacing[axis] : spacing[axis]));
    put(bytes, at.srow + 16 * axis + 12, static_cast<float>(center[axis]));
    put(bytes, at.qoffset + 4 * axis, static_cast<float>(center[axis]));
  }
  std::copy(at.magic.begin(), at.magic.end(), bytes.begin() + at.magic_at);
  return bytes;
}

}  // namespace dsasrgs
