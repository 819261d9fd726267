// SPDX-License-Identifier: Apache-2.0
#include "files/hdf5_local.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <system_error>
#include <utility>

#include "files/hdf5_types.hpp"

namespace dsasrgs {

namespace {

constexpr std::size_t kNoBound = std::numeric_limits<std::size_t>::max();

std::size_t times(std::size_t a, std::size_t b) { return b != 0 && a > kNoBound / b ? kNoBound : a * b; }
std::size_t plus(std::size_t a, std::size_t b) { return a > kNoBound - b ? kNoBound : a + b; }
std::size_t product(const Shape& shape) {
  std::size_t n = 1;
  for (const std::size_t extent : shape) n = extent == 0 || n == 0 ? 0 : times(n, extent);
  return n;
}

ReadingRefusal refusal(std::string field, std::string expected, std::string found) {
  return {ReadingRefusal::Kind::bad_input, std::move(field), std::move(expected), std::move(found)};
}

/// What HDF5 could not read, with its words.
ReadingRefusal damage(std::string field, std::string expected) {
  const std::string reason = innermost_error();
  if (const int code = system_error_in(reason); code != 0)
    return {ReadingRefusal::Kind::io, std::move(field), std::move(expected), std::generic_category().message(code)};
  if (is_memory_error())
    return {ReadingRefusal::Kind::out_of_memory, std::move(field), std::move(expected), "HDF5: " + reason};
  return refusal(std::move(field), std::move(expected), "damage (" + reason + ")");
}

Shape extents_of(hid_t space) {
  const int rank = H5Sget_simple_extent_ndims(space);
  std::vector<hsize_t> dims(static_cast<std::size_t>(std::max(rank, 0)));
  H5Sget_simple_extent_dims(space, dims.data(), nullptr);
  return {dims.begin(), dims.end()};
}

StoredArray describe_array(hid_t type, hid_t space) {
  StoredArray array;
  array.type = element_type_of(type);
  array.type_in_words = describe_stored(type);
  array.element_bytes = H5Tget_size(type);
  array.empty_dataspace = H5Sget_simple_extent_type(space) == H5S_NULL;
  if (!array.empty_dataspace) array.shape = extents_of(space);
  return array;
}

/// Filters that HDF5 brings along. Others are code that it would load from elsewhere because a file asks for it.
void require_own_filters(const std::string& dataset, hid_t create) {
  const int count = H5Pget_nfilters(create);
  for (int i = 0; i < count; ++i) {
    unsigned flags = 0, config = 0;
    std::size_t values = 0;
    char name[64] = "";
    const H5Z_filter_t id =
        H5Pget_filter2(create, static_cast<unsigned>(i), &flags, &values, nullptr, sizeof name, name, &config);
    name[sizeof name - 1] = '\0';
    if (id >= H5Z_FILTER_DEFLATE && id <= H5Z_FILTER_SCALEOFFSET && H5Zfilter_avail(id) > 0) continue;
    throw refusal(dataset, "data that are not compressed, or by a filter that this HDF5 library has, such as gzip",
                  describe_filter(id, name) +
                      "; `h5repack -f GZIP=4 FILE NEW_FILE`, where the filter is installed, makes "
                      "a file that can be read");
  }
}

void require_here(const std::string& dataset, hid_t create) {
  if (H5Pget_layout(create) == H5D_VIRTUAL)
    throw refusal(dataset, "data in this file",
                  "a virtual dataset, whose data lie in others; copy its values into an ordinary one");
  if (H5Pget_external_count(create) > 0)
    throw refusal(dataset, "data in this file", "external storage, data that lie in another file");
}

/// Chunks of a dataset of these extents.
struct Chunks {
  std::size_t bytes = 0;          ///< of one
  std::size_t count = 1;          ///< that the extents need
  std::size_t bytes_per_row = 0;  ///< of those that begin at the same element of the first axis
};

Chunks chunks_of(hid_t create, const Shape& shape, std::size_t element_bytes) {
  Chunks chunks;
  if (H5Pget_layout(create) != H5D_CHUNKED) return chunks;
  std::vector<hsize_t> extents(shape.size());
  const int rank = H5Pget_chunk(create, static_cast<int>(extents.size()), extents.data());
  if (rank != static_cast<int>(shape.size())) return chunks;
  chunks.bytes = chunks.bytes_per_row = element_bytes;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::size_t along = extents[i] == 0 ? 0 : shape[i] / extents[i] + (shape[i] % extents[i] != 0 ? 1 : 0);
    chunks.bytes = times(chunks.bytes, extents[i]);
    chunks.bytes_per_row = times(chunks.bytes_per_row, i == 0 ? extents[i] : times(extents[i], along));
    chunks.count = times(chunks.count, along);
  }
  return chunks;
}

/// Extents that cannot be in what is stored are refused before anyone makes room for them.
void require_stored(const std::string& dataset, const StoredArray& array, const Chunks& chunks, hid_t data,
                    hid_t space) {
  const std::size_t values = product(array.shape), stored = H5Dget_storage_size(data);
  if (values == 0) return;
  const auto unwritten = [&](const std::string& found) {
    return refusal(dataset, "values for all of " + describe(array.shape), found);
  };
  if (stored == 0) throw unwritten("none written");
#if H5_VERSION_GE(1, 10, 5)
  if (chunks.bytes > 0) {
    hsize_t written = 0;
    if (H5Dget_num_chunks(data, space, &written) < 0) throw damage(dataset, "readable data");
    if (written < chunks.count)
      throw unwritten(std::to_string(written) + " of " + std::to_string(chunks.count) + " chunks written");
  }
#else
  (void)space;
#endif
  const std::size_t bytes = times(values, array.element_bytes);
  const std::size_t bound = chunks.bytes > 0 ? plus(times(stored, kMaxUnpackedRatio), kUnpackedSlack) : stored;
  if (bytes > bound || chunks.bytes > bound)
    throw unwritten("only " + std::to_string(stored) + " bytes, which cannot hold them");
}

}  // namespace

