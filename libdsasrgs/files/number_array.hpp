// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// Arrays of numbers as other programs store them: any type of number, byte order and order of axes.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace dsasrgs {

/// How one number is stored.
struct NumberType {
  enum class Kind { none, boolean, integer, whole, real };  ///< whole: without sign
  Kind kind = Kind::none;
  int bytes = 0;
  bool big_endian = false;
};

/// NumPy's name of a type, such as "<f4", ">i2", "|u1" or "f8" (of this machine's order). Kind::none where it is
/// another one: complex, text, date, record.
NumberType numpy_type(std::string_view name);

/// An array [shape[0],shape[1],…], row-major.
template <class T>
struct NumberArray {
  std::vector<std::size_t> shape;
  std::vector<T> values;
};

/// Number of elements; where it would overflow, or an array could never have as many, SIZE_MAX.
std::size_t num_numbers(const std::vector<std::size_t>& shape);
/// "3 x 4 x 5".
std::string shape_text(const std::vector<std::size_t>& shape);

/// Appends `count` numbers that are stored at `bytes`. Integers beyond T's exact ones are rounded to the nearest.
template <class T>
void append_numbers(NumberType type, const char* bytes, std::size_t count, std::vector<T>& values);

/// Turns column-major values (the first axis runs fastest) into row-major ones.
template <class T>
void make_row_major(NumberArray<T>& array);

extern template void append_numbers(NumberType, const char*, std::size_t, std::vector<float>&);
extern template void append_numbers(NumberType, const char*, std::size_t, std::vector<double>&);
extern template void make_row_major(NumberArray<float>&);
extern template void make_row_major(NumberArray<double>&);

}  // namespace dsasrgs
