// SPDX-License-Identifier: Apache-2.0
#include "dsasrgs/error.hpp"

namespace dsasrgs {

namespace {

/// A text or a name from a file may have any length; of a long one this much is shown.
constexpr std::size_t kMostShown = 500;

std::string shown(std::string_view text) {
  if (text.size() <= kMostShown) return std::string(text);
  std::size_t end = kMostShown;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // no half of a UTF-8 character
  return std::string(text.substr(0, end)) + "…";
}

std::string describe(std::string_view file, std::string_view field, std::string_view expected, std::string_view found) {
  std::string text;
  text.append(file).append(": ").append(shown(field)).append(": expected ").append(expected);
  text.append(", found ").append(shown(found));
  return text;
}

void append_escaped(std::string& text, unsigned char c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  if (c == '\n') {
    text += "\\n";
  } else if (c == '\r') {
    text += "\\r";
  } else if (c == '\t') {
    text += "\\t";
  } else {
    text += "\\x";
    text += kDigits[c >> 4];
    text += kDigits[c & 15];
  }
}

/// Control characters of ASCII, and U+0080 to U+009F as UTF-8, which terminals obey too. A backslash stays, so that a
/// message inside a message is not escaped twice.
std::string one_line(std::string_view message) {
  std::string text;
  for (std::size_t i = 0; i < message.size(); ++i) {
    const auto c = static_cast<unsigned char>(message[i]);
    const auto next = static_cast<unsigned char>(i + 1 < message.size() ? message[i + 1] : 0);
    if (c == 0xc2 && next >= 0x80 && next <= 0x9f) {
      append_escaped(text, next);
      ++i;
    } else if (c < 0x20 || c == 0x7f) {
      append_escaped(text, c);
    } else {
      text += message[i];
    }
  }
  return text;
}

}  // namespace

Error::Error(std::string_view message) : std::runtime_error(one_line(message)) {}

BadInput::BadInput(std::string_view file, std::string_view field, std::string_view expected, std::string_view found)
    : Error(describe(file, field, expected, found)) {}

}  // namespace dsasrgs
