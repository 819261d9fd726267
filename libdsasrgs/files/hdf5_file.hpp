// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// HDF5 files: reading with typed, one-line errors and writing that leaves a whole file or none.
/// HDF5's own error printing is off while these functions run and is put back afterwards. Calls of the HDF5 library are
/// made one at a time, from whatever thread: it need not be built thread-safe.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dsasrgs/buffer.hpp"
#include "files/atomic_file.hpp"
#include "files/hdf5_source.hpp"
#include "files/input_file.hpp"

namespace dsasrgs {

class Hdf5Memory;

/// In an expected shape: this axis may have any extent, 0 included.
inline constexpr std::size_t kAnyExtent = static_cast<std::size_t>(-1);

/// Reads one HDF5 file. Objects are named by their full path ("/geometry/source_mm"). Every function that takes a name
/// throws BadInput(file, name, expected, found) where the file's content is not what was asked for, and OutOfMemory
/// when a dataset does not fit. Values arrive in host memory. The file is read in this process or in a child
/// (dsasrgs/file_reading.hpp); the answers are the same. What does not lie in the file itself, or was never written, is
/// refused, not 0.
///
/// Element types T: float, double, std::int32_t, std::int64_t, std::uint8_t, std::uint16_t, std::uint32_t and
/// std::uint64_t. Floating-point T takes any stored number (also float16 and bool) and rounds to the nearest; integer T
/// takes stored numbers that are whole and fit T. Where one axis is expected, others of extent 1 may be there too
/// (MATLAB has no vectors), and a scalar is one value.
class Hdf5Reader {
 public:
  /// Throws IoError if the file cannot be opened or is being written, BadInput if it is not an HDF5 file or is
  /// truncated.
  explicit Hdf5Reader(const std::filesystem::path&);
  ~Hdf5Reader();
  Hdf5Reader(const Hdf5Reader&) = delete;
  Hdf5Reader& operator=(const Hdf5Reader&) = delete;

  /// The path as text, as it stands in messages.
  const std::string& name() const { return name_; }

  /// Root attributes `format` (string) and `version` (integer) must be these.
  void require_format(std::string_view format, int version) const;

  /// Whether a group or dataset is there.
  bool has(const std::string& object) const;
  bool has_attribute(const std::string& object, const std::string& attribute) const;
  /// Extents of a dataset.
  Shape shape(const std::string& dataset) const;
  ElementType element_type(const std::string& dataset) const;
  /// The dataset must have this rank and these extents (kAnyExtent: any); returns the extents it has.
  Shape require_shape(const std::string& dataset, const Shape& expected) const;

  /// A whole dataset, row-major. Its shape must match `expected` (kAnyExtent: any).
  template <class T>
  std::vector<T> read(const std::string& dataset, const Shape& expected) const;
  /// Elements [index, …] of a dataset's first axis (one view of [V,H,W]) into `destination`, which must have the size
  /// of one such slab (else InvalidArgument).
  template <class T>
  void read_slab(const std::string& dataset, std::size_t index, std::span<T> destination) const;

  /// A scalar or one-element attribute; T as above, or std::string (fixed or variable length).
  template <class T>
  T attribute(const std::string& object, const std::string& attribute) const;
  /// A one-dimensional attribute of `expected_size` elements (kAnyExtent: any); T as above.
  template <class T>
  std::vector<T> attribute_vector(const std::string& object, const std::string& attribute,
                                  std::size_t expected_size) const;

 private:
  StoredArray stored(const std::string& dataset) const;
  StoredArray stored_attribute(const std::string& object, const std::string& attribute) const;
  Shape checked_shape(const std::string& field, const StoredArray&, const Shape& expected) const;
  template <class T>
  void read_rows(const std::string& dataset, const StoredArray&, std::size_t first, std::size_t count,
                 std::span<T> to) const;
  template <class T>
  void read_attribute(const std::string& object, const std::string& attribute, const StoredArray&,
                      std::span<T> to) const;

  std::string name_;
  InputFile file_;
  std::unique_ptr<Hdf5Source> source_;
};

/// How a dataset lies in the file. Either way HDF5 keeps checksums of it, small ones in the object's header.
enum class Hdf5Storage {
  plain,      ///< as it is in memory, in chunks of whole slabs of the first axis
  compressed  ///< chunks of one slab of the first axis, byte shuffle and gzip; not compressed where HDF5 lacks gzip
};

/// Writes one HDF5 file. It grows in memory; commit() puts it into a temporary file in the same folder (made by the
/// constructor, so that an unwritable folder shows at once), flushes that to disk and renames it to the path. A flipped
/// bit shows when the file is read: everything has a checksum (HDF5 1.10 and newer read such files). Without commit()
/// nothing stays behind. Groups on the way to a dataset are made as needed. Throws IoError when the system refuses.
class Hdf5Writer {
 public:
  explicit Hdf5Writer(const std::filesystem::path&);
  ~Hdf5Writer();
  Hdf5Writer(const Hdf5Writer&) = delete;
  Hdf5Writer& operator=(const Hdf5Writer&) = delete;

  /// Root attributes `format` and `version`.
  void set_format(std::string_view format, int version);
  /// Makes a group; nothing happens if it is there.
  void group(const std::string& path);

  /// A dataset, row-major; T as for Hdf5Reader. Any extent may be 0; an empty shape is a scalar.
  /// Throws InvalidArgument unless the number of values is the product of the extents.
  template <class T>
  void write(const std::string& dataset, std::span<const T> values, const Shape&, Hdf5Storage = Hdf5Storage::plain);
  template <class T>
  void write(const std::string& dataset, const std::vector<T>& values, const Shape& shape,
             Hdf5Storage storage = Hdf5Storage::plain) {
    write<T>(dataset, std::span<const T>(values), shape, storage);
  }

  /// A dataset whose slabs [index, …] of the first axis follow one by one by write_slab; what is not written
  /// is 0. T: float (stored as float32, or float16 with `half`) or std::uint8_t.
  template <class T>
  void create(const std::string& dataset, const Shape&, Hdf5Storage, bool half = false);
  /// Throws InvalidArgument unless `values` has the size of a slab and the slab is there.
  template <class T>
  void write_slab(const std::string& dataset, std::size_t index, std::span<const T> values);

  /// An attribute of an existing group or dataset ("/" is the root). T: std::int64_t, double; int and bool go in as
  /// std::int64_t.
  void attribute(const std::string& object, const std::string& name, double value);
  void attribute(const std::string& object, const std::string& name, std::int64_t value);
  void attribute(const std::string& object, const std::string& name, int value) {
    attribute(object, name, static_cast<std::int64_t>(value));
  }
  void attribute(const std::string& object, const std::string& name, std::string_view value);
  void attribute(const std::string& object, const std::string& name, const char* value) {
    attribute(object, name, std::string_view(value));
  }
  void attribute(const std::string& object, const std::string& name, const std::vector<double>& values);
  void attribute(const std::string& object, const std::string& name, const std::vector<std::int64_t>& values);

  /// Closes the file, flushes it to disk and renames it to its path. Last call.
  void commit();

 private:
  AtomicFile target_;
  std::string name_;
  std::unique_ptr<Hdf5Memory> memory_;
  std::int64_t file_ = -1;  // hid_t
};

}  // namespace dsasrgs
