// SPDX-License-Identifier: Apache-2.0
#include "dicom_seeds.hpp"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcrleerg.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmjpeg/djencode.h>
#include <dcmtk/dcmjpeg/djrplol.h>

#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "harness.hpp"
#include "import/dicom_message.hpp"

namespace dsasrgs::fuzz {

namespace {

constexpr int kFrames = 9, kRows = 6, kColumns = 8;

void put(DcmItem& item, const DcmTagKey& tag, const char* value) {
  require(item.putAndInsertString(tag, value).good(), "a seed's text");
}
void put(DcmItem& item, const DcmTagKey& tag, int value) {
  require(item.putAndInsertUint16(tag, static_cast<Uint16>(value)).good(), "a seed's number");
}
DcmItem& item(DcmItem& in, const DcmTagKey& sequence, long number = -2) {
  DcmItem* made = nullptr;
  require(in.findOrCreateSequenceItem(sequence, made, number).good(), "a seed's item");
  return *made;
}

/// What all have; of the rest classic files say it in the data set, enhanced ones in functional groups.
void fill(DcmItem& root, bool enhanced) {
  put(root, DCM_SOPClassUID, enhanced ? UID_EnhancedXAImageStorage : UID_XRayAngiographicImageStorage);
  put(root, DCM_SOPInstanceUID, "1.2.3");
  put(root, DCM_Modality, "XA");
  for (const auto& [tag, value] : std::vector<std::pair<DcmTagKey, int>>{{DCM_Rows, kRows},
                                                                         {DCM_Columns, kColumns},
                                                                         {DCM_SamplesPerPixel, 1},
                                                                         {DCM_BitsAllocated, 16},
                                                                         {DCM_BitsStored, 12},
                                                                         {DCM_HighBit, 11},
                                                                         {DCM_PixelRepresentation, 0}})
    put(root, tag, value);
  put(root, DCM_PhotometricInterpretation, "MONOCHROME2");
  put(root, DCM_NumberOfFrames, "9");
  DcmItem& mask = item(root, DCM_MaskSubtractionSequence);
  put(mask, DCM_MaskOperation, enhanced ? "TID" : "AVG_SUB");
  if (!enhanced) put(mask, DCM_MaskFrameNumbers, 1);
}

void fill_classic(DcmItem& root) {
  for (const auto& [tag, value] :
       std::vector<std::pair<DcmTagKey, const char*>>{{DCM_DistanceSourceToDetector, "1200"},
                                                      {DCM_DistanceSourceToPatient, "750"},
                                                      {DCM_PositionerPrimaryAngle, "30"},
                                                      {DCM_PositionerSecondaryAngle, "10"},
                                                      {DCM_PositionerPrimaryAngleIncrement, "5"},
                                                      {DCM_ImagerPixelSpacing, "0.5\\0.4"},
                                                      {DCM_FrameTime, "100"},
                                                      {DCM_PixelIntensityRelationship, "LIN"},
                                                      {DCM_AcquisitionDate, "20260101"},
                                                      {DCM_AcquisitionTime, "101112.5"},
                                                      {DCM_ShutterShape, "CIRCULAR\\RECTANGULAR"},
                                                      {DCM_CenterOfCircularShutter, "3\\4"},
                                                      {DCM_RadiusOfCircularShutter, "4"},
                                                      {DCM_ShutterLeftVerticalEdge, "1"},
                                                      {DCM_ShutterRightVerticalEdge, "8"},
                                                      {DCM_ShutterUpperHorizontalEdge, "0"},
                                                      {DCM_ShutterLowerHorizontalEdge, "7"}})
    put(root, tag, value);
}

void fill_enhanced(DcmItem& root) {
  DcmItem& shared = item(root, DCM_SharedFunctionalGroupsSequence);
  DcmItem& properties = item(shared, DCM_FramePixelDataPropertiesSequence);
  put(properties, DCM_PixelIntensityRelationship, "LOG");
  put(properties, DCM_ImagerPixelSpacing, "0.5\\0.4");
  for (int f = 0; f < kFrames; ++f) {
    DcmItem& own = item(root, DCM_PerFrameFunctionalGroupsSequence);
    DcmItem& position = item(own, DCM_PositionerPositionSequence);
    put(position, DCM_PositionerPrimaryAngle, std::to_string(30 + 5 * f).c_str());
    put(position, DCM_PositionerSecondaryAngle, "1");
    DcmItem& geometry = item(own, DCM_XRayGeometrySequence);
    put(geometry, DCM_DistanceSourceToDetector, "1200");
    put(geometry, DCM_DistanceSourceToIsocenter, "750");
    put(item(own, DCM_FrameContentSequence), DCM_FrameReferenceDateTime,
        ("2026010110111" + std::to_string(f) + ".5").c_str());
    put(item(own, DCM_FramePixelShiftSequence), DCM_SubtractionItemID, 1);
  }
}

void write_answers(const std::filesystem::path& path) {
  DicomRun run;
  run.rows = 2;
  run.columns = 3;
  run.pixel_spacing_mm = {0.5, 0.5};
  run.frames.resize(2);
  for (DicomFrame& frame : run.frames) {
    frame.sod_mm = 700;
    frame.sdd_mm = 1000;
    frame.isocenter_px = {1.5, 1};
    frame.shutters.emplace_back().polygon = {0, 0, 9, 0, 0, 9};
  }
  run.frames[1].primary_deg = 40;
  run.masks.emplace_back().mask_frames = {1};
  run.valid.assign(6, 1);
  std::ofstream stream(path, std::ios::binary);
  const auto answer = [&](const std::string& bytes) {
    const Answer head{Answer::Kind::answer, 0, bytes.size()};
    stream.write(reinterpret_cast<const char*>(&head), sizeof head);
    stream << bytes;
  };
  MessageWriter extents, rest;
  extents(run.rows, run.columns, 2);
  rest(run);
  answer(extents.bytes);
  const std::vector<float> counts{9, 8, 7, 6, 5, 4};
  const std::string frame(reinterpret_cast<const char*>(counts.data()), counts.size() * sizeof(float));
  for (int f = 0; f < 2; ++f) answer(frame);
  answer(rest.bytes);
}

}  // namespace

void write_dicom_seeds(
    const std::function<std::filesystem::path(const std::string& target, const std::string& name)>& file) {
  write_answers(file("dicom_answers", "run"));
  DJEncoderRegistration::registerCodecs();
  DcmRLEEncoderRegistration::registerCodecs();
  const DJ_RPLossless lossless;
  struct Kind {
    const char* name;
    E_TransferSyntax syntax;
    const DcmRepresentationParameter* parameter;
    bool enhanced;
  };
  for (const Kind& kind :
       {Kind{"plain", EXS_LittleEndianExplicit, nullptr, false}, Kind{"big", EXS_BigEndianExplicit, nullptr, false},
        Kind{"rle", EXS_RLELossless, nullptr, false}, Kind{"jpeg", EXS_JPEGProcess14SV1, &lossless, false},
        Kind{"enhanced", EXS_LittleEndianImplicit, nullptr, true}}) {
    DcmFileFormat format;
    DcmDataset& root = *format.getDataset();
    fill(root, kind.enhanced);
    if (kind.enhanced)
      fill_enhanced(root);
    else
      fill_classic(root);
    std::vector<Uint16> pixels;
    for (int i = 0; i < kFrames * kRows * kColumns; ++i) pixels.push_back(static_cast<Uint16>(1000 + i * 37 % 1500));
    require(root.putAndInsertUint16Array(DCM_PixelData, pixels.data(), pixels.size()).good() &&
                root.chooseRepresentation(kind.syntax, kind.parameter).good(),
            "a seed's pixels");
    require(format.saveFile(file("import_dicom", kind.name).c_str(), kind.syntax).good(), "a seed's file");
  }
}

}  // namespace dsasrgs::fuzz
