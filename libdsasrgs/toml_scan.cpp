// SPDX-License-Identifier: Apache-2.0
// TOML text that toml++ must not see: what overflows its stack, and what it takes for granted instead of looking (its
// version 3.3 says "unreachable" there, so that whatever the compiler likes may happen).
#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"

namespace dsasrgs {

namespace {

/// Levels of one dotted key, and of arrays and inline tables within each other. The deepest file of this library has 3;
/// the tables of a file can then be at most the product of the two deep.
constexpr int kMostLevels = 32;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }
bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

class TomlScan {
 public:
  TomlScan(std::string_view text, std::string_view source) : text_(text), source_(source) {}

  void run() {
    if (text_.starts_with(kByteOrderMark)) at_ = kByteOrderMark.size();
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"' || c == '\'') {
        require_string();
        skip_string(c);
        continue;
      }
      if (c == '#') {
        skip_comment();
        continue;
      }
      if (!is_ascii(c)) refuse("ASCII outside of strings and comments", "another character");
      if (c == '[' && begins_line_ && nested_ == 0) require_header();
      if (c == '}' && (last_ == '[' || last_ == ',')) refuse("a value", "}");
      if (std::string_view(" \t\r\n").find(c) == std::string_view::npos) last_ = c;
      count(c);
      ++at_;
    }
  }

 private:
  /// After [ or [[ comes a name, or ], which the parser refuses.
  void require_header() const {
    std::size_t at = at_ + 1;
    const bool two = at < text_.size() && text_[at] == '[';
    if (two) ++at;
    at = std::min(text_.find_first_not_of(" \t", at), text_.size());
    if (at == text_.size() || is_name_character(text_[at]) || !is_ascii(text_[at])) return;
    if (std::string_view(two ? "]\"'" : "[]\"'").find(text_[at]) == std::string_view::npos)
      refuse("the name of a table after [", std::string(1, text_[at]));
  }

  /// A quote within a number or a word begins no string: the parser looks at what follows as at the rest of the value.
  void require_string() const {
    if (at_ == 0) return;
    const char before = text_[at_ - 1];
    const bool within = is_name_character(before) || (before == '.' && in_value_) ||
                        std::string_view(" \t\r\n=[]{},.\"'\xbf").find(before) == std::string_view::npos;
    if (within) refuse("a quote only where a text or a name begins", std::string(1, before) + text_[at_]);
  }

  void count(char c) {
    in_value_ = c == '=' || (in_value_ && !(c == '\n' && nested_ == 0));
    begins_line_ = c == '\n' || (begins_line_ && (c == ' ' || c == '\t' || c == '\r'));
    switch (c) {
      case '\n':
        ++line_;
        dots_ = 0;
        break;
      case '.':
        if (++dots_ >= kMostLevels) refuse("a key of at most " + std::to_string(kMostLevels) + " dotted names", "more");
        break;
      case '[':
      case '{':
        if (++nested_ > kMostLevels)
          refuse("at most " + std::to_string(kMostLevels) + " arrays and inline tables within each other", "more");
        dots_ = 0;
        break;
      case ']':
      case '}':
        --nested_;
        dots_ = 0;
        break;
      case ',':
      case '=':
        dots_ = 0;
        break;
      default:
        break;
    }
  }

  void skip_comment() {
    while (at_ < text_.size() && text_[at_] != '\n') ++at_;
  }

  /// A string ends at its quotes; one that has none ends with its line, where the parser refuses it.
  void skip_string(char quote) {
    const std::string three(3, quote);
    const bool many_lines = text_.substr(at_, 3) == three;
    begins_line_ = false;
    last_ = quote;
    at_ += many_lines ? 3 : 1;
    while (at_ < text_.size()) {
      if (many_lines ? text_.substr(at_, 3) == three : text_[at_] == quote) {
        at_ += many_lines ? 3 : 1;
        // Two more quotes may belong to the text.
        for (int k = 0; many_lines && k < 2 && at_ < text_.size() && text_[at_] == quote; ++k) ++at_;
        return;
      }
      if (text_[at_] == '\n') {
        if (!many_lines) return;
        ++line_;
      }
      if (many_lines && quote == '"' && text_[at_] == '\\') require_joined_line();
      const bool escaped = quote == '"' && text_[at_] == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] != '\n';
      at_ += escaped ? 2 : 1;
    }
  }

  /// What a backslash joins to its line begins with ASCII.
  void require_joined_line() const {
    const std::size_t at = text_.find_first_not_of(" \t\r\n", at_ + 1);
    if (at != std::string_view::npos && !is_ascii(text_[at]))
      refuse("an ASCII character after a backslash and the end of its line", "another character");
  }

  [[noreturn]] void refuse(const std::string& expected, const std::string& found) const {
    throw BadInput(source_, "line " + std::to_string(line_), expected, found);
  }

  std::string_view text_, source_;
  std::size_t at_ = 0;
  int line_ = 1, dots_ = 0, nested_ = 0;
  bool begins_line_ = true;  ///< nothing but blanks yet
  bool in_value_ = false;
  char last_ = '\n';  ///< that was no blank
};

}  // namespace

void require_parsable_toml(std::string_view text, std::string_view source) { TomlScan(text, source).run(); }

}  // namespace dsasrgs