struct LocalHdf5::State {
  struct OpenDataset {
    std::string name;
    Handle data, type, space;
    StoredArray array;
  };

  State(Handle opened, std::size_t bytes) : file(std::move(opened)), file_bytes(bytes) {
    if (H5Pset_elink_cb(access, refuse_external_link, this) < 0) throw damage("file", "a readable file");
  }

  Handle file;
  Handle access{H5Pcreate(H5P_DATASET_ACCESS), H5Pclose};  // also of links: follows none to other files
  std::size_t file_bytes;
  std::string other_file;             // where a link led to one
  std::optional<OpenDataset> latest;  // kept open: views are read one by one

  static herr_t refuse_external_link(const char*, const char*, const char* file, const char*, unsigned*, hid_t,
                                     void* state) {
    static_cast<State*>(state)->other_file = file;
    return -1;
  }

  void require_no_other_file(const std::string& object) const {
    if (other_file.empty()) return;
    throw refusal(object, "a dataset or group of this file",
                  "a link to another, \"" + other_file + "\"; `h5copy`, or `h5repack --merge`, puts it into one file");
  }

  /// Whether `object`, whose group is there, is; links that lead elsewhere are refused.
  bool is_linked(const std::string& object) {
    other_file.clear();
    const htri_t linked = H5Lexists(file, object.c_str(), access);
    if (linked < 0) throw damage(object, "a readable link");
    if (linked == 0) return false;
    H5L_info_t info{};
    if (H5Lget_info(file, object.c_str(), &info, access) < 0) throw damage(object, "a readable link");
    if (info.type >= H5L_TYPE_UD_MIN && info.type != H5L_TYPE_EXTERNAL)
      throw refusal(object, "a dataset or group of this file", "a user-defined link");
    const htri_t leads = H5Oexists_by_name(file, object.c_str(), access);
    require_no_other_file(object);
    if (leads < 0) throw damage(object, "a readable object");
    if (leads == 0) throw refusal(object, "a dataset or group", "a link to nothing");
    return true;
  }

  H5I_type_t kind(const std::string& object) {
    const Handle opened(H5Oopen(file, object.c_str(), access), H5Oclose);
    if (!opened) throw damage(object, "a readable object");
    return H5Iget_type(opened);
  }

  bool exists(const std::string& object) {
    if (object == "/") return true;
    // H5Lexists asks that all groups on the way exist.
    for (std::size_t end = object.find('/', 1);; end = object.find('/', end + 1)) {
      const std::string prefix = object.substr(0, end);
      if (!is_linked(prefix)) return false;
      if (end == std::string::npos) return true;
      if (kind(prefix) != H5I_GROUP) return false;
    }
  }

