// SPDX-License-Identifier: Apache-2.0
#include "files/hdf5_file.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>
#include <type_traits>
#include <utility>

#include "common/plain_number.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/file_reading.hpp"
#include "files/hdf5_local.hpp"
#include "files/hdf5_remote.hpp"

namespace dsasrgs {

namespace {

/// Numbers that are converted here are read so many at a time.
constexpr std::size_t kPieceElements = std::size_t{1} << 20;

/// Runs f; what the file's source refuses becomes the library's errors.
template <class F>
auto answered(const std::string& file, const F& f) {
  try {
    return f();
  } catch (const ReadingRefusal& r) {
    throw_refusal(file, r);
  }
}

/// Whether every value of the stored type is a value of T, or T is what it is to be rounded to.
template <class T>
bool always_fits(ElementType stored) {
  if (std::is_floating_point_v<T>) return true;
  if (is_float(stored)) return false;
  const bool stored_signed = stored <= ElementType::int64;
  const int from = static_cast<int>(stored) - static_cast<int>(stored_signed ? ElementType::int8 : ElementType::uint8);
  const int to = sizeof(T) == 1 ? 0 : sizeof(T) == 2 ? 1 : sizeof(T) == 4 ? 2 : 3;
  if (std::is_signed_v<T> == stored_signed) return from <= to;
  return std::is_signed_v<T> && from < to;
}

/// Whether `value` is one of T; T is an integer.
template <class T, class Wide>
bool holds(Wide value) {
  if constexpr (std::is_floating_point_v<Wide>) {
    constexpr T kHalf = std::numeric_limits<T>::max() / 2 + 1;  // a power of two, which double holds
    constexpr double kEnd = 2 * static_cast<double>(kHalf);
    return value == std::floor(value) && value >= static_cast<double>(std::numeric_limits<T>::lowest()) && value < kEnd;
  } else {
    return std::in_range<T>(value);
  }
}

template <class T>
std::vector<T> allocate(const std::string& file, const std::string& field, std::size_t n) {
  try {
    return std::vector<T>(n);
  } catch (const std::bad_alloc&) {
  } catch (const std::length_error&) {
  }
  throw OutOfMemory(file + ": " + field + ": could not allocate " + std::to_string(n * sizeof(T)) + " bytes");
}

/// Reads through `read(number, first, to)`, elements [first, …) as `number`, into T. `pieces` are the elements that may
/// be asked for at once.
template <class T, class Read>
void read_as(const std::string& file, const std::string& field, const StoredArray& stored, std::size_t piece,
             std::span<T> destination, const Read& read) {
  if (!is_number(stored.type))
    throw BadInput(file, field, std::is_floating_point_v<T> ? "numbers" : "integers", stored.type_in_words);
  if (destination.empty()) return;
  if (always_fits<T>(stored.type)) return read(element_of<T>(), std::size_t{0}, std::as_writable_bytes(destination));
  const auto narrow = [&](auto wide) {
    using Wide = decltype(wide);
    std::vector<Wide> values = allocate<Wide>(file, field, std::min(piece, destination.size()));
    for (std::size_t first = 0; first < destination.size(); first += piece) {
      const std::span<Wide> part = std::span(values).first(std::min(piece, destination.size() - first));
      read(element_of<Wide>(), first, std::as_writable_bytes(part));
      for (std::size_t i = 0; i < part.size(); ++i) {
        if constexpr (std::is_integral_v<T>)
          if (!holds<T>(part[i]))
            throw BadInput(file, field,
                           "integers of " + std::to_string(std::numeric_limits<T>::lowest()) + " to " +
                               std::to_string(std::numeric_limits<T>::max()),
                           plain_number(part[i]) + " at element " + std::to_string(first + i));
        destination[first + i] = static_cast<T>(part[i]);
      }
    }
  };
  if (is_float(stored.type))
    narrow(double{});
  else if (stored.type == ElementType::uint64)
    narrow(std::uint64_t{});
  else
    narrow(std::int64_t{});
}

std::size_t row_elements(const Shape& shape) {
  std::size_t n = 1;
  for (std::size_t i = 1; i < shape.size(); ++i) n *= shape[i];
  return n;
}

/// `found`, or its one axis where one is expected.
Shape without_ones(const Shape& found, const Shape& expected) {
  if (expected.size() != 1 || found.size() == 1) return found;
  std::size_t longest = 1;
  for (const std::size_t extent : found) {
    if (extent != 1 && longest != 1) return found;
    if (extent != 1) longest = extent;
  }
  return {longest};
}

bool matches(const Shape& found, const Shape& expected) {
  bool same = found.size() == expected.size();
  for (std::size_t i = 0; same && i < found.size(); ++i) same = expected[i] == kAnyExtent || expected[i] == found[i];
  return same;
}

/// What the extents ask for must be in a file of this size; this process takes nobody's word for it.
void require_in_file(const std::string& file, const std::string& field, const StoredArray& array,
                     std::size_t file_bytes) {
  const std::size_t bound = std::min(file_bytes, std::size_t{1} << 44) * kMaxUnpackedRatio + kUnpackedSlack;
  std::size_t bytes = std::max<std::size_t>(array.element_bytes, 1);
  if (std::find(array.shape.begin(), array.shape.end(), 0) != array.shape.end()) return;
  for (const std::size_t extent : array.shape) {
    if (bytes > bound / extent)
      throw BadInput(file, field, "values for all of " + describe(array.shape),
                     "a file of " + std::to_string(file_bytes) + " bytes, which cannot hold them");
    bytes *= extent;
  }
}

std::unique_ptr<Hdf5Source> open_source(const std::string& name, const InputFile& file) {
  if (!file.is_hdf5()) throw BadInput(name, "file", "an HDF5 file", "something else");
  return answered(name, [&]() -> std::unique_ptr<Hdf5Source> {
    if (const std::vector<std::string> command = file_reading_command(); !command.empty())
      return std::make_unique<RemoteHdf5>(command, file, name);
    return std::make_unique<LocalHdf5>(name, file.size());
  });
}

}  // namespace

std::string describe(const Shape& shape) {
  if (shape.empty()) return "a scalar";
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i)
    text += (i ? ", " : "") + (shape[i] == kAnyExtent ? std::string("any") : std::to_string(shape[i]));
  return text + "]";
}

