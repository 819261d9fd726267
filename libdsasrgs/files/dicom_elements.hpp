// SPDX-License-Identifier: Apache-2.0
#pragma once
// DICOM data elements as bytes, in Explicit VR Little Endian (PS3.5 7.1.2): enough to write one file.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace dsasrgs {

struct DicomTag {
  std::uint16_t group = 0, element = 0;
};

class DicomElements {
 public:
  /// What was put together so far. Callers keep the order of tags.
  const std::string& bytes() const { return bytes_; }

  /// A string of one of the VRs whose length has 16 bits; padded to an even length.
  void text(DicomTag, const char (&vr)[3], std::string_view value);
  /// OB and, of longer values, their head alone: `size` bytes are to follow.
  void other(DicomTag, std::string_view value);
  void head_of_words(DicomTag, std::uint32_t size);
  void u16(DicomTag, std::uint16_t value);
  void u32(DicomTag, std::initializer_list<std::uint32_t> values);
  void f64(DicomTag, double value);
  /// AT.
  void tag(DicomTag, DicomTag value);
  /// DS of numbers, in 16 characters each.
  void decimals(DicomTag, std::initializer_list<double> values);

  void begin_sequence(DicomTag);
  void end_sequence();
  void begin_item();
  void end_item();
  /// A sequence of one item that `fill` puts together.
  template <class Fill>
  void one_item(DicomTag sequence, const Fill& fill) {
    begin_sequence(sequence);
    begin_item();
    fill();
    end_item();
    end_sequence();
  }

 private:
  void put_head(DicomTag, const char (&vr)[3], std::size_t size);
  void put(const void* data, std::size_t size);
  void put_tag(DicomTag);

  std::string bytes_;
};

/// A decimal string (PS3.5 6.2): at most 16 characters, as exact as they allow.
std::string decimal_string(double value);
/// A new unique identifier: 2.25. and a random UUID (PS3.5 B.2).
std::string random_uid();

}  // namespace dsasrgs
