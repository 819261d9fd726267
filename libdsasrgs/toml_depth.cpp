// TOML text that nests too deep for a parser that recurses.
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

class DepthScan {
 public:
  DepthScan(std::string_view text, std::string_view source) : text_(text), source_(source) {}

  void run() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"' || c == '\'') {
        skip_string(c);
        continue;
      }
      if (c == '#') {
        skip_comment();
        continue;
      }
      count(c);
      ++at_;
    }
  }

 private:
  void count(char c) {
    switch (c) {
      case '\n':
        ++line_;
        dots_ = 0;
        break;
      case '.':
        if (++dots_ >= kMostLevels) refuse("a key of at most " + std::to_string(kMostLevels) + " dotted names");
        break;
      case '[':
      case '{':
        if (++nested_ > kMostLevels)
          refuse("at most " + std::to_string(kMostLevels) + " arrays and inline tables within each other");
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
      const bool escaped = quote == '"' && text_[at_] == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] != '\n';
      at_ += escaped ? 2 : 1;
    }
  }

  [[noreturn]] void refuse(const std::string& expected) const {
    throw BadInput(source_, "line " + std::to_string(line_), expected, "more");
  }

  std::string_view text_, source_;
  std::size_t at_ = 0;
  int line_ = 1, dots_ = 0, nested_ = 0;
};

}  // namespace

void require_shallow_toml(std::string_view text, std::string_view source) { DepthScan(text, source).run(); }

}  // namespace dsasrgs
