// SPDX-License-Identifier: Apache-2.0
#include "files/dicom_elements.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <random>

#include "number_text.hpp"

namespace dsasrgs {

namespace {

constexpr std::uint32_t kUndefined = 0xffffffff;
constexpr DicomTag kItem{0xfffe, 0xe000}, kItemEnd{0xfffe, 0xe00d}, kSequenceEnd{0xfffe, 0xe0dd};

}  // namespace

void DicomElements::put(const void* data, std::size_t size) { bytes_.append(static_cast<const char*>(data), size); }

void DicomElements::put_tag(DicomTag tag) {
  put(&tag.group, sizeof tag.group);
  put(&tag.element, sizeof tag.element);
}

void DicomElements::put_head(DicomTag tag, const char (&vr)[3], std::size_t size) {
  put_tag(tag);
  put(vr, 2);
  const std::string_view name(vr, 2);
  if (name == "OB" || name == "OW" || name == "SQ") {
    const auto length = static_cast<std::uint32_t>(size);
    bytes_.append(2, '\0');
    put(&length, sizeof length);
  } else {
    const auto length = static_cast<std::uint16_t>(size);
    put(&length, sizeof length);
  }
}

void DicomElements::text(DicomTag tag, const char (&vr)[3], std::string_view value) {
  put_head(tag, vr, value.size() + value.size() % 2);
  put(value.data(), value.size());
  if (value.size() % 2 != 0) bytes_.push_back(std::string_view(vr, 2) == "UI" ? '\0' : ' ');
}

void DicomElements::other(DicomTag tag, std::string_view value) {
  put_head(tag, "OB", value.size());
  put(value.data(), value.size());
}

void DicomElements::head_of_words(DicomTag tag, std::uint32_t size) { put_head(tag, "OW", size); }

void DicomElements::u16(DicomTag tag, std::uint16_t value) {
  put_head(tag, "US", sizeof value);
  put(&value, sizeof value);
}

void DicomElements::u32(DicomTag tag, std::initializer_list<std::uint32_t> values) {
  put_head(tag, "UL", values.size() * sizeof(std::uint32_t));
  for (const std::uint32_t value : values) put(&value, sizeof value);
}

void DicomElements::f64(DicomTag tag, double value) {
  put_head(tag, "FD", sizeof value);
  put(&value, sizeof value);
}

void DicomElements::tag(DicomTag tag, DicomTag value) {
  put_head(tag, "AT", sizeof value);
  put_tag(value);
}

void DicomElements::decimals(DicomTag tag, std::initializer_list<double> values) {
  std::string all;
  for (const double value : values) all.append(all.empty() ? "" : "\\").append(decimal_string(value));
  text(tag, "DS", all);
}

void DicomElements::begin_sequence(DicomTag tag) { put_head(tag, "SQ", kUndefined); }

void DicomElements::begin_item() {
  put_tag(kItem);
  put(&kUndefined, sizeof kUndefined);
}

void DicomElements::end_item() {
  put_tag(kItemEnd);
  bytes_.append(4, '\0');
}

void DicomElements::end_sequence() {
  put_tag(kSequenceEnd);
  bytes_.append(4, '\0');
}

std::string decimal_string(double value) {
  constexpr std::size_t kMostCharacters = 16;
  std::string text = number_text(value);
  for (int digits = 16; text.size() > kMostCharacters; --digits) {
    std::array<char, 40> shorter{};
    std::snprintf(shorter.data(), shorter.size(), "%.*g", digits, value);
    text = shorter.data();
  }
  return text;
}

std::string random_uid() {
  constexpr int kBytes = 16, kTen = 10;
  std::random_device random;
  std::array<unsigned, kBytes> number{};  // base 256, the most significant first
  for (unsigned& byte : number) byte = random() & 0xff;
  number[6] = (number[6] & 0x0f) | 0x40;  // RFC 4122, version 4
  number[8] = (number[8] & 0x3f) | 0x80;
  std::string digits;
  while (std::any_of(number.begin(), number.end(), [](unsigned byte) { return byte != 0; })) {
    unsigned rest = 0;
    for (unsigned& byte : number) {
      const unsigned value = rest * 256 + byte;
      byte = value / kTen;
      rest = value % kTen;
    }
    digits.insert(digits.begin(), static_cast<char>('0' + rest));
  }
  return "2.25." + digits;
}

}  // namespace dsasrgs
