#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/host_vector.hpp"
#include "common/plain_number.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "files/byte_stream.hpp"
#include "files/nifti_pictures.hpp"

namespace dsasrgs {

namespace {

static_assert(std::endian::native == std::endian::little, "NIfTI files are written and read in little-endian order");

/// The NIfTI-1 header, field by field as its standard has it (nifti.nimh.nih.gov); no field needs padding.
struct NiftiHeader {
  std::int32_t sizeof_hdr = 348;
  char unused_from_analyze[36] = {};
  std::int16_t dim[8] = {};
  float intent_p[3] = {};
  std::int16_t intent_code = 0;
  std::int16_t datatype = 0;
  std::int16_t bitpix = 0;
  std::int16_t slice_start = 0;
  float pixdim[8] = {};
  float vox_offset = 0;
  float scl_slope = 0, scl_inter = 0;
  std::int16_t slice_end = 0;
  std::uint8_t slice_code = 0;
  std::uint8_t xyzt_units = 0;
  float cal_max = 0, cal_min = 0;
  float slice_duration = 0;
  float toffset = 0;
  std::int32_t unused_glmax = 0, unused_glmin = 0;
  char descrip[80] = {};
  char aux_file[24] = {};
  std::int16_t qform_code = 0, sform_code = 0;
  float quatern[3] = {};
  float qoffset[3] = {};
  float srow[3][4] = {};
  char intent_name[16] = {};
  char magic[4] = {};
};
static_assert(sizeof(NiftiHeader) == 348 && std::is_trivially_copyable_v<NiftiHeader>);
static_assert(offsetof(NiftiHeader, dim) == 40 && offsetof(NiftiHeader, pixdim) == 76 &&
              offsetof(NiftiHeader, xyzt_units) == 123 && offsetof(NiftiHeader, srow) == 280);

constexpr std::size_t kDataOffset = 352;  // header and four bytes that say "no extensions"
constexpr std::int16_t kUint8 = 2, kInt16 = 4, kInt32 = 8, kFloat32 = 16, kFloat64 = 64, kInt8 = 256, kUint16 = 512,
                       kUint32 = 768;
constexpr std::int16_t kScannerAnatomical = 1;
constexpr std::uint8_t kUnitMetre = 1, kUnitMillimetre = 2, kUnitMicrometre = 3, kSpaceUnits = 7, kUnitSecond = 8;
constexpr const char kMagic[4] = {'n', '+', '1', '\0'};

/// Voxel indices to world: world = matrix·(i, j, k) + offset.
struct Affine {
  double matrix[3][3] = {};
  double offset[3] = {};
};

/// sform, else qform, else voxel sizes alone, as the standard ranks them.
Affine affine_of(const NiftiHeader& h) {
  Affine a;
  if (h.sform_code > 0) {
    for (int r = 0; r < 3; ++r) {
      for (int c = 0; c < 3; ++c) a.matrix[r][c] = h.srow[r][c];
      a.offset[r] = h.srow[r][3];
    }
    return a;
  }
  if (h.qform_code <= 0) {
    for (int r = 0; r < 3; ++r) a.matrix[r][r] = h.pixdim[r + 1];
    return a;
  }
  const double x = h.quatern[0], y = h.quatern[1], z = h.quatern[2];
  const double w = std::sqrt(std::max(0.0, 1 - x * x - y * y - z * z));
  const double rotation[3][3] = {{w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y)},
                                 {2 * (x * y + w * z), w * w + y * y - x * x - z * z, 2 * (y * z - w * x)},
                                 {2 * (x * z - w * y), 2 * (y * z + w * x), w * w + z * z - x * x - y * y}};
  for (int r = 0; r < 3; ++r) {
    for (int c = 0; c < 3; ++c)
      a.matrix[r][c] = rotation[r][c] * h.pixdim[c + 1] * (c == 2 && h.pixdim[0] < 0 ? -1 : 1);
    a.offset[r] = h.qoffset[r];
  }
  return a;
}

double unit_mm(const std::string& file, std::uint8_t units) {
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

NiftiHeader read_header(ByteReader& file) {
  NiftiHeader h;
  if (file.read(&h, sizeof h) != sizeof h)
    throw BadInput(file.name(), "header", "348 bytes of a NIfTI-1 file", "a shorter file");
  if (h.sizeof_hdr != 348) {
    const bool swapped = h.sizeof_hdr == 0x5C010000;
    throw BadInput(file.name(), "sizeof_hdr", "348, little-endian",
                   swapped ? "348, big-endian" : std::to_string(h.sizeof_hdr));
  }
  if (!std::equal(kMagic, kMagic + 4, h.magic))
    throw BadInput(file.name(), "magic", "\"n+1\" (header and voxels in one file)", "something else");
  bool ok = h.dim[0] >= 3 && h.dim[0] <= 7;
  for (int i = 1; ok && i <= h.dim[0]; ++i) ok = h.dim[i] >= 1 && (i <= 4 || h.dim[i] == 1);
  if (!ok) {
    std::string found;
    for (const std::int16_t d : h.dim) found.append(found.empty() ? "" : " ").append(std::to_string(d));
    throw BadInput(file.name(), "dim", "three axes of space and at most one of time, none of them empty", found);
  }
  const double offset = h.vox_offset;
  if (!(offset >= static_cast<double>(kDataOffset)))
    throw BadInput(file.name(), "vox_offset", "352 or more", plain_number(offset));
  if (!(offset <= static_cast<double>(file.max_size())))
    throw BadInput(file.name(), "vox_offset", "at most the file's " + std::to_string(file.max_size()) + " bytes",
                   plain_number(offset));
  if (!std::isnan(h.scl_slope) && h.scl_slope != 0)
    for (const auto& [field, value] : {std::pair{"scl_slope", h.scl_slope}, std::pair{"scl_inter", h.scl_inter}})
      if (!std::isfinite(value)) throw BadInput(file.name(), field, "a finite number", plain_number(value));
  return h;
}

VolumeGrid grid_of(const std::string& file, const NiftiHeader& h) {
  const double mm = unit_mm(file, h.xyzt_units);
  const Affine a = affine_of(h);
  double largest = 0;
  for (const auto& row : a.matrix)
    for (const double v : row) largest = std::isfinite(v) ? std::max(largest, std::abs(v)) : INFINITY;
  std::string found;
  bool ok = std::isfinite(largest);
  for (int r = 0; r < 3; ++r) {
    for (int c = 0; c < 3; ++c) {
      ok = ok && (r == c ? a.matrix[r][c] > 0 : std::abs(a.matrix[r][c]) <= 1e-4 * largest);
      found += plain_number(a.matrix[r][c]) + (c == 2 ? "; " : " ");
    }
    ok = ok && std::isfinite(a.offset[r]);
    found += r == 2 ? "offset " + plain_number(a.offset[0]) + " " + plain_number(a.offset[1]) + " " +
                          plain_number(a.offset[2])
                    : "";
  }
  if (!ok) throw BadInput(file, "affine", "finite, axis-aligned, with positive spacing", found);
  const Vec3d spacing = Vec3d{a.matrix[0][0], a.matrix[1][1], a.matrix[2][2]} * mm;
  const Vec3d first_center = Vec3d{a.offset[0], a.offset[1], a.offset[2]} * mm;
  return {h.dim[1], h.dim[2], h.dim[3], spacing, first_center - spacing * 0.5};
}

/// Reads `num_values` voxels stored as Stored, slab by slab, and scales them. Memory grows with what is there, not with
/// what the header says.
template <class Stored>
void read_voxels(ByteReader& file, const NiftiHeader& h, std::size_t num_values, std::vector<float>& values) {
  // The standard: a slope of 0 means that the stored values are the values; NaN is what some writers put for it.
  const bool scaled = h.scl_slope != 0 && !std::isnan(h.scl_slope);
  const double slope = scaled ? h.scl_slope : 1, intercept = scaled ? h.scl_inter : 0;
  std::vector<Stored> stored(std::min<std::size_t>(num_values, 1 << 20));
  for (std::size_t done = 0; done < num_values;) {
    const std::size_t count = std::min(stored.size(), num_values - done);
    const std::size_t bytes = file.read(stored.data(), count * sizeof(Stored));
    if (bytes != count * sizeof(Stored))
      throw BadInput(file.name(), "voxels", std::to_string(num_values), std::to_string(done + bytes / sizeof(Stored)));
    values.resize(done + count);
    for (std::size_t i = 0; i < count; ++i, ++done) {
      values[done] = static_cast<float>(static_cast<double>(stored[i]) * slope + intercept);
      if (!std::isfinite(values[done]))
        throw BadInput(file.name(), "voxels", "finite numbers",
                       plain_number(values[done]) + " at voxel " + std::to_string(done));
    }
  }
}

void read_voxels_of_type(ByteReader& file, const NiftiHeader& h, std::size_t n, std::vector<float>& values) {
  switch (h.datatype) {
    case kUint8:
      return read_voxels<std::uint8_t>(file, h, n, values);
    case kInt8:
      return read_voxels<std::int8_t>(file, h, n, values);
    case kInt16:
      return read_voxels<std::int16_t>(file, h, n, values);
    case kUint16:
      return read_voxels<std::uint16_t>(file, h, n, values);
    case kInt32:
      return read_voxels<std::int32_t>(file, h, n, values);
    case kUint32:
      return read_voxels<std::uint32_t>(file, h, n, values);
    case kFloat32:
      return read_voxels<float>(file, h, n, values);
    case kFloat64:
      return read_voxels<double>(file, h, n, values);
    default:
      throw BadInput(file.name(), "datatype",
                     "uint8 (2), int16 (4), int32 (8), float32 (16), float64 (64), int8 (256), uint16 (512) or "
                     "uint32 (768)",
                     std::to_string(h.datatype));
  }
}

}  // namespace

void write_nifti(const std::filesystem::path& path, const Volume& volume, double frame_spacing_s,
                 double first_time_s) try {
  const VolumeGrid& grid = volume.grid;
  const int size[4] = {grid.size_x, grid.size_y, grid.size_z, volume.frames};
  for (const int n : size)
    if (n < 1 || n > std::numeric_limits<std::int16_t>::max())
      throw InvalidArgument("write_nifti: volume: expected sizes of 1 to " + std::to_string(kMostNiftiSide) +
                            ", found " + std::to_string(n));
  const std::size_t expected = grid.num_voxels() * static_cast<std::size_t>(volume.frames);
  if (volume.values.size() != expected)
    throw InvalidArgument("write_nifti: volume.values: expected " + std::to_string(expected) + " voxels, found " +
                          std::to_string(volume.values.size()));
  for (std::size_t i = 0; i < expected; ++i)
    if (!std::isfinite(volume.values[i]))  // read_nifti would refuse it
      throw InvalidArgument("write_nifti: volume.values[" + std::to_string(i) + "]: expected a finite number, found " +
                            std::to_string(volume.values[i]));
  const double spacing[3] = {grid.spacing_mm.x, grid.spacing_mm.y, grid.spacing_mm.z};
  const double origin[3] = {grid.origin_mm.x, grid.origin_mm.y, grid.origin_mm.z};
  for (int axis = 0; axis < 3; ++axis)
    if (!(spacing[axis] > 0) || !std::isfinite(spacing[axis]) || !std::isfinite(origin[axis]))
      throw InvalidArgument("write_nifti: grid: expected positive spacing and a finite origin, found " +
                            plain_number(spacing[axis]) + " and " + plain_number(origin[axis]));
  if (!(frame_spacing_s > 0) || !std::isfinite(frame_spacing_s))
    throw InvalidArgument("write_nifti: frame_spacing_s: expected a positive time, found " +
                          plain_number(frame_spacing_s));
  if (!std::isfinite(first_time_s))
    throw InvalidArgument("write_nifti: first_time_s: expected a finite time, found " + plain_number(first_time_s));

  NiftiHeader h;
  h.dim[0] = volume.frames > 1 ? 4 : 3;
  for (int i = 0; i < 4; ++i) h.dim[i + 1] = static_cast<std::int16_t>(size[i]);
  for (int i = 5; i < 8; ++i) h.dim[i] = 1;
  h.datatype = kFloat32;
  h.bitpix = 32;
  std::fill(std::begin(h.pixdim), std::end(h.pixdim), 1.0f);  // pixdim[0] = 1: the qform does not mirror
  h.pixdim[4] = static_cast<float>(frame_spacing_s);
  h.toffset = static_cast<float>(first_time_s);
  h.vox_offset = kDataOffset;
  h.scl_slope = 1;
  h.xyzt_units = kUnitMillimetre | kUnitSecond;
  std::strncpy(h.descrip, "dsasrgs", sizeof h.descrip - 1);
  h.qform_code = h.sform_code = kScannerAnatomical;
  for (int axis = 0; axis < 3; ++axis) {  // the quaternion (1,0,0,0) is three zeros: its first number is implied
    h.pixdim[axis + 1] = h.srow[axis][axis] = static_cast<float>(spacing[axis]);
    h.qoffset[axis] = h.srow[axis][3] = static_cast<float>(origin[axis] + 0.5 * spacing[axis]);
  }
  std::copy(kMagic, kMagic + 4, h.magic);

  ByteWriter file(path);
  file.write(&h, sizeof h);
  const std::array<char, kDataOffset - sizeof h> no_extensions{};
  file.write(no_extensions.data(), no_extensions.size());
  file.write(volume.values.data(), volume.values.size() * sizeof(float));
  file.commit();
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

namespace {

/// Voxels from where `file` stands after its header, to `values`.
void read_all_voxels(ByteReader& file, const NiftiHeader& h, std::size_t num_values, std::vector<float>& values) {
  file.skip(static_cast<std::size_t>(h.vox_offset) - sizeof h);
  if (num_values > file.max_size())  // a voxel is at least a byte: do not believe sizes the file cannot hold
    throw BadInput(file.name(), "voxels", std::to_string(num_values), "at most " + std::to_string(file.max_size()));
  with_host_memory(num_values * sizeof(float), [&] {
    if (!file.is_compressed()) values.reserve(num_values);
    read_voxels_of_type(file, h, num_values, values);
  });
}

}  // namespace

Volume read_nifti(const std::filesystem::path& path) try {
  ByteReader file(path);
  const NiftiHeader h = read_header(file);
  Volume volume;
  volume.grid = grid_of(file.name(), h);
  volume.frames = h.dim[0] >= 4 ? h.dim[4] : 1;
  read_all_voxels(file, h, volume.grid.num_voxels() * static_cast<std::size_t>(volume.frames), volume.values);
  return volume;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

NumberArray<float> read_nifti_pictures(const std::filesystem::path& path) try {
  ByteReader file(path);
  const NiftiHeader h = read_header(file);
  if (h.dim[0] >= 4 && h.dim[4] > 1) throw BadInput(file.name(), "dim", "pictures: three axes", "four");
  NumberArray<float> pictures;
  for (int axis = 3; axis >= 1; --axis) pictures.shape.push_back(static_cast<std::size_t>(h.dim[axis]));
  read_all_voxels(file, h, num_numbers(pictures.shape), pictures.values);
  return pictures;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
