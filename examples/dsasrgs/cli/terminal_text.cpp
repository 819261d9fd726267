// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal_text.hpp"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstring>

namespace dsasrgs::program {

namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

void append_escaped(std::string& text, unsigned char c) {
  char escaped[8];
  std::snprintf(escaped, sizeof escaped, "\\x%02x", c);
  text += c == '\n' ? "\\n" : c == '\r' ? "\\r" : c == '\t' ? "\\t" : escaped;
}

/// Without the middle, between two characters of UTF-8.
std::string shortened(std::string_view text, std::size_t longest) {
  std::size_t head = longest / 4 * 3, tail = text.size() - longest / 4;
  while (head > 0 && is_continuation(text[head])) --head;
  while (tail < text.size() && is_continuation(text[tail])) ++tail;
  return std::string(text.substr(0, head)) + " ... (" + std::to_string(tail - head) + " bytes) ... " +
         std::string(text.substr(tail));
}

}  // namespace

std::string terminal_text(std::string_view raw, bool keep_lines, std::size_t longest) {
  const std::string cut = raw.size() > longest ? shortened(raw, longest) : std::string(raw);
  std::string text;
  for (std::size_t i = 0; i < cut.size(); ++i) {
    const auto c = static_cast<unsigned char>(cut[i]);
    const auto next = static_cast<unsigned char>(i + 1 < cut.size() ? cut[i + 1] : 0);
    if (c == 0xc2 && next >= 0x80 && next <= 0x9f) {  // U+0080 to U+009F as UTF-8
      append_escaped(text, next);
      ++i;
    } else if ((c < 0x20 && !(keep_lines && c == '\n')) || c == 0x7f) {
      append_escaped(text, c);
    } else {
      text += cut[i];
    }
  }
  return text;
}

std::string number_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

std::string shell_word(const std::string& word) {
  const auto plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || std::strchr("_-./,:=+@%", c) != nullptr;
  };
  if (!word.empty() && std::all_of(word.begin(), word.end(), plain)) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

std::string count_text(std::size_t count, const std::string& thing) {
  return std::to_string(count) + " " + thing + (count == 1 ? "" : "s");
}

std::string without_function(const std::string& message) {
  const std::size_t colon = message.find(": ");
  if (colon == std::string::npos || colon == 0) return message;
  for (std::size_t i = 0; i < colon; ++i) {
    const char c = message[i];
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_' && c != ':' && c != '(' && c != ')')
      return message;
  }
  // A word of small letters right before what was expected is a field.
  const bool of_class = message.find("::") < colon || std::isupper(static_cast<unsigned char>(message[0])) != 0;
  if (!of_class && message.compare(colon + 2, 8, "expected") == 0) return message;
  return message.substr(colon + 2);
}

}  // namespace dsasrgs::program
