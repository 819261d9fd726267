// SPDX-License-Identifier: Apache-2.0
// Volumes as Enhanced CT images (PS3.3 A.38). No DCMTK: a build without it writes them too.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <ctime>
#include <limits>
#include <string>
#include <vector>

#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/version.hpp"
#include "dsasrgs/volume_files.hpp"
#include "files/byte_stream.hpp"
#include "files/dicom_elements.hpp"
#include "files/volume_check.hpp"
#include "number_text.hpp"

namespace dsasrgs {

namespace {

static_assert(std::endian::native == std::endian::little, "DICOM files are written in little-endian order");

constexpr int kMostSideOfDicom = 65535;
constexpr const char *kEnhancedCt = "1.2.840.10008.5.1.4.1.1.2.1", *kExplicitLittleEndian = "1.2.840.10008.1.2.1",
                     *kImplementation = "2.25.273000568057497508236806262637771325357";
constexpr const char* kImageType = "DERIVED\\PRIMARY\\VOLUME\\QUANTITY";
constexpr const char* kNotForDiagnosis =
    "Derived: X-ray attenuation reconstructed from projections by dsasrgs. Research only, not for diagnosis.";

/// What stored numbers are: value = slope * stored + intercept.
struct Scale {
  double slope = 1, intercept = 0;
  std::uint16_t stored(float value) const {
    return static_cast<std::uint16_t>(std::clamp(std::lround((static_cast<double>(value) - intercept) / slope), 0L,
                                                 static_cast<long>(std::numeric_limits<std::uint16_t>::max())));
  }
};

/// The slope and the intercept that a reader finds in the decimal strings.
Scale scale_of(const Volume& volume) {
  const auto [least, most] = std::minmax_element(volume.values.begin(), volume.values.end());
  Scale scale{1, std::stod(decimal_string(static_cast<double>(*least)))};
  const double step = (static_cast<double>(*most) - static_cast<double>(*least)) / kMostSideOfDicom;
  if (step > 0 && std::stod(decimal_string(step)) > 0) scale.slope = std::stod(decimal_string(step));
  return scale;
}

/// Date (DA) and time (TM) of now, in UTC.
struct Now {
  char date[16] = {}, time[16] = {};
  Now() {
    const std::time_t seconds = std::time(nullptr);
    std::tm utc{};
    ::gmtime_r(&seconds, &utc);
    std::strftime(date, sizeof date, "%Y%m%d", &utc);
    std::strftime(time, sizeof time, "%H%M%S", &utc);
  }
};

void put_code(DicomElements& to, const char* value, const char* scheme, const char* meaning) {
  to.text({0x0008, 0x0100}, "SH", value);
  to.text({0x0008, 0x0102}, "SH", scheme);
  to.text({0x0008, 0x0104}, "LO", meaning);
}

void put_pixel_presentation(DicomElements& to) {
  to.text({0x0008, 0x9205}, "CS", "MONOCHROME");
  to.text({0x0008, 0x9206}, "CS", "VOLUME");
  to.text({0x0008, 0x9207}, "CS", "NONE");
}

std::string file_meta(const std::string& instance) {
  DicomElements meta, all;
  meta.other({0x0002, 0x0001}, std::string_view("\0\1", 2));
  meta.text({0x0002, 0x0002}, "UI", kEnhancedCt);
  meta.text({0x0002, 0x0003}, "UI", instance);
  meta.text({0x0002, 0x0010}, "UI", kExplicitLittleEndian);
  meta.text({0x0002, 0x0012}, "UI", kImplementation);
  meta.text({0x0002, 0x0013}, "SH", "DSASRGS");
  all.u32({0x0002, 0x0000}, {static_cast<std::uint32_t>(meta.bytes().size())});
  return std::string(128, '\0') + "DICM" + all.bytes() + meta.bytes();
}

/// Who, when, and what it is not.
void put_description(DicomElements& to, const std::string& instance, const VolumeTimes& times) {
  const Now now;
  to.text({0x0008, 0x0008}, "CS", kImageType);
  to.text({0x0008, 0x0016}, "UI", kEnhancedCt);
  to.text({0x0008, 0x0018}, "UI", instance);
  to.text({0x0008, 0x0020}, "DA", "");  // the study's
  to.text({0x0008, 0x0023}, "DA", now.date);
  to.text({0x0008, 0x0030}, "TM", "");
  to.text({0x0008, 0x0033}, "TM", now.time);
  to.text({0x0008, 0x0050}, "SH", "");
  to.text({0x0008, 0x0060}, "CS", "CT");
  to.text({0x0008, 0x0070}, "LO", "dsasrgs");
  to.text({0x0008, 0x0090}, "PN", "");
  to.text({0x0008, 0x0201}, "SH", "+0000");
  to.text({0x0008, 0x103e}, "LO", "dsasrgs: derived, not for diagnosis");
  to.text({0x0008, 0x1090}, "LO", "dsasrgs");
  std::string derivation = kNotForDiagnosis;
  if (times.mean_until_s)
    derivation += " Mean from " + number_text(times.first_time_s) + " to " + number_text(*times.mean_until_s) + " s.";
  to.text({0x0008, 0x2111}, "ST", derivation);
  put_pixel_presentation(to);
  to.text({0x0010, 0x0010}, "PN", "NO PATIENT GIVEN");
  to.text({0x0010, 0x0020}, "LO", "NO PATIENT GIVEN");
  to.text({0x0010, 0x0030}, "DA", "");
  to.text({0x0010, 0x0040}, "CS", "");
  to.text({0x0018, 0x1000}, "LO", "NONE");
  to.text({0x0018, 0x1020}, "LO", DSASRGS_VERSION_STRING);
  to.text({0x0018, 0x9004}, "CS", "RESEARCH");
  to.text({0x0020, 0x000d}, "UI", random_uid());
  to.text({0x0020, 0x000e}, "UI", random_uid());
  to.text({0x0020, 0x0010}, "SH", "");
  to.text({0x0020, 0x0011}, "IS", "1");
  to.text({0x0020, 0x0013}, "IS", "1");
  to.text({0x0020, 0x0052}, "UI", random_uid());
  to.text({0x0020, 0x1040}, "LO", "");
  to.text({0x0020, 0x4000}, "LT", kNotForDiagnosis);
}

/// Frames are of a time and, within it, of a place in the stack.
void put_dimensions(DicomElements& to) {
  constexpr DicomTag kOrganization{0x0020, 0x9164}, kFrameContent{0x0020, 0x9111};
  const std::string organization = random_uid();
  to.one_item({0x0020, 0x9221}, [&] { to.text(kOrganization, "UI", organization); });
  to.begin_sequence({0x0020, 0x9222});
  for (const auto& [pointer, label] : {std::pair{DicomTag{0x0020, 0x9128}, "Temporal Position Index"},
                                       std::pair{DicomTag{0x0020, 0x9057}, "In-Stack Position Number"}}) {
    to.begin_item();
    to.text(kOrganization, "UI", organization);
    to.tag({0x0020, 0x9165}, pointer);
    to.tag({0x0020, 0x9167}, kFrameContent);
    to.text({0x0020, 0x9421}, "LO", label);
    to.end_item();
  }
  to.end_sequence();
}

void put_image(DicomElements& to, const Volume& volume) {
  to.u16({0x0028, 0x0002}, 1);
  to.text({0x0028, 0x0004}, "CS", "MONOCHROME2");
  to.text({0x0028, 0x0008}, "IS", std::to_string(static_cast<long>(volume.frames) * volume.grid.size_z));
  to.u16({0x0028, 0x0010}, static_cast<std::uint16_t>(volume.grid.size_y));
  to.u16({0x0028, 0x0011}, static_cast<std::uint16_t>(volume.grid.size_x));
  to.u16({0x0028, 0x0100}, 16);
  to.u16({0x0028, 0x0101}, 16);
  to.u16({0x0028, 0x0102}, 15);
  to.u16({0x0028, 0x0103}, 0);
  to.text({0x0028, 0x0301}, "CS", "NO");
  to.text({0x0028, 0x2110}, "CS", "00");
  to.begin_sequence({0x0040, 0x0555});  // the acquisition's context: nothing
  to.end_sequence();
  to.text({0x2050, 0x0020}, "CS", "IDENTITY");
}

void put_shared_groups(DicomElements& to, const VolumeGrid& grid, const Scale& scale) {
  to.one_item({0x5200, 0x9229}, [&] {
    to.one_item({0x0018, 0x9329}, [&] {
      to.text({0x0008, 0x9007}, "CS", kImageType);
      put_pixel_presentation(to);
    });
    to.one_item({0x0020, 0x9071}, [&] {
      to.one_item({0x0008, 0x2218}, [&] { put_code(to, "123037004", "SCT", "Body structure"); });
      to.text({0x0020, 0x9072}, "CS", "U");
    });
    to.one_item({0x0020, 0x9116}, [&] { to.text({0x0020, 0x0037}, "DS", "1\\0\\0\\0\\1\\0"); });
    to.one_item({0x0028, 0x9110}, [&] {
      to.decimals({0x0018, 0x0050}, {grid.spacing_mm.z});
      to.decimals({0x0018, 0x0088}, {grid.spacing_mm.z});
      to.decimals({0x0028, 0x0030}, {grid.spacing_mm.y, grid.spacing_mm.x});  // between rows first
    });
    to.one_item({0x0028, 0x9132}, [&] {
      constexpr double kHalf = 0.5 * kMostSideOfDicom;
      to.decimals({0x0028, 0x1050}, {scale.intercept + scale.slope * kHalf});
      to.decimals({0x0028, 0x1051}, {scale.slope * (kMostSideOfDicom + 1)});
    });
    to.one_item({0x0028, 0x9145}, [&] {
      to.decimals({0x0028, 0x1052}, {scale.intercept});
      to.decimals({0x0028, 0x1053}, {scale.slope});
      to.text({0x0028, 0x1054}, "LO", "US");
    });
    to.one_item({0x0040, 0x9096}, [&] {
      to.text({0x0028, 0x3003}, "LO", "X-ray attenuation");
      to.one_item({0x0040, 0x08ea}, [&] { put_code(to, "/mm", "UCUM", "per millimeter"); });
      to.text({0x0040, 0x9210}, "SH", "attenuation");
      to.u16({0x0040, 0x9211}, std::numeric_limits<std::uint16_t>::max());
      to.u16({0x0040, 0x9216}, 0);
      to.f64({0x0040, 0x9224}, scale.intercept);
      to.f64({0x0040, 0x9225}, scale.slope);
    });
  });
}

void put_frame_groups(DicomElements& to, const Volume& volume, const VolumeTimes& times) {
  to.begin_sequence({0x5200, 0x9230});
  for (int t = 0; t < volume.frames; ++t)
    for (int k = 0; k < volume.grid.size_z; ++k) {
      const auto time = static_cast<std::uint32_t>(t + 1), place = static_cast<std::uint32_t>(k + 1);
      const Vec3d first = volume.grid.center_mm(0, 0, k);
      to.begin_item();
      to.one_item({0x0020, 0x9111}, [&] {
        to.text({0x0020, 0x9056}, "SH", "1");
        to.u32({0x0020, 0x9057}, {place});
        to.u32({0x0020, 0x9128}, {time});
        to.u32({0x0020, 0x9157}, {time, place});
      });
      to.one_item({0x0020, 0x9113}, [&] { to.decimals({0x0020, 0x0032}, {first.x, first.y, first.z}); });
      if (!times.mean_until_s)  // a mean is of no moment
        to.one_item({0x0020, 0x9310}, [&] {
          to.f64({0x0020, 0x930d}, times.first_time_s + t * times.frame_spacing_s);
        });
      to.end_item();
    }
  to.end_sequence();
}

}  // namespace

void write_dicom(const std::filesystem::path& path, const Volume& volume, VolumeTimes times) try {
  check_volume("write_dicom", volume, times, kMostSideOfDicom);
  const std::uint64_t bytes = std::uint64_t{volume.values.size()} * sizeof(std::uint16_t);
  if (bytes > std::numeric_limits<std::uint32_t>::max() - 1)
    throw InvalidArgument("write_dicom: volume: expected at most 4 GiB of 16-bit voxels, found " +
                          std::to_string(bytes) + " bytes");
  const Scale scale = scale_of(volume);
  const std::string instance = random_uid();
  DicomElements data;
  put_description(data, instance, times);
  put_dimensions(data);
  put_image(data, volume);
  put_shared_groups(data, volume.grid, scale);
  put_frame_groups(data, volume, times);
  data.head_of_words({0x7fe0, 0x0010}, static_cast<std::uint32_t>(bytes));
  const std::string meta = file_meta(instance);
  ByteWriter file(path);
  file.write(meta.data(), meta.size());
  file.write(data.bytes().data(), data.bytes().size());
  constexpr std::size_t kPiece = std::size_t{1} << 20;
  std::vector<std::uint16_t> piece;
  for (std::size_t at = 0; at < volume.values.size(); at += piece.size()) {
    piece.resize(std::min(kPiece, volume.values.size() - at));
    for (std::size_t i = 0; i < piece.size(); ++i) piece[i] = scale.stored(volume.values[at + i]);
    file.write(piece.data(), piece.size() * sizeof(std::uint16_t));
  }
  file.commit();
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
