// SPDX-License-Identifier: Apache-2.0
#include "files/hdf5_types.hpp"

#include <cstdint>
#include <cstring>

namespace dsasrgs {

namespace {

/// What h5py writes for bool: members FALSE = 0 and TRUE = 1 of an int8.
bool is_bool(hid_t type) {
  if (H5Tget_size(type) != 1 || H5Tget_nmembers(type) != 2) return false;
  for (const std::int8_t value : {std::int8_t{0}, std::int8_t{1}}) {
    char name[8];
    if (H5Tenum_nameof(type, &value, name, sizeof name) < 0 || std::strcmp(name, value == 0 ? "FALSE" : "TRUE") != 0)
      return false;
  }
  return true;
}

}  // namespace

std::string to_text(ElementType type) {
  constexpr const char* kNames[] = {"float16", "float32", "float64", "int8",   "int16",  "int32",       "int64",
                                    "uint8",   "uint16",  "uint32",  "uint64", "string", "another type"};
  return kNames[static_cast<std::size_t>(type)];
}

std::size_t bytes_of(ElementType number) {
  switch (number) {
    case ElementType::int8:
    case ElementType::uint8:
      return 1;
    case ElementType::float16:
    case ElementType::int16:
    case ElementType::uint16:
      return 2;
    case ElementType::float32:
    case ElementType::int32:
    case ElementType::uint32:
      return 4;
    default:
      return 8;
  }
}

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
    case H5T_ENUM:
      return is_bool(type) ? ElementType::int8 : ElementType::other;
    case H5T_STRING:
      return ElementType::string;
    default:
      return ElementType::other;
  }
}

std::string describe_stored(hid_t type) {
  const ElementType element = element_type_of(type);
  if (element != ElementType::other) return to_text(element);
  const std::string bits = std::to_string(8 * H5Tget_size(type)) + " bits";
  switch (H5Tget_class(type)) {
    case H5T_FLOAT:
      return "floating-point numbers of " + bits;
    case H5T_INTEGER:
      return "integers of " + bits;
    case H5T_ENUM:
      return "an enumeration";
    case H5T_COMPOUND:
      return "a compound type (NumPy writes complex so)";
    default:
      return "a type that is neither number nor string";
  }
}

hid_t memory_type_of(ElementType number) {
  switch (number) {
    case ElementType::float32:
      return H5T_NATIVE_FLOAT;
    case ElementType::float64:
      return H5T_NATIVE_DOUBLE;
    case ElementType::int32:
      return H5T_NATIVE_INT32;
    case ElementType::int64:
      return H5T_NATIVE_INT64;
    case ElementType::uint8:
      return H5T_NATIVE_UINT8;
    case ElementType::uint16:
      return H5T_NATIVE_UINT16;
    case ElementType::uint32:
      return H5T_NATIVE_UINT32;
    case ElementType::uint64:
      return H5T_NATIVE_UINT64;
    default:
      return H5I_INVALID_HID;
  }
}

std::string describe_filter(H5Z_filter_t id, const char* name) {
  if (id == H5Z_FILTER_DEFLATE) return "gzip";
  if (id == H5Z_FILTER_SZIP) return "szip";
  const std::string number = "filter " + std::to_string(id);
  return *name != '\0' ? number + " (" + name + ")" : number;
}

}  // namespace dsasrgs
