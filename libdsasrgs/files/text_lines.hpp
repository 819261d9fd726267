// SPDX-License-Identifier: Apache-2.0
#pragma once
// Text files as programs and people write them: any end of line, a byte order mark, signs before numbers.

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace dsasrgs {

/// Lines of a file, whose end may be \n, \r\n or \r; a UTF-8 byte order mark before the first is left out.
class TextLines {
 public:
  /// Throws IoError.
  explicit TextLines(const std::filesystem::path&);
  /// The next line; false at the end of the file. Throws IoError.
  bool next(std::string& text);
  /// Number of the line that next() gave, from 1.
  std::size_t line() const { return line_; }
  /// Throws BadInput that names the file and the line. `found` is cut after 40 characters.
  [[noreturn]] void refuse(std::string_view field, std::string_view expected, std::string_view found) const;

  /// A finite number, or a whole one (which may be written as 3.0), from all of a word. Throws BadInput.
  double number(std::string_view field, std::string_view word) const;
  long long whole_number(std::string_view field, std::string_view word) const;
  /// A number that is a coordinate in mm (is_position). Throws BadInput.
  double coordinate(std::string_view field, std::string_view word) const;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  std::ifstream file_;
  std::string block_;  ///< read, but not yet given
  std::size_t at_ = 0, line_ = 0;
};

/// The word, between blanks and tabs, that begins at `at` or after it, and `at` behind it; empty: none.
std::string_view next_word(std::string_view text, std::size_t& at);
/// All of them.
std::vector<std::string_view> words_of(std::string_view text);
/// What stands between separators, without the blanks around it.
std::vector<std::string_view> fields_between(std::string_view text, char separator);
/// The same of a table whose fields may stand between double quotes (RFC 4180), and then hold the separator, and a
/// quote as two. Throws BadInput, in the name of the lines' last one, for a quote that is not closed or has something
/// else beside it.
std::vector<std::string> quoted_fields(const TextLines&, std::string_view text, char separator);

}  // namespace dsasrgs
