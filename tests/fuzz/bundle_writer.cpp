// SPDX-License-Identifier: Apache-2.0
// Hdf5Writer that writes a bundle instead of an HDF5 file, in the program that makes the first corpora (seeds.cpp).

#include "bundle.hpp"
#include "files/hdf5_file.hpp"
#include "files/hdf5_memory.hpp"

namespace dsasrgs {

namespace {

using fuzz::BundleItem;

/// Of the writer that is there; one at a time.
std::vector<BundleItem> written;

BundleItem& put(BundleItem::Kind kind, const std::string& object, const std::string& attribute, ElementType type,
                const Shape& shape, const void* bytes, std::size_t count) {
  BundleItem& item = written.emplace_back();
  item.kind = kind;
  item.object = object;
  item.attribute = attribute;
  item.type = type;
  item.extents.assign(shape.begin(), shape.end());
  item.bytes.assign(static_cast<const char*>(bytes), count);
  return item;
}

template <class T>
void put_attribute(const std::string& object, const std::string& name, const Shape& shape, const T* values,
                   std::size_t count) {
  put(BundleItem::Kind::attribute, object, name, element_of<T>(), shape, values, count * sizeof(T));
}

}  // namespace

Hdf5Writer::Hdf5Writer(const std::filesystem::path& path) : target_(path), name_(path.string()) { written.clear(); }
Hdf5Writer::~Hdf5Writer() = default;

void Hdf5Writer::set_format(std::string_view format, int version) {
  attribute("/", "format", format);
  attribute("/", "version", version);
}

void Hdf5Writer::group(const std::string& path) {
  put(BundleItem::Kind::group, path, "", ElementType::other, {}, "", 0);
}

template <class T>
void Hdf5Writer::write(const std::string& dataset, std::span<const T> values, const Shape& shape, Hdf5Storage) {
  put(BundleItem::Kind::dataset, dataset, "", element_of<T>(), shape, values.data(), values.size_bytes());
}

template <class T>
void Hdf5Writer::create(const std::string& dataset, const Shape& shape, Hdf5Storage, bool) {
  put(BundleItem::Kind::dataset, dataset, "", element_of<T>(), shape, "", 0);
}

template <class T>
void Hdf5Writer::write_slab(const std::string& dataset, std::size_t, std::span<const T> values) {
  for (BundleItem& item : written)
    if (item.object == dataset && item.attribute.empty())
      item.bytes.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
}

void Hdf5Writer::attribute(const std::string& object, const std::string& name, double value) {
  put_attribute(object, name, {}, &value, 1);
}
void Hdf5Writer::attribute(const std::string& object, const std::string& name, std::int64_t value) {
  put_attribute(object, name, {}, &value, 1);
}
void Hdf5Writer::attribute(const std::string& object, const std::string& name, std::string_view value) {
  put(BundleItem::Kind::attribute, object, name, ElementType::string, {}, value.data(), value.size());
}
void Hdf5Writer::attribute(const std::string& object, const std::string& name, const std::vector<double>& values) {
  put_attribute(object, name, {values.size()}, values.data(), values.size());
}
void Hdf5Writer::attribute(const std::string& object, const std::string& name,
                           const std::vector<std::int64_t>& values) {
  put_attribute(object, name, {values.size()}, values.data(), values.size());
}

void Hdf5Writer::commit() {
  const std::string bytes = fuzz::to_bytes(written);
  target_.write(bytes.data(), bytes.size());
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