Hdf5Reader::Hdf5Reader(const std::filesystem::path& path)
    : name_(path.string()), file_(path), source_(open_source(name_, file_)) {}

Hdf5Reader::~Hdf5Reader() = default;

void Hdf5Reader::require_format(std::string_view format, int version) const {
  const std::string found_format = attribute<std::string>("/", "format");
  if (found_format != format)
    throw BadInput(name_, of_attribute("/", "format"), '"' + std::string(format) + '"', '"' + found_format + '"');
  const std::int64_t found_version = attribute<std::int64_t>("/", "version");
  if (found_version != version)
    throw BadInput(name_, of_attribute("/", "version"), std::to_string(version), std::to_string(found_version));
}

bool Hdf5Reader::has(const std::string& object) const {
  return answered(name_, [&] { return source_->has(object); });
}

bool Hdf5Reader::has_attribute(const std::string& object, const std::string& attribute) const {
  return answered(name_, [&] { return source_->has_attribute(object, attribute); });
}

StoredArray Hdf5Reader::stored(const std::string& dataset) const {
  StoredArray array = answered(name_, [&] { return source_->dataset(dataset); });
  if (array.empty_dataspace) throw BadInput(name_, dataset, "values", "an empty dataspace");
  require_in_file(name_, dataset, array, file_.size());
  return array;
}

Shape Hdf5Reader::shape(const std::string& dataset) const { return stored(dataset).shape; }

ElementType Hdf5Reader::element_type(const std::string& dataset) const { return stored(dataset).type; }

Shape Hdf5Reader::require_shape(const std::string& dataset, const Shape& expected) const {
  return checked_shape(dataset, stored(dataset), expected);
}

Shape Hdf5Reader::checked_shape(const std::string& field, const StoredArray& array, const Shape& expected) const {
  Shape found = without_ones(array.shape, expected);
  if (!matches(found, expected)) throw BadInput(name_, field, "shape " + describe(expected), describe(array.shape));
  return found;
}

