#include "files/hdf5_file.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <limits>
#include <new>
#include <span>
#include <system_error>
#include <type_traits>
#include <utility>

#include "dsasrgs/error.hpp"
#include "files/hdf5_handle.hpp"

namespace dsasrgs {

namespace {

ElementType element_type_of(hid_t type) {
  const std::size_t bytes = H5Tget_size(type);
  switch (H5Tget_class(type)) {
    case H5T_FLOAT:
      return bytes == 2   ? ElementType::float16
             : bytes == 4 ? ElementType::float32
             : bytes == 8 ? ElementType::float64
                          : ElementType::other;
    case H5T_INTEGER: {
      const bool is_signed = H5Tget_sign(type) == H5T_SGN_2;
      switch (bytes) {
        case 1:
          return is_signed ? ElementType::int8 : ElementType::uint8;
        case 2:
          return is_signed ? ElementType::int16 : ElementType::uint16;
        case 4:
          return is_signed ? ElementType::int32 : ElementType::uint32;
        case 8:
          return is_signed ? ElementType::int64 : ElementType::uint64;
        default:
          return ElementType::other;
      }
    }
    case H5T_STRING:
      return ElementType::string;
    default:
      return ElementType::other;
  }
}

const char* to_text(ElementType type) {
  switch (type) {
    case ElementType::float16:
      return "float16";
    case ElementType::float32:
      return "float32";
    case ElementType::float64:
      return "float64";
    case ElementType::int8:
      return "int8";
    case ElementType::int16:
      return "int16";
    case ElementType::int32:
      return "int32";
    case ElementType::int64:
      return "int64";
    case ElementType::uint8:
      return "uint8";
    case ElementType::uint16:
      return "uint16";
    case ElementType::uint32:
      return "uint32";
    case ElementType::uint64:
      return "uint64";
    case ElementType::string:
      return "string";
    case ElementType::other:
      break;
  }
  return "another type";
}

std::string describe_stored(hid_t type) {
  const ElementType element = element_type_of(type);
  if (element != ElementType::other) return to_text(element);
  switch (H5Tget_class(type)) {
    case H5T_ENUM:
      return "an enumeration (NumPy writes bool so)";
    case H5T_COMPOUND:
      return "a compound type (NumPy writes complex so)";
    default:
      return "a type that is neither number nor string";
  }
}

bool is_integer(ElementType t) { return t >= ElementType::int8 && t <= ElementType::uint64; }
bool is_number(ElementType t) { return t <= ElementType::uint64; }

/// Whether every value of the stored type is a value of T.
template <class T>
bool always_fits(ElementType stored) {
  if constexpr (std::is_floating_point_v<T>) return true;
  const bool stored_signed = stored <= ElementType::int64;
  const int from = static_cast<int>(stored) - static_cast<int>(stored_signed ? ElementType::int8 : ElementType::uint8);
  const int to = sizeof(T) == 1 ? 0 : sizeof(T) == 2 ? 1 : sizeof(T) == 4 ? 2 : 3;
  if (std::is_signed_v<T> == stored_signed) return from <= to;
  return std::is_signed_v<T> && from < to;
}

Shape extents_of(hid_t space) {
  const int rank = H5Sget_simple_extent_ndims(space);
  std::vector<hsize_t> dims(static_cast<std::size_t>(std::max(rank, 0)));
  H5Sget_simple_extent_dims(space, dims.data(), nullptr);
  return {dims.begin(), dims.end()};
}

/// Product of the extents; throws where it or its size in bytes does not fit the machine.
std::size_t checked_product(const std::string& file, const std::string& field, const Shape& shape,
                            std::size_t element) {
  std::size_t n = 1;
  for (const std::size_t extent : shape) {
    if (extent != 0 && n > std::numeric_limits<std::ptrdiff_t>::max() / element / extent)
      throw OutOfMemory(file + ": " + field + ": " + describe(shape) + " elements do not fit in memory");
    n *= extent;
  }
  return n;
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

/// Reads through `read(memory_type, destination)` into T. Stored integers that may not fit T are read wide and checked,
/// because HDF5 would clip them silently.
template <class T, class Read>
void read_as(const std::string& file, const std::string& field, hid_t stored_type, std::span<T> destination,
             const Read& read) {
  const ElementType stored = element_type_of(stored_type);
  const bool allowed = std::is_floating_point_v<T> ? is_number(stored) : is_integer(stored);
  if (!allowed)
    throw BadInput(file, field, std::is_floating_point_v<T> ? "numbers" : "integers", describe_stored(stored_type));
  if (destination.empty()) return;
  const auto run = [&](hid_t memory_type, void* to) {
    if (read(memory_type, to) < 0) throw BadInput(file, field, "readable data", "damage (" + innermost_error() + ")");
  };
  if (always_fits<T>(stored)) return run(native_type<T>(), destination.data());
  const auto narrow = [&](auto wide) {
    using Wide = decltype(wide);
    std::vector<Wide> values = allocate<Wide>(file, field, destination.size());
    run(native_type<Wide>(), values.data());
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!std::in_range<std::conditional_t<std::is_floating_point_v<T>, Wide, T>>(values[i]))
        throw BadInput(file, field,
                       "integers of " + std::to_string(std::numeric_limits<T>::lowest()) + " to " +
                           std::to_string(std::numeric_limits<T>::max()),
                       std::to_string(values[i]) + " at element " + std::to_string(i));
      destination[i] = static_cast<T>(values[i]);
    }
  };
  if (stored == ElementType::uint64)
    narrow(std::uint64_t{});
  else
    narrow(std::int64_t{});
}

std::string of_attribute(const std::string& object, const std::string& attribute) { return object + "@" + attribute; }

bool object_exists(hid_t file, const std::string& object) {
  if (object == "/") return true;
  // H5Lexists asks that all groups on the way exist.
  for (std::size_t end = object.find('/', 1);; end = object.find('/', end + 1)) {
    const std::string prefix = object.substr(0, end);
    if (H5Lexists(file, prefix.c_str(), H5P_DEFAULT) <= 0) return false;
    if (H5Oexists_by_name(file, prefix.c_str(), H5P_DEFAULT) <= 0) return false;
    if (end == std::string::npos) return true;
  }
}

Handle open_dataset(hid_t file, const std::string& name, const std::string& dataset) {
  if (!object_exists(file, dataset)) throw BadInput(name, dataset, "a dataset", "nothing");
  Handle handle(H5Dopen2(file, dataset.c_str(), H5P_DEFAULT), H5Dclose);
  if (!handle) throw BadInput(name, dataset, "a dataset", "a group or something else");
  return handle;
}

Handle open_attribute(hid_t file, const std::string& name, const std::string& object, const std::string& attribute) {
  if (!object_exists(file, object)) throw BadInput(name, object, "a group or dataset", "nothing");
  if (H5Aexists_by_name(file, object.c_str(), attribute.c_str(), H5P_DEFAULT) <= 0)
    throw BadInput(name, of_attribute(object, attribute), "an attribute", "nothing");
  Handle handle(H5Aopen_by_name(file, object.c_str(), attribute.c_str(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
  if (!handle)
    throw BadInput(name, of_attribute(object, attribute), "an attribute", "damage (" + innermost_error() + ")");
  return handle;
}

std::string read_string_attribute(hid_t attribute, const std::string& name, const std::string& field) {
  const Handle type(H5Aget_type(attribute), H5Tclose);
  const Handle space(H5Aget_space(attribute), H5Sclose);
  if (H5Tget_class(type) != H5T_STRING) throw BadInput(name, field, "a string", describe_stored(type));
  if (H5Sget_simple_extent_npoints(space) != 1) throw BadInput(name, field, "one string", describe(extents_of(space)));
  const auto damaged = [&] { return BadInput(name, field, "a readable string", "damage (" + innermost_error() + ")"); };
  const Handle memory_type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_cset(memory_type, H5Tget_cset(type));
  std::string text;
  if (H5Tis_variable_str(type) > 0) {
    H5Tset_size(memory_type, H5T_VARIABLE);
    char* value = nullptr;
    if (H5Aread(attribute, memory_type, &value) < 0) throw damaged();
    if (value != nullptr) text = value;
    H5free_memory(value);
  } else {
    text.resize(H5Tget_size(type) + 1);  // room for an end of string where the file has none
    H5Tset_size(memory_type, text.size());
    if (H5Aread(attribute, memory_type, text.data()) < 0) throw damaged();
    text.resize(text.find('\0') == std::string::npos ? text.size() : text.find('\0'));
    if (H5Tget_strpad(type) == H5T_STR_SPACEPAD) text.erase(text.find_last_not_of(' ') + 1);
  }
  return text;
}

}  // namespace

std::string describe(const Shape& shape) {
  if (shape.empty()) return "a scalar";
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i)
    text += (i ? ", " : "") + (shape[i] == kAnyExtent ? std::string("any") : std::to_string(shape[i]));
  return text + "]";
}

Hdf5Reader::Hdf5Reader(const std::filesystem::path& path) : name_(path.string()) {
  const QuietErrors quiet;
  // Ask the system first: HDF5's own answer does not tell a missing file from a damaged one.
  std::ifstream probe(path, std::ios::binary);
  if (std::error_code ignored; std::filesystem::is_directory(path, ignored))
    throw IoError(name_ + ": cannot read: " + std::generic_category().message(EISDIR));
  if (!probe) throw IoError(name_ + ": cannot read: " + std::generic_category().message(errno));
  if (H5Fis_hdf5(path.c_str()) <= 0) throw BadInput(name_, "file", "an HDF5 file", "something else");
  file_ = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  if (file_ < 0) throw BadInput(name_, "file", "a whole HDF5 file", "damage (" + innermost_error() + ")");
}

Hdf5Reader::~Hdf5Reader() {
  const QuietErrors quiet;
  H5Fclose(file_);
}

void Hdf5Reader::require_format(std::string_view format, int version) const {
  const std::string found_format = attribute<std::string>("/", "format");
  if (found_format != format)
    throw BadInput(name_, of_attribute("/", "format"), '"' + std::string(format) + '"', '"' + found_format + '"');
  const std::int64_t found_version = attribute<std::int64_t>("/", "version");
  if (found_version != version)
    throw BadInput(name_, of_attribute("/", "version"), std::to_string(version), std::to_string(found_version));
}

bool Hdf5Reader::has(const std::string& object) const {
  const QuietErrors quiet;
  return object_exists(file_, object);
}

bool Hdf5Reader::has_attribute(const std::string& object, const std::string& attribute) const {
  const QuietErrors quiet;
  return object_exists(file_, object) && H5Aexists_by_name(file_, object.c_str(), attribute.c_str(), H5P_DEFAULT) > 0;
}

Shape Hdf5Reader::shape(const std::string& dataset) const {
  const QuietErrors quiet;
  const Handle data = open_dataset(file_, name_, dataset);
  const Handle space(H5Dget_space(data), H5Sclose);
  if (H5Sget_simple_extent_type(space) == H5S_NULL) throw BadInput(name_, dataset, "values", "an empty dataspace");
  return extents_of(space);
}

ElementType Hdf5Reader::element_type(const std::string& dataset) const {
  const QuietErrors quiet;
  const Handle data = open_dataset(file_, name_, dataset);
  return element_type_of(Handle(H5Dget_type(data), H5Tclose));
}

void Hdf5Reader::require_type(const std::string& dataset, std::initializer_list<ElementType> allowed) const {
  const QuietErrors quiet;
  const Handle data = open_dataset(file_, name_, dataset);
  const Handle type(H5Dget_type(data), H5Tclose);
  if (std::find(allowed.begin(), allowed.end(), element_type_of(type)) != allowed.end()) return;
  std::string expected;
  for (const ElementType element : allowed)
    expected += (expected.empty() ? "" : " or ") + std::string(to_text(element));
  throw BadInput(name_, dataset, expected, describe_stored(type));
}

Shape Hdf5Reader::require_shape(const std::string& dataset, const Shape& expected) const {
  Shape found = shape(dataset);
  bool same = found.size() == expected.size();
  for (std::size_t i = 0; same && i < found.size(); ++i) same = expected[i] == kAnyExtent || expected[i] == found[i];
  if (!same) throw BadInput(name_, dataset, "shape " + describe(expected), describe(found));
  return found;
}

template <class T>
std::vector<T> Hdf5Reader::read(const std::string& dataset, const Shape& expected) const {
  const Shape found = require_shape(dataset, expected);
  const QuietErrors quiet;
  const Handle data = open_dataset(file_, name_, dataset);
  const Handle type(H5Dget_type(data), H5Tclose);
  std::vector<T> values = allocate<T>(name_, dataset, checked_product(name_, dataset, found, sizeof(T)));
  read_as<T>(name_, dataset, type, values, [&](hid_t memory_type, void* to) {
    return H5Dread(data, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, to);
  });
  return values;
}

template <class T>
void Hdf5Reader::read_slab(const std::string& dataset, std::size_t index, std::span<T> destination) const {
  const Shape found = shape(dataset);
  if (found.empty() || index >= found[0])
    throw BadInput(name_, dataset, "at least " + std::to_string(index + 1) + " slabs", describe(found));
  const std::size_t slab = checked_product(name_, dataset, Shape(found.begin() + 1, found.end()), sizeof(T));
  if (destination.size() != slab)
    throw InvalidArgument("Hdf5Reader::read_slab: destination: expected " + std::to_string(slab) + " elements, found " +
                          std::to_string(destination.size()));
  const QuietErrors quiet;
  const Handle data = open_dataset(file_, name_, dataset);
  const Handle type(H5Dget_type(data), H5Tclose);
  const Handle file_space(H5Dget_space(data), H5Sclose);
  std::vector<hsize_t> start(found.size(), 0), count(found.begin(), found.end());
  start[0] = index;
  count[0] = 1;
  H5Sselect_hyperslab(file_space, H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr);
  const Handle memory_space(H5Screate_simple(static_cast<int>(count.size()), count.data(), nullptr), H5Sclose);
  read_as<T>(name_, dataset, type, destination, [&](hid_t memory_type, void* to) {
    return H5Dread(data, memory_type, memory_space, file_space, H5P_DEFAULT, to);
  });
}

template <class T>
T Hdf5Reader::attribute(const std::string& object, const std::string& attribute) const {
  const QuietErrors quiet;
  const Handle handle = open_attribute(file_, name_, object, attribute);
  const std::string field = of_attribute(object, attribute);
  if constexpr (std::is_same_v<T, std::string>) {
    return read_string_attribute(handle, name_, field);
  } else {
    const Handle type(H5Aget_type(handle), H5Tclose);
    const Handle space(H5Aget_space(handle), H5Sclose);
    if (H5Sget_simple_extent_npoints(space) != 1)
      throw BadInput(name_, field, "one number", describe(extents_of(space)));
    T value{};
    read_as<T>(name_, field, type, std::span<T>(&value, 1),
               [&](hid_t memory_type, void* to) { return H5Aread(handle, memory_type, to); });
    return value;
  }
}

template <class T>
std::vector<T> Hdf5Reader::attribute_vector(const std::string& object, const std::string& attribute,
                                            std::size_t expected_size) const {
  const QuietErrors quiet;
  const Handle handle = open_attribute(file_, name_, object, attribute);
  const std::string field = of_attribute(object, attribute);
  const Handle type(H5Aget_type(handle), H5Tclose);
  const Handle space(H5Aget_space(handle), H5Sclose);
  const Shape found = extents_of(space);
  if (found.size() != 1 || (expected_size != kAnyExtent && found[0] != expected_size))
    throw BadInput(name_, field, "shape " + describe(Shape{expected_size}), describe(found));
  std::vector<T> values = allocate<T>(name_, field, found[0]);
  read_as<T>(name_, field, type, values, [&](hid_t memory_type, void* to) { return H5Aread(handle, memory_type, to); });
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