  OpenDataset& open(const std::string& dataset) {
    if (latest && latest->name == dataset) return *latest;
    latest.reset();
    if (!exists(dataset)) throw refusal(dataset, "a dataset", "nothing");
    if (const H5I_type_t found = kind(dataset); found != H5I_DATASET)
      throw refusal(dataset, "a dataset", found == H5I_GROUP ? "a group" : "a named type");
    const auto opened = [&](hid_t list) {
      Handle data(H5Dopen2(file, dataset.c_str(), list), H5Dclose);
      if (!data) throw damage(dataset, "a readable dataset");
      return data;
    };
    std::size_t cache_bytes = 0;
    Chunks chunks;
    {
      const Handle data = opened(access);
      const Handle create(H5Dget_create_plist(data), H5Pclose);
      if (!create) throw damage(dataset, "a readable dataset");
      require_here(dataset, create);
      require_own_filters(dataset, create);
      const Handle type(H5Dget_type(data), H5Tclose), space(H5Dget_space(data), H5Sclose);
      if (!type || !space) throw damage(dataset, "a readable dataset");
      const StoredArray array = describe_array(type, space);
      chunks = chunks_of(create, array.shape, array.element_bytes);
      require_stored(dataset, array, chunks, data, space);
      const std::size_t bound = plus(times(file_bytes, kMaxUnpackedRatio), kUnpackedSlack);
      cache_bytes = std::min(chunks.bytes_per_row, bound);
    }
    // Rows are read piece by piece: chunks that several pieces share must not be unpacked for each.
    const Handle cached(H5Pcopy(access), H5Pclose);
    constexpr std::size_t kDefaultCacheBytes = std::size_t{1} << 20, kSlots = 10007;
    if (cache_bytes > kDefaultCacheBytes) H5Pset_chunk_cache(cached, kSlots, cache_bytes, 1);
    Handle data = opened(cached);
    Handle type(H5Dget_type(data), H5Tclose), space(H5Dget_space(data), H5Sclose);
    if (!type || !space) throw damage(dataset, "a readable dataset");
    StoredArray array = describe_array(type, space);
    array.working_bytes = plus(cache_bytes, times(chunks.bytes, 2));
    latest.emplace(OpenDataset{dataset, std::move(data), std::move(type), std::move(space), std::move(array)});
    return *latest;
  }

  Handle open_attribute(const std::string& object, const std::string& attribute) {
    const std::string field = of_attribute(object, attribute);
    if (!exists(object)) throw refusal(object, "a group or dataset", "nothing");
    const htri_t there = H5Aexists_by_name(file, object.c_str(), attribute.c_str(), access);
    if (there < 0) throw damage(field, "an attribute");
    if (there == 0) throw refusal(field, "an attribute", "nothing");
    Handle handle(H5Aopen_by_name(file, object.c_str(), attribute.c_str(), H5P_DEFAULT, access), H5Aclose);
    if (!handle) throw damage(field, "an attribute");
    const Handle type(H5Aget_type(handle), H5Tclose), space(H5Aget_space(handle), H5Sclose);
    if (!type || !space) throw damage(field, "an attribute");
    // Attributes are stored as they are: what is larger than the file is damage, and HDF5 would make room for it.
    if (times(product(extents_of(space)), H5Tget_size(type)) > file_bytes)
      throw refusal(field, "an attribute", "damage (it is larger than the file)");
    return handle;
  }
};

LocalHdf5::LocalHdf5(const std::string& path, std::size_t file_bytes) {
  const QuietErrors quiet;
  const Handle files(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
#if H5_VERSION_GE(1, 10, 7)
  H5Pset_file_locking(files, false, true);
#endif
  Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, files), H5Fclose);
  if (!file && innermost_error().find("already open for write") != std::string::npos)
    throw refusal(
        "file", "a file that was closed after it was written",
        "one that a program is writing, or ended without closing; `h5clear -s FILE` makes it readable if none is");
  if (!file) throw damage("file", "a whole HDF5 file");
  state_ = std::make_unique<State>(std::move(file), file_bytes);
}

LocalHdf5::~LocalHdf5() {
  const QuietErrors quiet(std::nothrow);
  state_.reset();
}

bool LocalHdf5::has(const std::string& object) {
  const QuietErrors quiet;
  return state_->exists(object);
}

bool LocalHdf5::has_attribute(const std::string& object, const std::string& attribute) {
  const QuietErrors quiet;
  if (!state_->exists(object)) return false;
  const htri_t there = H5Aexists_by_name(state_->file, object.c_str(), attribute.c_str(), state_->access);
  if (there < 0) throw damage(of_attribute(object, attribute), "an attribute");
  return there > 0;
}

