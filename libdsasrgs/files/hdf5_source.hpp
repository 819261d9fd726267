// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// The questions that Hdf5Reader asks of an HDF5 file, answered in this process (LocalHdf5) or in a child process
/// (RemoteHdf5). Answers are facts and values; what a format asks for is Hdf5Reader's business.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "files/reading_messages.hpp"

namespace dsasrgs {

/// Extents of a dataset, slowest axis first; empty for a scalar.
using Shape = std::vector<std::size_t>;

/// What elements are stored as; byte order does not matter, and a bool of h5py is an int8 of 0 and 1.
enum class ElementType : std::uint32_t {
  float16,
  float32,
  float64,
  int8,
  int16,
  int32,
  int64,
  uint8,
  uint16,
  uint32,
  uint64,
  string,
  other
};
std::string to_text(ElementType);
inline bool is_number(ElementType t) { return t <= ElementType::uint64; }
inline bool is_float(ElementType t) { return t <= ElementType::float64; }
inline bool is_integer(ElementType t) { return is_number(t) && !is_float(t); }
/// Of one element of a number in memory.
std::size_t bytes_of(ElementType number);
/// The number that T is; T as for Hdf5Reader.
template <class T>
constexpr ElementType element_of() {
  if (std::is_floating_point_v<T>) return sizeof(T) == 4 ? ElementType::float32 : ElementType::float64;
  if (std::is_signed_v<T>) return sizeof(T) == 4 ? ElementType::int32 : ElementType::int64;
  return sizeof(T) == 1   ? ElementType::uint8
         : sizeof(T) == 2 ? ElementType::uint16
         : sizeof(T) == 4 ? ElementType::uint32
                          : ElementType::uint64;
}

/// More than this times what is stored, and kUnpackedSlack, no filter that is read makes of it: deflate's best is a
/// match of 258 bytes for two bits. Scale-offset keeps constant chunks in some 20 bytes each, which the slack is for.
inline constexpr std::size_t kMaxUnpackedRatio = 1032;
inline constexpr std::size_t kUnpackedSlack = std::size_t{32} << 20;

/// What a dataset or an attribute is.
struct StoredArray {
  ElementType type = ElementType::other;
  std::string type_in_words;
  std::size_t element_bytes = 0;  ///< stored size of one element
  bool empty_dataspace = false;   ///< HDF5's null dataspace: neither scalar nor array
  Shape shape;
  std::size_t working_bytes = 0;  ///< memory that HDF5 needs to read rows, beside their values
};

/// One open file. Objects are named by their full path. Every function throws ReadingRefusal; those that name a dataset
/// or attribute that is not there say so.
class Hdf5Source {
 public:
  Hdf5Source() = default;
  virtual ~Hdf5Source() = default;
  Hdf5Source(const Hdf5Source&) = delete;
  Hdf5Source& operator=(const Hdf5Source&) = delete;

  /// Whether a group or dataset is there. What lies in another file, or is a link to nothing, is refused.
  virtual bool has(const std::string& object) = 0;
  virtual bool has_attribute(const std::string& object, const std::string& attribute) = 0;
  /// Refuses datasets that this file does not hold whole: virtual and external ones, parts that were never written,
  /// filters that are not HDF5's own, and extents that cannot be in what is stored.
  virtual StoredArray dataset(const std::string& dataset) = 0;
  virtual StoredArray attribute(const std::string& object, const std::string& attribute) = 0;
  /// Elements [first, first + count) of the first axis (of a scalar: 0, 1) converted to `number` by HDF5, which clips
  /// what does not fit. `to` has their size in bytes.
  virtual void read_rows(const std::string& dataset, std::size_t first, std::size_t count, ElementType number,
                         std::span<std::byte> to) = 0;
  /// All elements of an attribute, likewise.
  virtual void read_attribute(const std::string& object, const std::string& attribute, ElementType number,
                              std::span<std::byte> to) = 0;
  /// An attribute of one string, of fixed or variable length.
  virtual std::string read_string(const std::string& object, const std::string& attribute) = 0;
};

inline std::string of_attribute(const std::string& object, const std::string& attribute) {
  return object + "@" + attribute;
}
/// "[114, 93, 128]", with "any" for kAnyExtent (files/hdf5_file.hpp).
std::string describe(const Shape&);

}  // namespace dsasrgs
