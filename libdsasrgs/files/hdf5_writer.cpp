// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <type_traits>

#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "files/hdf5_file.hpp"
#include "files/hdf5_memory.hpp"
#include "files/hdf5_types.hpp"

namespace dsasrgs {

namespace {

/// A chunk is one slab of the first axis, cut along its other axes until it is at most this large (HDF5 takes 4 GiB; a
/// reader holds whole chunks in memory).
constexpr std::size_t kMaxChunkBytes = std::size_t{64} << 20;

/// A dataset this small lies in its own header, which HDF5 keeps a checksum of.
constexpr std::size_t kMaxCompactBytes = std::size_t{16} << 10;

/// Chunks of data that are not compressed: whole slabs of the first axis, as many as fit.
constexpr std::size_t kPlainChunkBytes = std::size_t{1} << 20;

/// An attribute of fixed length is part of its object's header, of which a message has at most 64 KiB.
constexpr std::size_t kMaxFixedString = 60000;

[[noreturn]] void throw_write_error(const std::string& file, const std::string& object) {
  const std::string what = file + ": " + object + ": cannot write: ";
  if (is_memory_error())
    throw OutOfMemory(what + "HDF5 could not have the memory that it needs (" + innermost_error() + ")");
  throw IoError(what + innermost_error());
}

/// What is done about one object of a file; throws unless HDF5 did it.
class Done {
 public:
  Done(const std::string& file, const std::string& object) : file_(file), object_(object) {}
  void operator()(herr_t status) const {
    if (status < 0) throw_write_error(file_, object_);
  }

