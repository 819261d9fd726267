// SPDX-License-Identifier: Apache-2.0
#pragma once
// DICOM files made by DCMTK for tests of the importer.

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <catch2/catch.hpp>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <random>
#include <string>
#include <vector>

#include "dsasrgs/import_dicom.hpp"
#include "support/temporary_folder.hpp"

namespace dsasrgs::test {

constexpr const char *kPatientName = "Doe^Jane^Secret", *kPatientId = "SECRET-4711", *kHospital = "Secret Hospital",
                     *kBirthDate = "19010203";

/// Random stored values from `least` on, `range` of them; those of a mask and of contrast must not be the same.
inline std::vector<Uint16> noisy_counts(int pixels, std::uint32_t seed = 1, int least = 1000, int range = 1000) {
  std::mt19937 random(seed);
  std::vector<Uint16> counts;
  for (int i = 0; i < pixels; ++i) counts.push_back(static_cast<Uint16>(least + static_cast<int>(random() % range)));
  return counts;
}

/// An X-ray angiography image of F frames [F,H,W] of `bits` stored bits in 16; what a test is about is added to root().
class DicomFile {
 public:
  DicomFile(int frames, int rows, int columns, std::vector<Uint16> pixels, int bits = 12,
            const char* sop_class = UID_XRayAngiographicImageStorage)
      : pixels_(std::move(pixels)) {
    REQUIRE(pixels_.size() == static_cast<std::size_t>(frames) * rows * columns);
    text(DCM_SOPClassUID, sop_class);
    text(DCM_SOPInstanceUID, "1.2.3.4.5.6");
    text(DCM_Modality, "XA");
    text(DCM_PatientName, kPatientName);
    text(DCM_PatientID, kPatientId);
    text(DCM_PatientBirthDate, kBirthDate);
    text(DCM_InstitutionName, kHospital);
    number(DCM_Rows, rows);
    number(DCM_Columns, columns);
    number(DCM_SamplesPerPixel, 1);
    text(DCM_PhotometricInterpretation, "MONOCHROME2");
    number(DCM_BitsAllocated, 16);
    number(DCM_BitsStored, bits);
    number(DCM_HighBit, bits - 1);
    number(DCM_PixelRepresentation, 0);
    text(DCM_NumberOfFrames, std::to_string(frames));
  }

  DcmDataset& root() { return *file_.getDataset(); }

  /// Strings of any kind; several values with backslashes.
  DicomFile& text(const DcmTagKey& tag, const std::string& value) { return text(root(), tag, value); }
  DicomFile& text(DcmItem& item, const DcmTagKey& tag, const std::string& value) {
    REQUIRE(item.putAndInsertString(tag, value.c_str()).good());
    return *this;
  }
  /// US.
  DicomFile& number(const DcmTagKey& tag, int value) { return number(root(), tag, value); }
  DicomFile& number(DcmItem& item, const DcmTagKey& tag, int value) {
    REQUIRE(item.putAndInsertUint16(tag, static_cast<Uint16>(value)).good());
    return *this;
  }
  DicomFile& numbers(DcmItem& item, const DcmTagKey& tag, std::vector<Uint16> values) {
    REQUIRE(item.putAndInsertUint16Array(tag, values.data(), values.size()).good());
    return *this;
  }
  /// FL.
  DicomFile& reals(DcmItem& item, const DcmTagKey& tag, std::vector<Float32> values) {
    REQUIRE(item.putAndInsertFloat32Array(tag, values.data(), values.size()).good());
    return *this;
  }
  DicomFile& drop(const DcmTagKey& tag) {
    delete root().remove(tag);
    return *this;
  }
  /// A new item of a sequence.
  DcmItem& item(const DcmTagKey& sequence, long number = -2) { return item(root(), sequence, number); }
  DcmItem& item(DcmItem& in, const DcmTagKey& sequence, long number = -2) {
    DcmItem* made = nullptr;
    REQUIRE(in.findOrCreateSequenceItem(sequence, made, number).good());
    return *made;
  }
  /// SOD 750, SDD 1200, angles 30 and 10, 0.5 mm between rows and 0.4 between columns, 100 ms between frames, LIN.
  DicomFile& usual() {
    text(DCM_DistanceSourceToDetector, "1200").text(DCM_DistanceSourceToPatient, "750");
    text(DCM_PositionerPrimaryAngle, "30").text(DCM_PositionerSecondaryAngle, "10");
    text(DCM_ImagerPixelSpacing, "0.5\\0.4").text(DCM_FrameTime, "100");
    return text(DCM_PixelIntensityRelationship, "LIN");
  }

  std::filesystem::path save(const std::filesystem::path& path, E_TransferSyntax syntax = EXS_LittleEndianExplicit,
                             const DcmRepresentationParameter* parameter = nullptr) {
    REQUIRE(root().putAndInsertUint16Array(DCM_PixelData, pixels_.data(), pixels_.size()).good());
    REQUIRE(root().chooseRepresentation(syntax, parameter).good());
    REQUIRE(file_.saveFile(path.c_str(), syntax).good());
    return path;
  }

 private:
  DcmFileFormat file_;
  std::vector<Uint16> pixels_;
};

/// Of files without a mask: what does not change is subtracted.
inline DicomImportOptions background() {
  DicomImportOptions options;
  options.subtraction = DicomSubtraction::background;
  return options;
}

}  // namespace dsasrgs::test
