// SPDX-License-Identifier: Apache-2.0
#include "bundle.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "harness.hpp"

namespace dsasrgs::fuzz {

namespace {

constexpr std::size_t kMostExtents = 5;

/// Takes bytes from the front; where there are too few, what is left and zeros.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : left_(bytes) {}
  template <class T>
  T number() {
    T value{};
    const std::string_view taken = text(sizeof value);
    std::memcpy(&value, taken.data(), taken.size());
    return value;
  }
  std::string_view text(std::size_t count) {
    const std::string_view taken = left_.substr(0, count);
    left_.remove_prefix(taken.size());
    return taken;
  }
  bool empty() const { return left_.empty(); }

 private:
  std::string_view left_;
};

template <class T>
void put(std::string& bytes, T number) {
  bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
}

}  // namespace

std::vector<BundleItem> parse_bundle(std::string_view text) {
  Bytes bytes(text);
  std::vector<BundleItem> items;
  while (!bytes.empty()) {
    BundleItem& item = items.emplace_back();
    item.kind = static_cast<BundleItem::Kind>(bytes.number<std::uint8_t>() % 6);
    item.type =
        static_cast<ElementType>(bytes.number<std::uint8_t>() % (static_cast<unsigned>(ElementType::other) + 1));
    item.extents.resize(bytes.number<std::uint8_t>() % (kMostExtents + 1));
    item.object = bytes.text(bytes.number<std::uint8_t>());
    item.attribute = bytes.text(bytes.number<std::uint8_t>());
    for (std::uint32_t& extent : item.extents) extent = bytes.number<std::uint32_t>();
    item.bytes = bytes.text(bytes.number<std::uint32_t>());
  }
  return items;
}

std::string to_bytes(const std::vector<BundleItem>& items) {
  std::string bytes;
  for (const BundleItem& item : items) {
    put(bytes, static_cast<std::uint8_t>(item.kind));
    put(bytes, static_cast<std::uint8_t>(item.type));
    put(bytes, static_cast<std::uint8_t>(item.extents.size()));
    for (const std::string* name : {&item.object, &item.attribute}) {
      const std::string_view kept = std::string_view(*name).substr(0, 255);
      put(bytes, static_cast<std::uint8_t>(kept.size()));
      bytes += kept;
    }
    for (const std::uint32_t extent : item.extents) put(bytes, extent);
    put(bytes, static_cast<std::uint32_t>(item.bytes.size()));
    bytes += item.bytes;
  }
  return bytes;
}

const std::filesystem::path& hdf5_file() {
  static const std::filesystem::path path = [] {
    std::string bytes("\x89HDF\r\n\x1a\n");
    bytes.resize(1 << 16);
    return file_of("bundle.h5", bytes);
  }();
  return path;
}

void read_bundle(const std::uint8_t* data, std::size_t size, const std::function<void()>& f) {
  serve(parse_bundle(text_of(data, size)));
  read(f);
}

}  // namespace dsasrgs::fuzz