StoredArray LocalHdf5::dataset(const std::string& dataset) {
  const QuietErrors quiet;
  return state_->open(dataset).array;
}

StoredArray LocalHdf5::attribute(const std::string& object, const std::string& attribute) {
  const QuietErrors quiet;
  const Handle handle = state_->open_attribute(object, attribute);
  return describe_array(Handle(H5Aget_type(handle), H5Tclose), Handle(H5Aget_space(handle), H5Sclose));
}

void LocalHdf5::read_rows(const std::string& dataset, std::size_t first, std::size_t count, ElementType number,
                          std::span<std::byte> to) {
  const QuietErrors quiet;
  const State::OpenDataset& open = state_->open(dataset);
  const Shape& shape = open.array.shape;
  Shape rows = shape;
  if (!rows.empty()) rows[0] = count;
  if (!is_number(open.array.type) || open.array.empty_dataspace || first > (shape.empty() ? 0 : shape[0]) ||
      count > (shape.empty() ? 1 : shape[0]) - first || times(product(rows), bytes_of(number)) != to.size())
    throw refusal(dataset, "numbers of the size that was asked for", open.array.type_in_words + " of other extents");
  if (to.empty()) return;
  const auto damaged = [&] { return damage(dataset, "readable data"); };
  if (shape.empty()) {
    if (H5Dread(open.data, memory_type_of(number), H5S_ALL, H5S_ALL, H5P_DEFAULT, to.data()) < 0) throw damaged();
    return;
  }
  std::vector<hsize_t> start(rows.size(), 0), extents(rows.begin(), rows.end());
  start[0] = first;
  const Handle file_space(H5Scopy(open.space), H5Sclose);
  const Handle memory_space(H5Screate_simple(static_cast<int>(rows.size()), extents.data(), nullptr), H5Sclose);
  if (H5Sselect_hyperslab(file_space, H5S_SELECT_SET, start.data(), nullptr, extents.data(), nullptr) < 0 ||
      H5Dread(open.data, memory_type_of(number), memory_space, file_space, H5P_DEFAULT, to.data()) < 0)
    throw damaged();
}

void LocalHdf5::read_attribute(const std::string& object, const std::string& attribute, ElementType number,
                               std::span<std::byte> to) {
  const QuietErrors quiet;
  const std::string field = of_attribute(object, attribute);
  const Handle handle = state_->open_attribute(object, attribute);
  const Handle type(H5Aget_type(handle), H5Tclose), space(H5Aget_space(handle), H5Sclose);
  const StoredArray array = describe_array(type, space);
  if (!is_number(array.type) || array.empty_dataspace || times(product(array.shape), bytes_of(number)) != to.size())
    throw refusal(field, "numbers of the size that was asked for", array.type_in_words + " of other extents");
  if (!to.empty() && H5Aread(handle, memory_type_of(number), to.data()) < 0) throw damage(field, "readable data");
}

std::string LocalHdf5::read_string(const std::string& object, const std::string& attribute) {
  const QuietErrors quiet;
  const std::string field = of_attribute(object, attribute);
  const Handle handle = state_->open_attribute(object, attribute);
  const Handle type(H5Aget_type(handle), H5Tclose), space(H5Aget_space(handle), H5Sclose);
  if (H5Tget_class(type) != H5T_STRING) throw refusal(field, "a string", describe_stored(type));
  if (H5Sget_simple_extent_npoints(space) != 1) throw refusal(field, "one string", describe(extents_of(space)));
  const auto damaged = [&] { return damage(field, "a readable string"); };
  const Handle memory_type(H5Tcopy(H5T_C_S1), H5Tclose);
  if (H5Tset_cset(memory_type, H5Tget_cset(type)) < 0) throw damaged();
  std::string text;
  if (H5Tis_variable_str(type) > 0) {
    char* value = nullptr;
    if (H5Tset_size(memory_type, H5T_VARIABLE) < 0 || H5Aread(handle, memory_type, &value) < 0) throw damaged();
    if (value != nullptr) text = value;
    H5free_memory(value);
  } else {
    text.resize(H5Tget_size(type) + 1);  // room for an end of string where the file has none
    if (H5Tset_size(memory_type, text.size()) < 0 || H5Aread(handle, memory_type, text.data()) < 0) throw damaged();
    text.resize(text.find('\0') == std::string::npos ? text.size() : text.find('\0'));
    if (H5Tget_strpad(type) == H5T_STR_SPACEPAD) text.erase(text.find_last_not_of(' ') + 1);
  }
  return text;
}

}  // namespace dsasrgs
