// SPDX-License-Identifier: Apache-2.0
// The format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#include "import/npy_file.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "common/host_vector.hpp"
#include "common/plain_number.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "files/byte_stream.hpp"

namespace dsasrgs {

namespace {

constexpr std::string_view kNpyMagic = "\x93NUMPY";
constexpr std::size_t kMostHeaderBytes = 1 << 16, kMostAxes = 8;

struct NpyHeader {
  NumberType type;
  bool column_major = false;
  std::vector<std::size_t> shape;
};

/// The header, a Python dictionary such as {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }.
class NpyHeaderText {
 public:
  NpyHeaderText(std::string name, std::string_view text) : name_(std::move(name)), text_(text) {}

  NpyHeader parsed() const {
    NpyHeader header;
    std::string_view type = value_of("'descr'");
    if (type.size() < 2 || type.front() != '\'') refuse("a type of numbers such as '<f4'", type);
    type = type.substr(1, std::min(type.find('\'', 1), type.size()) - 1);
    header.type = numpy_type(type);
    if (header.type.kind == NumberType::Kind::none) refuse("descr: a type of numbers such as '<f4'", type);
    const std::string_view order = value_of("'fortran_order'");
    header.column_major = order.starts_with("True");
    if (!header.column_major && !order.starts_with("False")) refuse("fortran_order: True or False", order);
    std::string_view shape = value_of("'shape'");
    if (shape.empty() || shape.front() != '(') refuse("shape: a tuple", shape);
    shape = shape.substr(1, std::min(shape.find(')'), shape.size()) - 1);
    while (!shape.empty()) {
      const std::size_t comma = std::min(shape.find(','), shape.size());
      std::string_view side = shape.substr(0, comma);
      side.remove_prefix(std::min(side.find_first_not_of(' '), side.size()));
      shape.remove_prefix(std::min(comma + 1, shape.size()));
      if (side.empty() && shape.empty()) break;  // "(3,)"
      std::size_t value = 0;
      const auto [end, error] = std::from_chars(side.data(), side.data() + side.size(), value);
      if (error != std::errc{} ||
          std::string_view(end, side.data() + side.size()).find_first_not_of(' ') != std::string_view::npos)
        refuse("shape: whole numbers", side);
      header.shape.push_back(value);
      if (header.shape.size() > kMostAxes) refuse("shape: at most 8 axes", "more");
    }
    return header;
  }

 private:
  [[noreturn]] void refuse(std::string_view expected, std::string_view found) const {
    throw BadInput(name_, "header", expected, found.empty() ? "none" : std::string(found.substr(0, 40)));
  }
  std::string_view value_of(std::string_view key) const {
    const std::size_t at = text_.find(key);
    if (at == std::string_view::npos) refuse("a dictionary of descr, fortran_order and shape", text_);
    if (text_.find(key, at + 1) != std::string_view::npos) refuse(std::string(key) + " once", "twice");
    std::string_view value = text_.substr(at + key.size());
    value.remove_prefix(std::min(value.find_first_not_of(" :"), value.size()));
    return value;
  }

  std::string name_;
  std::string_view text_;
};

NpyHeader read_npy_header(ByteReader& file) {
  unsigned char start[12] = {};
  constexpr std::size_t kShortStart = 10, kLongStart = 12;
  if (file.read(start, kShortStart) != kShortStart ||
      !std::equal(kNpyMagic.begin(), kNpyMagic.end(), reinterpret_cast<const char*>(start)))
    throw BadInput(file.name(), "file", "a .npy file of NumPy", "something else");
  const int version = start[6];
  if (version < 1 || version > 3) throw BadInput(file.name(), "version", "1 to 3", std::to_string(version));
  std::size_t size = start[8] | std::size_t{start[9]} << 8;
  if (version > 1) {
    if (file.read(start + kShortStart, kLongStart - kShortStart) != kLongStart - kShortStart)
      throw BadInput(file.name(), "header", "a whole one", "a file that is cut off");
    size |= std::size_t{start[10]} << 16 | std::size_t{start[11]} << 24;
  }
  if (size > kMostHeaderBytes) throw BadInput(file.name(), "header", "at most 65536 bytes", std::to_string(size));
  std::string text(size, '\0');
  if (file.read(text.data(), size) != size)
    throw BadInput(file.name(), "header", std::to_string(size) + " bytes", "a file that is cut off");
  return NpyHeaderText(file.name(), text).parsed();
}

template <class T>
void read_npy_numbers(ByteReader& file, const NpyHeader& header, std::size_t count, std::vector<T>& values) {
  const auto bytes = static_cast<std::size_t>(header.type.bytes);
  with_host_memory(count * sizeof(T), [&] {
    if (!file.is_compressed()) values.reserve(count);
    std::vector<char> block(std::min<std::size_t>(count, 1 << 16) * bytes);
    while (values.size() < count) {
      const std::size_t wanted = std::min((count - values.size()) * bytes, block.size());
      const std::size_t got = file.read(block.data(), wanted), first = values.size();
      if (got != wanted)
        throw BadInput(file.name(), "numbers", std::to_string(count), std::to_string(first + got / bytes));
      append_numbers(header.type, block.data(), wanted / bytes, values);
      for (std::size_t i = first; i < values.size(); ++i)
        if (!std::isfinite(values[i]))
          throw BadInput(file.name(), "numbers", "finite ones", plain_number(values[i]) + " at " + std::to_string(i));
    }
  });
}

}  // namespace

template <class T>
NumberArray<T> read_npy(const std::filesystem::path& path) try {
  ByteReader file(path);
  const NpyHeader header = read_npy_header(file);
  NumberArray<T> array;
  array.shape = header.shape;
  const std::size_t count = num_numbers(header.shape), bytes = static_cast<std::size_t>(header.type.bytes);
  if (count == 0 || count > file.max_size() / bytes)  // do not believe a shape that the file cannot hold
    throw BadInput(file.name(), "shape", "one of 1 to " + std::to_string(file.max_size() / bytes) + " numbers",
                   shape_text(header.shape));
  read_npy_numbers(file, header, count, array.values);
  if (header.column_major) make_row_major(array);
  return array;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

template NumberArray<float> read_npy(const std::filesystem::path&);
template NumberArray<double> read_npy(const std::filesystem::path&);

}  // namespace dsasrgs