template <class T>
void Hdf5Reader::read_rows(const std::string& dataset, const StoredArray& array, std::size_t first, std::size_t count,
                           std::span<T> to) const {
  const std::size_t row = std::max<std::size_t>(row_elements(array.shape), 1);
  const std::size_t piece_rows = std::max<std::size_t>(kPieceElements / row, 1);
  read_as<T>(name_, dataset, array, piece_rows * row, to,
             [&](ElementType number, std::size_t element, std::span<std::byte> bytes) {
               const std::size_t rows = std::min(bytes.size() / bytes_of(number) / row, count);
               answered(name_, [&] { source_->read_rows(dataset, first + element / row, rows, number, bytes); });
             });
}

template <class T>
std::vector<T> Hdf5Reader::read(const std::string& dataset, const Shape& expected) const {
  const StoredArray array = stored(dataset);
  checked_shape(dataset, array, expected);
  const std::size_t rows = array.shape.empty() ? 1 : array.shape[0];
  std::vector<T> values = allocate<T>(name_, dataset, rows * row_elements(array.shape));
  read_rows<T>(dataset, array, 0, rows, values);
  return values;
}

template <class T>
void Hdf5Reader::read_slab(const std::string& dataset, std::size_t index, std::span<T> destination) const {
  const StoredArray array = stored(dataset);
  if (array.shape.empty() || index >= array.shape[0])
    throw BadInput(name_, dataset, "at least " + std::to_string(index + 1) + " slabs", describe(array.shape));
  const std::size_t slab = row_elements(array.shape);
  if (destination.size() != slab)
    throw InvalidArgument("Hdf5Reader::read_slab: destination: expected " + std::to_string(slab) + " elements, found " +
                          std::to_string(destination.size()));
  read_rows(dataset, array, index, 1, destination);
}

StoredArray Hdf5Reader::stored_attribute(const std::string& object, const std::string& attribute) const {
  StoredArray array = answered(name_, [&] { return source_->attribute(object, attribute); });
  const std::string field = of_attribute(object, attribute);
  if (array.empty_dataspace) throw BadInput(name_, field, "values", "an empty dataspace");
  require_in_file(name_, field, array, file_.size());
  return array;
}

template <class T>
void Hdf5Reader::read_attribute(const std::string& object, const std::string& attribute, const StoredArray& array,
                                std::span<T> to) const {
  read_as<T>(name_, of_attribute(object, attribute), array, to.size(), to,
             [&](ElementType number, std::size_t, std::span<std::byte> bytes) {
               answered(name_, [&] { source_->read_attribute(object, attribute, number, bytes); });
             });
}

template <class T>
T Hdf5Reader::attribute(const std::string& object, const std::string& attribute) const {
  if constexpr (std::is_same_v<T, std::string>) {
    return answered(name_, [&] { return source_->read_string(object, attribute); });
  } else {
    const StoredArray array = stored_attribute(object, attribute);
    if (!matches(without_ones(array.shape, {1}), {1}))
      throw BadInput(name_, of_attribute(object, attribute), "one number", describe(array.shape));
    T value{};
    read_attribute(object, attribute, array, std::span<T>(&value, 1));
    return value;
  }
}

template <class T>
std::vector<T> Hdf5Reader::attribute_vector(const std::string& object, const std::string& attribute,
                                            std::size_t expected_size) const {
  const StoredArray array = stored_attribute(object, attribute);
  const std::string field = of_attribute(object, attribute);
  std::vector<T> values = allocate<T>(name_, field, checked_shape(field, array, {expected_size})[0]);
  read_attribute<T>(object, attribute, array, values);
  return values;
}

#define DSASRGS_READABLE(T)                                                                    \
  template std::vector<T> Hdf5Reader::read<T>(const std::string&, const Shape&) const;         \
  template void Hdf5Reader::read_slab<T>(const std::string&, std::size_t, std::span<T>) const; \
  template T Hdf5Reader::attribute<T>(const std::string&, const std::string&) const;           \
  template std::vector<T> Hdf5Reader::attribute_vector<T>(const std::string&, const std::string&, std::size_t) const;
DSASRGS_READABLE(float)
DSASRGS_READABLE(double)
DSASRGS_READABLE(std::int32_t)
DSASRGS_READABLE(std::int64_t)
DSASRGS_READABLE(std::uint8_t)
DSASRGS_READABLE(std::uint16_t)
DSASRGS_READABLE(std::uint32_t)
DSASRGS_READABLE(std::uint64_t)
#undef DSASRGS_READABLE
template std::string Hdf5Reader::attribute<std::string>(const std::string&, const std::string&) const;

}  // namespace dsasrgs
