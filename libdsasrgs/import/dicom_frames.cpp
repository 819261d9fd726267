// SPDX-License-Identifier: Apache-2.0
#include "import/dicom_frames.hpp"

#include <dcmtk/dcmdata/dcpxitem.h>
#include <dcmtk/dcmdata/dcrledrg.h>
#include <dcmtk/dcmjpeg/djdecode.h>
#include <dcmtk/dcmjpls/djdecode.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>

#include "dsasrgs/buffer.hpp"
#include "import/dicom_encoded.hpp"

namespace dsasrgs {

namespace {

constexpr int kByte = 8;

void register_decoders() {
  static const bool once = [] {
    DJDecoderRegistration::registerCodecs();
    DJLSDecoderRegistration::registerCodecs();
    DcmRLEDecoderRegistration::registerCodecs();
    return true;
  }();
  static_cast<void>(once);
}

/// Encoded bytes of a fragment; none where they cannot be read.
std::span<const std::uint8_t> bytes_of(const DicomDataset& file, DcmPixelSequence& fragments, Uint32 number) {
  DcmPixelItem* item = nullptr;
  Uint8* bytes = nullptr;
  if (fragments.getItem(item, number).bad() || item == nullptr || item->getLength() > file.file_bytes() ||
      item->getUint8Array(bytes).bad() || bytes == nullptr)
    return {};
  return {bytes, item->getLength()};
}

/// Bits of a word that overlays without data of their own lie in (retired, PS3.5 8.1.2).
int overlay_bits(const DicomDataset& file, int allocated) {
  constexpr Uint16 kFirst = 0x6000, kLast = 0x601e, kPosition = 0x0102, kData = 0x3000;
  int bits = 0;
  for (Uint16 group = kFirst; group <= kLast; group = static_cast<Uint16>(group + 2))
    if (!file.root().tagExists(DcmTagKey(group, kData)))
      if (const auto bit = file.integer(file.root(), DcmTagKey(group, kPosition), 0, allocated - 1)) bits |= 1 << *bit;
  return bits;
}

}  // namespace

DicomFrames::DicomFrames(const DicomDataset& file, const DicomExtents& extents, const StoredBits& bits)
    : file_(file),
      bits_(bits),
      rows_(extents.rows),
      columns_(extents.columns),
      num_frames_(static_cast<std::size_t>(extents.frames)),
      bytes_(static_cast<std::size_t>(extents.rows) * static_cast<std::size_t>(extents.columns) *
             static_cast<std::size_t>(bits.allocated / kByte)) {
  register_decoders();
  DcmElement* element = nullptr;
  if (file.root().findAndGetElement(DCM_PixelData, element).good()) pixels_ = dynamic_cast<DcmPixelData*>(element);
  if (pixels_ == nullptr) file.refuse(DCM_PixelData, "pixels", "none");
  E_TransferSyntax syntax = EXS_Unknown;
  const DcmRepresentationParameter* parameter = nullptr;
  pixels_->getOriginalRepresentationKey(syntax, parameter);
  const DcmXfer transfer(syntax);
  if (transfer.isEncapsulated()) {
    if (pixels_->getEncapsulatedRepresentation(syntax, parameter, fragments_).bad() || fragments_ == nullptr ||
        fragments_->card() <= num_frames_)
      file.refuse(DCM_PixelData, "a fragment for each of " + std::to_string(num_frames_) + " frames",
                  std::to_string(fragments_ == nullptr ? 0 : fragments_->card()) + " items");
    if (!pixels_->canChooseRepresentation(EXS_LittleEndianExplicit, nullptr))
      file.refuse(DCM_PixelData,
                  "uncompressed, RLE, JPEG or JPEG-LS (gdcmconv --raw, from Debian's libgdcm-tools, makes it)",
                  transfer.getXferName());
    coding_ = syntax == EXS_RLELossless ? Coding::rle : Coding::jpeg;
  } else if (const std::size_t all = bytes_ * num_frames_, found = pixels_->getLength(); found != all + all % 2) {
    file.refuse(DCM_PixelData,
                std::to_string(all) + " bytes, as Rows, Columns, Number of Frames and Bits Allocated have it",
                std::to_string(found));
  }
  buffer_ = host_vector<Uint16>((bytes_ + 1) / 2 + 1);
  overlays_ = overlay_bits(file, bits.allocated);
}

void DicomFrames::refuse_frame(const std::string& found) const {
  file_.refuse(DCM_PixelData,
               "frame " + std::to_string(frame_ + 1) + " of " + EncodedSize{rows_, columns_, 1, bits_.stored}.text() +
                   ", as the data set says",
               found);
}

/// Before it is decoded: what the frame's own header says.
void DicomFrames::require_coded_size() {
  if (coding_ == Coding::none) return;
  const std::span<const std::uint8_t> bytes = bytes_of(file_, *fragments_, frame_ == 0 ? 1 : fragment_);
  if (coding_ == Coding::rle) {
    const auto segments = static_cast<std::size_t>(bits_.allocated / kByte);
    if (const std::string fault = rle_fault(bytes, segments, bytes_ / segments); !fault.empty()) refuse_frame(fault);
    return;
  }
  const std::optional<EncodedSize> own = jpeg_size(bytes);
  if (!own) refuse_frame("no JPEG header at its beginning");
  // Samples may be coded with more bits than are used of them, but not in more bytes; read() looks at the values.
  if (own->rows != rows_ || own->columns != columns_ || own->samples != 1 || own->bits < bits_.stored ||
      (own->bits + kByte - 1) / kByte != bits_.allocated / kByte)
    refuse_frame("JPEG of " + own->text());
}

/// After it is decoded, of fragments from `first` on: where there are more fragments than frames, a decoder may take
/// several pictures for one.
void DicomFrames::require_one_picture(Uint32 first) const {
  if (fragment_ <= first) refuse_frame("the frame before once more");
  if (coding_ != Coding::jpeg) return;
  for (Uint32 other = first + 1; other < fragment_; ++other)
    if (is_jpeg_start(bytes_of(file_, *fragments_, other))) refuse_frame("more than one");
}

void DicomFrames::require_all_read() const {
  if (coding_ == Coding::none) return;
  for (Uint32 rest = fragment_; rest < fragments_->card(); ++rest) {
    DcmPixelItem* item = nullptr;
    if (fragments_->getItem(item, rest).good() && item != nullptr && item->getLength() > 0)
      file_.refuse(DCM_PixelData, "fragments of " + std::to_string(num_frames_) + " frames, as Number of Frames says",
                   "more behind them");
  }
}

/// Bits above the stored ones are 0, or the sign's: more would be cut off a value. Those below have no meaning.
void DicomFrames::require_stored_bits(int word) const {
  const int first = bits_.high + 1, above = (word & ~overlays_) >> first,
            extended = (((1 << bits_.allocated) - 1) & ~overlays_) >> first;
  if (above == 0 || (bits_.is_signed && (word >> bits_.high & 1) == 1 && above == extended)) return;
  file_.refuse(DCM_BitsStored, "values of " + std::to_string(bits_.stored) + " bits",
               "the value " + std::to_string(word) + " in frame " + std::to_string(frame_ + 1));
}

void DicomFrames::read(std::vector<int>& indices) {
  require_coded_size();
  OFString color;
  const std::size_t room = bytes_ + bytes_ % 2;  // DCMTK asks for an even number
  const Uint32 before = fragment_;
  const OFCondition status = pixels_->getUncompressedFrame(&file_.root(), static_cast<Uint32>(frame_), fragment_,
                                                           buffer_.data(), static_cast<Uint32>(room), color, &cache_);
  if (status.bad()) refuse_frame(std::string("damage (") + status.text() + ")");
  if (coding_ != Coding::none) require_one_picture(std::max<Uint32>(before, 1));
  const auto* const bytes = reinterpret_cast<const Uint8*>(buffer_.data());
  const int shift = bits_.high + 1 - bits_.stored, mask = (1 << bits_.stored) - 1, sign = 1 << (bits_.stored - 1);
  const int above = ~overlays_ & ~((1 << (bits_.high + 1)) - 1);
  if (frame_ == 0) indices = host_vector<int>(static_cast<std::size_t>(rows_) * static_cast<std::size_t>(columns_));
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const int word = bits_.allocated == kByte ? bytes[i] : buffer_[i];
    if ((word & above) != 0) require_stored_bits(word);
    const int value = word >> shift & mask;
    indices[i] = bits_.is_signed ? value ^ sign : value;  // the least, with its sign bit set, is index 0
  }
  if (++frame_ == num_frames_) require_all_read();
}

}  // namespace dsasrgs
