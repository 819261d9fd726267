// SPDX-License-Identifier: Apache-2.0
#include "files/text_lines.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "common/checks.hpp"
#include "dsasrgs/error.hpp"
#include "files/read_error.hpp"

namespace dsasrgs {

namespace {

constexpr std::size_t kBlockBytes = 1 << 16;
constexpr std::string_view kBlank = " \t\v\f";
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

/// std::from_chars knows no plus sign.
std::string_view without_plus(std::string_view word) {
  const bool plus = word.size() > 1 && word[0] == '+' && word[1] != '-' && word[1] != '+';
  return plus ? word.substr(1) : word;
}

template <class T>
bool read_all(std::string_view word, T& value) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  return error == std::errc{} && end == word.data() + word.size();
}

}  // namespace

TextLines::TextLines(const std::filesystem::path& path) : path_(path) {
  require_regular_file(path);
  file_.open(path, std::ios::binary);
  if (!file_) throw IoError(path.string() + ": cannot be opened for reading");
}

bool TextLines::next(std::string& text) {
  text.clear();
  const auto fill = [&] {
    if (at_ < block_.size()) return true;
    block_.resize(kBlockBytes);
    file_.read(block_.data(), static_cast<std::streamsize>(block_.size()));
    if (file_.bad()) throw IoError(path_.string() + ": reading failed");
    block_.resize(static_cast<std::size_t>(file_.gcount()));
    at_ = 0;
    return !block_.empty();
  };
  if (!fill()) return false;
  ++line_;
  while (fill()) {
    const std::size_t end = std::min(block_.find_first_of("\r\n", at_), block_.size());
    text.append(block_, at_, end - at_);
    at_ = end;
    if (end == block_.size()) continue;
    const bool carriage_return = block_[at_++] == '\r';
    if (carriage_return && fill() && block_[at_] == '\n') ++at_;
    break;
  }
  if (line_ == 1 && text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
  return true;
}

void TextLines::refuse(std::string_view field, std::string_view expected, std::string_view found) const {
  constexpr std::size_t kMostShown = 40;
  std::string shown(found.substr(0, kMostShown));
  if (found.size() > kMostShown) shown += "…";
  const std::string place = line_ == 0 ? std::string() : "line " + std::to_string(line_) + ": ";  // nothing read yet
  throw BadInput(path_.string(), place + std::string(field), expected, shown);
}

double TextLines::number(std::string_view field, std::string_view word) const {
  double value = 0;
  if (!read_all(without_plus(word), value) || !std::isfinite(value)) refuse(field, "a finite number", word);
  return value;
}

long long TextLines::whole_number(std::string_view field, std::string_view word) const {
  constexpr double kMostExact = 9007199254740992;  // 2^53
  const std::string_view digits = without_plus(word);
  long long value = 0;
  if (read_all(digits, value)) return value;
  double real = 0;
  const bool whole = read_all(digits, real) && std::abs(real) <= kMostExact && real == std::floor(real);
  if (!whole) refuse(field, "a whole number", word);
  return static_cast<long long>(real);
}

double TextLines::coordinate(std::string_view field, std::string_view word) const {
  const double value = number(field, word);
  if (!is_position({value, 0, 0})) refuse(field, "a coordinate within 1e9 mm", word);
  return value;
}

std::string_view next_word(std::string_view text, std::size_t& at) {
  const std::size_t begin = std::min(text.find_first_not_of(kBlank, at), text.size());
  at = std::min(text.find_first_of(kBlank, begin), text.size());
  return text.substr(begin, at - begin);
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  std::size_t at = 0;
  for (std::string_view word = next_word(text, at); !word.empty(); word = next_word(text, at)) words.push_back(word);
  return words;
}

std::vector<std::string_view> fields_between(std::string_view text, char separator) {
  std::vector<std::string_view> fields;
  for (std::size_t begin = 0;;) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    std::string_view field = text.substr(begin, end - begin);
    field.remove_prefix(std::min(field.find_first_not_of(kBlank), field.size()));
    field = field.substr(0, field.find_last_not_of(kBlank) + 1);
    fields.push_back(field);
    if (end == text.size()) return fields;
    begin = end + 1;
  }
}

std::vector<std::string> quoted_fields(const TextLines& lines, std::string_view text, char separator) {
  // A tab may separate, so it is then no blank around a field.
  const std::string_view blank = separator == '\t' ? " \v\f" : kBlank;
  const auto next_visible = [&](std::size_t at) { return std::min(text.find_first_not_of(blank, at), text.size()); };
  std::vector<std::string> fields;
  for (std::size_t begin = 0;;) {
    std::string field;
    std::size_t at = next_visible(begin);
    if (at < text.size() && text[at] == '"') {
      for (++at;; ++at) {
        const std::size_t quote = text.find('"', at);
        if (quote == std::string_view::npos) lines.refuse("fields", "a closing quote", text.substr(begin));
        field.append(text, at, quote - at);
        at = quote + 1;
        if (at >= text.size() || text[at] != '"') break;
        field += '"';
      }
      at = next_visible(at);
      if (at < text.size() && text[at] != separator)
        lines.refuse("fields", "a separator behind a closing quote", text.substr(begin));
    } else {
      const std::size_t end = std::min(text.find(separator, at), text.size());
      std::string_view word = text.substr(at, end - at);
      word = word.substr(0, word.find_last_not_of(kBlank) + 1);
      if (word.find('"') != std::string_view::npos) lines.refuse("fields", "quotes around the whole of a field", word);
      field = word;
      at = end;
    }
    fields.push_back(std::move(field));
    if (at >= text.size()) return fields;
    begin = at + 1;
  }
}

}  // namespace dsasrgs
