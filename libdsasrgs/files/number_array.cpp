// SPDX-License-Identifier: Apache-2.0
#include "files/number_array.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "common/checks.hpp"

namespace dsasrgs {

namespace {

template <class Word>
Word swapped_word(Word word) {
  Word result = 0;
  for (std::size_t i = 0; i < sizeof word; ++i)
    result = static_cast<Word>(result << 8 | (word >> (8 * i) & 0xFF));  // NOLINT: for uint8_t the shift is int's
  return result;
}

/// IEEE half precision: sign, 5 bits of exponent, 10 of fraction.
double half_value(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const double sign = (bits & 0x8000) != 0 ? -1 : 1;
  if (exponent == 31) return fraction != 0 ? std::nan("") : sign * INFINITY;
  return sign * (exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25));
}

/// Calls `convert` with each stored word, whose bytes are in this machine's order.
template <class Word, class T, class Convert>
void convert_words(NumberType type, const char* bytes, std::size_t count, std::vector<T>& values,
                   const Convert& convert) {
  const bool swap = type.big_endian != (std::endian::native == std::endian::big);
  for (std::size_t i = 0; i < count; ++i) {
    Word word = 0;
    std::memcpy(&word, bytes + i * sizeof word, sizeof word);
    if constexpr (sizeof(Word) > 1)
      if (swap) word = swapped_word(word);
    values.push_back(static_cast<T>(convert(word)));
  }
}

template <class Word, class Signed, class T>
void append_words(NumberType type, const char* bytes, std::size_t count, std::vector<T>& values) {
  using Kind = NumberType::Kind;
  if (type.kind == Kind::integer)
    return convert_words<Word>(type, bytes, count, values, [](Word w) { return std::bit_cast<Signed>(w); });
  if (type.kind != Kind::real) return convert_words<Word>(type, bytes, count, values, [](Word w) { return w; });
  if constexpr (sizeof(Word) == 2) convert_words<Word>(type, bytes, count, values, half_value);
  if constexpr (sizeof(Word) == 4)
    convert_words<Word>(type, bytes, count, values, [](Word w) { return std::bit_cast<float>(w); });
  if constexpr (sizeof(Word) == 8)
    convert_words<Word>(type, bytes, count, values, [](Word w) { return std::bit_cast<double>(w); });
}

}  // namespace

NumberType numpy_type(std::string_view name) {
  NumberType type;
  type.big_endian = std::endian::native == std::endian::big;
  if (!name.empty() && std::string_view("<>|=").find(name.front()) != std::string_view::npos) {
    if (name.front() == '<') type.big_endian = false;
    if (name.front() == '>') type.big_endian = true;
    name.remove_prefix(1);
  }
  if (name.size() != 2) return {};
  const int bytes = name[1] - '0';
  const bool word = bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
  using Kind = NumberType::Kind;
  type.kind = name[0] == 'f' && word && bytes > 1 ? Kind::real
              : name[0] == 'i' && word            ? Kind::integer
              : name[0] == 'u' && word            ? Kind::whole
              : name[0] == 'b' && bytes == 1      ? Kind::boolean
                                                  : Kind::none;
  type.bytes = type.kind == Kind::none ? 0 : bytes;
  return type;
}

std::size_t num_numbers(const std::vector<std::size_t>& shape) {
  std::size_t count = 1;
  for (const std::size_t side : shape) count = size_product(count, side);
  return count > PTRDIFF_MAX / 8 ? SIZE_MAX : count;
}

std::string shape_text(const std::vector<std::size_t>& shape) {
  std::string text;
  for (const std::size_t side : shape) text += (text.empty() ? "" : " x ") + std::to_string(side);
  return shape.empty() ? "one number" : text;
}

template <class T>
void append_numbers(NumberType type, const char* bytes, std::size_t count, std::vector<T>& values) {
  if (type.bytes == 1) append_words<std::uint8_t, std::int8_t>(type, bytes, count, values);
  if (type.bytes == 2) append_words<std::uint16_t, std::int16_t>(type, bytes, count, values);
  if (type.bytes == 4) append_words<std::uint32_t, std::int32_t>(type, bytes, count, values);
  if (type.bytes == 8) append_words<std::uint64_t, std::int64_t>(type, bytes, count, values);
}

template <class T>
void make_row_major(NumberArray<T>& array) {
  const std::size_t axes = array.shape.size(), count = array.values.size();
  if (axes < 2 || count == 0) return;
  std::vector<std::size_t> stride(axes, 1), index(axes, 0);  // of the column-major values
  for (std::size_t a = 1; a < axes; ++a) stride[a] = stride[a - 1] * array.shape[a - 1];
  std::vector<T> values(count);
  std::size_t from = 0;
  for (T& value : values) {
    value = array.values[from];
    for (std::size_t a = axes; a-- > 0;) {
      from += stride[a];
      if (++index[a] < array.shape[a]) break;
      from -= stride[a] * array.shape[a];
      index[a] = 0;
    }
  }
  array.values = std::move(values);
}

template void append_numbers(NumberType, const char*, std::size_t, std::vector<float>&);
template void append_numbers(NumberType, const char*, std::size_t, std::vector<double>&);
template void make_row_major(NumberArray<float>&);
template void make_row_major(NumberArray<double>&);

}  // namespace dsasrgs
