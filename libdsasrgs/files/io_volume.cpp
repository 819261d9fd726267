// SPDX-License-Identifier: Apache-2.0
// NRRD (teem.sourceforge.net/nrrd/format.html; sequences as Slicer's developer guide has them) and MetaImage
// (itk.org/Wiki/ITK/MetaIO/Documentation).

#include <algorithm>
#include <bit>
#include <limits>
#include <string>
#include <vector>

#include "common/plain_number.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "dsasrgs/volume_files.hpp"
#include "files/byte_stream.hpp"
#include "files/file_suffix.hpp"
#include "files/volume_check.hpp"
#include "files/volume_writers.hpp"
#include "number_text.hpp"

namespace dsasrgs {

namespace {

static_assert(std::endian::native == std::endian::little, "volumes are written in little-endian order");

constexpr int kMostVoxelsOfSide = std::numeric_limits<int>::max();

/// Numbers that read back as the same, with something between them.
std::string joined(std::initializer_list<double> values, const char* between = " ") {
  std::string text;
  for (const double v : values) text.append(text.empty() ? "" : between).append(number_text(v));
  return text;
}

std::string size_text(const VolumeGrid& g) {
  return std::to_string(g.size_x) + " " + std::to_string(g.size_y) + " " + std::to_string(g.size_z);
}

std::string nrrd_header(const Volume& volume, const VolumeTimes& times) {
  const VolumeGrid& g = volume.grid;
  const Vec3d first = g.center_mm(0, 0, 0);
  const bool sequence = volume.frames > 1;
  std::string text = "NRRD0005\n# dsasrgs: attenuation in 1/mm\ntype: float\n";
  text += std::string("dimension: ") + (sequence ? "4" : "3") + "\nspace: left-posterior-superior\nsizes: ";
  text += (sequence ? std::to_string(volume.frames) + " " : "") + size_text(g);
  text += std::string("\nspace directions: ") + (sequence ? "none " : "") + "(" + joined({g.spacing_mm.x, 0, 0}, ",") +
          ") (" + joined({0, g.spacing_mm.y, 0}, ",") + ") (" + joined({0, 0, g.spacing_mm.z}, ",") + ")\n";
  text += std::string("kinds: ") + (sequence ? "list " : "") + "domain domain domain\n";
  if (sequence) text += "labels: \"time\" \"\" \"\" \"\"\n";
  text += "space units: \"mm\" \"mm\" \"mm\"\nendian: little\nencoding: raw\n";
  text += "space origin: (" + joined({first.x, first.y, first.z}, ",") + ")\n";
  const std::string first_s = number_text(times.first_time_s);
  if (times.mean_until_s)
    return text + "mean_from_s:=" + first_s + "\nmean_until_s:=" + number_text(*times.mean_until_s) + "\n\n";
  if (!sequence) return text + "time_s:=" + first_s + "\n\n";
  text += "axis 0 index type:=numeric\naxis 0 index unit:=s\naxis 0 index values:=";
  for (int f = 0; f < volume.frames; ++f)
    text.append(f > 0 ? " " : "").append(number_text(times.first_time_s + f * times.frame_spacing_s));
  return text + "\nDataNodeClassName:=vtkMRMLScalarVolumeNode\n\n";
}

/// Voxels with the frames as the fastest axis, a row of the volume at a time.
void write_interleaved(ByteWriter& file, const Volume& volume) {
  const auto frames = static_cast<std::size_t>(volume.frames), row = static_cast<std::size_t>(volume.grid.size_x);
  const std::size_t in_frame = volume.grid.num_voxels();
  std::vector<float> block(frames * row);
  for (std::size_t start = 0; start < in_frame; start += row) {
    for (std::size_t f = 0; f < frames; ++f)
      for (std::size_t i = 0; i < row; ++i) block[i * frames + f] = volume.values[f * in_frame + start + i];
    file.write(block.data(), block.size() * sizeof(float));
  }
}

}  // namespace

std::optional<VolumeFormat> volume_format(const std::filesystem::path& name) {
  if (has_suffix(name, ".nii") || has_suffix(name, ".nii.gz")) return VolumeFormat::nifti;
  if (has_suffix(name, ".nrrd")) return VolumeFormat::nrrd;
  if (has_suffix(name, ".mha")) return VolumeFormat::metaimage;
  if (has_suffix(name, ".dcm")) return VolumeFormat::dicom;
  return std::nullopt;
}

void write_volume(const std::filesystem::path& path, const Volume& volume, VolumeTimes times) try {
  const auto format = volume_format(path);
  if (!format)
    throw InvalidArgument(std::string("write_volume: path: expected a name that ends in ") + kVolumeNames + ", found " +
                          path.string());
  if (*format == VolumeFormat::nifti) return write_nifti_volume(path, volume, times);
  if (*format == VolumeFormat::nrrd) return write_nrrd(path, volume, times);
  if (*format == VolumeFormat::dicom) return write_dicom(path, volume, times);
  write_metaimage(path, volume, times);
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

void write_nrrd(const std::filesystem::path& path, const Volume& volume, VolumeTimes times) try {
  check_volume("write_nrrd", volume, times, kMostVoxelsOfSide);
  const std::string header = nrrd_header(volume, times);
  ByteWriter file(path);
  file.write(header.data(), header.size());
  if (volume.frames > 1)
    write_interleaved(file, volume);
  else
    file.write(volume.values.data(), volume.values.size() * sizeof(float));
  file.commit();
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

void write_metaimage(const std::filesystem::path& path, const Volume& volume, VolumeTimes times) {
  write_metaimage_of(path, volume, "attenuation in 1/mm", times);
}

void write_metaimage_of(const std::filesystem::path& path, const Volume& volume, const std::string& content,
                        const std::optional<VolumeTimes>& told) try {
  const VolumeTimes times = told.value_or(VolumeTimes{});
  check_volume("write_metaimage", volume, times, kMostVoxelsOfSide);
  const VolumeGrid& g = volume.grid;
  const Vec3d first = g.center_mm(0, 0, 0);
  const bool moving = volume.frames > 1;
  std::string header = "ObjectType = Image\nComment = dsasrgs: " + content + "\n";
  const std::string first_s = number_text(times.first_time_s);
  if (times.mean_until_s)
    header += "MeanFrom_s = " + first_s + "\nMeanUntil_s = " + number_text(*times.mean_until_s) + "\n";
  else if (told && !moving)
    header += "AcquisitionTime_s = " + first_s + "\n";
  header += std::string("NDims = ") + (moving ? "4" : "3") + "\nBinaryData = True\nBinaryDataByteOrderMSB = False\n";
  header += "CompressedData = False\nTransformMatrix =";
  const int axes = moving ? 4 : 3;
  for (int i = 0; i < axes * axes; ++i) header += i % (axes + 1) == 0 ? " 1" : " 0";
  header += "\nOffset = " + joined({first.x, first.y, first.z}) + (moving ? " " + first_s : "");
  header += std::string("\nCenterOfRotation = 0 0 0") + (moving ? " 0" : "");
  header +=
      "\nAnatomicalOrientation = RAI\nElementSpacing = " + joined({g.spacing_mm.x, g.spacing_mm.y, g.spacing_mm.z}) +
      (moving ? " " + number_text(times.frame_spacing_s) : "");
  header += "\nDimSize = " + size_text(g) + (moving ? " " + std::to_string(volume.frames) : "");
  header += "\nElementType = MET_FLOAT\nElementDataFile = LOCAL\n";
  ByteWriter file(path);
  file.write(header.data(), header.size());
  file.write(volume.values.data(), volume.values.size() * sizeof(float));
  file.commit();
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