 private:
  const std::string& file_;
  const std::string& object_;
};

std::vector<hsize_t> chunk_of(const Shape& shape, std::size_t element, Hdf5Storage storage) {
  std::vector<hsize_t> chunk(shape.begin(), shape.end());
  if (storage == Hdf5Storage::plain) {
    std::size_t slab = element;
    for (std::size_t axis = 1; axis < shape.size(); ++axis) slab *= shape[axis];
    chunk[0] = std::clamp<std::size_t>(kPlainChunkBytes / slab, 1, shape[0]);
  } else if (chunk.size() > 1) {
    chunk[0] = 1;
  }
  const auto bytes = [&] {
    std::size_t n = element;
    for (const hsize_t extent : chunk) n *= extent;
    return n;
  };
  while (bytes() > kMaxChunkBytes) {
    hsize_t& longest = *std::max_element(chunk.begin(), chunk.end());
    longest = (longest + 1) / 2;
  }
  return chunk;
}

/// Replaces an attribute that is there.
void write_attribute(hid_t file, const std::string& name, const std::string& object, const std::string& attribute,
                     hid_t stored_type, hid_t memory_type, hid_t space, const void* value) {
  if (H5Aexists_by_name(file, object.c_str(), attribute.c_str(), H5P_DEFAULT) > 0)
    H5Adelete_by_name(file, object.c_str(), attribute.c_str(), H5P_DEFAULT);
  Handle handle(H5Acreate_by_name(file, object.c_str(), attribute.c_str(), stored_type, space, H5P_DEFAULT, H5P_DEFAULT,
                                  H5P_DEFAULT),
                H5Aclose);
  if (!handle || H5Awrite(handle, memory_type, value) < 0 || handle.finish() < 0)
    throw_write_error(name, object + "@" + attribute);
}

template <class T>
void write_numbers(hid_t file, const std::string& name, const std::string& object, const std::string& attribute,
                   hid_t stored_type, const std::vector<T>& values) {
  const hsize_t count = values.size();
  const Handle space(H5Screate_simple(1, &count, nullptr), H5Sclose);
  write_attribute(file, name, object, attribute, stored_type, memory_type_of(element_of<T>()), space, values.data());
}

template <class T>
void write_number(hid_t file, const std::string& name, const std::string& object, const std::string& attribute,
                  hid_t stored_type, T value) {
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  write_attribute(file, name, object, attribute, stored_type, memory_type_of(element_of<T>()), space, &value);
}

/// IEEE 754 binary16, which this HDF5 has no name for.
Handle half_type(const Done& done) {
  Handle type(H5Tcopy(H5T_IEEE_F32LE), H5Tclose);
  done(H5Tset_fields(type, 15, 10, 5, 0, 10));
  done(H5Tset_size(type, 2));
  done(H5Tset_ebias(type, 15));
  return type;
}

/// The nearest number that binary16 holds, ties to even; from 65520 on beyond it. HDF5 is given these: its own
/// conversion halves a number that is rounded up to a power of two.
float rounded_to_half(float value) {
  int exponent = 0;
  std::frexp(value, &exponent);  // |value| in [2^(exponent − 1), 2^exponent)
  const int last_digit = std::max(exponent - 11, -24);
  return std::ldexp(std::nearbyint(std::ldexp(value, -last_digit)), last_digit);
}

/// Makes a group and those on its way; nothing happens where they are. `path` is empty for the root.
void make_groups(hid_t file, const std::string& name, const std::string& path) {
  const Handle create(H5Pcreate(H5P_GROUP_CREATE), H5Pclose);
  Done(name, path)(H5Pset_obj_track_times(create, false));
  for (std::size_t end = 0; end < path.size();) {
    end = std::min(path.find('/', end + 1), path.size());
    const std::string prefix = path.substr(0, end);
    if (H5Lexists(file, prefix.c_str(), H5P_DEFAULT) > 0) continue;
    Handle made(H5Gcreate2(file, prefix.c_str(), H5P_DEFAULT, create, H5P_DEFAULT), H5Gclose);
    if (!made || made.finish() < 0) throw_write_error(name, prefix);
  }
}

/// Makes a dataset and the groups on its way.
Handle create_dataset(hid_t file, const std::string& name, const std::string& dataset, hid_t type, std::size_t element,
                      const Shape& shape, Hdf5Storage storage) {
  std::size_t count = 1;
  for (const std::size_t extent : shape) count *= extent;
  const std::vector<hsize_t> extents(shape.begin(), shape.end());
  const Handle space(shape.empty() ? H5Screate(H5S_SCALAR)
                                   : H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr),
                     H5Sclose);
  make_groups(file, name, dataset.substr(0, dataset.rfind('/')));
  const Handle create(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  const Done done(name, dataset);
  done(H5Pset_obj_track_times(create, false));  // the same content gives the same bytes
  if (count * element <= kMaxCompactBytes) {
    done(H5Pset_layout(create, H5D_COMPACT));
  } else {
    const bool deflates = storage == Hdf5Storage::compressed && H5Zfilter_avail(H5Z_FILTER_DEFLATE) > 0;
    const std::vector<hsize_t> chunk = chunk_of(shape, element, storage);
    done(H5Pset_chunk(create, static_cast<int>(chunk.size()), chunk.data()));
    if (deflates) {
      done(H5Pset_shuffle(create));
      done(H5Pset_deflate(create, 1));
    }
    done(H5Pset_fletcher32(create));
  }
  Handle data(H5Dcreate2(file, dataset.c_str(), type, space, H5P_DEFAULT, create, H5P_DEFAULT), H5Dclose);
  if (!data) throw_write_error(name, dataset);
  return data;
}

}  // namespace

Hdf5Writer::Hdf5Writer(const std::filesystem::path& path) : target_(path), name_(path.string()) {
  const QuietErrors quiet;
  // HDF5 lays the file out in memory and AtomicFile puts it on disk: an HDF5 file whose last flush fails, as on a full
  // disk, can never be closed again and brings the program down when it ends.
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  const std::string root_object = "/";
  const Done done(name_, root_object);
  done(H5Pset_fclose_degree(access, H5F_CLOSE_STRONG));
  memory_ = std::make_unique<Hdf5Memory>();
  done(memory_->attach(access));
  // From this version on HDF5 keeps checksums of all its structures.
  done(H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110));
  const Handle root(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
  done(H5Pset_obj_track_times(root, false));
  // A name that no file can have, and no other writer has: HDF5 first reads into memory what it finds under the name,
  // and does not free it.
  const std::string nowhere = "/dev/null/" + std::to_string(reinterpret_cast<std::uintptr_t>(this));
  file_ = H5Fcreate(nowhere.c_str(), H5F_ACC_TRUNC, root, access);
  if (file_ < 0) throw_write_error(name_, "/");
}

Hdf5Writer::~Hdf5Writer() {
  if (file_ < 0) return;
  const QuietErrors quiet(std::nothrow);
  H5Fclose(file_);
}

void Hdf5Writer::set_format(std::string_view format, int version) {
  attribute("/", "format", format);
  attribute("/", "version", version);
}

void Hdf5Writer::group(const std::string& path) {
  const QuietErrors quiet;
  make_groups(file_, name_, path);
}

template <class T>
void Hdf5Writer::write(const std::string& dataset, std::span<const T> values, const Shape& shape, Hdf5Storage storage) {
  std::size_t count = 1;
  for (const std::size_t extent : shape) count *= extent;
  if (count != values.size())
    throw InvalidArgument("Hdf5Writer::write: " + dataset + ": expected " + describe(shape) + " elements, found " +
                          std::to_string(values.size()));
  const QuietErrors quiet;
  // Stored in the machine's own order; HDF5 records it, so a machine of the other order reads it too.
  Handle data = create_dataset(file_, name_, dataset, memory_type_of(element_of<T>()), sizeof(T), shape, storage);
  if (count > 0 && H5Dwrite(data, memory_type_of(element_of<T>()), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0)
    throw_write_error(name_, dataset);
  if (data.finish() < 0) throw_write_error(name_, dataset);
}

template <class T>
void Hdf5Writer::create(const std::string& dataset, const Shape& shape, Hdf5Storage storage, bool half) {
  const QuietErrors quiet;
  const Done done(name_, dataset);
  if (half) {
    const Handle type = half_type(done);
    done(create_dataset(file_, name_, dataset, type, 2, shape, storage).finish());
  } else {
    done(create_dataset(file_, name_, dataset, memory_type_of(element_of<T>()), sizeof(T), shape, storage).finish());
  }
}

template <class T>
void Hdf5Writer::write_slab(const std::string& dataset, std::size_t index, std::span<const T> values) {
  const QuietErrors quiet;
  Handle data(H5Dopen2(file_, dataset.c_str(), H5P_DEFAULT), H5Dclose);
  if (!data) throw_write_error(name_, dataset);
  const Handle file_space(H5Dget_space(data), H5Sclose);
  const int rank = std::max(H5Sget_simple_extent_ndims(file_space), 0);
  std::vector<hsize_t> start(static_cast<std::size_t>(rank)), count(start.size());
  const Done done(name_, dataset);
  done(H5Sget_simple_extent_dims(file_space, count.data(), nullptr));
  if (rank == 0 || index >= count[0])
    throw InvalidArgument("Hdf5Writer::write_slab: " + dataset + ": expected a slab that is there, found " +
                          std::to_string(index));
  start[0] = index;
  count[0] = 1;
  std::size_t slab = 1;
  for (const hsize_t extent : count) slab *= extent;
  if (slab != values.size())
    throw InvalidArgument("Hdf5Writer::write_slab: " + dataset + ": expected " + std::to_string(slab) +
                          " elements, found " + std::to_string(values.size()));
  done(H5Sselect_hyperslab(file_space, H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr));
  const Handle memory_space(H5Screate_simple(rank, count.data(), nullptr), H5Sclose);
  std::vector<T> halves;
  if constexpr (std::is_same_v<T, float>) {
    const Handle type(H5Dget_type(data), H5Tclose);
    if (H5Tget_size(type) == 2) {
      halves = host_vector<T>(values.size());
      std::transform(values.begin(), values.end(), halves.begin(), rounded_to_half);
    }
  }
  const T* stored = halves.empty() ? values.data() : halves.data();
  if (H5Dwrite(data, memory_type_of(element_of<T>()), memory_space, file_space, H5P_DEFAULT, stored) < 0 ||
      data.finish() < 0)
    throw_write_error(name_, dataset);
}

void Hdf5Writer::attribute(const std::string& object, const std::string& name, double value) {
  const QuietErrors quiet;  // the types of HDF5 are calls
  write_number(file_, name_, object, name, H5T_IEEE_F64LE, value);
}

void Hdf5Writer::attribute(const std::string& object, const std::string& name, std::int64_t value) {
  const QuietErrors quiet;  // the types of HDF5 are calls
  write_number(file_, name_, object, name, H5T_STD_I64LE, value);
}

void Hdf5Writer::attribute(const std::string& object, const std::string& name, const std::vector<double>& values) {
  const QuietErrors quiet;  // the types of HDF5 are calls
  write_numbers(file_, name_, object, name, H5T_IEEE_F64LE, values);
}

void Hdf5Writer::attribute(const std::string& object, const std::string& name,
                           const std::vector<std::int64_t>& values) {
  const QuietErrors quiet;  // the types of HDF5 are calls
  write_numbers(file_, name_, object, name, H5T_STD_I64LE, values);
}

void Hdf5Writer::attribute(const std::string& object, const std::string& name, std::string_view value) {
  const QuietErrors quiet;
  const std::string text(value);
  const Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  const std::string field = object + "@" + name;
  const Done done(name_, field);
  done(H5Tset_cset(type, H5T_CSET_UTF8));
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  if (text.size() > kMaxFixedString) {
    done(H5Tset_size(type, H5T_VARIABLE));
    const char* start = text.c_str();
    return write_attribute(file_, name_, object, name, type, type, space, &start);
  }
  // Strings of variable length lie in HDF5's global heap, on whose damage HDF5 1.10 crashes.
  done(H5Tset_size(type, std::max<std::size_t>(text.size(), 1)));
  done(H5Tset_strpad(type, H5T_STR_NULLPAD));
  write_attribute(file_, name_, object, name, type, type, space, text.c_str());
}

void Hdf5Writer::commit() {
  const QuietErrors quiet;
  if (H5Fclose(std::exchange(file_, -1)) < 0) throw_write_error(name_, "/");
  const std::span<const char> file = memory_->closed_file();
  if (file.empty()) throw IoError(name_ + ": cannot write: HDF5 did not finish the file");
  target_.write(file.data(), file.size());
  target_.commit();
}

#define DSASRGS_WRITABLE(T) \
  template void Hdf5Writer::write<T>(const std::string&, std::span<const T>, const Shape&, Hdf5Storage);
DSASRGS_WRITABLE(float)
DSASRGS_WRITABLE(double)
DSASRGS_WRITABLE(std::int32_t)
DSASRGS_WRITABLE(std::int64_t)
DSASRGS_WRITABLE(std::uint8_t)
DSASRGS_WRITABLE(std::uint16_t)
DSASRGS_WRITABLE(std::uint32_t)
DSASRGS_WRITABLE(std::uint64_t)
#undef DSASRGS_WRITABLE
template void Hdf5Writer::create<float>(const std::string&, const Shape&, Hdf5Storage, bool);
template void Hdf5Writer::create<std::uint8_t>(const std::string&, const Shape&, Hdf5Storage, bool);
template void Hdf5Writer::write_slab<float>(const std::string&, std::size_t, std::span<const float>);
template void Hdf5Writer::write_slab<std::uint8_t>(const std::string&, std::size_t, std::span<const std::uint8_t>);

}  // namespace dsasrgs
